"""One job from its options to its closing event; entry: lifecycle."""
