"""The folds of a contest as they were asked for."""

from __future__ import annotations

from pathlib import Path

from results.leaderboard.leaderboard import Leaderboard
from search.execution.say import Say
from search.options.groups import TEST_LIKE, HoldoutConfig
from spaces.errors import InputError
from trainables.data.contest import Contest
from trainables.data.folds import Folds, make_folds


def contest_folds(contest: Contest, holdout: HoldoutConfig, runs: Path, say: Say) -> Folds:
    """The folds that the options ask for.

    Args:
        contest: Its tables.
        holdout: The options.
        runs: Where the likeness of images to the test is kept.
        say: Told what takes long.

    Raises:
        InputError: If they cannot be made, or test images may not be looked at.
    """
    held = None
    if holdout.rows == TEST_LIKE:
        # What looks at images takes a second to import, which other jobs are spared.
        from search.jobs.likeness import likeness_to_the_test
        from trainables.audit.likeness import likest

        strata = contest.labels
        likeness = likeness_to_the_test(contest, runs, say)[: len(strata)]
        held = likest(likeness, strata, contest.groups, holdout.folds)
    return make_folds(contest, holdout.folds, holdout.seed, held)


def check_test_images(contest: Contest, runs: Path, what: str) -> None:
    """Raises InputError unless there are test images and the rules allow looking at them.

    Args:
        contest: Its tables.
        runs: Where the rules are remembered.
        what: What was asked for.
    """
    if not contest.test_images:
        raise InputError(f"{what}: {contest.name} has no test images")
    Leaderboard.read(runs / contest.name).check_test_images(what)
