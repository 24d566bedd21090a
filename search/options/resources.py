"""What one trial gets, and among how many processes its batches are shared out."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from search.options.option import option
from search.options.shared import demand
from spaces.errors import InputError

MOST_CORES = 8
"""Of each process of a trial on a GPU, unless more are asked for; most of them load images."""


@dataclass(kw_only=True)
class ResourcesConfig:
    """What one trial gets."""

    cpu: float = option(
        0,
        "CPU cores per trial; 0 is one per process, or on a GPU its share of the machine's, "
        f"{MOST_CORES} per process at most",
    )
    gpu: float = option(
        -1, "GPUs per trial: 0.5 for two trials on one, 2 to share its batches; -1 is one if any"
    )
    memory: float = option(0, "memory per trial in GiB; 0 reserves none")
    processes: int = option(
        0, "processes that share a trial's batches, each with its own cores; 0 is one per GPU"
    )

    def __post_init__(self) -> None:
        demand(0 <= self.cpu < inf, "resources.cpu", self.cpu, "0 or more")
        demand(0 <= self.gpu < inf or self.gpu == -1, "resources.gpu", self.gpu, "0 or more, or -1")
        demand(self.gpu <= 1 or self.gpu % 1 == 0, "resources.gpu", self.gpu, "whole above 1")
        demand(0 <= self.memory < inf, "resources.memory", self.memory, "0 or more (in GiB)")
        demand(self.processes >= 0, "resources.processes", self.processes, "0 or more")
        several = self.processes > 1 or (self.processes and self.gpu > 1)
        if several and self.gpu not in (0, self.processes):
            raise InputError(
                f"resources.processes={self.processes}: each has a GPU of its own or none; say "
                f"resources.gpu={self.processes} or resources.gpu=0"
            )
        if self.processes > 1 and 0 < self.cpu < self.processes and not self.gpu:
            raise InputError(
                f"resources.processes={self.processes} on resources.cpu={self.cpu:g}: give each a "
                "core at least"
            )

    @property
    def ranks(self) -> int:
        """Processes that share a trial's batches."""
        return self.processes or max(1, int(self.gpu))

    @property
    def threads(self) -> int:
        """CPU threads of each of them."""
        return max(1, int(self.cpu) // self.ranks)
