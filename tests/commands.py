"""Runs the project's commands: within this process, or as users do in one of their own."""

from __future__ import annotations

import contextlib
import io
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from results.tracking.store import open_client
from search.jobs.contest_data import read_contest
from search.options.embedded import DigitsConfig
from tests.forks import PYTHON

LIMIT = 240
"""Seconds that a command may take."""


def command(name: str, *arguments: str) -> list[str]:
    """A command's words."""
    return [sys.executable, "-m", f"search.{name}", *arguments]


def make_before(folder: Path) -> None:
    """Makes what a command in another process would make for seconds: digits, MLflow's tables."""
    read_contest(DigitsConfig(), folder / "runs")
    open_client(f"sqlite:///{folder}/mlflow.db")


def run_process(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as users do, in a process of its own that imports for seconds."""
    return subprocess.run(
        [PYTHON, "-m", f"search.{name}", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
    )


def run(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command within this process, which has imported what it needs; trainers are Ray's."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
        pytest.MonkeyPatch.context() as patch,
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # that it was imported before, as a module
        patch.setattr(sys, "argv", [name, *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(f"search.{name}", run_name="__main__")
    code = ended.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess([name, *arguments], code, out.getvalue(), err.getvalue())
