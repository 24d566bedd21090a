"""Augmentation policies as data: the table of operations, and stages made of them."""
