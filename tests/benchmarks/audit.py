"""How fast a contest is audited: python -m tests.benchmarks.audit [images]

Photographs of 256 pixels (crops of scikit-learn's two sample photos, so many copies that each file
is another one) are looked at by ours, with all that the audit measures, and by cleanvision's own
Imagelab with as many processes, which looks at less. In turn, the ratio pair by pair; and the
pairs of near duplicates among 100,000 hashes.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from cleanvision import Imagelab
from sklearn.datasets import load_sample_images

from trainables.audit.looks import look_at
from trainables.audit.neighbours import close_hashes
from trainables.data.contest import load_contest

RUNS, SIDE, HASHES = 3, 256, 100_000


def photographs(folder: Path, count: int) -> None:
    """Writes a contest of crops, turned and tinted at random."""
    rng = np.random.default_rng(0)
    photos = load_sample_images().images
    (folder / "train").mkdir()
    names = []
    for i in range(count):
        photo = photos[i % len(photos)]
        top, left = (rng.integers(0, n - SIDE) for n in photo.shape[:2])
        crop = photo[top : top + SIDE, left : left + SIDE] * rng.uniform(0.6, 1, 3)
        names.append(f"train/{i:05d}.jpg")
        cv2.imwrite(str(folder / names[-1]), crop.astype(np.uint8))
    labels = ["a", "b"] * (count // 2) + ["a"] * (count % 2)
    pd.DataFrame({"image": names, "label": labels}).to_csv(folder / "train.csv", index=False)


def main() -> None:
    """Prints both rates, their ratio, and what 100,000 images would take."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    processes = os.cpu_count() or 1
    pairs = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        photographs(folder, count)
        contest = load_contest(name="bench", root=folder, test="")
        for _ in range(RUNS):
            begun = time.perf_counter()
            look_at(contest, processes=processes)
            between = time.perf_counter()
            quiet = io.StringIO()
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                Imagelab(data_path=str(folder / "train")).find_issues(
                    n_jobs=processes, verbose=False
                )
            pairs.append((between - begun, time.perf_counter() - between))
    ours = statistics.median(o for o, _ in pairs)
    ratios = [c / o for o, c in pairs]
    print(f"{count:,} photos of {SIDE} px, {processes} processes, {RUNS} runs in turn")
    print(
        f"ours {count / ours:,.0f} images/s ({min(o for o, _ in pairs):.1f} to "
        f"{max(o for o, _ in pairs):.1f} s); 100,000 would take "
        f"{100_000 / count * ours / 60:.1f} min"
    )
    print(
        f"cleanvision takes {statistics.median(ratios):.2f} times as long "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"memory at most {own:.2f} GiB, and {child:.2f} GiB in the largest process beside it")
    hashes = np.unique(np.random.default_rng(0).integers(0, 2**63, HASHES, dtype=np.uint64))
    begun = time.perf_counter()
    close_hashes(hashes)
    print(f"near duplicates among {len(hashes):,} hashes: {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
