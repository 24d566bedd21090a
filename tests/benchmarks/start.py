"""How soon something happens: python -m tests.benchmarks.start [pairs]

Interleaved, in turn: `python -c "import torch, ray, mlflow"`, which any script of this kind begins
with; the help of a search; the record of a thousand trials in the terminal; and the first epoch of
the first trial of a search on the embedded digits, from typing the command, with the images there
already. Prints seconds, median and range, and the ratio to the imports.
"""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results.records.ledger import Ledger
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from tests.records import ended, job_event, opening_event, started

TRIALS = 1000

EPOCH = re.compile(rb'"event": ?"epoch"')
"""An epoch's event in a ledger."""


def write_record(folder: Path) -> None:
    """A search of a thousand trials with three epochs each."""
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        config = TrialConfig.of(epochs=3)
        ledger.add(opening_event("large", config))
        for number in range(TRIALS):
            name = f"large-{number:04d}"
            ledger.add(started(name, config, number=number, params={"lr": 1e-3}))
            for epoch in range(1, 4):
                report = {
                    "epoch": epoch,
                    "metrics": {"val/accuracy": number / TRIALS},
                    "seconds": {"total": 1.0},
                }
                ledger.add(job_event("epoch", trial=name, report=report))
            ledger.add(ended(name))
        ledger.commit()


def seconds(place: Path, *words: str) -> float:
    """Of a command."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=place, capture_output=True, check=True)
    return time.perf_counter() - begun


def first_epoch(place: Path, name: str) -> float:
    """Seconds from typing a search's command to its first epoch in the ledger."""
    ledger = place / "runs/digits" / name / "ledger.jsonl"
    begun = time.perf_counter()
    options = (f"name={name}", "trials=1", "confirm=0", "epochs=1", "quiet=true")
    with subprocess.Popen(
        [sys.executable, "-m", "search.run", *options],
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as search:
        while not (ledger.is_file() and EPOCH.search(ledger.read_bytes())):
            if search.poll() not in (None, 0):
                raise SystemExit("the search failed")
            time.sleep(0.02)
        found = time.perf_counter() - begun
        search.wait()
    return found


def main() -> None:
    """Prints a row per command."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    os.environ["PYTHONPATH"] = str(Path.cwd())
    print(f"{pairs} runs; {machine('torch', 'ray', 'mlflow')}")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "runs/c/large").mkdir(parents=True)
        write_record(place / "runs/c/large")
        first_epoch(place, "warm-up")
        rows: dict[str, list[float]] = {}
        for run in range(pairs):
            for what, took in (
                ("import torch, ray, mlflow", seconds(place, "-c", "import torch, ray, mlflow")),
                ("search.run --help", seconds(place, "-m", "search.run", "--help")),
                (f"search.show of {TRIALS} trials", seconds(place, "-m", "search.show", "c/large")),
                ("first epoch of the first trial", first_epoch(place, f"run{run}")),
            ):
                rows.setdefault(what, []).append(took)
    imports = next(iter(rows.values()))
    for what, times in rows.items():
        ratio = statistics.median(a / b for a, b in zip(times, imports, strict=True))
        print(
            f"{what}: {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f}), "
            f"{ratio:.2f} times the imports"
        )


if __name__ == "__main__":
    main()
