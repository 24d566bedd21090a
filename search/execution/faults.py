"""What follows from a fault: how often a trial goes on, and with which changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results.records.trial import Trial
from search.execution.exit_note import read_exit_note
from search.execution.retries import RETRIES
from spaces.errors import InputError
from spaces.shares import share_of
from spaces.trial_config import TrialConfig

OUT_OF_MEMORY = "low on memory"
"""What Ray says when it kills a worker to save the node."""


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What becomes of a trial after a fault.

    Attributes:
        again: Whether it goes on from its checkpoint; if not, it has failed.
        reason: What happened.
        words: The same for the user, with what follows.
        changes: Of its configuration from then on.
    """

    again: bool
    reason: str
    words: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def after_fault(trial: Trial, kind: str, reason: str, processes: int = 1) -> Consequence:
    """Decides whether a trial goes on: as often as `RETRIES` says.

    Out of memory it does so with half the micro-batch, unless that cannot be split; where it does
    not, the reason says what to set.

    Args:
        trial: As it was before the fault.
        kind: One of `RETRIES`.
        reason: What happened.
        processes: How many share its batches.
    """
    smaller = _halved(trial.config, processes) if kind == "memory" else None
    over = trial.faults.count(kind) >= RETRIES[kind] or (kind == "memory" and smaller is None)
    if over and kind == "memory":
        reason = f"{_too_much(trial.config)}; {reason}"
    words = f"{trial.id}: {reason.splitlines()[0]}"
    if over:
        return Consequence(again=False, reason=reason, words=words)
    if smaller is None:
        words += "; it goes on from its last checkpoint"
        return Consequence(again=True, reason=reason, words=words)
    words += f"; it goes on with micro_batch={smaller.run.micro_batch}"
    changes = {"micro_batch": smaller.run.micro_batch}
    return Consequence(again=True, reason=reason, words=words, changes=changes)


def _halved(config: TrialConfig, processes: int) -> TrialConfig | None:
    """With half the micro-batch; None where that cannot be split, or not be shared out."""
    smaller = config.halved()
    try:
        if smaller is not None:
            share_of(smaller, processes)
    except InputError:
        return None
    return smaller


def _too_much(config: TrialConfig) -> str:
    """What did not fit, and what to set."""
    height, width = config.data.size
    return (
        f"out of memory with {config.run.images_at_once} images of {height}x{width} at once, of "
        "which fix.micro_batch= sets fewer, fix.size= smaller ones"
    )


def cause_of_death(folder: Path, text: str) -> tuple[str, str, str]:
    """Why a trial's worker died.

    Args:
        folder: The trial's folder: whoever ended the process on purpose has left word of why.
        text: What Ray says of it.

    Returns:
        Kind of fault, reason, and traceback.
    """
    left = read_exit_note(folder)
    if left is not None:
        return left.fault, left.reason, left.traceback
    if OUT_OF_MEMORY in text:
        return "memory", "the machine ran out of memory", text
    last = (text.splitlines() or ["no reason given"])[-1]
    return "death", f"the worker process died: {last}", text


def fault_of(error: Exception) -> str:
    """What kind of fault an exception stands for; empty if the trial itself is at fault."""
    import torch

    from trainables.training.ranks import RankError

    words = str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        sign in words for sign in _MEMORY_SIGNS
    ):
        return "memory"
    if isinstance(error, RankError) or "DataLoader worker (pid" in words:
        return "death"
    broken = getattr(torch, "AcceleratorError", None)
    if (broken is not None and isinstance(error, broken)) or "CUDA error" in words:
        return "device"
    return ""


_MEMORY_SIGNS = (
    "DefaultCPUAllocator",
    "CUDA out of memory",
    "CUDA error: out of memory",
    "ALLOC_FAILED",
)
"""How torch says that memory is short where it raises a plain RuntimeError."""
