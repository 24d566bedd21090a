"""The append-only truth: ledger, lock and events; trials are its one reducer."""
