"""Reading the parameters of a policy family, each with its default."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from spaces.errors import InputError, unknown


def check_settings(family: str, params: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raises InputError, listing the choices, for a parameter that a family does not have."""
    names = list(known)
    for name in params:
        if name not in names:
            raise unknown("parameter", f"{family}.{name}", [f"{family}.{n}" for n in names])


def number(params: Mapping[str, Any], name: str, default: float) -> float:
    """A finite number.

    Raises:
        InputError: If it is none.
    """
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{name}={value}: a number is needed")
    return float(value)


def count(params: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """A whole number from 1 to ``most``.

    Raises:
        InputError: If it is none.
    """
    value = number(params, name, default)
    if value != round(value) or not 1 <= value <= most:
        raise InputError(f"{name}={params[name]}: a whole number from 1 to {most} is needed")
    return round(value)


def switch(params: Mapping[str, Any], name: str, default: bool) -> bool:
    """True or false.

    Raises:
        InputError: If it is neither.
    """
    value = params.get(name, default)
    if not isinstance(value, bool):
        raise InputError(f"{name}={value}: true or false is needed")
    return value
