"""Contest metrics: sums per image where they can be, so that a bootstrap is one product."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spaces.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Direction = Literal["maximize", "minimize"]

FEW = 8
"""Statistics per image that are summed one by one."""


def sign_of(direction: Direction) -> float:
    """1 where larger is better, else -1: scores times this are the larger the better."""
    return 1.0 if direction == "maximize" else -1.0


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A score of predicted probabilities.

    Most metrics are a function of sums over images (`of_sums`), so that any weighting, bootstrap or
    resampling of groups is one matrix product: ``reduce(weights @ statistics)``.

    Attributes:
        name: Name on the command line and in every record.
        direction: Which way is better.
        weighted: Maps labels int (n,), probabilities (n, classes) and image weights (b, n) to
            scores (b,); NaN where the metric is not defined.
        points: What one printed point is worth: 0.01 for metrics that run from 0 to 1.
        range: Smallest and largest value possible.
        fractional: Whether image weights may be fractions.
        statistics: Maps labels and probabilities to float64 (n, k), whose sums over images decide
            the score; None for a metric that is no function of such sums, as ROC AUC.
        reduce: Maps sums (…, k) to scores (…); None without statistics.
    """

    name: str
    direction: Direction
    weighted: Callable[[Ints, Floats, Floats], Floats]
    points: float = 0.01
    range: tuple[float, float] = (0.0, 1.0)
    fractional: bool = True
    statistics: Callable[[Ints, Floats], Floats] | None = None
    reduce: Callable[[Floats], Floats] | None = None

    @property
    def sign(self) -> float:
        """That of its direction."""
        return sign_of(self.direction)

    def score(self, labels: Ints, probabilities: NDArray[np.floating]) -> float:
        """Score of all images, equally weighted."""
        ones = np.ones((1, len(labels)))
        return float(self.weighted(labels, probabilities.astype(np.float64), ones)[0])

    def gain(self, a: float, b: float) -> float:
        """How much better ``a`` is than ``b``, in points; negative when worse."""
        return self.sign * (a - b) / self.points


def of_sums(
    name: str,
    statistics: Callable[[Ints, Floats], Floats],
    reduce: Callable[[Floats], Floats],
    direction: Direction = "maximize",
    **rest: Any,
) -> Metric:
    """A metric that is a function of sums over images.

    Args:
        name: Its name.
        statistics: As of `Metric`.
        reduce: As of `Metric`.
        direction: Which way is better.
        **rest: Other fields of `Metric`.
    """

    def weighted(labels: Ints, probabilities: Floats, weights: Floats) -> Floats:
        return reduce(_sums(weights, statistics(labels, probabilities)))

    return Metric(
        name=name,
        direction=direction,
        weighted=weighted,
        statistics=statistics,
        reduce=reduce,
        **rest,
    )


def _sums(weights: Floats, statistics: Floats) -> Floats:
    """``weights @ statistics``; where there are few statistics, one by one.

    A sum has then the same last bits whatever stands beside it. Counts of many classes are exact.
    """
    if statistics.shape[1] > FEW:
        return np.asarray(weights @ statistics)
    columns = np.ascontiguousarray(statistics.T)
    return np.stack([weights @ column for column in columns], axis=-1)


def share(part: Floats, whole: Floats) -> Floats:
    """``part / whole``, NaN where the whole is empty."""
    nothing = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=whole > 0))


