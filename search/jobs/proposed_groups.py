"""Groups that nobody named, proposed by how images look: for the audit, and for data.group=auto."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.forecast.leak import PROPOSED
from search.execution.say import Say, every_second
from search.jobs.contest_folds import check_test_images, contest_folds
from search.jobs.whole_looks import whole_looks
from search.options.groups import HoldoutConfig
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from trainables.audit.evidence import Evidence
from trainables.audit.group_checks import groups
from trainables.audit.grouping import Proposal, propose
from trainables.audit.looks import Looks
from trainables.data.contest import Contest
from trainables.data.folds import Folds, assign

PAIRS = 3
"""Nearest pairs across the split that are told."""


def propose_groups(
    contest: Contest,
    looks: Looks,
    folds: Folds | None,
    progress: Callable[[int, int], None],
) -> Proposal | None:
    """Groups that nobody named, where there is a split and a test to compare it with.

    Args:
        contest: Its tables.
        looks: At every image, training first.
        folds: Those that a search would have; None where there are none.
        progress: Called with the trials done and their number.
    """
    if folds is None or not contest.test_images or not looks.readable.all():
        return None
    strata = contest.labels

    def share_out(groups: NDArray[np.str_] | None) -> NDArray[np.int64]:
        if groups is contest.groups:
            return folds.fold
        return assign(strata, groups, folds.count, seed=0)

    return propose(
        looks.appearance[looks.train],
        looks.appearance[~looks.train],
        strata,
        share_out,
        folds.count,
        contest.groups,
        progress,
    )


def write_groups(contest: Contest, proposal: Proposal | None, path: Path) -> str:
    """Writes the groups that are proposed; returns the option that accepts them, or nothing."""
    if proposal is None or proposal.groups is None:
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"image": contest.train_images, "group": proposal.groups})
    write_csv_table(table, path)
    return f"data.group={path}"


def ask_for_groups(contest: Contest, holdout: HoldoutConfig, runs: Path, say: Say) -> NoReturn:
    """Proposes groups as the audit does, says why, writes them, and stops: a person has to look.

    A table that is there already stays, since somebody may have edited it.

    Args:
        contest: Its tables.
        holdout: The folds that were asked for.
        runs: Where the table is written, in the competition's folder.
        say: Told what takes long, and the evidence.

    Raises:
        InputError: In any case, with what to do next.
    """
    path = runs / contest.name / PROPOSED
    if path.exists():
        raise InputError(
            f"data.group=auto: {path} proposes groups already; edit it, or accept it as it is, by "
            f"data.group={path}; python -m search.audit proposes anew"
        )
    check_test_images(contest, runs, "data.group=auto")
    contest = replace(contest, extra=None)
    looks = whole_looks(contest, "data.group=auto", say)
    folds = contest_folds(contest, holdout, runs, say)
    proposal = propose_groups(contest, looks, folds, every_second(say, "trying groups"))
    evidence = Evidence(contest=contest, looks=looks, folds=folds, proposal=proposal)
    found = next(groups(evidence), None)
    accept = write_groups(contest, proposal, path)
    if not accept:
        why = "held-out images are no nearer to training images than test images are"
        raise InputError(
            f"data.group=auto: no groups are proposed, since {found.what if found else why}; leave "
            "the option out"
        )
    assert found is not None
    say(f"{found.name}: {found.what}")
    for place in found.places[:PAIRS]:
        one, other = (contest.train_images[row] for row in (place.row, place.other))
        say(f"  across the split: {one} and {other}, {place.detail}")
    raise InputError(
        f"data.group=auto: look at the groups first; they are in {path}, which you may edit "
        f"(python -m search.audit shows more pairs), and are accepted by {accept}"
    )
