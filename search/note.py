"""python -m search.note — what a search or a trial was to find out, and what came of it.

  python -m search.note k-003 hypothesis="a longer warm-up saves the large learning rate"
  python -m search.note k-003 conclusion="it does not: the loss is the same from epoch 4 on"

Notes stand in search.show and, as the tags hypothesis and conclusion, in MLflow.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from results.leaderboard import Leaderboard
from results.trials import Search
from search.board import track
from search.board_config import NoteConfig
from search.cli import OK, main
from search.show import find
from spaces.errors import InputError


def run(config: NoteConfig) -> int:
    """Records a note; returns the exit code."""
    if not config.select:
        raise InputError("select= is needed: the id of a search or a trial")
    if not config.hypothesis and not config.conclusion:
        raise InputError("give hypothesis= or conclusion=, or both")
    runs = Path(config.runs)
    search, trial = find(runs, config.select)
    board = Leaderboard.read(search.folder.parent)
    about = trial.id if trial else search.id
    note = board.add_note(
        about, config.hypothesis, config.conclusion, config.by or getpass.getuser()
    )
    for name in ("hypothesis", "conclusion"):
        if getattr(note, name):
            print(f"{about}, {name}: {getattr(note, name)}")
    problem = track(runs, config.tracking, lambda client: _log(client, search, board))
    if problem:
        print(f"warning: tracking does not have it yet ({problem})")
        print("Next:\n  python -m search.sync")
    return OK


def _log(client: Any, search: Search, board: Leaderboard) -> None:
    from results.tracking import log_notes

    log_notes(client, search.folder.parent.name, board)


if __name__ == "__main__":
    main(NoteConfig, run, __doc__ or "", positional="select")
