"""Times blending: python -m tests.benchmarks.blend [models] [images] [classes]

Judges every recipe on 50 models x 100,000 images x 20 classes, and prints the time and the memory
it took. Beside it, one round of greedy selection with the metric of scikit-learn, which is what one
would write oneself, against one of ours, on the same images.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.metrics import f1_score

from results.ensemble.blend import best_partners, choose, error_correlation, judge
from results.ensemble.class_bias import confusion_scores
from results.ensemble.stack import PredictionStack
from results.metrics import METRICS

REPEATS = 5


def made_up(models: int, images: int, classes: int) -> PredictionStack:
    """Models of differing skill that share a part of their errors."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, images)
    shared = 1.5 * rng.normal(size=(images, classes)).astype(np.float32)
    oof = np.empty((models, images, classes), np.float32)
    for i in range(models):
        scores = shared + rng.normal(size=(images, classes)).astype(np.float32)
        scores[np.arange(images), labels] += 2.5 + 0.3 * rng.normal()
        np.exp(scores, out=scores)
        oof[i] = scores / scores.sum(axis=1, keepdims=True)
    return PredictionStack(
        names=tuple(f"m{i}" for i in range(models)),
        images=tuple(map(str, range(images))),
        labels=labels,
        folds=rng.integers(0, 5, images),
        groups=None,
        oof=oof,
    )


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Wall time of each repeat."""
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return found


def main() -> None:
    """Prints the table."""
    models, images, classes = (
        int(a) for a in [*sys.argv[1:], *["50", "100000", "20"][len(sys.argv) - 1 :]]
    )
    metric, stack = METRICS["macro_f1"], made_up(models, images, classes)
    labels = stack.labels

    def ours() -> list[float]:
        found = []
        for p in stack.oof:
            cells = np.bincount(labels * classes + p.argmax(axis=1), minlength=classes**2)
            found.append(confusion_scores(metric, cells.reshape(1, classes, classes))[0])
        return found

    def theirs() -> list[float]:
        return [f1_score(labels, p.argmax(axis=1), average="macro") for p in stack.oof]

    np.testing.assert_allclose(ours(), theirs(), rtol=1e-9)
    quick, slow = seconds(ours), seconds(theirs)

    def everything() -> None:
        choose(metric, stack, judge(metric, stack))
        best_partners(metric, stack)
        error_correlation(stack)

    (whole,) = seconds(everything, 1)
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{models} models x {images:,} images x {classes} classes, macro_f1")
    print(f"everything search.blend computes: {whole:.1f} s, {gib:.2f} GiB at most")
    ratio = statistics.median(slow) / statistics.median(quick)
    print(
        f"one greedy round: {statistics.median(quick):.2f} s ({min(quick):.2f} to "
        f"{max(quick):.2f}), with scikit-learn's f1_score {statistics.median(slow):.2f} s "
        f"({min(slow):.2f} to {max(slow):.2f}), {ratio:.1f} times as long (n = {REPEATS})"
    )


if __name__ == "__main__":
    main()
