"""A competition as recorded: where it stands, its candidates, submissions, scores and trust."""
