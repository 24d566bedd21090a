"""What each model is expected to score on the test images, before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from results.forecast.calibration import temperature_for, tempered
from results.forecast.estimated import Estimated
from results.forecast.methods import AGREEMENT, Estimates, Model, estimate
from results.metrics import Metric

DRAWS = 8
"""Sets of labels drawn to carry an accuracy over to another metric."""

FEWEST_SCORES = 3
"""Public scores from which on they correct the forecast."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a model, or several that predict together, are expected to score on the test images.

    Attributes:
        id: Of the trial, promotion or blend.
        fold: The fold that it was not trained on; None of an ensemble of all of them.
        holdout: The metric on the images that it was not trained on; of an ensemble out of fold.
        score: The metric on the test images.
        low: Lower end of the interval, on the metric's own scale.
        high: Upper end.
        accuracies: Of each method, on the test images.
        agreement: Mean agreement with models of other configurations there, relatives counting
            less; NaN without one.
    """

    id: str
    fold: int | None
    holdout: float
    score: float
    low: float
    high: float
    accuracies: Mapping[str, float]
    agreement: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Forecasts of some models and ensembles.

    Attributes:
        models: By id, in the order given, ensembles last; without those of which no method says
            anything.
        images: Test images.
        conditions: What speaks against some methods, in words.
        scored: Public scores of single models.
        offset: What they added to forecasts of these, in points; 0 without.
        errors: How far each method was off the public scores on average, in points.
    """

    models: Mapping[str, Expected]
    images: int
    conditions: tuple[str, ...]
    scored: int = 0
    offset: float = 0.0
    errors: Mapping[str, float] | None = None

    @property
    def gap(self) -> float:
        """Median over the single models of hold-out score minus expected score."""
        single = [m for m in self.models.values() if m.fold is not None]
        gaps = [m.holdout - m.score for m in single if np.isfinite(m.score)]
        return float(np.median(gaps)) if gaps else float("nan")


def forecast(
    metric: Metric,
    models: Sequence[Model],
    public: Mapping[str, float] | None = None,
    ensembles: Sequence[Estimated] = (),
) -> Forecast:
    """Forecasts test scores from predictions of unlabelled test images.

    The accuracy is the median over the methods; its interval spans them all, widened by the
    sampling noise of the test images and of the held-out ones, by which all of them are set. It is
    carried over to the metric by labels drawn from the model's own probabilities, at the
    temperature at which they promise that accuracy. Public scores of single models, once there are
    `FEWEST_SCORES`, shift their forecasts by the mean error. Ensembles share their models, so that
    errors of some say too little of the spread of others': theirs stay.

    Args:
        metric: The contest's metric.
        models: With predictions of the same test images.
        public: Public scores of some of them, by id.
        ensembles: Promotions and blends, of the same test images.

    Raises:
        ValueError: Without a model or ensemble.
    """
    if not models and not ensembles:
        raise ValueError("a forecast needs a model")
    nothing = Estimates(by_method={}, ranking={}, conditions=())
    found = estimate(models) if models else nothing
    told = [
        Estimated(
            id=model.id,
            fold=model.fold,
            holdout=metric.score(model.labels, model.holdout),
            test=model.test,
            likely=model.test,
            each=model.each,
            accuracies={n: float(v[i]) for n, v in found.by_method.items() if np.isfinite(v[i])},
            margin=model.margin,
            agreement=float(found.ranking[AGREEMENT][i]),
        )
        for i, model in enumerate(models)
    ]
    told += ensembles
    images = len(told[0].test) // told[0].each
    told = [t for t in told if t.accuracies]  # not labels alone
    expected = {t.id: expected_score(metric, t) for t in told}
    if not public:
        return Forecast(models=expected, images=images, conditions=found.conditions)
    carried: dict[str, dict[str, float]] = {}
    for t in told:
        for name, value in t.accuracies.items() if t.id in public else ():
            carried.setdefault(name, {})[t.id] = _carry(metric, t.test, t.likely, value)
    return _corrected(metric, expected, images, found.conditions, public, carried)


