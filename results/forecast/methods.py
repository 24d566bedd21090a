"""Ways to tell a model's accuracy on images without labels, and when they are known to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from results.forecast.calibration import fitted_temperature, tempered
from results.metrics import Floats, Ints

STRAIGHT = 0.9
"""Share of the variance that a line through the agreements of pairs has to explain."""

FEWEST = 4
"""Models of one fold, each of another configuration, below which agreements say nothing."""

CONFIDENCE, AGREEMENT, BEST_AGREEMENT = "confidence", "mean agreement", "best agreement"
LINE = "agreement on the line (D)"
RANKINGS = (CONFIDENCE, AGREEMENT, BEST_AGREEMENT, LINE)
"""What models are ranked by without labels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A trained model, as far as a forecast needs it.

    Attributes:
        id: Of the trial.
        fold: The fold that it was not trained on.
        kin: What it must not be compared with: other seeds and folds of its configuration.
        labels: int (n,), of the fold.
        holdout: Probabilities (n, classes) of the fold's images.
        test: Probabilities (m, classes) of the test images.
        each: How many of these rows belong to one image, so that they are not independent.
        units: What each held-out row belongs to, (n,): its group, or its image; None where each is
            by itself.
        certain: Whether nothing but labels is known, so that its confidence says nothing.
    """

    id: str
    fold: int
    kin: str
    labels: Ints
    holdout: NDArray[np.floating]
    test: NDArray[np.floating]
    each: int = 1
    units: NDArray[Any] | None = None
    certain: bool = False

    @property
    def accuracy(self) -> float:
        """On the fold's images."""
        return float(self._right.mean())

    @property
    def margin(self) -> float:
        """Half of that accuracy's 95 % interval, by Student's t over units that were drawn whole
        (Cochran, Sampling techniques, 1977, 11.8); one unit says nothing.

        Two units that are all right and two that are all wrong are thought to be there, too, so
        that few that are all alike promise nothing (Agresti and Coull, Approximate is better than
        exact, 1998).
        """
        units = np.arange(len(self.labels)) if self.units is None else self.units
        places = np.unique(units, return_inverse=True)[1]
        sizes, right = np.bincount(places), np.bincount(places, weights=self._right)
        drawn, usual = len(sizes), sizes.mean()
        if drawn < 2:
            return float("inf")
        sizes = np.concatenate([sizes, np.full(4, usual)])
        right = np.concatenate([right, [usual, usual, 0, 0]])
        surplus = right - sizes * right.sum() / sizes.sum()
        noise = np.sqrt(np.square(surplus).sum() * drawn / (drawn - 1)) / sizes.sum()
        return float(scipy.stats.t.ppf(0.975, drawn - 1) * noise)

    @property
    def _right(self) -> NDArray[np.bool_]:
        return np.asarray(self.holdout.argmax(axis=1) == self.labels)


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Accuracies on the test images.

    Attributes:
        by_method: float (models,) by name of the method; NaN where it says nothing.
        ranking: What else models can be ranked by without labels, whatever it says of their level,
            float (models,) by name; NaN where it says nothing. The mean agreement is with models of
            other configurations, of which relatives count less.
        conditions: What speaks against some of them, in words.
    """

    by_method: Mapping[str, Floats]
    ranking: Mapping[str, Floats]
    conditions: tuple[str, ...]


def estimate(models: Sequence[Model]) -> Estimates:
    """Every method for every model.

    Args:
        models: With the same test images and classes.
    """
    by_method: dict[str, list[float]] = {CONFIDENCE: [], "thresholded confidence": []}
    for model in models:
        if model.certain:
            for values in by_method.values():
                values.append(np.nan)
            continue
        temperature = fitted_temperature(model.labels, model.holdout)
        here = tempered(model.holdout, temperature).max(axis=1)
        there = tempered(model.test, temperature).max(axis=1)
        by_method[CONFIDENCE].append(float(there.mean()))
        by_method["thresholded confidence"].append(_thresholded(here, there, model.accuracy))
    found = {name: np.array(values) for name, values in by_method.items()}
    seeds = _of_seeds(models)
    if np.isfinite(seeds).any():
        found["agreement of seeds"] = seeds
    pairs = _pairs(models)
    voices = _voices(models, pairs)
    ranking = {CONFIDENCE: found[CONFIDENCE], AGREEMENT: _over_relatives(models, voices)}
    if max(Counter(fold for fold, _ in {(m.fold, m.kin) for m in models}).values()) < FEWEST:
        few = (
            f"fewer than {FEWEST} configurations on one fold: agreement between models says "
            "nothing yet"
        )
        return Estimates(by_method=found, ranking=ranking, conditions=(few,))
    found[BEST_AGREEMENT] = np.array([max(v.values(), default=np.nan) for v in voices])
    simple, detailed, straight = _on_the_line(models, pairs)
    ranking |= {BEST_AGREEMENT: found[BEST_AGREEMENT], LINE: detailed}
    if straight < STRAIGHT:
        bent = (
            f"agreements on hold-out and test lie on no line (R² {straight:.2f}): the methods "
            "that assume one are left out"
        )
        return Estimates(by_method=found, ranking=ranking, conditions=(bent,))
    found["agreement on the line (S)"], found[LINE] = simple, detailed
    return Estimates(by_method=found, ranking=ranking, conditions=())


def _thresholded(here: Floats, there: Floats, accuracy: float) -> float:
    """Average thresholded confidence (Garg et al., Leveraging unlabeled data, ICLR 2022): as many
    hold-out images lie above the threshold as are right."""
    threshold = np.quantile(here, 1 - accuracy)
    return float((there >= threshold).mean())


def _of_seeds(models: Sequence[Model]) -> Floats:
    """How often trainings of one configuration agree that differ by their seed (Jiang et al.,
    Assessing generalization of SGD via disagreement, ICLR 2022); NaN for one that is alone."""
    told = [m.test.argmax(axis=1) for m in models]
    return _mean(
        [
            [
                float((told[i] == told[j]).mean())
                for j, other in enumerate(models)
                if i != j and (other.fold, other.kin) == (model.fold, model.kin)
            ]
            for i, model in enumerate(models)
        ]
    )


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Two models of one fold and different configurations, and how often they agree."""

    a: int
    b: int
    here: float
    there: float


