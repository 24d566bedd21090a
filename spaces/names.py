"""Names that become folders and files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from spaces.errors import InputError

_NAME = re.compile(r"^[A-Za-z0-9._-]{1,128}\Z")


def check_name(value: object, key: str) -> None:
    """Raises InputError unless ``value`` can be a folder name."""
    if not isinstance(value, str) or not _NAME.match(value) or value.strip(".") == "":
        raise InputError(
            f"{key}={value!r}: only letters, digits, dot, dash and underscore, at most 128"
        )


def check_inside(value: object, key: str) -> None:
    """Raises InputError unless ``value`` is a path that stays below the folder it starts from."""
    path = PurePosixPath(value) if isinstance(value, str) else None
    if path is None or path.is_absolute() or ".." in path.parts or "\0" in str(value):
        raise InputError(f"{key}={value!r}: a path below the folder is needed")
