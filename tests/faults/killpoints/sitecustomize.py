"""Kills its own process on either side of a call, once; loaded by every Python process.

``KILL_POINTS`` lists points as ``module:Class.function:side:call:text``, separated by blanks. A
process dies before or after that call of the function, if the text occurs in its arguments (an
empty one always does). ``KILL_MARKS`` is a folder that remembers what has happened.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

POINTS = [point.split(":") for point in os.environ.get("KILL_POINTS", "").split()]


def arm(module: ModuleType, points: list[tuple[int, list[str]]]) -> None:
    for number, (name, side, call, text) in points:
        owner, _, function = name.rpartition(".")
        place: Any = getattr(module, owner) if owner else module
        setattr(place, function, dying(getattr(place, function), number, side, int(call), text))


def dying(
    function: Callable[..., Any], number: int, side: str, call: int, text: str
) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        if text in f"{args} {kwargs}":
            calls += 1
        if calls == call and side == "before":
            die(number)
        result = function(*args, **kwargs)
        if calls == call and side == "after":
            die(number)
        return result

    return wrapped


def die(number: int) -> None:
    mark = Path(os.environ["KILL_MARKS"]) / f"point-{number}"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class Arming(importlib.abc.MetaPathFinder):
    def __init__(self) -> None:
        self.busy = False

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        points = [(i, rest) for i, (module, *rest) in enumerate(POINTS) if module == name]
        if not points or self.busy:
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy = False
        assert spec is not None
        loader: Any = spec.loader
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            arm(module, points)

        loader.exec_module = exec_module
        return spec


if POINTS:
    sys.meta_path.insert(0, Arming())
