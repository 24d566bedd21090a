"""Python processes that tests start are forks of one that has imported what takes seconds.

What trains is a process of Ray's: two starts of Python, each with its imports, in which a test of a
search learns nothing. So within tests ``sys.executable`` is a program that asks a server, which has
imported torch, albumentations and MLflow, for a fork of itself. Others see the program; it lives as
long as its fork, ends as that does, passes signals on, and takes it along when it is killed. What
is neither a command of ours nor a worker of Ray's starts as ever, and so does all that
`tests.commands.run_process` starts: as users do.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PYTHON = sys.executable
"""The interpreter itself."""

HERE = Path(__file__).parent


@contextlib.contextmanager
def forking_python(folder: Path) -> Iterator[Path]:
    """Makes a program that takes the place of Python.

    Its server waits from the start, and imports when it is first asked: while this process waits
    for Ray no other thread of it runs that could start one.

    Args:
        folder: Of the program, and the socket of its server.
    """
    program = folder / "python"
    program.write_text(f"#!{PYTHON} -IS\n{(HERE / 'client.py').read_text()}")
    program.chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen(64)
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [PYTHON, str(HERE / "server.py"), str(listener.fileno()), str(program)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        try:
            yield program
        finally:
            server.kill()
            server.wait()
