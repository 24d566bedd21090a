"""Times ``search.trust`` on a large record: python -m tests.benchmarks.trust [trials] [images]

Writes a record of 1,000 trials with predictions of 10,000 hold-out images in 10 classes and 50
scored submissions into a temporary folder, and runs the command five times on it, imports and
tracking included. Embedding the test images, which happens once per contest, is not part of it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from results.leaderboard.leaderboard import Leaderboard
from results.metrics import METRICS
from results.predictions import Predictions
from results.records.ledger import Ledger
from spaces.trial_config import TrialConfig
from tests.records import draft, ended, job_event, opening_event, started

REPEATS, SCORED, CLASSES, TESTS = 5, 50, 10, 3000


def write_record(runs: Path, trials: int, images: int) -> None:
    """Writes a search whose trials differ a little in skill, and scores of 50 of them."""
    rng = np.random.default_rng(0)
    folder, metric = runs / "large", METRICS["macro_f1"]
    names = tuple(f"{i}.png" for i in range(images))
    classes = tuple(f"class {i}" for i in range(CLASSES))
    labels, easy = rng.integers(0, CLASSES, images), rng.normal(-1.2, 1, images)
    folder.mkdir(parents=True)
    table = pd.DataFrame({"image": names, "label": labels, "fold": 0})
    table.to_csv(folder / "folds-large.csv", index=False)
    ledger = Ledger(folder / "s" / "ledger.jsonl")
    ledger.add(
        opening_event(
            "s",
            competition="large",
            metric=metric.name,
            direction=metric.direction,
            classes=list(classes),
            images={"train": images, "test": TESTS},
            data={"root": str(runs), "digest": "large"},
            folds={"file": "folds-large.csv", "digest": "large", "count": 1, "sizes": [images]},
        )
    )
    leaderboard = Leaderboard(path=folder / "leaderboard.jsonl")
    skills = rng.normal(0, 0.1, trials)
    for i, skill in enumerate(skills):
        right = skill + 0.6 * rng.normal(size=images) > easy
        guessed = np.where(right, labels, (labels + 1) % CLASSES)
        probabilities = (0.9 * np.eye(CLASSES)[guessed] + 0.01).astype(np.float32)
        predictions = Predictions.of_classes(
            images=names, classes=classes, probabilities=probabilities
        )
        trial = f"s-{i:03d}"
        predictions.write(folder / "s" / "trials" / trial / "holdout.npz")
        config = TrialConfig.of(seed=i, epochs=1, warmup_epochs=0)
        ledger.add(started(trial, config, number=i))
        score = metric.score(labels, probabilities)
        report = {
            "epoch": 1,
            "metrics": {f"val/{metric.name}": score},
            "seconds": {"total": 1.0},
            "images": images,
        }
        ledger.add(job_event("epoch", trial=trial, report=report))
        ledger.add(ended(trial, "finished"))
    ledger.close()
    for i in np.argsort(-skills)[:SCORED]:
        made = leaderboard.add_submission(f"s-{i:03d}", draft(leaderboard.path.parent))
        public = float(np.clip(0.7 + 0.1 * skills[i] + 0.01 * rng.normal(), 0, 1))
        leaderboard.add_score(made.id, public=public, private=None, images=TESTS)


def main() -> None:
    """Writes the record, times the command and prints the figures."""
    trials, images = (int(a) for a in (*sys.argv[1:], "1000", "10000")[:2])
    with tempfile.TemporaryDirectory() as scratch:
        write_record(Path(scratch) / "runs", trials, images)
        seconds = []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "search.trust"],
                cwd=scratch,
                capture_output=True,
                text=True,
                check=True,
            )
            seconds.append(time.perf_counter() - begun)
    print(done.stdout)
    print(
        f"{trials:,} trials, {SCORED} scored, {images:,} images: median "
        f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f}, "
        f"n = {REPEATS})"
    )


if __name__ == "__main__":
    main()
