"""The MLflow UI as a command: what Ctrl-C ends."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from results.tracking.store import open_client
from search.options.analysis import UiConfig
from search.options.exit_codes import OK
from search.ui import run
from spaces.errors import InputError


def test_a_terminal_s_ctrl_c_does_not_reach_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end with a traceback of each of its processes; the command ends all of them."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    open_client(uri)
    told, server = tmp_path / "told", tmp_path / "server"
    server.write_text(
        f'#!/bin/sh\necho $$ $(ps -o pgid= -p $$) > {told}\nkill -INT "$PPID"\nsleep 60\n'
    )
    server.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(server))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = signal.getsignal(signal.SIGHUP)
    try:
        assert run(UiConfig(tracking=uri, port=port)) == OK
    finally:
        signal.signal(signal.SIGHUP, before)
    process, group = told.read_text().split()
    assert process == group


def test_a_host_that_no_address_can_have_is_told() -> None:
    with pytest.raises(InputError, match=r"host=x*: there is no such address here"):
        run(UiConfig(host="x" * 80))