def expected_score(metric: Metric, told: Estimated) -> Expected:
    """The metric on the test images that accuracies promise.

    Args:
        metric: The contest's, of images or of a sample of their pixels.
        told: By at least one method.
    """
    images = len(told.test) // told.each
    accuracies = list(told.accuracies.values())
    accuracy = float(np.median(accuracies))
    drawn = 1.96 * (accuracy * (1 - accuracy) / images) ** 0.5
    noise = float(np.hypot(drawn, told.margin))
    ends = (min(accuracies) - noise, max(accuracies) + noise)
    scores = [_carry(metric, told.test, told.likely, a) for a in (accuracy, *ends)]
    return Expected(
        id=told.id,
        fold=told.fold,
        holdout=told.holdout,
        score=scores[0],
        low=min(scores),
        high=max(scores),
        accuracies=told.accuracies,
        agreement=told.agreement,
    )


def _carry(
    metric: Metric, test: NDArray[np.floating], likely: NDArray[np.floating], accuracy: float
) -> float:
    """The metric of labels drawn from probabilities that promise an accuracy, mean over draws; NaN
    where it is undefined for all of them, as a ranking metric without an image of some class."""
    accuracy = float(np.clip(accuracy, 1 / test.shape[1], 1.0))
    shares = tempered(likely, temperature_for(likely, accuracy)).cumsum(axis=1)
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(DRAWS):
        drawn = (rng.random((len(test), 1)) > shares).sum(axis=1)
        scores.append(metric.score(np.minimum(drawn, test.shape[1] - 1), test))
    defined = [s for s in scores if np.isfinite(s)]
    return float(np.mean(defined)) if defined else float("nan")


def _corrected(
    metric: Metric,
    expected: Mapping[str, Expected],
    images: int,
    conditions: tuple[str, ...],
    public: Mapping[str, float],
    carried: Mapping[str, Mapping[str, float]],
) -> Forecast:
    """Takes public scores in: how far each method was off, and what that adds to the others."""
    errors = {
        name: float(np.mean([abs(public[i] - s) for i, s in values.items()])) / metric.points
        for name, values in carried.items()
        if values
    }
    known = [i for i in expected if i in public]
    if not known:
        return Forecast(models=expected, images=images, conditions=conditions)
    errors["hold-out"] = (
        float(np.mean([abs(public[i] - expected[i].holdout) for i in known])) / metric.points
    )
    single = {i: e for i, e in expected.items() if e.fold is not None}
    together = {i: e for i, e in expected.items() if e.fold is None}
    shifted, offset = _shifted(metric, single, public)
    return Forecast(
        models={**shifted, **together},
        images=images,
        conditions=conditions,
        scored=sum(i in public for i in single),
        offset=offset / metric.points,
        errors=errors,
    )


def _shifted(
    metric: Metric, expected: Mapping[str, Expected], public: Mapping[str, float]
) -> tuple[Mapping[str, Expected], float]:
    """Forecasts moved by the mean error of those with a public score, and by how much."""
    errors = [public[i] - e.score for i, e in expected.items() if i in public]
    off = np.array([e for e in errors if np.isfinite(e)])
    if len(off) < FEWEST_SCORES:
        return expected, 0.0
    offset, spread = float(off.mean()), float(off.std(ddof=1))
    half = float(scipy.stats.t.ppf(0.975, len(off) - 1)) * spread * (1 + 1 / len(off)) ** 0.5
    shifted = {}
    for i, e in expected.items():
        score = float(np.clip(e.score + offset, *metric.range))
        low, high = np.clip([score - half, score + half], *metric.range)
        shifted[i] = replace(e, score=score, low=float(low), high=float(high))
    return shifted, offset
