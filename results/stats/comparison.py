"""Does one configuration beat another beyond noise? Seeds and images both count as noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from results.metrics import Floats, Ints, Metric
from results.records.closing import Comparison, Verdict
from results.stats.bootstrap import bootstrap_scores
from results.stats.sequential import nominal_levels, spent

DRAWS = 1000
FALSE_WIN = 0.05
"""Bound on the chance that any win is claimed when there is no difference at all."""

ONE_SIDED = 0.025
"""Level of a single claim at most, so that every interval covers 95 %."""


def compare(
    metric: Metric,
    labels: Ints,
    candidate: Sequence[NDArray[np.floating]],
    controls: Mapping[str, Sequence[NDArray[np.floating]]],
    at_most: int,
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """Compares a candidate with controls, seed after seed, until there is nothing to settle.

    After the first seed of each side, and each further one, a control is dropped when the
    candidate's lead is no more than the square of the share of seeds spent, of what a win needs at
    the end: few are dropped that would have won. That can only take claims away. From the second
    seed on a win is claimed at the level that error spending leaves that look, so that with no true
    difference at most `FALSE_WIN` of searches claim any win, however many controls there are and
    whenever they stop (Holm's sequentially rejective procedure over controls: every win leaves the
    others more).

    The variance of a difference is that of the images (paired bootstrap of the mean over seeds,
    by group) plus that of the seeds of each arm, with Welch-Satterthwaite degrees of freedom: arms
    may vary unlike one another. Before the last look an arm's variance is the mean over the arms
    where that is larger, for two seeds often agree by luck. What resampled images explain of the
    seeds' variance is left out, since it is in the variance of the images already. Each interval
    covers 95 % or more.

    Args:
        metric: What to compare.
        labels: int (n,).
        candidate: Probabilities (n, classes) per seed.
        controls: The same for each control.
        at_most: Seeds of each side that may be trained in all.
        groups: str (n,), or None.
        seed: Of the bootstrap.

    Returns:
        A comparison for each control that has a seed, with as many seeds as it took; none if the
        metric is undefined on half of the resamples, as a ranking metric is where a class has few
        images or groups.

    Raises:
        ValueError: If there is no training of the candidate.
    """
    if not candidate:
        raise ValueError("the candidate needs at least one seed")
    arms = {"": candidate, **{name: arm for name, arm in controls.items() if len(arm)}}
    every = bootstrap_scores(
        metric, labels, [p for arm in arms.values() for p in arm], DRAWS, groups, seed
    )
    ends = np.cumsum([len(arm) for arm in arms.values()])[:-1]
    scores = dict(zip(arms, np.split(every, ends), strict=True))
    # (seeds, 1 + draws): the first column is the sample itself
    defined = np.all([np.isfinite(s).all(axis=0) for s in scores.values()], axis=0)
    if not defined[0] or defined.sum() < DRAWS / 2:
        return []
    scores = {name: s[:, defined] for name, s in scores.items()}
    units = len(labels) if groups is None else len(np.unique(groups))
    found: dict[str, Comparison] = {}
    wins = 0
    for seeds in range(1, at_most + 1):
        arms_now = {name: s[:seeds] for name, s in scores.items() if len(s) >= seeds}
        waiting = [n for n in arms_now if n and (n not in found or found[n].open)]
        if "" not in arms_now or not waiting:
            break
        last = seeds == at_most
        looks = {name: _look(arms_now, name, units, last) for name in waiting}
        while waiting:
            level = min(ONE_SIDED, FALSE_WIN / (len(controls) - wins))
            for name in waiting:
                found[name] = looks[name].at(name, metric, level, at_most)
            won = [n for n in waiting if found[n].verdict == "beats"]
            if not won:
                break
            wins += len(won)
            waiting = [n for n in waiting if n not in won]
    return [found[name] for name in controls if name in found]


@dataclass(frozen=True)
class _Look:
    """Estimates after some seeds of each side, on the metric's own scale.

    Attributes:
        seeds: Of each side.
        scores: Mean score of the candidate and of the control.
        variance: Of the difference.
        images: What of it more seeds would not reduce.
        df: Degrees of freedom of the variance.
    """

    seeds: int
    scores: tuple[float, float]
    variance: float
    images: float
    df: float

    def at(self, control: str, metric: Metric, level: float, at_most: int) -> Comparison:
        """What may be said.

        Args:
            control: Name of the control.
            metric: Of the scores.
            level: Chance of a false win over all looks.
            at_most: Seeds of each side in all.
        """
        gain = metric.gain(*self.scores)
        error = self.variance**0.5 / metric.points
        needed = float(scipy.stats.norm.isf(level)) * (self.seeds / at_most) ** 2
        margin: float | None = None
        verdict: Verdict = "not ahead of"
        if self.seeds > 1:
            looks = np.arange(2, at_most + 1)
            of_seeds = (self.variance - self.images) * self.seeds / looks
            least = 1e-9 * metric.points**2
            information = 1 / np.maximum(self.images + of_seeds, least)
            levels = nominal_levels(
                spent(level, at_most)[: self.seeds - 1], information[: self.seeds - 1]
            )
            margin = float(scipy.stats.t.isf(levels[-1], self.df)) * error
            verdict = "indistinguishable from"
            if abs(gain) > margin:
                verdict = "beats" if gain > 0 else "loses to"
        return Comparison(
            control=control,
            gain=gain,
            margin=margin,
            seeds=self.seeds,
            candidate_score=self.scores[0],
            control_score=self.scores[1],
            verdict=verdict,
            open=self.seeds < at_most and verdict != "beats" and gain > needed * error,
        )


def _look(arms: Mapping[str, Floats], control: str, units: int, last: bool) -> _Look:
    """Estimates a difference from the same number of seeds of each arm.

    Args:
        arms: (seeds, 1 + draws) by name, the candidate's being empty.
        control: Which arm the candidate is compared with.
        units: Images, or groups of images.
        last: Whether no further look may follow.
    """
    ours, theirs = arms[""], arms[control]
    seeds = len(ours)
    difference = ours.mean(axis=0) - theirs.mean(axis=0)
    of_images = float(np.var(difference[1:]))
    total, images = of_images, of_images
    inverse = of_images**2 / max(1, units - 1)
    if seeds > 1:
        observed = {name: _seed_variance(arm)[0] for name, arm in arms.items()}
        pooled = float(np.mean(list(observed.values())))
        for name in ("", control):
            taken = observed[name] if last else max(observed[name], pooled)
            explained = _seed_variance(arms[name])[1]
            total += max(0.0, taken - explained)
            images -= explained
            df = (seeds - 1) * (2 if taken > observed[name] else 1)
            inverse += taken**2 / df
    return _Look(
        seeds=seeds,
        scores=(float(ours[:, 0].mean()), float(theirs[:, 0].mean())),
        variance=total,
        images=max(images, 0.0),
        df=max(1.0, total**2 / inverse) if inverse > 0 else 1.0,
    )


def _seed_variance(scores: Floats) -> tuple[float, float]:
    """Variance of the mean over seeds as observed, and what of it resampled images explain.

    Args:
        scores: (seeds, 1 + draws), of an arm.
    """
    deviations = scores - scores.mean(axis=0)
    scale = len(scores) * (len(scores) - 1)
    observed = float((deviations[:, 0] ** 2).sum()) / scale
    return observed, float(np.var(deviations[:, 1:], axis=1).sum()) / scale