def mean_of_classes(scores: Floats) -> Floats:
    """Mean over the classes (…, classes) that are there, NaN where none is."""
    there = ~np.isnan(scores)
    return share(np.where(there, scores, 0).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def _counts(labels: Ints, probabilities: Floats) -> Floats:
    """True positives, actual and predicted images of each class: three numbers per class."""
    predicted = probabilities.argmax(axis=1)
    classes = np.eye(probabilities.shape[1])
    right = classes[labels] * (labels == predicted)[:, None]
    return np.concatenate([right, classes[labels], classes[predicted]], axis=1)


def _by_class(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted true positives, actual and predicted images per class, each (…, classes)."""
    right, actual, predicted = np.split(sums, 3, axis=-1)
    return right, actual, predicted


def _balanced_accuracy(sums: Floats) -> Floats:
    right, actual, _ = _by_class(sums)
    return mean_of_classes(share(right, actual))


def _macro_f1(sums: Floats) -> Floats:
    right, actual, predicted = _by_class(sums)
    return mean_of_classes(share(2 * right, actual + predicted))


def _mean(sums: Floats) -> Floats:
    """The weighted mean of the first statistic; the second counts images."""
    return share(sums[..., 0], sums[..., 1])


def _hits(labels: Ints, probabilities: Floats) -> Floats:
    right = probabilities.argmax(axis=1) == labels
    return np.stack([right, np.ones(len(labels))], axis=1).astype(np.float64)


def _log_losses(labels: Ints, probabilities: Floats) -> Floats:
    chosen = probabilities[np.arange(len(labels)), labels] / probabilities.sum(axis=1)
    eps = np.finfo(np.float64).eps
    return np.stack([-np.log(np.clip(chosen, eps, 1 - eps)), np.ones(len(labels))], axis=1)


def _moments(labels: Ints, probabilities: Floats) -> Floats:
    """With weights (i - j)^2 the observed and expected disagreements are moments of ranks."""
    actual = labels.astype(np.float64)
    predicted = probabilities.argmax(axis=1).astype(np.float64)
    disagreement = (actual - predicted) ** 2
    ones = np.ones(len(labels))
    return np.stack([actual, predicted, actual**2, predicted**2, disagreement, ones], axis=1)


def _quadratic_kappa(sums: Floats) -> Floats:
    means = share(sums[..., :5], sums[..., 5:])
    actual, predicted, actual_2, predicted_2, observed = np.moveaxis(means, -1, 0)
    expected = actual_2 + predicted_2 - 2 * actual * predicted
    return np.asarray(1 - share(observed, expected))


def _roc_auc(labels: Ints, probabilities: Floats, weights: Floats) -> Floats:
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    classes = [1] if shares.shape[1] == 2 else range(shares.shape[1])
    return np.asarray(np.mean([_auc(labels == c, shares[:, c], weights) for c in classes], axis=0))


def _auc(positive: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Weighted share of (positive, negative) pairs in the right order; ties count half."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    above = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    below = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    pairs = above * (np.cumsum(below, axis=1) - below / 2)
    return share(pairs.sum(axis=1), above.sum(axis=1) * below.sum(axis=1))


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        of_sums("macro_f1", _counts, _macro_f1),
        of_sums("accuracy", _hits, _mean),
        of_sums("balanced_accuracy", _counts, _balanced_accuracy),
        of_sums("log_loss", _log_losses, _mean, "minimize", range=(0.0, float("inf"))),
        Metric(name="roc_auc", direction="maximize", weighted=_roc_auc),
        of_sums("quadratic_kappa", _moments, _quadratic_kappa, range=(-1.0, 1.0)),
    )
}


def custom_metric(
    name: str, direction: Direction, function: Callable[[Ints, Floats], float]
) -> Metric:
    """Wraps a team's own ``function(labels, probabilities) -> float``.

    Whole-number weights, such as those of a bootstrap, repeat images.

    Raises:
        InputError: If the direction is neither maximize nor minimize.
    """
    if direction not in ("maximize", "minimize"):
        raise InputError(
            f"metric={name} is your own: say which way is better with direction=maximize or "
            f"direction=minimize (got {direction!r})"
        )

    def weighted(labels: Ints, probabilities: Floats, weights: Floats) -> Floats:
        whole = np.ones((1, len(labels)))

        def score(row: Floats) -> float:
            drawn = np.repeat(np.arange(len(labels)), row.astype(np.int64))
            try:
                return float(function(labels[drawn], probabilities[drawn]))
            except Exception:
                if (row == whole).all():
                    raise
                return float("nan")  # a resample may lack a class that the function needs

        return np.array([score(row) for row in weights])

    return Metric(
        name=name,
        direction=direction,
        weighted=weighted,
        range=(-float("inf"), float("inf")),
        fractional=False,
    )


def all_scores(
    targets: Ints, predictions: NDArray[np.floating], metrics: Iterable[Metric]
) -> dict[str, float]:
    """Every metric that is defined on these images, by name."""
    scores = {m.name: m.score(targets, predictions) for m in metrics}
    return {name: value for name, value in scores.items() if np.isfinite(value)}


def corrected(metric: str) -> str:
    """Name under which a metric is reported on corrected labels, beside that on given ones."""
    return f"{metric}_corrected"
