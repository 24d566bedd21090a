"""Whether a Ray cluster answers, before Ray itself tries to join it for minutes."""

from __future__ import annotations

import socket
import subprocess
import sys

from spaces.errors import InputError

PATIENCE = 15
"""Seconds in which a cluster has to answer, most of which importing Ray takes on a busy machine."""


def check_cluster(address: str) -> None:
    """Raises InputError unless a Ray cluster tells how it is doing.

    It does so to the command that Ray has for it, which can be ended where it tries for ever.

    Args:
        address: ``host:port`` of its head, or ``auto``; empty asks nobody.
    """
    if address and not (_listens(address) and _tells(address)):
        raise nobody(address)


def nobody(address: str) -> InputError:
    """The error for a cluster that does not answer."""
    return InputError(
        f"cluster.address={address}: no Ray cluster answers, or RAY_AUTH_TOKEN is not its own (the "
        "Ray that a search starts for itself, nobody can join); start one with 'ray start --head', "
        "name its head by cluster.address=<host>:6379, or leave the option out"
    )


def _tells(address: str) -> bool:
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        return not subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode
    except subprocess.TimeoutExpired:
        return False


def _listens(address: str) -> bool:
    """Whether something listens at ``host:port``; where ``auto`` leads, Ray has to say."""
    host, separator, port = address.rpartition(":")
    try:
        if separator:
            socket.create_connection((host, int(port)), timeout=5).close()
        return True
    except (OSError, ValueError):
        return False
