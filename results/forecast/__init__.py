"""What models will score on test images that nobody has labelled."""
