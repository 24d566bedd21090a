"""What choosing by validation costs on the leaderboard: a small model, stated and sampled.

Each trial has a skill on validation images and one on the leaderboard's; over the trials the two
are bivariate normal, with unknown means, spreads and correlation. What is observed is skill plus
sampling noise of known size. Spreads and correlation are integrated over a grid, means exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DRAWS = 4000
_SPREADS = 14
_CORRELATIONS = np.linspace(-0.95, 0.99, 24)


@dataclass(frozen=True, kw_only=True)
class Regret:
    """The loss, in points, of taking the validation-best instead of the truly best.

    Attributes:
        expected: Posterior mean.
        low: 2.5 % quantile.
        high: 97.5 % quantile.
        chance: Posterior probability that it exceeds the limit asked for.
        correlation: Posterior mean of the correlation of the two skills.
        spread: Posterior mean of the standard deviation of leaderboard skill, in points.
        skill: Posterior mean of each trial's leaderboard skill, (n,).
        skill_error: Its posterior standard deviation, (n,).
        covariance: Posterior covariance of the skills, (n, n).
        worth: Expected reduction of regret, in points, if the trial were scored next, (n,); 0 for
            those that are.
    """

    expected: float
    low: float
    high: float
    chance: float
    correlation: float
    spread: float
    skill: Floats
    skill_error: Floats
    covariance: Floats
    worth: Floats


def expected_regret(
    validation: ArrayLike,
    validation_error: ArrayLike,
    leaderboard: ArrayLike,
    leaderboard_error: ArrayLike,
    limit: float = 0.5,
) -> Regret:
    """Samples the posterior of the leaderboard skills of some trials.

    Args:
        validation: Scores in points (n,), larger is better.
        validation_error: Standard errors in points (n,), of what trials do not share.
        leaderboard: Scores in points (n,); NaN for trials that were not submitted.
        leaderboard_error: Standard errors in points (n,).
        limit: Regret in points that would matter.
    """
    v, ve = np.asarray(validation, np.float64), np.asarray(validation_error, np.float64)
    le = np.asarray(leaderboard_error, np.float64)
    scores = np.asarray(leaderboard, np.float64)
    scored = np.isfinite(scores)
    y = np.stack([v, np.where(scored, scores, 0.0)], axis=-1)  # (n, 2)
    y -= np.array([v.mean(), scores[scored].mean() if scored.any() else 0.0]) * np.stack(
        [np.ones(len(v)), scored], axis=-1
    )
    grid = _grid(v, scores[scored])
    weights, mean, covariance, precision, prior = _posterior(grid, y, ve, le, scored)
    rng = np.random.default_rng(0)
    drawn = rng.choice(len(weights), DRAWS, p=weights)
    mu = mean[drawn] + np.einsum(
        "dij,dj->di", np.linalg.cholesky(covariance[drawn]), rng.normal(size=(DRAWS, 2))
    )
    # B_i given what was seen of trial i: mu_b + cov(B, y) W (y - mu)
    gain = np.einsum("dj,dnjk->dnk", prior[drawn][:, 1], precision[drawn])  # (draws, n, 2)
    centre = mu[:, None, 1] + np.einsum("dnk,dnk->dn", gain, y[None] - mu[:, None])
    variance = prior[drawn][:, 1, 1][:, None] - np.einsum("dnk,dk->dn", gain, prior[drawn][:, 1])
    skill = centre + np.sqrt(np.maximum(variance, 0)) * rng.normal(size=centre.shape)
    regret = skill.max(axis=1) - skill[:, int(np.argmax(v))]
    spreads = np.sqrt(prior[drawn][:, 1, 1])
    offset = scores[scored].mean() if scored.any() else 0.0
    centred = skill - skill.mean(axis=0)
    covariance_of_skill = centred.T @ centred / len(skill)
    return Regret(
        expected=float(regret.mean()),
        low=float(np.quantile(regret, 0.025)),
        high=float(np.quantile(regret, 0.975)),
        chance=float((regret > limit).mean()),
        correlation=float(grid[drawn, 2].mean()),
        spread=float(spreads.mean()),
        skill=skill.mean(axis=0) + offset,
        skill_error=skill.std(axis=0),
        covariance=covariance_of_skill,
        worth=np.where(scored, 0.0, _worth(skill.mean(axis=0), covariance_of_skill, le)),
    )


def _grid(v: Floats, scores: Floats) -> Floats:
    """Combinations (g, 3) of the spread of either skill, in points, and their correlation."""
    scale = max(1.0, float(v.std()), float(scores.std()) if len(scores) > 1 else 0.0)
    spreads = np.geomspace(0.02, 4 * scale, _SPREADS)
    mesh = np.meshgrid(spreads, spreads, _CORRELATIONS, indexing="ij")
    return np.stack([m.ravel() for m in mesh], axis=1)


def _posterior(
    grid: Floats, y: Floats, ve: Floats, le: Floats, scored: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Weights (g,), mean (g, 2) and covariance (g, 2, 2) of mu, precisions (g, n, 2, 2) of what
    was seen, and the prior covariance (g, 2, 2) of the skills."""
    a, b, rho = grid.T
    prior = np.empty((len(grid), 2, 2))
    prior[:, 0, 0], prior[:, 1, 1] = a**2, b**2
    prior[:, 0, 1] = prior[:, 1, 0] = rho * a * b
    seen = prior[:, None] + np.zeros((1, len(y), 1, 1))
    seen[:, :, 0, 0] += ve**2
    seen[:, :, 1, 1] += le**2
    determinant = seen[..., 0, 0] * seen[..., 1, 1] - seen[..., 0, 1] ** 2
    precision = np.empty_like(seen)
    precision[..., 0, 0] = np.where(scored, seen[..., 1, 1] / determinant, 1 / seen[..., 0, 0])
    precision[..., 1, 1] = np.where(scored, seen[..., 0, 0] / determinant, 0.0)
    precision[..., 0, 1] = np.where(scored, -seen[..., 0, 1] / determinant, 0.0)
    precision[..., 1, 0] = precision[..., 0, 1]
    total = precision.sum(axis=1)
    total[:, 1, 1] += 1e-6  # a flat prior for the mean, proper when nothing was scored
    covariance = np.linalg.inv(total)
    weighted = np.einsum("gnij,nj->gi", precision, y)
    mean = np.einsum("gij,gj->gi", covariance, weighted)
    square = np.einsum("ni,gnij,nj->g", y, precision, y) - (weighted * mean).sum(axis=1)
    logs = np.where(scored, np.log(determinant), np.log(seen[..., 0, 0])).sum(axis=1)
    log_likelihood = -0.5 * (logs + np.linalg.slogdet(total)[1] + square)
    # Half-normal spreads of 2 points; on a geometric grid each cell is as wide as its value.
    # Correlations lean towards agreement, (1 + rho) / 2 ~ Beta(5, 1): few scores say little of
    # them, and an even prior speaks of regret where test images are like the hold-out's.
    scale = max(2.0, float(grid[:, 0].max()) / 2)
    log_prior = np.log(a) + np.log(b) - (a**2 + b**2) / (2 * scale**2) + 4 * np.log1p(rho)
    log_weights = log_likelihood + log_prior
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum(), mean, covariance, precision, prior


def _worth(mean: Floats, covariance: Floats, le: Floats) -> Floats:
    """Knowledge gradient of scoring each trial (Frazier, Powell and Dayanik, 2009): how much the
    best posterior mean is expected to rise."""
    nodes = scipy.stats.norm.ppf((np.arange(200) + 0.5) / 200)
    found = np.empty(len(mean))
    for j in range(len(mean)):
        slope = covariance[:, j] / np.sqrt(covariance[j, j] + le[j] ** 2)
        found[j] = (mean[:, None] + slope[:, None] * nodes).max(axis=0).mean() - mean.max()
    return np.maximum(found, 0.0)
