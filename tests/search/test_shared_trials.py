"""A trial whose batches two processes share, through Ray, one of which is killed on the way."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest

from results.records.trials import Search
from tests.commands import run
from trainables.training.ranks import PROCESSES

SHARED = ("resources.gpu=0", "resources.processes=2", "fix.size=32", "predict.test=false")


class Killer(threading.Thread):
    """Kills the process that shares a trial's batches once an epoch has a checkpoint."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.killed = folder, 0

    def run(self) -> None:
        """Until it is done; it ends with the tests."""
        while not list(self.folder.glob("runs/digits/shared/trials/*/checkpoint-00001-*")):
            time.sleep(0.05)
        for process in psutil.Process().children(recursive=True):
            if any("rank_process" in word for word in process.cmdline()):
                process.kill()
                self.killed += 1


@pytest.mark.slow
def test_a_shared_trial_survives_one_of_its_processes(tmp_path: Path) -> None:
    killer = Killer(tmp_path)
    killer.start()
    done = run(tmp_path, "train", *SHARED, "name=shared", "epochs=8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with 2 CPU, 2 processes each" in done.stdout
    assert killer.killed == 1
    search = Search.read(tmp_path / "runs/digits/shared")
    (trial,) = search.trials.values()
    assert trial.state == "finished"
    assert trial.faults == ("death",)
    assert "process 2 of 2 died: killed by signal 9" in done.stdout
    assert [report.metrics[PROCESSES] for report in trial.epochs] == [2.0] * 8
