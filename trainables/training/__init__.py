"""One configuration on one fold: steps, optimizers, schedules, mixing, averages; entry: fit."""
