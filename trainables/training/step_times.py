"""Where the seconds of an epoch's steps go: waiting for batches, moving them, or computing."""

from __future__ import annotations

import time

import torch


class StepTimes:
    """Seconds of feeding, moving and computing, told apart while a GPU runs behind this process.

    A step's computing begins when its batch is on the device and the GPU is done with the step
    before. Moving is what this process waits for until a batch is on its way: a GPU copies in the
    background, and what it does there between two steps counts as waiting for batches, as does all
    other time.

    Args:
        target: Where steps are computed.
    """

    def __init__(self, target: torch.device) -> None:
        self._gpu = target.type == "cuda"
        self._begun = self._mark = time.perf_counter()
        self._moving = self._computing = 0.0
        self._steps: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def begin(self) -> None:
        """A batch is there."""
        self._mark = time.perf_counter()

    def moved(self) -> None:
        """It is on the device, or on its way."""
        now = time.perf_counter()
        self._moving += now - self._mark
        self._mark = now
        if self._gpu:
            self._steps.append((_event(), _event()))
            self._steps[-1][0].record()

    def end(self) -> None:
        """What it is for has been computed, or the GPU told to."""
        self._computing += time.perf_counter() - self._mark
        if self._gpu:
            self._steps[-1][1].record()

    def seconds(self) -> dict[str, float]:
        """Seconds of ``feed``, ``transfer`` and ``compute`` since this was made; waits for the
        GPU."""
        if self._gpu:
            torch.cuda.synchronize()
            self._computing = sum(one.elapsed_time(two) for one, two in self._steps) / 1000
        whole = time.perf_counter() - self._begun
        rest = max(0.0, whole - self._computing)
        moving = min(self._moving, rest)  # a copy may have to wait for what the GPU computes
        return {"feed": rest - moving, "transfer": moving, "compute": self._computing}


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
