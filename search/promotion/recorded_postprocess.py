"""Post-processing that was chosen before, by its id."""

from __future__ import annotations

from results.leaderboard.entries import Postprocessed
from search.competition.standing import Standing
from search.promotion.merged import find_merged
from spaces.errors import InputError, unknown


def find_postprocess(standing: Standing, name: str, option: str) -> Postprocessed:
    """Post-processing by its id.

    Raises:
        InputError: If there is none; the message lists what there is.
    """
    known = standing.leaderboard.postprocesses
    if name not in known:
        raise unknown("post-processing", name, known, option)
    return known[name]


def of_promotion(standing: Standing, name: str, promotion: str) -> tuple[Postprocessed, str]:
    """Post-processing of a promotion's masks.

    Args:
        standing: Where the competition stands.
        name: Its id.
        promotion: The promotion that is asked for; empty for that whose masks chose it.

    Returns:
        The record, and the promotion.

    Raises:
        InputError: If there is none, or other models' masks chose it.
    """
    found = find_postprocess(standing, name, f"postprocess={name}")
    kind, _, source = found.source.partition(":")
    if kind != "promotion" or promotion not in ("", source):
        wanted = f"promotion:{promotion}" if promotion else "a promotion"
        raise InputError(f"postprocess={name}: it is of {found.source}, not of {wanted}")
    return found, find_merged(standing, found.source).id
