"""A row of the table of faults."""

from __future__ import annotations


class Row:
    """One row of the table.

    Args:
        name: What is injected.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: list[str] = []
        self.wrong: list[str] = []

    def expect(self, ok: bool, words: str) -> None:
        """Notes what was found, and that it is wrong if it is."""
        self.counts.append(words)
        if not ok:
            self.wrong.append(words)

    def __str__(self) -> str:
        verdict = "FAILS: " + "; ".join(self.wrong) if self.wrong else "passes"
        return f"{self.name}\n  {'; '.join(self.counts)}\n  {verdict}"
