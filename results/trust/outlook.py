"""How many more submissions would probably settle whether validation can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from results.trust.evidence import evidence
from results.trust.ranking import Ranking
from results.trust.regret import Regret
from results.trust.verdict import give_verdict
from results.trust.witnesses import Witnesses

WORLDS, DRAWS = 40, 300
LONGEST = 20
"""Submissions beyond which nothing is said."""


def submissions_to_settle(
    regret: Regret,
    ranking: Ranking,
    witnesses: Witnesses,
    error: float,
    family: Mapping[str, int],
    limit: float,
) -> int | None:
    """Plays the next submissions, most worthwhile first, in worlds drawn from the posterior.

    In each world trials of the band get scores, the posterior is conditioned on them (as normal),
    and E goes on.

    Args:
        regret: Posterior of the band's skills.
        ranking: The validation score in force, and the band.
        witnesses: The submissions that have a score.
        error: Standard error of a public score, in points.
        family: What each trial is a relative of.
        limit: Points of regret that matter.

    Returns:
        The smallest number with which half of the worlds are settled; None if not even all of the
        band's trials, or `LONGEST`, do.
    """
    rng = np.random.default_rng(0)
    v, known = ranking.of(ranking.band), witnesses.public_of(ranking.band)
    scored = np.isfinite(known)
    past = witnesses.only(witnesses.counted)
    past_v = ranking.of(past.trials)
    related = np.array([family[i] for i in ranking.band])
    waiting = [j for j in np.argsort(-regret.worth, kind="stable") if not scored[j]][:LONGEST]
    mean, covariance, best = regret.skill, regret.covariance, int(np.argmax(v))
    worlds = mean + rng.normal(size=(WORLDS, len(mean))) @ _root(covariance).T
    noise = error * rng.normal(size=(WORLDS, len(waiting)))
    for more in range(1, len(waiting) + 1):
        rows = np.array(waiting[:more])
        seen = covariance[np.ix_(rows, rows)] + error**2 * np.eye(more)
        gain = np.linalg.solve(seen, covariance[rows]).T  # (n, more)
        after = _root(covariance - gain @ covariance[rows])
        spread = rng.normal(size=(DRAWS, len(mean))) @ after.T
        settled = 0
        for world, noises in zip(worlds, noise, strict=True):
            scores = world[rows] + noises[:more]
            skill = mean + gain @ (scores - mean[rows]) + spread
            chance = float((skill.max(axis=1) - skill[:, best] > limit).mean())
            grown = evidence(
                np.append(past_v, v[rows]),
                np.append(past.public, scores),
                np.append(past.family, related[rows]),
            )
            seen_then = np.append(known[scored], scores)
            verdict = give_verdict(seen_then, error, float(grown[-1]), chance)
            settled += verdict != "not enough evidence"
        if settled >= WORLDS / 2:
            return more
    return None


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A square root (n, n) of a matrix that rounding may have left slightly indefinite."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
