"""Full training of what was found: gate, race, folds; ensemble members, views, exports."""
