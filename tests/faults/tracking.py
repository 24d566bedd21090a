"""A tracking server that goes away for a while, or for good."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from results.trials import Search
from tests.faults.kills import repeated_metrics, start
from tests.faults.row import Row

OPTIONS = ("trials=10", "epochs=8", "confirm=0", "scheduler.grace=8", "quiet=true")
AWAY = 60.0
"""Seconds for which the server is gone."""


@contextlib.contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """An MLflow server on this machine, for as long as the context lasts, or it is killed."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1",
            "--artifacts-destination", str(folder / "artifacts"),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            time.sleep(0.5)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def outages(folder: Path) -> Row:
    """Searches whose server stays, is away for a minute, and goes for good, in turn."""
    row = Row("MLflow server killed for 60 s, then for the whole rest of a search")
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"tracking=http://127.0.0.1:{port}"
    seconds = {}
    for kind in ("healthy", "a minute", "for good"):
        with contextlib.ExitStack() as stack:
            running = stack.enter_context(server(folder, port))
            search = start(folder, "run", f"name={kind.replace(' ', '-')}", uri, "seed=1",
                           f"runs={kind.replace(' ', '-')}", *OPTIONS)  # fmt: skip
            if kind != "healthy":
                time.sleep(20)
                os.killpg(running.pid, signal.SIGKILL)
            if kind == "a minute":
                time.sleep(AWAY)
                stack.enter_context(server(folder, port))
            code = search.wait()
            row.expect(code == 0, f"{kind}: exit code {code}")
        job = Search.read(folder / kind.replace(" ", "-") / "digits" / kind.replace(" ", "-"))
        seconds[kind] = max(t.ended or 0.0 for t in job.trials.values()) - job.opened["at"]
    for kind in ("a minute", "for good"):
        ratio = seconds[kind] / seconds["healthy"]
        row.expect(ratio <= 1.05, f"{kind}: {ratio:.0%} of the time of a healthy search")
    with server(folder, port):
        for kind in ("healthy", "a minute", "for good"):
            name = kind.replace(" ", "-")
            code = start(folder, "sync", f"runs={name}", uri).wait()
            job = Search.read(folder / name / "digits" / name)
            wrong = repeated_metrics(folder, job, f"http://127.0.0.1:{port}")
            row.expect(code == 0 and wrong == 0, f"{kind}: {wrong} metrics missing or twice")
    return row
