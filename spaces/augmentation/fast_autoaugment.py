"""Fast AutoAugment: several sub-policies of two operations, one of them for each image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spaces.augmentation.operations import operation
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.settings import check_settings, number
from spaces.errors import InputError

SUB_POLICIES, OPERATIONS_EACH = 5, 2

_SETTINGS = tuple(
    f"sub{s}.{what}{o}"
    for s in range(1, SUB_POLICIES + 1)
    for o in range(1, OPERATIONS_EACH + 1)
    for what in ("operation", "probability", "strength")
)


def fast_autoaugment(params: Mapping[str, Any]) -> AugPolicy:
    """A policy of sub-policies (Lim et al., NeurIPS 2019), one of which is drawn for each image.

    ``sub1.operation1``, ``sub1.probability1`` (0.5) and ``sub1.strength1`` (0.5, in [0, 1] of the
    operation's searched range) to ``sub5.operation2``, …; a sub-policy without an operation is
    left out.

    Raises:
        InputError: If a parameter is unknown, does not fit or belongs to no operation.
    """
    check_settings("fast_autoaugment", params, _SETTINGS)
    found = []
    for s in range(1, SUB_POLICIES + 1):
        stages = []
        for o in range(1, OPERATIONS_EACH + 1):
            name = params.get(f"sub{s}.operation{o}")
            if name is None:
                lost = [k for k in params if k in (f"sub{s}.probability{o}", f"sub{s}.strength{o}")]
                if lost:
                    raise InputError(
                        f"fast_autoaugment.{lost[0]}={params[lost[0]]} needs "
                        f"fast_autoaugment.sub{s}.operation{o}"
                    )
                continue
            limit = operation(str(name)).at(number(params, f"sub{s}.strength{o}", 0.5))
            chance = number(params, f"sub{s}.probability{o}", 0.5)
            choice = Choice(operation=str(name), limit=limit)
            stages.append(Stage(choices=(choice,), probability=chance))
        if stages:
            found.append(AugPolicy(stages=tuple(stages)))
    return AugPolicy(stages=(Stage(choices=tuple(found)),) if found else ())