def _pairs(models: Sequence[Model]) -> list[_Pair]:
    told = [(m.holdout.argmax(axis=1), m.test.argmax(axis=1)) for m in models]
    return [
        _Pair(
            a=i,
            b=j,
            here=float((told[i][0] == told[j][0]).mean()),
            there=float((told[i][1] == told[j][1]).mean()),
        )
        for i in range(len(models))
        for j in range(i)
        if models[i].fold == models[j].fold and models[i].kin != models[j].kin
    ]


def _voices(models: Sequence[Model], pairs: Sequence[_Pair]) -> list[dict[str, float]]:
    """How far each other configuration agrees with each model on the test images."""
    heard: list[dict[str, list[float]]] = [{} for _ in models]
    for pair in pairs:
        for one, other in ((pair.a, pair.b), (pair.b, pair.a)):
            heard[one].setdefault(models[other].kin, []).append(pair.there)
    return [{kin: float(np.mean(v)) for kin, v in h.items()} for h in heard]


def _over_relatives(models: Sequence[Model], voices: Sequence[Mapping[str, float]]) -> Floats:
    """Mean agreement, in which a voice counts the less, the more the others resemble it.

    Without that a family in the majority would outvote better models of other families. Two models
    resemble each other as far as they are wrong alike: the share of the held-out images on which
    one of them errs for which both give the same wrong answer.
    """
    told = [m.holdout.argmax(axis=1) for m in models]
    wrong = [t != m.labels for t, m in zip(told, models, strict=True)]
    alike: dict[tuple[int, str], dict[str, list[float]]] = {}
    for i, one in enumerate(models):
        for j, other in enumerate(models):
            if one.fold == other.fold and one.kin != other.kin:
                either = max(int((wrong[i] | wrong[j]).sum()), 1)
                share = float((wrong[i] & wrong[j] & (told[i] == told[j])).sum()) / either
                alike.setdefault((one.fold, one.kin), {}).setdefault(other.kin, []).append(share)
    counts = {key: 1 / (1 + sum(map(np.mean, a.values()))) for key, a in alike.items()}
    return np.array(
        [
            np.average(list(heard.values()), weights=[counts[model.fold, kin] for kin in heard])
            if heard
            else np.nan
            for model, heard in zip(models, voices, strict=True)
        ]
    )


def _mean(values: Sequence[Sequence[float]]) -> Floats:
    return np.array([np.mean(v) if v else np.nan for v in values])


def _on_the_line(models: Sequence[Model], pairs: Sequence[_Pair]) -> tuple[Floats, Floats, float]:
    """ALine-S and ALine-D (Baek et al., Agreement-on-the-line, NeurIPS 2022), and R² of the line.

    Where accuracies on two sets lie on a line after the probit transform, agreements of pairs do,
    on the same one, and agreements need no labels.
    """
    least = 0.5 / min(len(m.test) for m in models)

    def probit(shares: Floats) -> Floats:
        return np.asarray(scipy.stats.norm.ppf(np.clip(shares, least, 1 - least)))

    here = probit(np.array([p.here for p in pairs]))
    there = probit(np.array([p.there for p in pairs]))
    if np.ptp(here) == 0 or np.ptp(there) == 0:
        nothing = np.full(len(models), np.nan)
        return nothing, nothing, 0.0
    line = scipy.stats.linregress(here, there)
    accuracy = probit(np.array([m.accuracy for m in models]))
    simple = scipy.stats.norm.cdf(line.slope * accuracy + line.intercept)
    # The mean accuracy of a pair on the test images is its agreement there, moved along the line.
    matrix = np.zeros((len(pairs), len(models)))
    wanted = np.empty(len(pairs))
    for row, pair in enumerate(pairs):
        matrix[row, [pair.a, pair.b]] = 0.5
        gap = (accuracy[pair.a] + accuracy[pair.b]) / 2 - here[row]
        wanted[row] = there[row] + line.slope * gap
    solved = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    partners = (matrix > 0).sum(axis=0)
    detailed = np.where(partners >= 2, scipy.stats.norm.cdf(solved), np.nan)
    return np.asarray(simple), np.asarray(detailed), float(line.rvalue**2)
