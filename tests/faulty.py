"""A loss that goes wrong in the second epoch, in the way that ``label_smoothing`` stands for."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from torch.nn import functional

from spaces.trial_config import TrialConfig
from tests import tiny

FAULTS = ("none", "nan", "inf", "exception", "memory", "hang", "stop", "exit", "device", "loader")
"""Kinds of faults; the number of hundredths of label smoothing picks one."""

STEPS = 33
"""Steps of an epoch on the digits with batches of 32."""

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def smoothing(fault: str) -> float:
    """The label smoothing that stands for a fault."""
    return FAULTS.index(fault) / 100


def loss(config: TrialConfig) -> Loss:
    """Cross entropy that fails at the third step of the second epoch.

    What ends or stops a process does so once: marks are left in the folder ``FAULTS_SEEN``.
    """
    fault = FAULTS[round(config.loss.label_smoothing * 100)]
    mark = Path(os.environ["FAULTS_SEEN"]) / fault
    calls = 0

    def faulty(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        value = functional.cross_entropy(logits, targets)
        if calls != STEPS * config.run.accumulation + 3:
            return value
        if fault in ("nan", "inf"):
            return value * float(fault)
        if fault == "exception":
            raise ValueError("a mistake in the loss")
        if fault == "memory" and config.run.accumulation == 1:
            logits.register_hook(_out_of_memory)  # type: ignore[no-untyped-call]
        if fault == "device" and _first(mark):
            raise RuntimeError("CUDA error: device-side assert triggered")
        if fault == "hang" and _first(mark):
            time.sleep(3600)
        if fault == "stop" and _first(mark):
            os.kill(os.getpid(), signal.SIGSTOP)
        if fault == "exit" and _first(mark):
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "loader" and _first(mark):
            for child in psutil.Process().children():
                child.kill()
        return value

    return faulty


def _first(mark: Path) -> bool:
    """Whether this is the first time."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _out_of_memory(gradient: torch.Tensor) -> torch.Tensor:
    """Raises within the backward pass, as a GPU does."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def short_of_memory(config: TrialConfig, classes: int) -> torch.nn.Module:
    """A network that fits into the trainer only, not into processes that share its batches."""
    return _but_in_the_trainer(_no_room, config, classes)


def stuck(config: TrialConfig, classes: int) -> torch.nn.Module:
    """A network for which such a process needs all time; a mark tells when it has begun."""
    return _but_in_the_trainer(_no_end, config, classes)


def _but_in_the_trainer(
    hook: Callable[..., None], config: TrialConfig, classes: int
) -> torch.nn.Module:
    network = tiny.build(config, classes)
    if "rank_process" in sys.argv[0]:
        network.register_forward_pre_hook(hook)
    return network


def _no_room(*_: object) -> None:
    raise MemoryError("no room here")


def _no_end(*_: object) -> None:
    (Path(os.environ["FAULTS_SEEN"]) / "stuck").touch()
    time.sleep(3600)
