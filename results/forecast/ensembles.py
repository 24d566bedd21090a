"""Models that predict together, promotions and blends: how accurate they are without labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.forecast.calibration import temperature_for, tempered
from results.forecast.estimated import Estimated
from results.forecast.methods import Model, estimate
from results.metrics import Floats, Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One configuration of an ensemble.

    Attributes:
        weight: Of it; those of all parts sum to 1.
        trainings: Its models, each without another fold or with another seed, whose mean it
            predicts.
    """

    weight: float
    trainings: Sequence[Model]


def estimated_ensemble(
    name: str,
    holdout: float,
    test: NDArray[np.floating],
    each: int,
    parts: Iterable[Part],
    probable: bool = True,
) -> Estimated:
    """Tells how accurate an ensemble is from its models, of which each has unseen images.

    Of the ensemble no training image is unseen, so nothing can be fitted to it. Its accuracy is the
    mean of its models', by each method, and what merging gains: how much likelier than theirs its
    answers are to be right, under the mean of their probabilities, each at the temperature at which
    these promise the model's accuracy. How often models of several folds agree is not asked: they
    share most of their training images, and agree where they are wrong.

    Args:
        name: Of the promotion or blend.
        holdout: The metric out of fold.
        test: Merged predictions (m, classes) of the test images.
        each: How many of these rows belong to one image.
        parts: Its configurations, read one at a time.
        probable: Whether the merged predictions are probabilities, and not ranks or votes.
    """
    belief = np.zeros(test.shape)
    answers: list[tuple[float, Ints]] = []
    said: list[dict[str, float]] = []
    margin = 0.0
    for part in parts:
        pooled = _pooled(part.trainings)
        told = {n: float(v[0]) for n, v in estimate([pooled]).by_method.items()}
        level = float(np.median(list(told.values())))
        if not np.isfinite(level):  # labels alone
            told, level = {}, pooled.accuracy
        said.append({n: part.weight * accuracy for n, accuracy in told.items()})
        margin += part.weight * pooled.margin
        share = part.weight / len(part.trainings)
        for model in part.trainings:
            belief += share * tempered(model.test, temperature_for(model.test, level))
            answers.append((share, model.test.argmax(axis=1)))
    alone = sum(share * _right(belief, answer) for share, answer in answers)
    gain = _right(belief, test.argmax(axis=1)) - alone
    shared = [n for n in said[0] if all(n in others for others in said)]
    return Estimated(
        id=name,
        fold=None,
        holdout=holdout,
        test=test,
        likely=test if probable else belief,
        each=each,
        accuracies={n: float(np.clip(gain + sum(s[n] for s in said), 0, 1)) for n in shared},
        margin=margin,
        models=len(answers),
    )


def _right(belief: Floats, told: Ints) -> float:
    """Expected accuracy of answers under probabilities (m, classes)."""
    return float(belief[np.arange(len(told)), told].mean())


def _pooled(trainings: Sequence[Model]) -> Model:
    """Trainings of one configuration as a model that has seen none of the images."""
    first, units, begins, end = trainings[0], [], dict[int, int](), 0
    for model in trainings:
        own = np.arange(len(model.labels)) if model.units is None else model.units
        places = np.unique(own, return_inverse=True)[1]
        start = begins.setdefault(model.fold, end)  # seeds of a fold hold out the same units
        units.append(start + places)
        end = max(end, start + int(places.max()) + 1)
    return Model(
        id=first.id,
        fold=first.fold,
        kin=first.kin,
        labels=np.concatenate([m.labels for m in trainings]),
        holdout=np.concatenate([m.holdout for m in trainings]),
        test=np.concatenate([m.test for m in trainings]),
        units=np.concatenate(units),
        certain=any(m.certain for m in trainings),
    )
