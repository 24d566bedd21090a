"""Injects faults and prints what was lost: python -m tests.faults [kills] [fold kills]

Each row injects one kind of fault, counts what came of it and says whether nothing was lost. It
takes about a minute per two kills; the tests run a short version of each.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.faults.kills import killed_folds, killed_search


def main() -> None:
    """Prints the table; the exit code is 1 if a row fails."""
    kills, fold_kills = (int(a) for a in [*sys.argv[1:], *["50", "10"][len(sys.argv) - 1 :]])
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for inject, count in ((killed_search, kills), (killed_folds, fold_kills)):
            row = inject(Path(scratch), count)
            print(row, flush=True)
            rows.append(row)
    sys.exit(any(row.wrong for row in rows))


if __name__ == "__main__":
    main()
