"""python -m search.sync — bring MLflow up to date with the ledgers.

Needed only when the tracking store was away while a search ran. Reading a ledger twice adds
nothing twice.

  python -m search.sync
"""

from __future__ import annotations

from pathlib import Path

from search.options.analysis import SyncConfig
from search.options.command_line import main
from search.options.exit_codes import OK
from spaces.errors import InputError


def run(config: SyncConfig) -> int:
    """Copies the ledgers of all searches, or of one, into MLflow; returns the exit code."""
    from results.leaderboard.leaderboard import Leaderboard
    from results.records.searches import find_search, searches
    from results.records.secrets import refusal, without_password

    runs = Path(config.runs)
    if not runs.is_dir():
        raise InputError(f"runs={runs}: there is no such folder")
    folders = [find_search(runs, config.select)] if config.select else searches(runs)
    if not folders:
        raise InputError(f"there are no searches in {runs}")
    from results.tracking.competition import log_notes
    from results.tracking.store import TRACKING_ERRORS, open_client
    from results.tracking.tracker import Tracker
    from results.tracking.uri import default_uri
    from search.competition.images import read_training_image

    left_out = []
    uri = config.tracking or default_uri(runs)
    for folder in folders:
        try:
            Tracker(folder, uri, read_training_image).catch_up()
        except TRACKING_ERRORS as error:
            raise refusal(error, uri) from error
        except InputError as error:  # one damaged ledger does not keep the others out
            left_out.append(f"{folder.parent.name}/{folder.name}: {error}")
            continue
        print(f"{folder.parent.name}/{folder.name} is in {without_password(uri)}")
    for competition in sorted({folder.parent for folder in folders}):
        leaderboard = Leaderboard.read(competition)
        try:
            log_notes(open_client(uri), competition.name, leaderboard)
        except TRACKING_ERRORS as error:
            raise refusal(error, uri) from error
    if left_out:
        raise InputError("left out:\n  " + "\n  ".join(left_out))
    return OK


if __name__ == "__main__":
    main(SyncConfig, run, __doc__ or "", positional="select")
