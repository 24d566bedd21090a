"""A process that shares the batches of a trial with the trainer that started it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter

from search.execution.exit_note import ExitNote
from search.execution.faults import fault_of
from search.execution.rank_group import READY, STORE
from search.execution.trial_context import trial_context
from search.jobs.job import Job
from search.options.user_code import load_parts
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.training.actions import ACTIONS
from trainables.training.ranks import RankError, Ranks, join, part
from trainables.training.training_error import TrainingError


class _Follower(Ranks):
    """One of the processes but the first, told what to do on standard input."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    def epochs(self) -> Iterable[int]:
        """One a line, until the input ends."""
        return map(int, sys.stdin)


def main() -> None:
    """Trains with the others until standard input ends or the trainer does."""
    given = json.loads(sys.stdin.readline())
    ranks, meeting = _Follower(given["rank"], given["size"]), Path(given["meeting"])
    threading.Thread(target=_end_with, args=(given["parent"], meeting), daemon=True).start()
    begun = False
    try:
        job = TypeAdapter(Job).validate_python(given["job"])
        load_parts(job.parts)
        config = TrialConfig.from_json(given["config"])
        context = trial_context(job).seen_by(config)
        (meeting / READY.format(ranks.rank)).touch()
        begun = True
        join(ranks, meeting / STORE)
        for _ in ACTIONS.of(config.run)(
            config,
            context,
            Path(given["folder"]),
            threads=job.threads,
            workers=job.loader_workers,
            ranks=ranks,
        ):
            pass  # what is reported, the trainer reports
    except Exception as error:
        if isinstance(error, RankError | TrainingError | InputError) and begun:
            sys.stdin.read()  # the trainer finds the same, or has lost another one, and says so
            part()
            return
        ExitNote(
            fault=fault_of(error) or "death",
            reason=f"process {ranks.rank + 1} of {ranks.size}: {type(error).__name__}: {error}",
            traceback=traceback.format_exc(),
        ).write(meeting / str(ranks.rank))
        os._exit(1)  # whatever it still waits for
    part()


def _end_with(parent: int, meeting: Path) -> None:
    """Ends this process when the trainer has ended, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(meeting, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
