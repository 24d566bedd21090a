"""Loaders whose processes die."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from search.execution.faults import fault_of
from spaces.trial_config import TrialConfig
from trainables.data import loader
from trainables.data.image_store import ImageStore
from trainables.data.loader import Batches, evaluation_loader


@pytest.mark.parametrize("times", [2, pytest.param(12, marks=pytest.mark.slow)])
def test_a_dead_process_is_one_error_however_it_shows(
    store: ImageStore, small: TrialConfig, times: int
) -> None:
    config = small.replace(batch=32, micro_batch=32)
    rows = np.arange(640)
    for _ in range(times):
        seen: list[str] = []
        try:
            for _ in evaluation_loader(config, store, rows, 1):
                for process in multiprocessing.active_children():
                    process.kill()
        except Exception as error:
            time.sleep(0.2)  # a handler that told of it again would do so here
            seen.append(fault_of(error))
        assert seen == ["death"]


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset by peer"), EOFError()])
def test_a_broken_connection_is_a_death_though_nobody_tells_of_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch's handler may have raised in a callback that lets nothing through."""

    class Broken:
        def __iter__(self) -> Iterator[Any]:
            raise error

    monkeypatch.setattr(loader, "DEATH", 0.0)
    with pytest.raises(RuntimeError, match=r"its connection ended|reset by peer") as told:
        list(Batches(Broken()))  # type: ignore[arg-type]
    assert fault_of(told.value) == "death"
    assert told.value.__cause__ is error
