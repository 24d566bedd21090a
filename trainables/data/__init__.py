"""From a contest's tables to batches: contest, folds, image store, loader."""
