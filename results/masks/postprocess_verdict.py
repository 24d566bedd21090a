"""What post-processing is worth: step by step, and in all with an interval."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import scipy
from numpy.typing import NDArray

from results.masks.postprocess import Postprocess
from results.masks.postprocess_choice import Counted, Load, Nested
from results.metrics import Ints
from results.stats.bootstrap import bootstrap_scores
from results.stats.interval import Interval

DRAWS = 1000
LEVEL = 0.95
TIMED = 8
"""Images on which the time is taken."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A kind of setting, after those before it.

    Attributes:
        name: Of the setting.
        settings: All that are in force with it.
        flattered: Points that it adds on the images that chose it.
        honest: Points that it adds where every fold is processed as the others chose.
        milliseconds: What it takes more per image.
    """

    name: str
    settings: Postprocess
    flattered: float
    honest: float
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What post-processing is worth.

    Attributes:
        steps: In the order in which they were chosen; those that nobody chose are left out.
        gain: Points of the honest score over the plain one; the interval is by paired bootstrap
            over images or groups, with Student's t.
        units: Images or groups that were resampled.
        milliseconds: What all of it takes per image.
    """

    steps: tuple[Step, ...]
    gain: Interval
    units: int
    milliseconds: float

    @property
    def helps(self) -> bool:
        """Whether it gains beyond noise."""
        return self.gain.low > 0


ORDER = ("thresholds", "weights", "occurs", "present", "components", "holes", "opening")
"""Kinds of settings in the order in which they are chosen."""


def choices(found: Nested) -> list[str]:
    """Kinds of settings that somebody chose, in order."""
    plain, every = Postprocess(), [found.chosen, *found.by_fold.values()]
    return [n for n in ORDER if any(getattr(s, n) != getattr(plain, n) for s in every)]


def verdict(
    counted: Counted, found: Nested, folds: Ints, groups: NDArray[np.str_] | None
) -> Verdict:
    """Judges a choice.

    Args:
        counted: Counts of all images.
        found: What was chosen, by all folds and by all but each.
        folds: int (n,), the fold of each image.
        groups: str (n,), or None.
    """
    used = choices(found)
    before = (found.plain, found.plain, _milliseconds(counted, Postprocess()))
    plain_time = before[2]
    steps = []
    for i, name in enumerate(used):
        kept = used[: i + 1]
        settings = _only(found.chosen, kept)
        (all_counts,) = counted.counts([settings])
        honest = _nested_score(counted, found, folds, kept)
        now = (_score(counted, all_counts), honest, _milliseconds(counted, settings))
        flattered, gained = (counted.metric.gain(now[k], before[k]) for k in (0, 1))
        steps.append(
            Step(
                name=name,
                settings=settings,
                flattered=flattered,
                honest=gained,
                milliseconds=now[2] - before[2],
            )
        )
        before = now
    units = len(folds) if groups is None else len(np.unique(groups))
    return Verdict(
        steps=tuple(steps),
        gain=_gain(counted, found, groups, units),
        units=units,
        milliseconds=max(0.0, before[2] - plain_time),
    )


def _only(settings: Postprocess, kept: Sequence[str]) -> Postprocess:
    """Some kinds of settings, the others without effect."""
    return Postprocess(
        **{f.name: getattr(settings, f.name) for f in fields(settings) if f.name in kept}
    )


def _nested_score(counted: Counted, found: Nested, folds: Ints, kept: Sequence[str]) -> float:
    counts = found.plain_counts.copy()
    for fold, settings in found.by_fold.items():
        (own,) = counted.counts([_only(settings, kept)])
        counts[folds == fold] = own[folds == fold]
    return _score(counted, counts)


def _score(counted: Counted, counts: NDArray[np.float64]) -> float:
    return counted.metric.score(np.zeros(len(counts), np.int64), counts)


def _gain(counted: Counted, found: Nested, groups: NDArray[np.str_] | None, units: int) -> Interval:
    metric = counted.metric
    labels = np.zeros(len(found.plain_counts), np.int64)
    both = (found.honest_counts, found.plain_counts)
    ours, theirs = bootstrap_scores(metric, labels, both, DRAWS, groups)
    value = metric.gain(float(ours[0]), float(theirs[0]))
    spread = float(np.nanstd(ours[1:] - theirs[1:])) / metric.points
    quantile = float(scipy.stats.t.ppf((1 + LEVEL) / 2, units - 1))
    half = quantile * spread * (units / (units - 1)) ** 0.5
    return Interval(value=value, low=value - half, high=value + half)


def _milliseconds(counted: Counted, settings: Postprocess) -> float:
    """What a mask of an image takes, the median of some."""
    images: Sequence[Load] = counted.images[:TIMED]
    taken = []
    for load in images:
        seen = load()
        begun = time.perf_counter()
        settings.apply(seen.probabilities, counted.form, seen.occurs)
        taken.append(time.perf_counter() - begun)
    return 1000 * float(np.median(taken))
