"""Files and folders that are whole or absent, whoever reads or is killed meanwhile."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a temporary file to write, which takes its place when the context ends.

    Args:
        path: The file; its folder is there.

    Yields:
        A hidden file beside it that nobody else writes; removed if an exception is raised.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(text: str, path: Path) -> None:
    """Writes a text in UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder to make, which takes its place when the context ends.

    Args:
        path: The folder; it is absent or empty, and its parent is there by then.

    Yields:
        A hidden path beside it, where there is nothing; removed if an exception is raised.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
