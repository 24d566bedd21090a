"""Imports what takes seconds and forks for whoever asks; the fork runs what was asked for."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

IMPORTED = (
    "matplotlib.figure",
    "mlflow.tracking",
    "optuna",
    "pyarrow",
    "search.options.composition",
    "trainables.training.actions",
)
"""What trainers and commands import, but for Ray, which reads its environment then."""


def preload() -> None:
    """Imports, and tells the garbage collector that what was imported stays."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, eq=False)
class Fork:
    """A fork, as the server sees it.

    Attributes:
        pid: Number of its process.
        ended: A file that is readable when it has ended.
        client: Readable when the program that stands for it has been killed.
    """

    pid: int
    ended: int
    client: socket.socket

    def close(self) -> None:
        """Closes the files."""
        os.close(self.ended)
        self.client.close()


def serve(listener: socket.socket, tests: int) -> dict[str, Any]:
    """Forks for every request for as long as the tests run; returns the request in the fork."""
    forks: set[Fork] = set()
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while os.getppid() == tests:
        for key, _ in selector.select(timeout=1.0):
            fork = key.data
            if fork is None:
                client, _ = listener.accept()
                request, files, *_ = socket.recv_fds(client, 1 << 20, 3)
                pid = os.fork()
                if not pid:
                    for number, file in enumerate(files):
                        os.dup2(file, number)
                for file in files:
                    os.close(file)
                if not pid:
                    selector.close()
                    for one in (listener, client):
                        one.close()
                    for other in forks:
                        other.close()
                    return dict(json.loads(request))
                client.send(str(pid).encode())
                fork = Fork(pid, os.pidfd_open(pid), client)
                forks.add(fork)
                selector.register(fork.ended, selectors.EVENT_READ, fork)
                selector.register(client, selectors.EVENT_READ, fork)
            elif fork in forks and key.fileobj is fork.client:
                os.kill(fork.pid, signal.SIGKILL)
            elif fork in forks:
                forks.remove(fork)
                selector.unregister(fork.ended)
                selector.unregister(client := fork.client)
                _, status = os.waitpid(fork.pid, 0)
                with contextlib.suppress(OSError):  # nobody may be there to hear it
                    client.send(str(status).encode())
                fork.close()
    sys.exit()


def become(request: dict[str, Any], environ: dict[str, str], path: list[str]) -> None:
    """Runs what was asked for as Python would in a process of its own.

    Args:
        request: Words of the command line, environment, folder and number of the client.
        environ: What imports have added to the environment.
        path: Where Python looks for modules everywhere.
    """
    import psutil

    os.setsid()
    os.environ.clear()
    os.environ.update({**environ, **request["environ"]})
    os.chdir(request["folder"])
    os.getppid = psutil.Process(request["pid"]).ppid
    first, *rest = request["words"]
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if first == "-m":
        name, *rest = rest
        sys.path[:] = [request["folder"], *paths, *path]
        sys.argv[:] = [name, *rest]
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        sys.path[:] = [str(Path(first).parent), *paths, *path]
        sys.argv[:] = [first, *rest]
        runpy.run_path(first, run_name="__main__")


def main() -> None:
    """Serves, in the process that was started; becomes what was asked for in its forks."""
    file, program = sys.argv[1:]
    before = dict(os.environ)
    given = [p for p in before.get("PYTHONPATH", "").split(os.pathsep) if p]
    path = sys.path[1 + len(given) :]
    sys.path[0] = str(ROOT)
    sys.executable = program
    tests, listener = os.getppid(), socket.socket(fileno=int(file))
    while not select.select([listener], [], [], 1.0)[0]:  # until somebody needs it
        if os.getppid() != tests:
            return
    preload()
    request = serve(listener, tests)
    become(request, {k: v for k, v in os.environ.items() if k not in before}, path)


if __name__ == "__main__":
    main()
