"""Peak memory of a command: python -m tests.benchmarks.memory python -m search.run trials=4

Samples the proportional set size of the command's processes and of the Ray processes of this user
four times a second and prints the highest sum.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import psutil


def pss(root: psutil.Process) -> float:
    """Sum over the command's processes and Ray's, which do not all descend from it, in GiB."""
    wanted = {p.pid: p for p in (root, *root.children(recursive=True))}
    for process in psutil.process_iter(["name", "cmdline", "uids"]):
        words = " ".join(process.info["cmdline"] or [])
        if process.info["uids"] and process.info["uids"].real == os.getuid() and "ray" in words:
            wanted.setdefault(process.pid, process)
    total = 0
    for process in wanted.values():
        with contextlib.suppress(psutil.Error, AttributeError):
            total += process.memory_full_info().pss
    return total / 2**30


def main() -> None:
    """Runs the command and prints its peak."""
    peak = 0.0
    with subprocess.Popen(sys.argv[1:]) as command:
        while command.poll() is None:
            with contextlib.suppress(psutil.Error):
                peak = max(peak, pss(psutil.Process(command.pid)))
            time.sleep(0.25)
    print(f"peak of all processes: {peak:.2f} GiB PSS")


if __name__ == "__main__":
    main()
