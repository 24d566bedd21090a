"""Post-processing that was chosen before, by its id."""

from __future__ import annotations

from results.leaderboard.entries import Postprocessed
from search.competition.standing import Standing
from spaces.errors import unknown


def find_postprocess(standing: Standing, name: str, option: str) -> Postprocessed:
    """Post-processing by its id.

    Raises:
        InputError: If there is none; the message lists what there is.
    """
    known = standing.leaderboard.postprocesses
    if name not in known:
        raise unknown("post-processing", name, known, option)
    return known[name]
