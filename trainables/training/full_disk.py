"""Writing where the disk may be full: wait for room instead of losing what was computed."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from safetensors import SafetensorError

WAIT = 1.0
"""Seconds between attempts."""


def with_room(write: Callable[[], object], beat: Callable[[], None]) -> None:
    """Calls ``write`` until the disk has room for what it writes.

    Args:
        write: Writes a file, whole or not at all.
        beat: Called while waiting, which is no reason to be killed.

    Raises:
        OSError: For any other reason than a full disk or quota.
    """
    while True:
        try:
            write()
            return
        except (OSError, SafetensorError) as error:
            if not is_full(error):
                raise
        beat()
        time.sleep(WAIT)


def is_full(error: Exception) -> bool:
    """Whether an error says that there is no room left."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"os error {errno.ENOSPC}" in str(error) or f"os error {errno.EDQUOT}" in str(error)
