"""python -m search.ui — the MLflow UI on the store that searches write to.

It opens the store that tracking= names, or that of the runs folder.

  python -m search.ui
  python -m search.ui port=5001
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from results.records.secrets import refusal, without_password
from search.options.analysis import UiConfig
from search.options.command_line import main
from search.options.exit_codes import OK
from spaces.errors import InputError


def run(config: UiConfig) -> int:
    """Serves until Ctrl-C; returns the exit code."""
    _check_port(config.host, config.port)
    from results.tracking.store import TRACKING_ERRORS, open_client, page_links
    from results.tracking.uri import default_uri

    uri = config.tracking or default_uri(Path(config.runs))
    if uri.startswith(("http://", "https://")):
        raise InputError(f"tracking={without_password(uri)} is a server already: open it there")
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise InputError(f"there is no {uri.removeprefix('sqlite:///')} yet: run a search first")
    try:
        # Opening brings the database up to date before the server's workers race for it.
        links = page_links(open_client(uri), f"http://{config.host}:{config.port}")
    except TRACKING_ERRORS as error:
        raise refusal(error, uri) from error
    print("\n".join(["MLflow (Ctrl-C ends it):", *(f"  {link}" for link in links)]), flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", config.host, "--port", str(config.port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_LOGGING_LEVEL": "WARNING", "PYTHONWARNINGS": "ignore"}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # the terminal is closed
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    # In a group of its own: a terminal's Ctrl-C would make each of its processes print a traceback.
    with subprocess.Popen(command, env=environment, process_group=0) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
    return OK


def _check_port(host: str, port: int) -> None:
    """Raises InputError unless the address can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (socket.gaierror, UnicodeError) as error:
            raise InputError(f"host={host}: there is no such address here") from error
        except OSError as error:
            raise InputError(
                f"port={port} on {host}: {error.strerror}; choose another with port="
            ) from error


if __name__ == "__main__":
    main(UiConfig, run, __doc__ or "")
