"""What scored submissions say of validation, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from results.stats.interval import Interval
from results.trust.regret import Regret
from results.trust.tournament import Contender
from results.trust.unlabelled import Unlabelled

REGRET_LIMIT = 0.5
"""Points of regret that would matter."""

OFTEN = 10
"""Public scores from which on their best is watched for flattery."""

SHOWN = 3
"""Trials that are named of those that a watched score holds best."""

Verdict = Literal["trusted", "indistinguishable", "not trusted", "not enough evidence"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A public score.

    Attributes:
        trial: Trial id.
        value: The score as the leaderboard shows it.
        images: Images behind it.
        broken: Whether the trial was far behind the best when it was scored: it counts for
            diagnosis, not as evidence.
    """

    trial: str
    value: float
    images: int
    broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What the scored submissions say of validation. Scores are in points, larger is better.

    Attributes:
        band: Ids of the competitive band, best first.
        chosen: Name of the validation score that everything else uses.
        contenders: What the tournament of validation scores came to, the plain one first.
        unlabelled: Those of the contenders that are scores on unlabelled test images, by name.
        watched: Scores that not all have: compared with the leaderboard and never in force.
        leaders: Of watched scores that surely rank more like the leaderboard than the plain one, up
            to `SHOWN` of the band's trials, best first, by name of the score.
        validation: Chosen validation score of the band's trials and of every scored one; one on
            unlabelled test images is on the hold-out's scale.
        scores: Scores on the hold-out of the scored trials, by contender and trial.
        public: Public score of every scored trial.
        scored: Ids of scored trials in the order of their scores.
        error: Standard error per trial, of what trials do not share, on the hold-out.
        public_error: The same on the public test images, scaled by their number and by how hard
            they are.
        spearman: Over all scored trials.
        pearson: Over all scored trials.
        slope: Public points per validation point.
        offset: Public minus validation, in points, on average.
        evidence: E after the last score, averaged over the contenders.
        counted: Scored trials that count as evidence: all but the broken ones.
        ceiling: Tau in the band that sampling noise alone would allow.
        homogeneity: p-value of the band's public scores being equal but for sampling noise.
        regret: Of promoting the validation-best of the band.
        verdict: What follows.
        following: Trial of the band to submit next; empty if all are scored.
        predicted: Public score expected of it, with interval; None if there is none.
        to_settle: Further submissions that would probably settle the verdict; None if those at
            hand would not.
        flattery: By how many points the best public score of the band flatters its trial.
    """

    band: tuple[str, ...]
    chosen: str
    contenders: tuple[Contender, ...]
    unlabelled: Mapping[str, Unlabelled]
    watched: tuple[Contender, ...]
    leaders: Mapping[str, tuple[str, ...]]
    validation: Mapping[str, float]
    scores: Mapping[str, Mapping[str, float]]
    public: Mapping[str, float]
    scored: tuple[str, ...]
    error: float
    public_error: float
    spearman: float
    pearson: float
    slope: float
    offset: float
    evidence: float
    counted: int
    ceiling: float
    homogeneity: float
    regret: Regret
    verdict: Verdict
    following: str
    predicted: Interval | None
    to_settle: int | None
    flattery: float

    @property
    def posterior_best(self) -> str:
        """The trial of the band that validation and public scores together hold best."""
        return self.band[int(np.argmax(self.regret.skill))]

    @property
    def contender(self) -> Contender:
        """The chosen one."""
        return next(c for c in self.contenders if c.name == self.chosen)

    @property
    def tau(self) -> Interval:
        """Kendall's tau-b of the chosen validation score over all scored trials."""
        return self.contender.tau

    @property
    def band_tau(self) -> Interval:
        """The same in the band."""
        return self.contender.band_tau

    @property
    def ranked_by(self) -> Unlabelled | None:
        """The score on unlabelled test images that is in force; None where the hold-out's is."""
        return self.unlabelled.get(self.chosen)

    @property
    def used_often(self) -> bool:
        """Whether the public score was used so often that its best is believed no more."""
        return len(self.scored) >= OFTEN and self.flattery > REGRET_LIMIT
