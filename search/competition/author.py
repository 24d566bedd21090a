"""Who acts, for records that several people write."""

from __future__ import annotations

import getpass
import os


def default_author(by: str) -> str:
    """Who acts, unless said otherwise."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
