"""Several trials on one GPU: python -m tests.benchmarks.packing <folder> <runs> [options]

The same search with a whole GPU for each trial, a half, a quarter and an eighth, in turn; all
trials run to their ends. Counted are the images trained on between the first report of an epoch
and the last, so that starting is left out, and the most memory that the GPU had in use. Options
with ``=`` are those of ``search.run``, the digits unless they say otherwise:

    python -m tests.benchmarks.packing /tmp/packing 3 fix.backbone=resnet18 fix.size=64 trials=15
"""

from __future__ import annotations

import statistics
import sys
import threading
from pathlib import Path

import torch

from results.records.events import EVENTS, EpochDone
from results.records.ledger import read_ledger
from tests.benchmarks.command import run
from tests.benchmarks.machine import machine

SHARES = (1.0, 0.5, 0.25, 0.125)
WORDS = ("trials=15", "epochs=4", "confirm=0", "scheduler.rule=none", "predict.test=false")


class Memory:
    """The most memory of a GPU in use by all processes, in GiB, sampled."""

    def __init__(self) -> None:
        self.most, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            free, there = torch.cuda.mem_get_info()
            self.most = max(self.most, (there - free) / 2**30)


def rate(ledger: Path) -> float:
    """Images per second of a search's trials, from the first report to the last."""
    events = [event for event in read_ledger(ledger, EVENTS) if isinstance(event, EpochDone)]
    seconds = events[-1].at - events[0].at
    return sum(event.report.images for event in events[1:]) / seconds


def main() -> None:
    """Prints a line per share."""
    folder, runs = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    words = [*WORDS, *sys.argv[3:]]
    rates: dict[float, list[float]] = {share: [] for share in SHARES}
    memory: dict[float, list[float]] = {share: [] for share in SHARES}
    order = list(SHARES)
    for number in range(runs):
        for share in order:
            name = f"share-{int(1 / share)}-{number}"
            (folder / name).mkdir(parents=True)  # of its own: nothing is taken over
            with Memory() as used:
                run(folder / name, "run", f"resources.gpu={share}", f"seed={number}", *words)
            (ledger,) = folder.glob(f"{name}/runs/*/*/ledger.jsonl")
            rates[share].append(rate(ledger))
            memory[share].append(used.most)
            print(f"{name}: {rates[share][-1]:,.0f} images/s", file=sys.stderr, flush=True)
        order.append(order.pop(0))
    print(f"{torch.cuda.get_device_name()}; {machine('torch', 'ray')}; {' '.join(words)}")
    for share in SHARES:
        times = [one / whole for one, whole in zip(rates[share], rates[1.0], strict=True)]
        print(
            f"{1 / share:.0f} on the GPU: {statistics.median(rates[share]):,.0f} images/s, "
            f"{statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f}) of one; "
            f"{max(memory[share]):.1f} GiB in use"
        )


if __name__ == "__main__":
    main()
