"""Records in words and figures: closing summaries, pages and pictures."""
