"""How Ray is kept to this machine and to what is used of it: a constant, methods, an option."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ray._private import ray_constants
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
    """
    before = ray_constants.ENABLE_RAY_CLUSTER
    services = {name: getattr(Node, name) for name in UNUSED}
    ray_constants.ENABLE_RAY_CLUSTER = False
    for name in UNUSED:
        setattr(Node, name, _leave_out)
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        for name, start in services.items():
            setattr(Node, name, start)


def _leave_out(node: Node, **options: Any) -> None:
    """Takes the place of a method that starts a service."""
