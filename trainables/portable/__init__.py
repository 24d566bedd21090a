"""What exports carry along and stand on alone: predictors, preparation, pipelines."""
