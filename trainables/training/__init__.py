"""One configuration on one fold; entry: fit."""
