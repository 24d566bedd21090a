"""Workers that Ray Tune has nothing for at the moment, and would end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ray.tune.execution import tune_controller
from ray.tune.utils.object_cache import _ObjectCache


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


@contextlib.contextmanager
def kept_workers() -> Iterator[None]:
    """Where a tuner that is made and run keeps its workers."""
    before = tune_controller._ObjectCache
    tune_controller._ObjectCache = KeptWorkers
    try:
        yield
    finally:
        tune_controller._ObjectCache = before
