"""Files and folders that options name, looked for before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

from search.options.training import JobConfig
from spaces.errors import InputError


def check_files(config: JobConfig) -> None:
    """Raises InputError unless the contest's folder and local weights are there, if named."""
    if config.data.root and not Path(config.data.root).is_dir():
        raise InputError(f"data.root={config.data.root!r}: there is no such folder")
    if config.weights and not Path(config.weights).is_file():
        raise InputError(f"weights={config.weights}: there is no such file")
