"""The family of policies that ready spaces search: one operation after another."""

from __future__ import annotations

from collections.abc import Mapping

from spaces.augmentation.operations import operation
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.settings import number
from spaces.errors import InputError
from spaces.value import Value


def staged(params: Mapping[str, Value]) -> AugPolicy:
    """Builds a policy from ``stages``, ``stage1.operation``, ``stage1.probability``, ….

    A strength is in [0, 1] of the operation's searched range and defaults to 0.5, a
    probability to 1; ``stages`` defaults to the highest stage named. A cropping stage comes
    first; of several only the first counts, since an image is cropped once.

    Raises:
        InputError: If a stage lacks its operation or a value does not fit.
    """
    stages: list[Stage] = []
    named = [int(name[5]) for name in params if name != "stages"]
    count = number(params, "stages", max(named, default=0))
    for i in range(1, round(count) + 1):
        name = params.get(f"stage{i}.operation")
        if name is None:
            raise InputError(f"stages={count:g} needs stage{i}.operation")
        strength = number(params, f"stage{i}.strength", 0.5)
        choice = Choice(operation=str(name), limit=operation(str(name)).at(strength))
        stage = Stage(choices=(choice,), probability=number(params, f"stage{i}.probability", 1.0))
        if not (stage.crops and any(s.crops for s in stages)):
            stages.append(stage)
    return AugPolicy(stages=tuple(sorted(stages, key=lambda s: not s.crops)))
