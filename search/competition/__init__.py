"""A competition gathered for its commands: candidates, submissions, scores, trust."""
