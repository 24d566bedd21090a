"""From a contest's tables to batches: folds, image store, loader; labels corrected and added."""
