"""Injects faults and prints what was lost: python -m tests.faults [row ...] [kills=50] [each=10]

Each row injects one kind of fault into real jobs, counts what came of it and says whether anything
was lost. All rows take more than an hour on two cores; the tests run a short version of each.

Rows: kills, folds, points, workers, cluster, disks, damage, outage, inputs. `folds` promotes what
`kills` searched. `cluster` and `disks` need the rights to make network namespaces and to mount.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.faults.cluster import can_have_hosts, node_that_leaves, two_hosts
from tests.faults.damage import cut_files
from tests.faults.inputs import fuzzed_inputs
from tests.faults.kills import killed_folds, killed_search, scored_search
from tests.faults.points import killed_at_writes
from tests.faults.row import Row
from tests.faults.storage import can_mount, full_disks
from tests.faults.tracking import outages
from tests.faults.workers import hurt_workers


def _inputs(folder: Path, count: int) -> list[Row]:
    job = scored_search(folder / "job")
    return fuzzed_inputs(folder, job.parent / "data", job, count)


def _cluster(folder: Path, times: int) -> Row:
    with two_hosts(folder) as cluster:
        return node_that_leaves(cluster, 12 * times, times, epochs=20)


def main() -> None:
    """Prints the table; the exit code is 1 if a row fails."""
    numbers = {"kills": 50, "folds": 10, "each": 10, "cuts": 100, "inputs": 1000}
    asked = []
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if value:
            numbers[name] = int(value)
        if not value or name in ("kills", "folds", "inputs"):
            asked.append(name)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        rows: dict[str, Callable[[], Row | list[Row]]] = {
            "kills": lambda: killed_search(place, numbers["kills"]),
            "folds": lambda: killed_folds(place, numbers["folds"]),
            "points": lambda: killed_at_writes(place / "points"),
            "workers": lambda: hurt_workers(place / "workers", numbers["each"]),
            "cluster": lambda: _cluster(place / "cluster", numbers["each"]),
            "disks": lambda: full_disks(place / "disks"),
            "damage": lambda: cut_files(place / "damage", numbers["cuts"]),
            "outage": lambda: outages(place / "outage"),
            "inputs": lambda: _inputs(place / "inputs", numbers["inputs"]),
        }
        possible = {"cluster": can_have_hosts(), "disks": can_mount(place / "probe")}
        wrong = False
        for name in asked or rows:
            if name not in rows:
                sys.exit(f"unknown row {name!r}: choices: {', '.join(rows)}")
            if not possible.get(name, True):
                print(f"{name}: left out, the rights are missing", flush=True)
                continue
            done = rows[name]()
            for row in done if isinstance(done, list) else [done]:
                print(row, flush=True)
                wrong = wrong or bool(row.wrong)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
