"""Blends: from several models' predictions to one, and how far the choice of a blend flatters.

Every recipe is fitted on all folds but one and applied to that one; only what comes out of this
counts as its score. Choosing among recipes is a choice too: its optimism is estimated by bootstrap
bias correction and taken off.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.ensemble.recipes import by_labels, fit_recipes, not_ranked
from results.ensemble.stack import PredictionStack
from results.masks.merging import Blend
from results.metrics import Floats, Ints, Metric
from results.stats.bootstrap import bootstrap_weights, each_bootstrap
from results.stats.interval import Interval
from results.stats.optimism import winner_optimism
from spaces.errors import InputError, unknown

PLAIN_RECIPE = "mean"
"""The recipe that fits nothing; another is taken only if it is better beyond noise."""

BEYOND = 2.0
"""Standard errors by which a recipe has to beat the mean to be taken."""

DRAWS = 200
PARTNER_DRAWS = 50
THREADS = 2
"""Folds at a time."""

LOOKING = 10
"""Models, the best first, for which a partner is sought."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A recipe and what it is worth.

    Attributes:
        blend: As fitted on all images.
        in_sample: Score of the same images, on the folds that did not choose the models.
        honest: Score on those folds of blends that were fitted on the other folds.
        predictions: The predictions behind ``honest``, of all rows, float32 (n, classes).
    """

    blend: Blend
    in_sample: float
    honest: float
    predictions: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The blend to use.

    Attributes:
        recipes: All that were judged, by name.
        chosen: Name of the one to use.
        gain: Points by which the best recipe is better than the mean.
        noise: Standard error of that, paired, in points.
        flattery: Points by which choosing among the recipes, and views, flatters the best of them.
        expected: Honest score of the chosen one less the flattery, with an interval for these
            very models on other images.
    """

    recipes: Mapping[str, Judged]
    chosen: str
    gain: float
    noise: float
    flattery: float
    expected: Interval


def judge(metric: Metric, stack: PredictionStack) -> dict[str, Judged]:
    """Fits every recipe on all images, and on all folds but each in turn.

    Recipes that bias classes are left out for metrics that look at more than labels, and for more
    than `MANY` classes; ranks where folds do not tell what they are worth (`not_ranked`).

    Args:
        metric: The contest's metric.
        stack: The models.
    """
    labels_only = by_labels(metric, stack.labels, stack.oof[0])
    parts = sorted(set(stack.folds.tolist()))
    whole = fit_recipes(metric, stack, np.ones(len(stack.labels), dtype=bool), labels_only)

    def apart(fold: int) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
        """Predictions of one fold, by blends fitted without and with it."""
        inside = stack.folds == fold
        block = stack.oof[:, inside]
        fitted = {name: blend.apply(block) for name, blend in whole.items()}
        without = fit_recipes(metric, stack, ~inside, labels_only)
        nested = {
            name: fitted[name] if blend == whole[name] else blend.apply(block)
            for name, blend in without.items()
        }
        return nested, fitted

    with ThreadPoolExecutor(THREADS) as pool:
        folds = list(pool.map(apart, parts))
    order = np.argsort(np.concatenate([np.flatnonzero(stack.folds == f) for f in parts]))
    rows = stack.judged
    found = {}
    for name, blend in whole.items():
        nested, fitted = (np.concatenate([f[side][name] for f in folds])[order] for side in (0, 1))
        found[name] = Judged(
            blend=blend,
            in_sample=metric.score(stack.labels[rows], fitted[rows]),
            honest=metric.score(stack.labels[rows], nested[rows]),
            predictions=nested,
        )
    return found


def choose(
    metric: Metric,
    stack: PredictionStack,
    recipes: Mapping[str, Judged],
    wanted: str = "",
    flattered: float = 0.0,
) -> Choice:
    """Takes the best recipe if it beats the plain mean beyond noise, else the mean.

    Args:
        metric: The contest's metric.
        stack: The models.
        recipes: As judged.
        wanted: A recipe to take whatever it is worth; empty chooses.
        flattered: Points by which choosing the models flatters all recipes.

    Raises:
        InputError: If ``wanted`` is no recipe, or one that does not suit the metric.
    """
    if wanted == "rank" and (why := not_ranked(metric, stack)):
        raise InputError(f"recipe=rank cannot be judged by folds: {why}")
    if wanted and wanted not in recipes:
        raise unknown("recipe", wanted, recipes, f"recipe={wanted}")
    sign = metric.sign
    rows = stack.judged
    labels = stack.labels[rows]
    groups = None if stack.groups is None else stack.groups[rows]
    best = max(recipes, key=lambda name: (sign * recipes[name].honest, name == PLAIN_RECIPE))
    plain = recipes[PLAIN_RECIPE].predictions[rows]
    gain, noise = paired_gain(metric, labels, recipes[best].predictions[rows], plain, groups)
    chosen = wanted or (best if gain > BEYOND * noise else PLAIN_RECIPE)
    flattery = flattered
    if not wanted and chosen != PLAIN_RECIPE:
        finalists = [r.predictions[rows] for r in recipes.values()]
        flattery += winner_optimism(metric, labels, finalists, groups, draws=DRAWS) or 0.0
    centre = recipes[chosen].honest - sign * flattery * metric.points
    drawn = metric.weighted(
        labels,
        recipes[chosen].predictions[rows].astype(np.float64),
        bootstrap_weights(len(labels), DRAWS, groups),
    )
    low, high = np.nanquantile(drawn, [0.025, 0.975]) - (recipes[chosen].honest - centre)
    return Choice(
        recipes=recipes,
        chosen=chosen,
        gain=gain,
        noise=noise,
        flattery=flattery,
        expected=Interval(value=centre, low=float(low), high=float(high)),
    )


