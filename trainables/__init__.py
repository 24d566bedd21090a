"""What one trial does: contest data, folds, augmentation, model, training and prediction."""
