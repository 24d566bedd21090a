"""Exit codes of every command."""

from __future__ import annotations

OK, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 3
"""`STOPPED` is before the end, by Ctrl-C or SIGTERM, with whole records."""
