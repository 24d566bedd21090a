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

import numpy as np

from results.records.trials import Search
from tests.faults.kills import repeated_metrics, start
from tests.faults.row import Row

OPTIONS = ("trials=10", "epochs=8", "confirm=0", "scheduler.grace=8", "quiet=true")
AWAY = 60.0
"""Seconds for which the server is gone."""
KINDS = ("healthy", "minute", "gone")
ROUNDS = 3


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
    row = Row(
        f"MLflow server killed for 60 s, then for the whole rest of a search, {ROUNDS} times each"
    )
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for i in range(ROUNDS):
        for kind in KINDS[i % len(KINDS) :] + KINDS[: i % len(KINDS)]:
            job = _search(folder, port, kind, f"{kind}-{i}", row)
            seconds[kind].append(max(t.ended or 0.0 for t in job.trials.values()) - job.opened.at)
    for kind in KINDS[1:]:
        ratios = np.array(seconds[kind]) / seconds[KINDS[0]]
        row.expect(
            float(np.median(ratios)) <= 1.05,
            f"{kind}: {', '.join(f'{r:.0%}' for r in ratios)} of the time of a healthy search",
        )
    uri = f"http://127.0.0.1:{port}"
    with server(folder, port):
        for path in sorted(folder.glob("*/digits/*/ledger.jsonl")):
            job = Search.read(path.parent)
            code = start(folder, "sync", f"runs={job.id}", f"tracking={uri}").wait()
            wrong = repeated_metrics(folder, job, uri)
            row.expect(code == 0 and wrong == 0, f"{job.id}: {wrong} metrics missing or twice")
    return row


def _search(folder: Path, port: int, kind: str, name: str, row: Row) -> Search:
    """Runs a search with a server of its kind."""
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(server(folder, port))
        search = start(
            folder, "run", f"name={name}", f"runs={name}", "seed=1",
            f"tracking=http://127.0.0.1:{port}", *OPTIONS,
        )  # fmt: skip
        if kind != KINDS[0]:
            time.sleep(20)
            os.killpg(running.pid, signal.SIGKILL)
        if kind == "minute":
            time.sleep(AWAY)
            stack.enter_context(server(folder, port))
        code = search.wait()
        row.expect(code == 0, f"{name}: exit code {code}")
    return Search.read(folder / name / "digits" / name)
