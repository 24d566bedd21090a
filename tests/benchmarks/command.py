"""A command of the project in a process of its own, with what it took."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(folder: Path, name: str, *words: str) -> tuple[str, float]:
    """Runs ``python -m search.<name>`` in a folder.

    Returns:
        Its output, and its highest resident memory in GiB, that of its own process.

    Raises:
        SystemExit: If it fails.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", f"search.{name}", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"search.{name} {' '.join(words)} failed:\n{out}")
    return out, usage.ru_maxrss / 2**20
