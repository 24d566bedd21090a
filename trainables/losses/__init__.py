"""Losses over soft targets, a file each; registry: losses."""
