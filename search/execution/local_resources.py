"""What one trial asks for, against what this machine has; before Ray is started."""

from __future__ import annotations

import os

import psutil

from search.options.groups import ClusterConfig
from search.options.resources import ResourcesConfig
from spaces.errors import InputError

GIB = 2**30


def check_local_resources(resources: ResourcesConfig, cluster: ClusterConfig) -> None:
    """Raises InputError if a trial needs more than this machine has; a cluster is asked later."""
    if cluster.address:
        return
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = "resources.cpu" if resources.cpu else "resources.processes"
    fewest = resources.cpu or (float(resources.processes) if resources.gpu == 0 else 0.0)
    wanted = {
        cores: (fewest, float(cpus), " cores"),
        "resources.memory": (resources.memory, psutil.virtual_memory().total / GIB, " GiB"),
    }
    if resources.gpu > 0:
        import torch

        wanted["resources.gpu"] = (resources.gpu, float(torch.cuda.device_count()), "")
    for option, (amount, there, unit) in wanted.items():
        if amount > there:
            raise InputError(
                f"{option}={amount:g}{unit} per trial, and this machine has {there:.3g}{unit}"
            )
