"""The ready spaces by name, a module each; a new one is a file and a line here."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_type_hints

from spaces.errors import InputError, unknown

if TYPE_CHECKING:  # Optuna behind it takes longer to import than a misspelt name to be told
    from spaces.space import SearchSpace

READY = (
    "aug_policy",
    "averaging",
    "backbone",
    "copy_paste",
    "extra",
    "fast_autoaugment",
    "full",
    "labels",
    "imbalance",
    "loss",
    "magnitude",
    "mixing",
    "optimizer",
    "pba",
    "policies",
    "preprocess",
    "pseudo",
    "rand_augment",
    "schedule",
    "segmentation",
    "subset",
)
"""Names of modules here, and of the function in each that makes the space."""


def check_space_name(name: str) -> None:
    """Raises InputError, listing the ready spaces, unless a name is one or ``module:function``.

    A ready space may have arguments: ``aug_policy(stages=3)``.
    """
    if ":" not in name.partition("(")[0] and _called(name)[0] not in READY:
        raise unknown("space", name, [*READY, "module:function"], f"space={name}")


def ready_space(name: str) -> SearchSpace:
    """Makes a ready space, with arguments where they are written behind its name.

    Raises:
        InputError: If there is none of that name (the message lists them), or its arguments do not
            fit.
    """
    check_space_name(name)
    function, arguments = _called(name)
    make: Callable[..., SearchSpace] = getattr(
        importlib.import_module(f"spaces.ready.{function}"), function
    )
    known = get_type_hints(make)
    known.pop("return")
    for argument, value in arguments.items():
        if argument not in known:
            raise unknown("argument", argument, known, f"space={name}")
        _check_kind(argument, value, known[argument], name)
    try:
        return make(**arguments)
    except (TypeError, ValueError) as error:
        raise InputError(f"space={name}: {error}") from error


def _check_kind(argument: str, value: Any, expected: Any, name: str) -> None:
    """Raises InputError for a text where a list or a number is meant, and the like."""
    if expected in (int, bool):
        fits, words = type(value) is expected, {int: "a whole number", bool: "True or False"}
        needed = words[expected]
    else:
        fits = isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)
        needed = f"a list of texts, such as {argument}=['{value}']"
    if not fits:
        raise InputError(f"space={name}: {argument}={value!r}: {needed} is needed")


def _called(text: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of ``name`` or ``name(argument=value)``, values being literals.

    Raises:
        InputError: If there is something else behind the name.
    """
    name, bracket, _ = text.partition("(")
    if not bracket:
        return text, {}
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError
        return name.strip(), {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, TypeError):
        raise InputError(
            f"space={text}: arguments are written as {name}(name=value), with numbers, texts, lists"
        ) from None
