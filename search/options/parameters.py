"""Parameters of trainings that are given by name, such as ``fix.lr=1e-3``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from spaces.errors import InputError
from spaces.trial_config import TrialConfig, check_parameter

PLACES = ("fix", "promote", "data.baseline")
"""Options under which any parameter may be given."""


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turns ``{"stage1": {"strength": 0.5}}`` into ``{"stage1.strength": 0.5}``."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        key = f"{prefix}{name}"
        flat |= flatten(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return flat


def with_given(config: TrialConfig, params: Mapping[str, Any], place: str) -> TrialConfig:
    """A configuration with the parameters that were given under an option.

    Args:
        config: What they change.
        params: Flat.
        place: The option, such as ``fix``.

    Raises:
        InputError: For an unknown name or a value that does not fit, naming the option.
    """
    try:
        return config.with_params(params)
    except InputError as error:
        raise _placed(error, params, place) from None


def check_parameters(config: Any) -> None:
    """Raises InputError for names of parameters that no training has, whatever command is given.

    Args:
        config: A command's options, with a team's own parts registered.
    """
    strange = {}
    for place in PLACES:
        params = flatten(_at(config, place))
        for name in params:
            try:
                check_parameter(name)
            except InputError as error:
                strange[f"{place}.{name}"] = _placed(error, params, place)
    if strange:
        first, *others = strange
        more = f"; nor are there {', '.join(others)}" if others else ""
        raise InputError(f"{strange[first]}{more}")


def _at(config: Any, place: str) -> Mapping[str, Any]:
    """What was given under an option; nothing where the command has no such option."""
    for name in place.split("."):
        config = getattr(config, name, None)
    return config or {}


def _placed(error: InputError, params: Iterable[str], place: str) -> InputError:
    """What is wrong with a parameter, with the option that it was given under."""
    words = str(error)
    begins = any(re.match(rf"{re.escape(name)}(?![\w.])", words) for name in params)
    return InputError(f"{place}.{words}" if begins else f"{place}: {words}")
