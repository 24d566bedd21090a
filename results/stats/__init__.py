"""Estimators over images and seeds: bootstrap, rank correlation, optimism, comparison."""
