"""Workers that wait, which Ray Tune would leave alone or end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import ray
from ray.tune.execution import class_cache, tune_controller
from ray.tune.utils.object_cache import _ObjectCache


class PlainActors(class_cache._ActorClassCache):  # type: ignore[misc]
    """Makes actors that ask for no environment of their own, for the workers that Ray has started.

    Tune asks for one with variables that this machine's processes inherit anyway. Ray then has
    two processes more import it for each actor, one that sets the variables and one that has them,
    while those that it has started in advance wait for nothing.
    """

    def get(self, trainable_cls: type) -> Any:
        """The class as Ray's, always the same."""
        if trainable_cls not in self._cache:
            self._cache[trainable_cls] = ray.remote(trainable_cls)
        return self._cache[trainable_cls]


class KeptWorkers(_ObjectCache):  # type: ignore[misc]
    """Keeps all of them until the job is over.

    Tune keeps one where no trial waits. Between two stages of a plan none does, and each of the
    other workers would be ended, to be started again, with seconds of imports, for the next one.
    """

    def cache_object(self, key: Any, obj: Any) -> bool:
        """Keeps a worker; True, since it always does."""
        self._cached_objects[key].append(obj)
        self._num_cached_objects += 1
        return True

    def flush_cached_objects(self, force_all: bool = False) -> Iterator[Any]:
        """The workers to end: all at the end of the job, none before."""
        if force_all:
            yield from super().flush_cached_objects(force_all=True)


OURS = {"_ActorClassCache": PlainActors, "_ObjectCache": KeptWorkers}
"""What takes the place of the tuner's own, by its name there."""


@contextlib.contextmanager
def idle_workers_used() -> Iterator[None]:
    """Where a tuner that is made and run takes the workers that wait, and keeps its own."""
    before = {name: getattr(tune_controller, name) for name in OURS}
    for name, ours in OURS.items():
        setattr(tune_controller, name, ours)
    try:
        yield
    finally:
        for name, theirs in before.items():
            setattr(tune_controller, name, theirs)
