"""What to train next: plans, the sampler, early stopping, warm starts."""
