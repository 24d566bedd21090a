"""What images that grow spare and cost: python -m tests.benchmarks.growing [seeds] [size]

On the embedded digits, whose photos are enlarged for it, the baseline is trained at the whole size
and with ``first_share=0.5``, seed by seed and by turns. Compared are the processor's seconds of one
thread, which other work on the machine changes little, and the macro F1 on the hold-out and on the
test.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from results.metrics import METRICS
from results.predictions import Predictions
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from trainables.data.contest import load_contest
from trainables.data.digits import make_digits
from trainables.data.folds import make_folds
from trainables.data.image_store import store_side
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

SHARES, METRIC = (1.0, 0.5), METRICS["macro_f1"]


def interval(values: list[float]) -> str:
    """Mean and half width of Student's interval, 95 %."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:+.2f}"
    half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:+.2f} ± {half:.2f}"


def main() -> None:
    """Trains both by turns and prints what the seeds tell."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        root = make_digits(folder / "data")
        contest = load_contest(name="digits", root=root)
        side = store_side(size)
        context = TrainingContext(
            store=build_store(contest, Preparation(side=side), folder / "store"),
            folds=make_folds(contest, 5),
            classes=contest.classes,
            metric=METRIC,
        )
        solution = pd.read_csv(root / "solution.csv", dtype=str).set_index("image")["label"]
        index = {name: i for i, name in enumerate(contest.classes)}
        true = np.array([index[solution[image]] for image in contest.test_images], np.int64)
        base = TrialConfig.of(
            backbone="test_resnet", size=size, store_side=side, lr=5e-3, batch=32, epochs=12
        )
        found: dict[float, list[tuple[float, float, float]]] = {share: [] for share in SHARES}
        for seed in range(seeds):
            for share in SHARES if seed % 2 else SHARES[::-1]:
                where, begun = folder / f"{seed}-{share}", time.process_time()
                config = base.replace(seed=seed, first_share=share)
                *_, last = fit(config, context, where)
                seconds = time.process_time() - begun
                test = Predictions.read(where / "test.npz").probabilities
                scores = last.report["metrics"]["val/macro_f1"], METRIC.score(true, test)
                found[share].append((seconds, *scores))
                print(f"seed {seed}, {share:g}: {seconds:.1f} s, {scores[0]:.4f}, {scores[1]:.4f}")
        pairs = list(zip(found[1.0], found[0.5], strict=True))
        ratios = [grown[0] / whole[0] for whole, grown in pairs]
        print(machine("torch", "timm"))
        print(
            f"{seeds} seeds at {size} pixels: first_share=0.5 takes "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) of the time"
        )
        for which, name in ((1, "hold-out"), (2, "test")):
            gains = [100 * (grown[which] - whole[which]) for whole, grown in pairs]
            print(f"{interval(gains)} points of macro F1 on the {name}")


if __name__ == "__main__":
    main()
