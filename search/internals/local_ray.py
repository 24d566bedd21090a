"""How Ray is kept to this machine and to what is used of it: a constant, functions, an option."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from ray._private import ray_constants, services, utils
from ray._private.node import Node

ADDRESS: dict[str, Any] = {"_node_ip_address": "127.0.0.1"}
"""Of `ray.init`: where the node's own services listen."""

UNUSED = ("start_monitor", "start_log_monitor", "start_api_server")
"""Start the autoscaler, what forwards workers' prints, and the server of dashboard and jobs: three
Python processes that take longer to import Ray than Ray takes for all else that it starts."""


@contextlib.contextmanager
def single_host() -> Iterator[None]:
    """Starts Ray in this process for one host only: services listen on loopback, few of them run.

    Ray decides where to listen by the operating system, whose firewalls ask about it otherwise.
    Its processes have groups of their own: what a scheduler, or a terminal, sends to the command's
    is the command's to answer, which needs Ray for that. The kernel ends them with the command;
    where it cannot, a process of Ray's does, by the group, which stays as it is.
    """
    before, start_process = ray_constants.ENABLE_RAY_CLUSTER, services.ConsolePopen
    started = {name: getattr(Node, name) for name in UNUSED}
    ray_constants.ENABLE_RAY_CLUSTER = False
    if utils.detect_fate_sharing_support():
        services.ConsolePopen = functools.partial(start_process, process_group=0)
    for name in UNUSED:
        setattr(Node, name, _leave_out)
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        services.ConsolePopen = start_process
        for name, start in started.items():
            setattr(Node, name, start)


def _leave_out(node: Node, **options: Any) -> None:
    """Takes the place of a method that starts a service."""
