"""Which submissions to select for the private leaderboard, and what to expect of them.

The posterior of trust, which shrinks public and validation scores towards each other, gives the
skill of every submission; the private part of the test adds sampling noise. Two submissions that
err on the same images have the same luck, so the best pair is not always the best two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.metrics import Floats
from results.stats.interval import Interval
from results.trust.band import BandRule
from results.trust.regret import expected_regret

DRAWS = 4000
LOOKED_AT = 40
"""Submissions, the best first, among which the choice is made."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finalist:
    """A submission that can be selected. Scores are in points, larger is better.

    Attributes:
        id: Of the submission.
        validation: Validation score.
        validation_error: Its standard error, of what submissions do not share.
        public: Public score.
        labels: Predicted classes of the test images (m,).
    """

    id: str
    validation: float
    validation_error: float
    public: float
    labels: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Submissions to select together.

    Attributes:
        ids: Submissions.
        best: Expected private score of the better of them, with an interval, in points.
    """

    ids: tuple[str, ...]
    best: Interval


@dataclass(frozen=True, kw_only=True)
class Final:
    """What to select.

    Attributes:
        chosen: The selection with the highest expected private score.
        naive: Others by name: the best by public score, by validation, one of each.
        private: Expected private score of every submission, with its interval, in points.
        chance: Probability of each to be the best of all on the private leaderboard.
        alike: Correlation of the luck of the chosen; NaN for one alone.
        fall: Private less public score of the public leader, with its interval, in points.
    """

    chosen: Selection
    naive: Mapping[str, Selection]
    private: Mapping[str, Interval]
    chance: Mapping[str, float]
    alike: float
    fall: Interval


def in_play(validation: ArrayLike, public: ArrayLike, rule: BandRule) -> NDArray[np.bool_]:
    """Which submissions may be selected: all but those that are broken by either score.

    A model that only the leaderboard likes may be the better one, however far behind the others its
    validation is; only what is far behind on both sides is out of the question.

    Args:
        validation: In points (n,), larger is better.
        public: The same of the public leaderboard.
        rule: How far behind the best is broken.

    Returns:
        bool (n,).
    """
    v, p = np.asarray(validation), np.asarray(public)
    return np.array(
        [
            not (rule.broken(a) and rule.broken(b))
            for a, b in zip(v.max() - v, p.max() - p, strict=True)
        ]
    )


def select_final(
    finalists: Sequence[Finalist],
    *,
    count: int,
    public_error: float,
    private_error: float,
    shared_error: float,
) -> Final:
    """Chooses what to select.

    Args:
        finalists: At least ``count``.
        count: How many may be selected.
        public_error: Standard error of public scores, of what submissions do not share, in points.
        private_error: The same of private scores.
        shared_error: Standard error, of the public and the private part together, that all
            submissions share.
    """
    public = np.array([f.public for f in finalists])
    validation = np.array([f.validation for f in finalists])
    skills = expected_regret(
        validation,
        [f.validation_error for f in finalists],
        public,
        np.full(len(finalists), public_error),
    )
    rng = np.random.default_rng(0)
    luck = luck_covariance([f.labels for f in finalists]) * private_error**2
    own = skills.covariance + luck
    draws = rng.multivariate_normal(skills.skill, own, DRAWS, method="eigh")
    shared = shared_error * rng.normal(size=DRAWS)
    private = draws + shared[:, None]

    def selection(rows: Sequence[int]) -> Selection:
        return Selection(
            ids=tuple(finalists[i].id for i in rows),
            best=_interval(draws[:, list(rows)].max(axis=1) + shared),
        )

    looked = np.argsort(-skills.skill)[:LOOKED_AT].tolist()
    chosen = max(
        combinations(looked, count), key=lambda rows: draws[:, list(rows)].max(axis=1).mean()
    )
    by_public, by_validation = np.argsort(-public), np.argsort(-validation)
    naive = {
        "best public": by_public[:count].tolist(),
        "best validation": by_validation[:count].tolist(),
    }
    if count == 2:
        second = next(i for i in by_validation if i != by_public[0])
        naive["one of each"] = [int(by_public[0]), int(second)]
    winners = np.bincount(draws.argmax(axis=1), minlength=len(finalists)) / DRAWS
    leader = int(by_public[0])
    alike = float("nan")
    if count > 1 and len(finalists) > 2 and luck.any():
        i, j = chosen[:2]
        alike = float(luck[i, j] / np.sqrt(luck[i, i] * luck[j, j]))
    return Final(
        chosen=selection(chosen),
        naive={name: selection(rows) for name, rows in naive.items()},
        private={f.id: _interval(private[:, i]) for i, f in enumerate(finalists)},
        chance={f.id: float(winners[i]) for i, f in enumerate(finalists)},
        alike=alike,
        fall=_interval(private[:, leader] - public[leader]),
    )


def luck_covariance(labels: Sequence[NDArray[np.int64]]) -> Floats:
    """Covariance (n, n) of what submissions do not share in sampling.

    Its mean variance is that of n independent ones of variance 1 around their mean, 1 - 1 / n.

    The luck of two submissions differs by the images on which they differ: the variance of the
    difference is proportional to their number. That number is a squared Euclidean distance between
    the predictions, so that double centring gives a covariance (classical scaling, Torgerson 1952).

    Args:
        labels: Predicted classes (m,) of each submission.
    """
    every = np.stack(labels)
    differ = np.array([(every != row).mean(axis=1) for row in every])
    centre = np.eye(len(every)) - 1 / len(every)
    covariance = -centre @ differ @ centre / 2
    scale = float(np.trace(covariance)) / (len(every) - 1) if len(every) > 1 else 0.0
    return covariance / scale if scale > 0 else np.zeros_like(covariance)


def _interval(draws: Floats) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(value=float(draws.mean()), low=float(low), high=float(high))
