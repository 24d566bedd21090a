"""What came out: metrics, predictions, ledgers, trials, tracking, comparisons and reports."""
