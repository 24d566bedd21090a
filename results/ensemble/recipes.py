"""Recipes of blends: how models are merged, and how each recipe is fitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from results.ensemble.class_bias import confusion_scores, counts_labels_only, fit_class_biases
from results.ensemble.stack import Block, PredictionStack
from results.masks.merging import Blend, How
from results.metrics import Ints, Metric

MERGES: tuple[How, ...] = ("mean", "geometric", "rank", "vote")
BY_CLASS = "weighted by class"
RECIPES = ("best single", *MERGES, "weighted", BY_CLASS, "mean + biases", "weighted + biases")
ROUNDS = 25
"""Models that a weighted blend adds up, with repetition."""

CHOSEN_ON = 20_000
"""Most images on which weights are chosen; what they are worth is told by all of them."""

RANKED = 100
"""Fewest test images that are ranked among each other. In simulations of two and ten classes ranks
among 100 cost accuracy half a point that folds of 1,000 images do not tell, among ten four points.
"""

MANY = 150
"""Classes above which confusion matrices are not used, and no biases are fitted."""


def not_ranked(metric: Metric, stack: PredictionStack) -> str:
    """Why ranks are worth something else than folds tell, in words; empty where they are not."""
    if stack.sampled:
        return "masks are ranked image by image, and judged among pixels of a whole fold"
    if metric.name == "log_loss":
        return "log loss is of probabilities, which ranks are not"
    if 0 < stack.tested < RANKED:
        return f"{stack.tested} test images are too few to rank among each other: {RANKED} at least"
    return ""


def fit_recipes(
    metric: Metric, stack: PredictionStack, rows: NDArray[np.bool_], labels_only: bool
) -> dict[str, Blend]:
    """Fits every recipe on some rows.

    Args:
        metric: The contest's metric.
        stack: The models.
        rows: bool (n,), whether an image is fitted on.
        labels_only: What `by_labels` says; recipes that bias classes need it.
    """
    labels = stack.labels[rows]
    oof = stack.oof if rows.all() else stack.oof[:, rows]
    k = len(oof)
    even = (1 / k,) * k
    sign = metric.sign
    score = scorer(metric, labels, labels_only)
    singles = [sign * score(p) for p in oof]
    single = np.eye(k)[int(np.nanargmax(singles))]
    greedy = _greedy(metric, labels, oof, labels_only)
    found = {
        "best single": Blend(recipe="best single", merge="mean", weights=tuple(single.tolist()))
    }
    merges = [m for m in MERGES if m != "rank" or not not_ranked(metric, stack)]
    found |= {m: Blend(recipe=m, merge=m, weights=even) for m in merges}
    found["weighted"] = Blend(recipe="weighted", merge="mean", weights=greedy)
    if labels_only and stack.sampled:
        each = _by_class(metric, labels, oof, greedy)
        found[BY_CLASS] = Blend(
            recipe=BY_CLASS,
            merge="mean",
            weights=tuple(each.mean(axis=1).tolist()),
            by_class=tuple(map(tuple, each.tolist())),
        )
    if labels_only:
        for name, weights in (("mean + biases", even), ("weighted + biases", greedy)):
            plain = Blend(recipe=name, merge="mean", weights=weights)
            biases = fit_class_biases(metric, labels, plain.apply(oof))
            found[name] = Blend(
                recipe=name, merge="mean", weights=weights, biases=tuple(biases.tolist())
            )
    return found


def _greedy(metric: Metric, labels: Ints, oof: Block, labels_only: bool) -> tuple[float, ...]:
    """Weights by greedy selection with replacement.

    Caruana, Niculescu-Mizil, Crew and Ksikes, Ensemble selection from libraries of models, ICML
    2004: add the model that helps the sum most, `ROUNDS` times; the best sum on the way counts.
    """
    k, n, _ = oof.shape
    if n > CHOSEN_ON:
        some = np.sort(np.random.default_rng(0).choice(n, CHOSEN_ON, replace=False))
        labels, oof = labels[some], oof[:, some]
    sign = metric.sign
    score = scorer(metric, labels, labels_only)
    total, candidate = np.zeros(oof.shape[1:], np.float32), np.empty(oof.shape[1:], np.float32)
    counts = np.zeros(k)
    best, kept = -np.inf, counts.copy()
    scores = np.empty(k)
    for turn in range(1, ROUNDS + 1):
        for i in range(k):
            np.add(total, oof[i], out=candidate)
            if not labels_only:
                candidate /= turn
            scores[i] = score(candidate)
        choice = int(np.nanargmax(sign * scores))
        total += oof[choice]
        counts[choice] += 1
        if sign * scores[choice] > best + 1e-12:
            best, kept = float(sign * scores[choice]), counts.copy()
    return tuple((kept / kept.sum()).tolist())


def _by_class(
    metric: Metric, labels: Ints, oof: Block, weights: tuple[float, ...]
) -> NDArray[np.float64]:
    """Weights of each model for each class, (models, classes): what suits large objects need not
    suit small ones.

    Class after class, in turn, one model's probabilities take the place of all models' where that
    gains.

    Args:
        metric: One that looks at the likeliest class alone.
        labels: int (n,).
        oof: (models, n, classes).
        weights: By model, to begin with.
    """
    if len(labels) > CHOSEN_ON:
        some = np.sort(np.random.default_rng(0).choice(len(labels), CHOSEN_ON, replace=False))
        labels, oof = labels[some], oof[:, some]
    models, _, classes = oof.shape
    found = np.tile(np.array(weights)[:, None], classes)
    total = np.einsum("mc,mnc->nc", found.astype(np.float32), oof)
    score = scorer(metric, labels, True)
    best = metric.sign * score(total)
    for c in range(classes):
        kept = total[:, c].copy()
        for i in range(models):
            total[:, c] = oof[i, :, c]
            now = metric.sign * score(total)
            if now > best + 1e-12:
                best, kept = now, total[:, c].copy()
                found[:, c] = np.eye(models)[i]
        total[:, c] = kept
    return found


def by_labels(metric: Metric, labels: Ints, probabilities: NDArray[np.floating]) -> bool:
    """Whether scores may be computed from confusion matrices: large ones are slower than images."""
    few = probabilities.shape[1] <= MANY
    return few and counts_labels_only(metric, labels, probabilities)


def scorer(
    metric: Metric, labels: Ints, labels_only: bool
) -> Callable[[NDArray[np.float32]], float]:
    """The metric of probabilities (n, classes), by way of the confusion matrix where it allows."""
    if not labels_only:
        return lambda p: metric.score(labels, p)

    def score(p: NDArray[np.float32]) -> float:
        classes = p.shape[1]
        cells = np.bincount(labels * classes + p.argmax(axis=1), minlength=classes**2)
        return float(confusion_scores(metric, cells.reshape(1, classes, classes))[0])

    return score
