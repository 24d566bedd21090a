"""Full training of what was found: the gate, folds, ensemble members, exports."""
