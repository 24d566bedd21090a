"""How Ray is kept to this machine: a constant that is set at import, and a hidden option."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ray._private import ray_constants

ADDRESS: dict[str, Any] = {"_node_ip_address": "127.0.0.1"}
"""Of `ray.init`: where the node's own services listen."""


@contextlib.contextmanager
def single_host() -> Iterator[None]:
    """Starts Ray in this process for one host only, whose services listen on loopback.

    Ray decides it by the operating system, whose firewalls ask about it otherwise.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
