"""Post-processing chosen on out-of-fold predictions, and judged by folds that did not choose it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from results.masks.counts import Mask, compare
from results.masks.metrics import NEED_EDGES
from results.masks.postprocess import Form, Occurs, Planes, Postprocess
from results.metrics import Floats, Ints, Metric


class Seen(NamedTuple):
    """An image that was predicted by models that did not see it.

    Attributes:
        probabilities: (h, w, classes).
        truth: Its true mask.
        occurs: How likely each class occurs in it, (classes,); None where nobody tells.
    """

    probabilities: Planes
    truth: Mask
    occurs: Occurs | None = None


Load = Callable[[], Seen]
"""Gives an image; called once for several tries."""

OCCURS = (0.05, 0.1, 0.2, 0.35, 0.5)

PRESENT = (0.3, 0.5, 0.7, 0.9)
WEIGHTS = (0.5, 0.7, 1.4, 2.0)
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
OPENING = (1, 2)
SIZES = (0.0003, 0.001, 0.003)
"""What is tried; sizes, of components and holes, are shares of the image."""

SEPARATE = 4
"""Classes up to which each has its own smallest component; more have one in common."""

THREADS = 2
"""Images that are processed at a time."""

Step = Callable[[Postprocess], list[Postprocess]]
"""From the present settings to those that differ in one number."""


class Counted:
    """Counts of all images under any post-processing; each setting is counted once.

    Args:
        images: Out-of-fold predictions and true masks.
        form: What a mask is here.
        metric: What will be asked for: whether boundaries are compared depends on it.
        beat: Called after every image.
        auxiliary: Whether it is told which classes occur.
    """

    def __init__(
        self,
        images: Sequence[Load],
        form: Form,
        metric: Metric,
        beat: Callable[[], None] = lambda: None,
        auxiliary: bool = False,
    ) -> None:
        self.steps = candidates(form, auxiliary)
        self.images, self.form, self.metric = images, form, metric
        self._beat = beat
        self._found: dict[Postprocess, Floats] = {}

    def counts(self, settings: Sequence[Postprocess]) -> list[Floats]:
        """Counts (n, k) under each of some settings; every image is loaded once for all of them."""
        new = list(dict.fromkeys(s for s in settings if s not in self._found))

        def image(load: Load) -> Floats:
            seen = load()
            masks = (setting.apply(seen.probabilities, self.form, seen.occurs) for setting in new)
            return np.stack([self._compared(mask, seen.truth) for mask in masks])

        with ThreadPoolExecutor(THREADS) as pool:
            rows = []
            for found in pool.map(image, self.images if new else ()):
                rows.append(found)
                self._beat()
        self._found |= {s: np.stack([row[i] for row in rows]) for i, s in enumerate(new)}
        return [self._found[s] for s in settings]

    def scores(self, settings: Sequence[Postprocess], rows: Ints) -> Floats:
        """Scores of some images under each setting, the larger the better; -inf for none."""
        labels = np.zeros(len(rows), np.int64)
        found = [self.metric.score(labels, counts[rows]) for counts in self.counts(settings)]
        return np.nan_to_num(self.metric.sign * np.array(found), nan=-np.inf)

    def _compared(self, mask: Mask, truth: Mask) -> Floats:
        edges = self.metric.name in NEED_EDGES
        return compare(truth, mask, self.form.classes, self.form.background, edges=edges)


def candidates(form: Form, auxiliary: bool = False) -> list[Step]:
    """The numbers that are tried one after the other, what matters most first.

    Thresholds where a pixel is of a class or not, weights where classes compete, and both where a
    background competes with several: one threshold for all of them, then one for each. That, and a
    component's size, is of each class, or of all where there are many.

    Args:
        form: What a mask is here.
        auxiliary: Whether it is told which classes occur.
    """
    kept = form.judged
    thresholds = form.overlapping or (form.background is not None and len(kept) == 1)
    steps: list[Step] = []
    if thresholds:
        steps += [_of_class("thresholds", c, THRESHOLDS, [0.5] * form.classes) for c in kept]
    else:
        steps += [_of_class("weights", c, WEIGHTS, [1.0] * form.classes) for c in kept]
    if not thresholds and form.background is not None:
        steps.append(_of("thresholds", [(limit,) * form.classes for limit in THRESHOLDS]))
        steps += [_threshold(c) for c in kept if len(kept) <= SEPARATE]
    if auxiliary:
        steps.append(_of("occurs", OCCURS))
    if form.may_be_empty:
        steps.append(_of("present", PRESENT))
    if len(kept) <= SEPARATE:
        steps += [_of_class("components", c, SIZES, [0.0] * form.classes) for c in kept]
    else:
        sizes = [tuple(size * (c in kept) for c in range(form.classes)) for size in SIZES]
        steps.append(_of("components", sizes))
    return [*steps, _of("holes", SIZES), _of("opening", OPENING)]


def _of(name: str, values: Sequence[Any]) -> Step:
    return lambda present: [replace(present, **{name: value}) for value in values]


def _of_class(name: str, c: int, values: Sequence[float], usual: Sequence[float]) -> Step:
    def step(present: Postprocess) -> list[Postprocess]:
        now = getattr(present, name) or tuple(usual)
        changed = [(*now[:c], value, *now[c + 1 :]) for value in values]
        return [replace(present, **{name: numbers}) for numbers in changed]  # type: ignore[arg-type]

    return step


def _threshold(c: int) -> Step:
    """Another one for a class, where there are any."""
    change = _of_class("thresholds", c, THRESHOLDS, [])
    return lambda present: change(present) if present.thresholds else []


def choose(counted: Counted, rows: Ints) -> Postprocess:
    """Number after number, the value that suits some images best; as it was unless one gains.

    Args:
        counted: Counts of all images.
        rows: Images that choose.

    Returns:
        The settings; those without effect where nothing gains.
    """
    chosen = Postprocess()
    best = float(counted.scores([chosen], rows)[0])
    for step in counted.steps:
        tried = step(chosen)
        if not tried:
            continue
        scores = counted.scores(tried, rows)
        top = int(scores.argmax())
        if scores[top] > best + 1e-12:
            chosen, best = tried[top], float(scores[top])
    return chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class Nested:
    """A choice and its honest judgement.

    Attributes:
        chosen: By all folds.
        by_fold: By all folds but one, by the fold that was left out.
        plain: Score without post-processing.
        honest: Score where every fold is processed as the others chose.
        plain_counts: float64 (n, k), counts without, for paired comparisons.
        honest_counts: The same where every fold is processed as the others chose.
    """

    chosen: Postprocess
    by_fold: dict[int, Postprocess]
    plain: float
    honest: float
    plain_counts: Floats
    honest_counts: Floats


def nested(counted: Counted, folds: Ints) -> Nested:
    """Chooses on all folds but one and scores the one, for every fold; then chooses on all.

    Args:
        counted: Counts of all images.
        folds: int (n,), the fold of each image; two at least.
    """
    (plain,) = counted.counts([Postprocess()])
    honest = plain.copy()
    by_fold = {}
    for fold in np.unique(folds).tolist():
        by_fold[fold] = choose(counted, np.flatnonzero(folds != fold))
        (found,) = counted.counts([by_fold[fold]])
        honest[folds == fold] = found[folds == fold]
    chosen = choose(counted, np.arange(len(folds)))
    labels = np.zeros(len(folds), np.int64)
    return Nested(
        chosen=chosen,
        by_fold=by_fold,
        plain=counted.metric.score(labels, plain),
        honest=counted.metric.score(labels, honest),
        plain_counts=plain,
        honest_counts=honest,
    )
