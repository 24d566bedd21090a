"""python -m search.sync — bring MLflow up to date with the ledgers.

Needed only when the tracking store was away: copies searches, promotions, notes, scores and blends.
Reading a ledger twice adds nothing twice. What is computed anew, search.trust, search.labels and
search.export copy when they are run again.

  python -m search.sync
"""

from __future__ import annotations

from pathlib import Path

from search.options.analysis import SyncConfig
from search.options.command_line import main
from search.options.exit_codes import OK
from spaces.errors import InputError


def run(config: SyncConfig) -> int:
    """Copies the ledgers of all searches, or of one, and what is recorded of their competitions
    into MLflow; returns the exit code."""
    from results.records.searches import find_search, searches
    from results.records.secrets import refusal, without_password

    runs = Path(config.runs)
    if not runs.is_dir():
        raise InputError(f"runs={runs}: there is no such folder")
    folders = [find_search(runs, config.select)] if config.select else searches(runs)
    if not folders:
        raise InputError(f"there are no searches in {runs}")
    from results.tracking.store import TRACKING_ERRORS
    from results.tracking.tracker import Tracker
    from results.tracking.uri import default_uri
    from search.competition.images import read_training_image
    from search.competition.tracking import reach, track_record

    if problem := reach(config.tracking, runs):
        raise InputError(f"tracking={without_password(config.tracking)}: {problem}")
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
        if problem := track_record(competition, uri, runs):
            left_out.append(f"{competition.name}, notes, scores and blends: {problem}")
    if left_out:
        raise InputError("left out:\n  " + "\n  ".join(left_out))
    return OK


if __name__ == "__main__":
    main(SyncConfig, run, __doc__ or "", positional="select")
