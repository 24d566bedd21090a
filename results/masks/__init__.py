"""Masks as data: planes of pixels, run lengths, polygons, colours, and how they are scored."""
