"""python -m search.note — what a search or a trial was to find out, and what came of it.

  python -m search.note k-003 hypothesis="a longer warm-up saves the large learning rate"
  python -m search.note k-003 conclusion="it does not: the loss is the same from epoch 4 on"

Notes appear in search.show and, as the tags hypothesis and conclusion, in MLflow.
"""

from __future__ import annotations

from pathlib import Path

from search.options.analysis import NoteConfig
from search.options.command_line import main
from search.options.exit_codes import OK
from spaces.errors import InputError


def run(config: NoteConfig) -> int:
    """Records a note; returns the exit code."""
    if not config.select:
        raise InputError("select= is needed: the id of a search or a trial")
    if not config.hypothesis and not config.conclusion:
        raise InputError("give hypothesis= or conclusion=, or both")
    from results.leaderboard.leaderboard import Leaderboard
    from results.records.user import user_name
    from search.competition.overview import find
    from search.competition.tracking import track_notes

    runs = Path(config.runs)
    search, trial = find(runs, config.select)
    leaderboard = Leaderboard.read(search.folder.parent)
    about = trial.id if trial else search.id
    note = leaderboard.add_note(
        about, config.hypothesis, config.conclusion, config.by or user_name()
    )
    for name in ("hypothesis", "conclusion"):
        if getattr(note, name):
            print(f"{about}, {name}: {getattr(note, name)}")
    problem = track_notes(search.folder.parent.name, leaderboard, config.tracking, runs)
    if problem:
        print(f"warning: tracking does not have it yet ({problem})")
        print("Next:\n  python -m search.sync")
    return OK


if __name__ == "__main__":
    main(NoteConfig, run, __doc__ or "", positional="select")
