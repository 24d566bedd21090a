"""What came out: metrics and predictions here, records and what follows from them in the rooms."""
