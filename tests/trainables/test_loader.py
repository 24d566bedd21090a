"""Loaders whose processes die."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np

from search.execution.trial_actor import fault_of
from spaces.trial_config import TrialConfig
from trainables.data.image_store import ImageStore
from trainables.data.loader import evaluation_loader


def test_a_dead_process_is_one_error_however_it_shows(
    store: ImageStore, small: TrialConfig
) -> None:
    config = small.replace(batch=32, micro_batch=32)
    rows = np.arange(640)
    for _ in range(12):
        seen: list[str] = []
        try:
            for _ in evaluation_loader(config, store, rows, 1):
                for process in multiprocessing.active_children():
                    process.kill()
        except Exception as error:
            time.sleep(0.2)  # a handler that told of it again would do so here
            seen.append(fault_of(error))
        assert seen == ["death"]
