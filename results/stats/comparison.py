"""Does one configuration beat another beyond noise? Seeds and images both count as noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from results.metrics import Floats, Ints, Metric
from results.stats.bootstrap import bootstrap_scores

DRAWS = 1000
FALSE_WIN = 0.05
"""Bound on the chance that any win is claimed when there is no difference at all."""

Verdict = Literal["beats", "loses to", "indistinguishable from"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A candidate against one control, on the same images.

    Attributes:
        control: Name of the control.
        gain: Mean over seeds of how much better the candidate is, in points.
        margin: Half width of the interval around ``gain``, in points.
        seeds: Trainings of the candidate.
        candidate_score: Mean score of the candidate.
        control_score: Mean score of the control.
    """

    control: str
    gain: float
    margin: float
    seeds: int
    candidate_score: float
    control_score: float

    @property
    def verdict(self) -> Verdict:
        """What the interval allows to say."""
        if self.gain - self.margin > 0:
            return "beats"
        return "loses to" if self.gain + self.margin < 0 else "indistinguishable from"


def compare(
    metric: Metric,
    labels: Ints,
    candidate: Sequence[NDArray[np.floating]],
    controls: Mapping[str, Sequence[NDArray[np.floating]]],
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """Compares a candidate with controls trained with several seeds each.

    The variance of a difference is that of the images (paired bootstrap of the mean over seeds,
    by group) plus that of the seeds of each arm, with Welch-Satterthwaite degrees of freedom: arms
    may vary unlike one another. What resampled images explain of the seeds' variance is left out:
    it is in the variance of the images already. With no true
    difference at most `FALSE_WIN` of searches claim any win, however many controls there are
    (Bonferroni over wins; losses are claimed beside them); each interval covers 95 % or more.

    Args:
        metric: What to compare.
        labels: int (n,).
        candidate: Probabilities (n, classes) per seed; at least two.
        controls: The same for each control.
        groups: str (n,), or None.
        seed: Of the bootstrap.

    Returns:
        A comparison per control; none if the metric is undefined on half of the resamples, as a
        ranking metric is where a class has few images or groups.

    Raises:
        ValueError: If an arm has fewer than two seeds.
    """
    arms = {"": candidate, **controls}
    if min(len(arm) for arm in arms.values()) < 2:
        raise ValueError("every arm needs at least two seeds")
    scores = {
        name: bootstrap_scores(metric, labels, arm, DRAWS, groups, seed)
        for name, arm in arms.items()
    }  # (seeds, 1 + draws): the first column is the sample itself
    defined = np.all([np.isfinite(s).all(axis=0) for s in scores.values()], axis=0)
    if not defined[0] or defined.sum() < DRAWS / 2:
        return []
    scores = {name: s[:, defined] for name, s in scores.items()}
    units = len(labels) if groups is None else len(np.unique(groups))
    level = 1 - min(0.05, 2 * FALSE_WIN / len(controls))
    found = []
    for name in controls:
        ours, theirs = scores[""], scores[name]
        difference = ours.mean(axis=0) - theirs.mean(axis=0)
        of_images = float(np.var(difference[1:]))
        total, inverse = of_images, of_images**2 / max(1, units - 1)
        for arm in (ours, theirs):
            observed, explained = _seed_variance(arm)
            total += max(0.0, observed - explained)
            inverse += observed**2 / (len(arm) - 1)
        df = total**2 / inverse if inverse > 0 else 1.0
        margin = float(stats.t.ppf((1 + level) / 2, df)) * total**0.5
        found.append(
            Comparison(
                control=name,
                gain=metric.gain(float(ours[:, 0].mean()), float(theirs[:, 0].mean())),
                margin=margin / metric.points,
                seeds=len(ours),
                candidate_score=float(ours[:, 0].mean()),
                control_score=float(theirs[:, 0].mean()),
            )
        )
    return found


def _seed_variance(scores: Floats) -> tuple[float, float]:
    """Variance of the mean over seeds as observed, and what of it resampled images explain.

    Args:
        scores: (seeds, 1 + draws), of an arm.
    """
    deviations = scores - scores.mean(axis=0)
    scale = len(scores) * (len(scores) - 1)
    observed = float((deviations[:, 0] ** 2).sum()) / scale
    return observed, float(np.var(deviations[:, 1:], axis=1).sum()) / scale
