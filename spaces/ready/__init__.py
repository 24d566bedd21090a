"""The ready spaces by name, a module each; a new one is a file and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from spaces.errors import unknown

if TYPE_CHECKING:  # Optuna behind it takes longer to import than a misspelt name to be told
    from spaces.space import SearchSpace

READY = (
    "aug_policy",
    "backbone",
    "fast_autoaugment",
    "magnitude",
    "optimizer",
    "rand_augment",
    "schedule",
    "subset",
)
"""Names of modules here, and of the function in each that makes the space."""


def check_space_name(name: str) -> None:
    """Raises InputError, listing the ready spaces, unless a name is one or ``module:function``."""
    if name not in READY and ":" not in name:
        raise unknown("space", name, [*READY, "module:function"], f"space={name}")


def ready_space(name: str) -> SearchSpace:
    """Makes a ready space with its default arguments.

    Raises:
        InputError: If there is none of that name; the message lists them.
    """
    check_space_name(name)
    make: Callable[[], SearchSpace] = getattr(importlib.import_module(f"spaces.ready.{name}"), name)
    return make()
