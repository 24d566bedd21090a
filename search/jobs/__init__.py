"""One job from its options to its closing event: checks, resume, reuse; entry: lifecycle."""
