"""Networks that a trial trains, and where their first weights come from."""
