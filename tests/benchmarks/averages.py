"""What averages gain: python -m tests.benchmarks.averages [seeds]

On the embedded digits the baseline is trained without an average, with two of weights (EMA, SWA)
and with one of what the last epochs predict, under its own schedule, which ends low, and under one
that does not. An average changes nothing of how weights are trained, so that with a seed all four
are the same training, and differences are of the averages alone: points of macro F1.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.embedded_digits import Digits, interval
from tests.benchmarks.machine import machine

SIZE = 32
AVERAGES: dict[str, dict[str, Any]] = {
    "none": {"averaging": "none"},
    "ema": {"averaging": "ema", "ema_decay": 0.99},
    "swa": {"averaging": "swa", "swa_epochs": 3},
    "ensemble": {"averaging": "ensemble", "ensemble_epochs": 3},
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "cosine": {},
    "constant": {"schedule": "constant", "lr": 2e-3},
}


def main() -> None:
    """Trains and prints a row for every schedule and average."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(machine("torch", "timm"))
    print("| schedule | average | hold-out | test | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        digits = Digits.made(folder, SIZE)
        for schedule, settings in SCHEDULES.items():
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in AVERAGES}
            for seed in range(seeds):
                for name, average in AVERAGES.items():
                    config = digits.base.replace(seed=seed, **settings, **average)
                    place = folder / f"{schedule}-{name}-{seed}"
                    found[name].append(digits.scores(config, place))
            for name, scores in found.items():
                cells = []
                for part in (0, 1):
                    pairs = zip(scores, found["none"], strict=True)
                    gains = [100 * (own[part] - none[part]) for own, none in pairs]
                    score = sum(s[part] for s in scores) / seeds
                    cells.append(f"{score:.4f}" if name == "none" else interval(gains))
                print(f"| {schedule} | {name} | {' | '.join(cells)} | n = {seeds} |", flush=True)


if __name__ == "__main__":
    main()
