"""What scored submissions say of validation, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from results.stats.interval import Interval
from results.stats.line import Line
from results.trust.regret import Regret
from results.trust.tournament import Contender
from results.trust.unlabelled import Unlabelled
from results.trust.verdict import Verdict

REGRET_LIMIT = 0.5
"""Points of regret that would matter."""

OFTEN = 10
"""Public scores from which on their best is watched for flattery."""

SHOWN = 3
"""Trials that are named of those that a watched score holds best."""


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
        line: Public scores against validation scores, over all scored trials.
        evidence: E after the last score, averaged over the contenders.
        counted: Scored trials that count as evidence: all but the broken ones.
        ceiling: Tau in the band that sampling noise alone would allow.
        homogeneity: p-value of the band's public scores being equal but for sampling noise.
        regret: Of promoting the validation-best of the band.
        verdict: What follows.
        to_settle: Further submissions that would probably settle the verdict; None if those at
            hand would not.
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
    line: Line
    evidence: float
    counted: int
    ceiling: float
    homogeneity: float
    regret: Regret
    verdict: Verdict
    to_settle: int | None

    @property
    def posterior_best(self) -> str:
        """The trial of the band that validation and public scores together hold best."""
        return self.band[int(np.argmax(self.regret.skill))]

    @cached_property
    def following(self) -> str:
        """The trial of the band whose score is worth most; empty if all are scored.

        Before any score, the best.
        """
        waiting = [i for i in self.band if i not in self.public]
        if not waiting:
            return ""
        if not self.public:
            return waiting[0]
        worth = dict(zip(self.band, self.regret.worth, strict=True))
        return max(waiting, key=lambda i: worth[i])

    @cached_property
    def predicted(self) -> Interval | None:
        """Public score expected of that trial; None if there is none, or no score at all."""
        if not self.public or not self.following:
            return None
        i = self.band.index(self.following)
        half = 1.96 * float(np.hypot(self.regret.skill_error[i], self.public_error))
        centre = float(self.regret.skill[i])
        return Interval(value=centre, low=centre - half, high=centre + half)

    @cached_property
    def flattery(self) -> float:
        """Points that the best public score of the band owes to being the best of several."""
        scored = [(self.public[i], k) for k, i in enumerate(self.band) if i in self.public]
        if not scored:
            return float("nan")
        value, k = max(scored)
        return value - float(self.regret.skill[k])

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
