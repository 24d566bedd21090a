"""Signals to a command: it closes what is open, and says so by its exit code."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from results.records.ledger import Ledger
from results.records.trials import Search
from search.execution.driver import Driver
from search.execution.engine import ray_session
from search.execution.signals import stops_cleanly
from search.options.analysis import ShowConfig
from search.options.command_line import main
from search.options.exit_codes import STOPPED
from search.options.groups import ClusterConfig
from search.options.resources import ResourcesConfig
from spaces.errors import InputError
from spaces.files import whole_file


@pytest.fixture(autouse=True)
def _unheard() -> Iterator[None]:
    """What nothing answers goes by: the tests are not ended."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before)


def test_sigterm_closes_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever a command is: before Ray runs, while MLflow catches up, or in one without a job."""

    def run(config: ShowConfig) -> int:
        with whole_file(tmp_path / "table.csv") as temporary:
            temporary.write_text("half of it")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        return 0

    monkeypatch.setattr("sys.argv", ["show"])
    with pytest.raises(SystemExit) as ended:
        main(ShowConfig, run, "")
    assert (ended.value.code, capsys.readouterr().err) == (STOPPED, "stopped\n")
    assert not list(tmp_path.iterdir())


def test_ray_does_not_answer_in_our_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("long" * 30)))  # it ends before it has begun
    with pytest.raises(InputError), ray_session(ClusterConfig(), ResourcesConfig()):
        pass
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_only_a_second_ctrl_c_ends_a_job_at_once(tmp_path: Path) -> None:
    driver = Driver(Ledger(tmp_path / "ledger.jsonl"), Search(folder=tmp_path))
    with stops_cleanly(driver):
        for _ in range(2):  # as `timeout` sends it to its child, and to the group of both
            signal.raise_signal(signal.SIGTERM)
        assert driver.stopping == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