def paired_gain(
    metric: Metric,
    labels: Ints,
    ours: NDArray[np.float32],
    theirs: NDArray[np.float32],
    groups: NDArray[np.str_] | None = None,
) -> tuple[float, float]:
    """By how many points one prediction is better than another of the same images.

    Args:
        metric: The contest's metric.
        labels: int (n,).
        ours: Probabilities (n, classes).
        theirs: The same of another model.
        groups: str (n,), or None.

    Returns:
        The gain and its standard error by paired bootstrap, in points.
    """
    return next(paired_gains(metric, labels, [ours], theirs, groups))


def paired_gains(
    metric: Metric,
    labels: Ints,
    ours: Iterable[NDArray[np.float32]],
    theirs: NDArray[np.float32],
    groups: NDArray[np.str_] | None = None,
) -> Iterator[tuple[float, float]]:
    """The same of several predictions over one, for as many as are asked for."""
    scores = each_bootstrap(metric, labels, itertools.chain([theirs], ours), DRAWS, groups)
    before = next(scores)
    for after in scores:
        noise = float(np.nanstd(after[1:] - before[1:])) / metric.points
        yield metric.gain(float(after[0]), float(before[0])), noise


def error_correlation(stack: PredictionStack) -> Floats:
    """How much models err on the same images: correlation of the probability that they miss.

    Returns:
        Correlations (models, models); the diagonal is 1, and NaN where a model never varies.
    """
    missed = 1 - stack.oof[:, np.arange(len(stack.labels)), stack.labels]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.corrcoef(missed.astype(np.float64)))


def best_partners(metric: Metric, stack: PredictionStack) -> dict[str, tuple[str, float]]:
    """For every model, whom it should blend with: the partner and the pair's gain over the better.

    Scores are of the mean of the two, in points, on the folds that did not choose the models; the
    best `LOOKING` models look for a partner. The gain is honest: partner and better one are chosen
    on resampled images, and the gain is taken on those that were not drawn.
    """
    rows = stack.judged
    labels = stack.labels[rows]
    groups = None if stack.groups is None else stack.groups[rows]
    drawn = bootstrap_weights(len(labels), PARTNER_DRAWS, groups)
    # The images themselves, the resamples, and what each of these left out.
    every = np.vstack([np.ones((1, len(labels))), drawn, drawn == 0])
    p = stack.oof[:, rows].astype(np.float64)

    def scores(predictions: Floats) -> tuple[Floats, Floats]:
        found = metric.sign * metric.weighted(labels, predictions, every)
        return found[: PARTNER_DRAWS + 1], found[PARTNER_DRAWS + 1 :]

    single = [scores(x) for x in p]
    merit = [float(chosen_on[0]) for chosen_on, _ in single]
    found = {}
    for i in np.argsort(merit)[::-1][:LOOKING]:
        others = [j for j in range(len(p)) if j != i]
        gains, honest = [], []
        for j in others:
            (pair_in, pair_out), (own_in, own_out) = scores((p[i] + p[j]) / 2), single[i]
            other_in, other_out = single[j]
            gains.append(pair_in - np.maximum(own_in, other_in))
            honest.append(pair_out - np.where(own_in[1:] >= other_in[1:], own_out, other_out))
        inside = np.nan_to_num(np.stack(gains), nan=-np.inf)
        partner = others[int(inside[:, 0].argmax())]
        picked = inside[:, 1:].argmax(axis=0)
        gain = float(np.nanmean(np.stack(honest)[picked, np.arange(PARTNER_DRAWS)]))
        found[stack.names[i]] = (stack.names[partner], gain / metric.points)
    return found
