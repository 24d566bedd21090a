"""What a figure was measured on, in words."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path


def machine(*packages: str) -> str:
    """Cores, processor, load of the last minute, and versions of Python and of packages."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ] or [platform.machine()]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"{os.cpu_count()} cores of {names[0]}, load {os.getloadavg()[0]:.1f}; Python "
        f"{platform.python_version()}{', ' if versions else ''}{versions}"
    )
