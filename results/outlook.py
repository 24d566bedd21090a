"""How many more submissions would probably settle whether validation can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from results.evidence import CONVINCING, evidence
from results.regret import Regret

WORLDS, DRAWS = 60, 300
LONGEST = 20
"""Submissions beyond which nothing is said."""


def submissions_to_settle(
    regret: Regret,
    validation: Sequence[float],
    scored: Sequence[bool],
    error: float,
    past: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    best: int,
    limit: float,
    trusted: float,
    refused: float,
    fewest: int,
    seed: int = 0,
) -> int | None:
    """Plays the next submissions, most worthwhile first, in worlds drawn from the posterior.

    In each world trials of the band get scores, the posterior is conditioned on them (as normal),
    and E goes on; it is settled when the verdict would be *trusted* or *not trusted*.

    Args:
        regret: Posterior of the band's skills.
        validation: Validation scores of the band's trials, in points.
        scored: Which of them have a public score.
        error: Standard error of a public score, in points.
        past: Validation and public scores that count as evidence, in the order of submission.
        best: Position of the validation-best.
        limit: Points of regret that matter.
        trusted: Largest chance of more at which validation is trusted.
        refused: Chance above which it is not.
        fewest: Scored submissions in the band that a verdict needs.
        seed: Of the worlds.

    Returns:
        The smallest number with which half of the worlds are settled; None if not even all of the
        band's trials, or `LONGEST`, do.
    """
    rng = np.random.default_rng(seed)
    waiting = [j for j in np.argsort(-regret.worth, kind="stable") if not scored[j]][:LONGEST]
    mean, covariance = regret.skill, regret.covariance
    root = _root(covariance)
    worlds = mean + rng.normal(size=(WORLDS, len(mean))) @ root.T
    noise = error * rng.normal(size=(WORLDS, len(waiting)))
    v = np.asarray(validation, np.float64)
    for more in range(1, len(waiting) + 1):
        rows = np.array(waiting[:more])
        if sum(scored) + more < fewest:
            continue
        seen = covariance[np.ix_(rows, rows)] + error**2 * np.eye(more)
        gain = np.linalg.solve(seen, covariance[rows]).T  # (n, more)
        after = _root(covariance - gain @ covariance[rows])
        spread = rng.normal(size=(DRAWS, len(mean))) @ after.T
        settled = 0
        for world, noises in zip(worlds, noise, strict=True):
            scores = world[rows] + noises[:more]
            skill = mean + gain @ (scores - mean[rows]) + spread
            chance = float((skill.max(axis=1) - skill[:, best] > limit).mean())
            if chance > refused:
                settled += 1
            elif chance <= trusted:
                grown = evidence(
                    np.concatenate([past[0], v[rows]]), np.concatenate([past[1], scores])
                )
                settled += bool(grown[-1] >= CONVINCING)
        if settled >= WORLDS / 2:
            return more
    return None


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A square root (n, n) of a matrix that rounding may have left slightly indefinite."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
