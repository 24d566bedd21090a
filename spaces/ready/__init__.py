"""The ready spaces by name, a module each; a new one is a file and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from spaces.errors import unknown
from spaces.space import SearchSpace

READY = ("aug_policy", "backbone", "optimizer", "schedule")
"""Names of modules here, and of the function in each that makes the space."""


def ready_space(name: str) -> SearchSpace:
    """Makes a ready space with its default arguments.

    Raises:
        InputError: If there is none of that name.
    """
    if name not in READY:
        raise unknown("space", name, [*READY, "module:function"], f"space={name}")
    make: Callable[[], SearchSpace] = getattr(importlib.import_module(f"spaces.ready.{name}"), name)
    return make()
