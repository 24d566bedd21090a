"""What a second process gains a training: python -m tests.benchmarks.ranks [epochs] [backbone]

The embedded digits, enlarged to 64 pixels, are trained by one process with one thread, by two that
share the batches with a thread each, and by one with two threads. The three go on in turn, epoch by
epoch, each time from another one on, so that what else the machine does hits all alike. Compared
are images per second of the steps, loading included and scoring left out; the first epoch is not
counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import torch

from results.metrics import METRICS
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from tests.sharing import shared
from trainables.data.contest import load_contest
from trainables.data.digits import make_digits
from trainables.data.folds import make_folds
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext

SIDES = {"one thread": (1, 1), "two processes": (2, 1), "two threads": (1, 2)}
"""Processes, and threads of each."""

SIZE, SIDE = 64, 84


def main() -> None:
    """Trains all by turns and prints the rates and their ratios."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    backbone = sys.argv[2] if len(sys.argv) > 2 else "test_resnet"
    config = TrialConfig.of(
        backbone=backbone, size=SIZE, store_side=SIDE, lr=1e-3, epochs=epochs, warmup_epochs=0
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        contest = load_contest(name="digits", root=make_digits(folder / "data"))
        context = TrainingContext(
            store=build_store(contest, Preparation(side=SIDE), folder / "store"),
            folds=make_folds(contest, 5),
            classes=contest.classes,
            metric=METRICS["macro_f1"],
            predict_test=False,
        )
        trainings = {
            name: shared(config, context, folder / name, processes=processes)
            for name, (processes, _) in SIDES.items()
        }
        rates: dict[str, list[float]] = {name: [] for name in SIDES}
        order = list(SIDES)
        for _ in range(epochs):
            for name in order:
                torch.set_num_threads(SIDES[name][1])
                report = next(trainings[name]).report
                seconds = report["seconds"]["feed"] + report["seconds"]["compute"]
                rates[name].append(report["images"] / seconds)
            order.append(order.pop(0))
    print(machine("torch", "timm"))
    first = rates["one thread"][1:]
    for name, found in rates.items():
        times = sorted(rate / one for rate, one in zip(found[1:], first, strict=True))
        print(
            f"{backbone}, {name}: {statistics.median(found[1:]):.0f} images/s, "
            f"{statistics.median(times):.2f} ({times[0]:.2f} to {times[-1]:.2f}) of one thread"
        )


if __name__ == "__main__":
    main()
