"""Early stopping on recorded learning curves: recorded once, replayed as often as it takes."""
