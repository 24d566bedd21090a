"""Population based augmentation's kind of policy: strengths as a schedule over the epochs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from spaces.augmentation.magnitude import GROUPS
from spaces.augmentation.operations import OPERATIONS, operation
from spaces.augmentation.policy import AugPolicy, Choice, Course, Number, Stage
from spaces.augmentation.settings import check_settings, number, switch
from spaces.errors import InputError

MOST = 60
"""Points of a schedule."""

_POINT = re.compile(r"^([a-z_]+)([1-9][0-9]?)$")


def pba(params: Mapping[str, Any]) -> AugPolicy:
    """One operation of every group that has a schedule, and every operation that has one.

    ``pba.geometry1=0.2``, ``pba.geometry2=0.8`` are strengths in [0, 1] of the searched ranges, at
    points that lie evenly over the training, the first at its beginning and the last at its end,
    with straight lines between them; one point is for all epochs. With ``pba.held=true`` each holds
    for an equal share of the epochs instead, as Ho et al. (ICML 2019) have them. ``pba.rotate1`` is
    of an operation alone. Each is applied in ``probability`` (0.5) of the images; ``flip`` (0)
    mirrors in so many. Ho et al. schedule probabilities, too.

    Raises:
        InputError: If a parameter is unknown or does not fit, or a point is missing.
    """
    names = dict.fromkeys((*GROUPS, *(n for n, row in OPERATIONS.items() if row.has_limit)))
    known = (f"{name}{point}" for name in names for point in range(1, MOST + 1))
    check_settings("pba", params, ("flip", "probability", "held", *known))
    chance, flip = number(params, "probability", 0.5), number(params, "flip", 0.0)
    held = switch(params, "held", False)
    stages = []
    if flip:
        stages.append(Stage(choices=(Choice(operation="horizontal_flip"),), probability=flip))
    for name in names:
        strengths = _strengths(name, params)
        if not any(strengths):
            continue
        choices = tuple(
            Choice(operation=one, limit=_course(one, strengths, held))
            for one in GROUPS.get(name, (name,))
        )
        stages.append(Stage(choices=choices, probability=chance))
    return AugPolicy(stages=tuple(sorted(stages, key=lambda stage: not stage.crops)))


def points_of(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """The points of every schedule among parameters: by the schedule's name, then by number."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        point = _POINT.match(name.removeprefix("pba."))
        if point:
            found.setdefault(point[1], {})[int(point[2])] = name
    return found


def _strengths(name: str, params: Mapping[str, Any]) -> list[float]:
    """The strengths of a schedule in the order of its points.

    Raises:
        InputError: If there is a point without the one before it.
    """
    points = points_of(params).get(name, {})
    for point in sorted(points):
        if point > 1 and point - 1 not in points:
            raise InputError(
                f"pba.{name}{point}={params[points[point]]} needs pba.{name}{point - 1}"
            )
    return [number(params, points[point], 0.0) for point in sorted(points)]


def _course(name: str, strengths: list[float], held: bool) -> Number | None:
    """The limits of an operation over the training."""
    limits = [operation(name).at(strength) for strength in strengths]
    if len(limits) == 1:
        return limits[0]
    last = len(limits) if held else len(limits) - 1
    points = tuple((i / last, v) for i, v in enumerate(limits) if v is not None)
    return Course(points=points, held=held)
