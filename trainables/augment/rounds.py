"""What was drawn for the images of a batch, in the order in which it is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = dict[str, NDArray[Any]]


class Step(NamedTuple):
    """One operation on one image.

    Attributes:
        kind: What computes it, of `trainables.augment.batches.MOVES` or `PAINTS` there.
        values: What was drawn, by name.
    """

    kind: str
    values: Values


class Round(NamedTuple):
    """One kind of operation on some images of a batch at once.

    Attributes:
        kind: As of a step.
        images: Their places in the batch, int64 (k,).
        values: Drawn for each, (k, …) by name.
    """

    kind: str
    images: NDArray[np.int64]
    values: Values


def rounds_of(drawn: Sequence[Sequence[Step]]) -> list[Round]:
    """Puts together what is of one kind; every image keeps the order of its own steps.

    What most images wait for comes first, so that a policy that draws one of many operations takes
    as many rounds as it has kinds, not operations.

    Args:
        drawn: The steps of each image.
    """
    done = [0] * len(drawn)
    found: list[Round] = []
    while True:
        waiting = [i for i, steps in enumerate(drawn) if done[i] < len(steps)]
        if not waiting:
            return found
        heads = Counter(drawn[i][done[i]].kind for i in waiting)
        kind = max(heads, key=lambda name: (heads[name], name))
        images = [i for i in waiting if drawn[i][done[i]].kind == kind]
        steps = [drawn[i][done[i]].values for i in images]
        values = {name: _stacked([step[name] for step in steps]) for name in steps[0]}
        found.append(Round(kind, np.array(images), values))
        for i in images:
            done[i] += 1


def _stacked(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Stacks arrays, smaller ones in the middle of zeros: as kernels, and holes, mean the same."""
    if len({value.shape for value in values}) == 1:
        return np.stack(values)
    shape = tuple(max(sides) for sides in zip(*(v.shape for v in values), strict=True))
    found = np.zeros((len(values), *shape), values[0].dtype)
    for into, value in zip(found, values, strict=True):
        before = [(side - own) // 2 for side, own in zip(shape, value.shape, strict=True)]
        into[tuple(slice(b, b + own) for b, own in zip(before, value.shape, strict=True))] = value
    return found
