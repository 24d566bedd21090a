"""Processes that Ray has started in advance, which Ray Tune's actors would leave alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import ray
from ray.tune.execution import class_cache, tune_controller


class PlainActors(class_cache._ActorClassCache):  # type: ignore[misc]
    """Makes actors that ask for no environment of their own.

    Tune asks for one with variables that this machine's processes inherit anyway. Ray then has
    two processes more import it for each actor, one that sets the variables and one that has them,
    while those that it has started in advance wait for nothing.
    """

    def get(self, trainable_cls: type) -> Any:
        """The class as Ray's, always the same."""
        return self._cache.setdefault(trainable_cls, ray.remote(trainable_cls))


@contextlib.contextmanager
def started_workers() -> Iterator[None]:
    """Where a tuner that is made and run takes the processes that are there."""
    before = tune_controller._ActorClassCache
    tune_controller._ActorClassCache = PlainActors
    try:
        yield
    finally:
        tune_controller._ActorClassCache = before
