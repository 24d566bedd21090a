"""Processes that share the batches of one training."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import distributed

PROCESSES = "train/processes"
"""What a training's reports say of how many there are, unless it is one."""

SILENCE = datetime.timedelta(hours=1)
"""How long they wait for each other; a watchdog that hears of every batch is sooner."""


class RankError(RuntimeError):
    """The other processes of a training do not answer."""


class Ranks:
    """The processes that share the batches of a training, as one of them sees them.

    They take turns with micro-batches of equal sizes. Loss, mixing and normalisation of a batch are
    those of a micro-batch, so that they compute together what one process computes in as many
    passes. Only running statistics, which one takes in pass by pass, are the mean over processes.

    Attributes:
        rank: Number of this process; 0 evaluates and reports.
        size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def told(self) -> Mapping[str, float]:
        """What reports say of them."""
        return {PROCESSES: float(self.size)} if self.size > 1 else {}

    def mine(self, number: int) -> bool:
        """Whether a micro-batch is of this process, by its number in the epoch, from 0."""
        return number % self.size == self.rank

    def begin(self, epoch: int) -> None:
        """Tells the others to train an epoch."""

    def epochs(self) -> Iterable[int]:
        """The epochs that others are told to train, as they are told."""
        return ()

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum over all processes; the tensor itself may change."""
        if self.size > 1:
            try:
                distributed.all_reduce(value)
            except RuntimeError as error:
                if value.is_cuda and not isinstance(error, distributed.DistBackendError):
                    raise  # what the GPU did before
                raise RankError(f"a process that shares the batches is gone: {error}") from error
        return value

    @torch.no_grad()
    def add_up(self, model: torch.nn.Module) -> None:
        """Sums gradients up, and takes the mean of running statistics; all get the same."""
        if self.size == 1:
            return
        slopes = [weight.grad for weight in model.parameters() if weight.grad is not None]
        running = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
        values = [*slopes, *running]
        whole = self.total(torch.cat([value.float().reshape(-1) for value in values]))
        parts = torch.split(whole, [value.numel() for value in values])
        for number, (value, part) in enumerate(zip(values, parts, strict=True)):
            mean = part if number < len(slopes) else part / self.size
            value.copy_(mean.view(value.shape))


ALONE = Ranks()


def join(ranks: Ranks, meeting: Path) -> None:
    """Meets the other processes on this machine, each with a GPU of its own if there are any.

    Args:
        ranks: Which of how many this one is.
        meeting: A file that none of them has made; it is for them alone.
    """
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(ranks.rank)
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", loopback)
    distributed.init_process_group(
        "nccl" if gpu else "gloo",
        store=distributed.FileStore(  # type: ignore[attr-defined]
            str(meeting), ranks.size
        ),
        rank=ranks.rank,
        world_size=ranks.size,
        timeout=SILENCE,
        device_id=torch.device("cuda", ranks.rank) if gpu else None,
    )


def part(*, abort: bool = False) -> None:
    """Leaves the others.

    Args:
        abort: They are gone: nothing waits for them any more.
    """
    group = distributed.group.WORLD
    if group is not None:
        if abort:
            group.abort()
        distributed.destroy_process_group()
