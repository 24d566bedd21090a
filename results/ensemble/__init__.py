"""Out-of-fold predictions and blends of them, judged honestly; entry: blend."""
