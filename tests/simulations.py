"""Simulated contests: what the guide says of intervals, evidence and verdicts.

``python -m tests.simulations`` runs them at length and writes the tables into docs/trust.md (about
ten minutes); the tests run shorter versions.
"""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from results.metrics import METRICS
from results.records.closing import Comparison
from results.stats.bootstrap import bootstrap_scores
from results.stats.comparison import compare
from results.stats.correlation import clayton_copula, gaussian_copula, kendall_interval
from results.trust.assessment import assess
from results.trust.band import Validated
from results.trust.evidence import CONVINCING, evidence
from results.trust.trust import Trust
from results.trust.witnesses import Score
from tests.cameras import report as cameras

GUIDE = Path(__file__).parent.parent / "docs" / "trust.md"
ACCURACY = METRICS["accuracy"]
TAUS = (0.0, 0.3, 0.6, 0.75, 0.9)
POWERS = {
    0.5: (0.28, 0.53, 0.73, 0.93),
    0.6: (0.44, 0.74, 0.90, 0.99),
    0.75: (0.77, 0.97, 1.0, 1.0),
    0.9: (0.98, 1.0, 1.0, 1.0),
}
"""Power of the sequential-rank e-process after `LOOKS` scores that is to be reached, by tau."""

LOOKS = (10, 15, 20, 30)


def covered(n: int, decimals: int, worlds: int, tau: float) -> list[bool]:
    """Whether intervals hold the true tau, in so many worlds of either copula."""
    hits = []
    for draw in (gaussian_copula, clayton_copula):
        rng = np.random.default_rng(n * 1000 + int(100 * tau))
        a, b = draw(rng, worlds, n, tau)
        if draw is clayton_copula:
            a, b = stats.norm.ppf(a), stats.norm.ppf(b)
        a, b = np.round(0.8 + 0.02 * a, decimals), np.round(0.7 + 0.02 * b, decimals)
        for x, y in zip(a, b, strict=True):
            found = kendall_interval(x, y)
            hits.append(found.low <= tau <= found.high)
    return hits


def passed(tau: float, looks: tuple[int, ...], worlds: int, decimals: int = 6) -> list[float]:
    """Share of worlds in which E has been convincing after so many submissions."""
    rng = np.random.default_rng(int(tau * 100))
    v, scores = gaussian_copula(rng, worlds, max(looks), tau)
    grown = np.stack(
        [
            np.maximum.accumulate(evidence(a, np.round(b, decimals)))
            for a, b in zip(v, scores, strict=True)
        ]
    )
    return [float((grown[:, n - 1] >= CONVINCING).mean()) for n in looks]


def adaptive_passes(worlds: int) -> float:
    """Share of independent worlds that ever pass in 50 looks when the next submission is always
    the one nearest to the best so far rather than to the worst."""
    ever = 0
    for world in range(worlds):
        rng = np.random.default_rng(world)
        waiting = list(rng.normal(size=80))
        v, scores = [waiting.pop()], [float(rng.normal())]
        for _ in range(49):
            best, worst = v[int(np.argmax(scores))], v[int(np.argmin(scores))]
            distance = [abs(x - best) - abs(x - worst) for x in waiting]
            v.append(waiting.pop(int(np.argmin(distance))))
            scores.append(float(rng.normal()))
        ever += bool(evidence(v, scores).max() >= CONVINCING)
    return ever / worlds


def called(rng: np.random.Generator, labels: Any, difficulty: Any, skill: float) -> Any:
    """Labels, right where skill and own noise exceed the difficulty that all models share."""
    right = skill + 0.6 * rng.normal(size=len(labels)) > difficulty
    return np.where(right, labels, (labels + 1) % 3)


def predictions(rng: np.random.Generator, labels: Any, difficulty: Any, skill: float) -> Any:
    """Probabilities of a model that is as sure of whatever it calls."""
    return np.eye(3)[called(rng, labels, difficulty, skill)] * 0.9 + 0.03


def contest(
    seed: int, skill_sd: float, shift_sd: float, trials: int = 14, scored: int = 12
) -> tuple[Trust, float]:
    """A contest with known skills; returns the trust and the true regret in points."""
    rng = np.random.default_rng(seed)
    holdout, test, far = 400, 1000, 40_000
    skills = rng.normal(0, skill_sd, trials)
    shifts = rng.normal(0, shift_sd, trials)
    labels, others = rng.integers(0, 3, holdout), rng.integers(0, 3, test)
    truths, easy = rng.integers(0, 3, far), rng.normal(-1.2, 1, holdout)
    hard, really = rng.normal(-0.6, 1, test), rng.normal(-0.6, 1, far)
    found = [predictions(rng, labels, easy, s) for s in skills]
    order = np.argsort([-ACCURACY.score(labels, p) for p in found], kind="stable")
    candidates = [Validated(id=str(i), probabilities=found[i]) for i in order]
    scores = []
    for i in rng.permutation(order[:scored]):
        public = predictions(rng, others, hard, skills[i] + shifts[i])
        scores.append(Score(trial=str(i), value=ACCURACY.score(others, public), images=test))
    trust = assess(ACCURACY, labels, candidates, scores)
    true = [
        100 * np.mean(called(rng, truths, really, skills[i] + shifts[i]) == truths)
        for i in map(int, trust.band)
    ]
    return trust, max(true) - true[0]


def coverage_table(worlds: int = 100) -> str:
    """Coverage of the tau intervals, in per cent."""
    cells = [(n, d, tau) for d in (4, 2) for n in (5, 8, 12, 20, 30) for tau in TAUS]
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(covered, n, d, worlds, tau) for n, d, tau in cells]
        found = dict(zip(cells, (job.result() for job in jobs), strict=True))
    rows = [
        "| pairs | decimals | " + " | ".join(f"tau {t:g}" for t in TAUS) + " | all |",
        "|---|---|" + "---|" * (len(TAUS) + 1),
    ]
    for d in (4, 2):
        for n in (5, 8, 12, 20, 30):
            shares = [float(np.mean(found[n, d, tau])) for tau in TAUS]
            shares.append(float(np.mean(shares)))
            rows.append(f"| {n} | {d} | " + " | ".join(f"{100 * s:.1f}" for s in shares) + " |")
    return "\n".join(rows)


def evidence_table(worlds: int = 2000) -> str:
    """Contests that pass, in per cent, after so many scores."""
    rows = [
        "| true tau | " + " | ".join(f"{n} scores" for n in LOOKS) + " | 50 scores |",
        "|---|" + "---|" * (len(LOOKS) + 1),
    ]
    for tau in (0.0, *POWERS):
        shares = passed(tau, (*LOOKS, 50), worlds)
        rows.append(f"| {tau:g} | " + " | ".join(f"{100 * s:.1f}" for s in shares) + " |")
    nearest = adaptive_passes(worlds // 2)
    rows.append(f"| 0, chosen by what was seen | | | | | {100 * nearest:.1f} |")
    return "\n".join(rows)


WORLDS = {
    "no skill differences, no shift": (0.0, 0.0),
    "skills differ, no shift": (0.3, 0.0),
    "skills differ, as much shift": (0.3, 0.3),
    "skills differ, twice the shift": (0.3, 0.6),
}
"""Standard deviations of skill and of shift."""


def _world(kind: str, seed: int) -> tuple[str, bool, float]:
    trust, true = contest(seed, *WORLDS[kind], trials=24, scored=20)
    inside = trust.regret.low - 0.05 <= true <= trust.regret.high + 0.05
    return trust.verdict, inside, true


def verdict_table(worlds: int = 200) -> str:
    """Verdicts after 20 scores of 24 trials, in per cent, and whether regret is in its interval."""
    verdicts = ("trusted", "indistinguishable", "not enough evidence", "not trusted")
    rows = [
        "| world | " + " | ".join(verdicts) + " | regret in its interval | mean regret |",
        "|---|" + "---|" * (len(verdicts) + 2),
    ]
    with ProcessPoolExecutor(2) as pool:
        for kind in WORLDS:
            found = list(pool.map(_world, [kind] * worlds, range(worlds), chunksize=5))
            shares = [np.mean([v == verdict for v, _, _ in found]) for verdict in verdicts]
            held = np.mean([inside for _, inside, _ in found])
            regret = np.mean([true for _, _, true in found])
            words = " | ".join(f"{100 * s:.1f}" for s in (*shares, held))
            rows.append(f"| {kind} | {words} | {regret:.1f} points |")
    return "\n".join(rows)


ARMS = {
    "all equal": (0.0, (0.15, 0.15)),
    "all equal, seeds vary more": (0.0, (0.4, 0.4)),
    "the winner's seeds × 6": (0.0, (0.3, 0.05)),
    "the controls' × 6": (0.0, (0.05, 0.3)),
    "a gain of 3.5 points": (0.15, (0.15, 0.15)),
    "a gain of 7 points": (0.3, (0.15, 0.15)),
    "a gain of 14 points": (0.6, (0.15, 0.15)),
}
"""What the winner's skill is ahead, and how much skill varies with the seed: winner, controls."""

SEEDS = 3


def confirmation_arms(seed: int, world: str) -> tuple[Any, list[list[Any]]]:
    """Labels of 300 images, and the predictions of a winner and three controls, by seed."""
    ahead, spreads = ARMS[world]
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, 300)
    difficulty, shared = rng.normal(-1, 0.7, 300), rng.normal(size=300)
    arms = []
    for skill, spread in [(ahead, spreads[0])] + [(0.0, spreads[1])] * 3:
        noise = 0.7 * shared + 0.7 * rng.normal(size=(SEEDS, 300))
        right = skill + rng.normal(0, spread, (SEEDS, 1)) + noise > difficulty
        wrong = (labels + rng.integers(1, 5, (SEEDS, 300))) % 5
        arms.append(list(np.eye(5)[np.where(right, labels, wrong)]))
    return labels, arms


def confirmation(seed: int, world: str) -> list[Comparison]:
    """A confirmation in such a world, to its end."""
    labels, (winner, *controls) = confirmation_arms(seed, world)
    named = {str(i): arm for i, arm in enumerate(controls)}
    return compare(ACCURACY, labels, winner, named, SEEDS, seed=seed)


def trainings(found: list[Comparison]) -> int:
    """Trainings that a confirmation took."""
    return max(c.seeds for c in found) + sum(c.seeds for c in found)


def at_once(seed: int, world: str) -> list[bool]:
    """Wins of a confirmation that trains three seeds of every arm and looks once (Welch's test of
    the seeds, the variance of images added)."""
    labels, arms = confirmation_arms(seed, world)
    scores = [bootstrap_scores(ACCURACY, labels, arm[:3], 1000, None, seed) for arm in arms]
    wins = []
    for theirs in scores[1:]:
        difference = scores[0].mean(axis=0) - theirs.mean(axis=0)
        images = float(np.var(difference[1:]))
        total, inverse = images, images**2 / 299
        for arm in (scores[0], theirs):
            deviations = arm - arm.mean(axis=0)
            observed = float((deviations[:, 0] ** 2).sum()) / 6
            total += max(0.0, observed - float(np.var(deviations[:, 1:], axis=1).sum()) / 6)
            inverse += observed**2 / 2
        margin = stats.t.isf(0.05 / 3, total**2 / inverse) * total**0.5
        wins.append(bool(difference[0] > margin))
    return wins


def _confirmed(seed: int, world: str) -> tuple[list[bool], list[bool], int]:
    found = confirmation(seed, world)
    return at_once(seed, world), [c.verdict == "beats" for c in found], trainings(found)


def confirmation_table(worlds: int = 1000) -> str:
    """Confirmations that claim a win, in per cent, and the trainings that they take."""
    rows = [
        "| world | any win: three seeds, looked at once | in stages | wins, of controls: at once "
        "| in stages | trainings, of 12 |",
        "|---|---|---|---|---|---|",
    ]
    with ProcessPoolExecutor(2) as pool:
        for world in ARMS:
            found = list(pool.map(_confirmed, range(worlds), [world] * worlds, chunksize=20))
            once, staged = (np.array([f[i] for f in found]) for i in (0, 1))
            cells = (once.any(1), staged.any(1), once, staged)
            words = " | ".join(f"{100 * c.mean():.1f}" for c in cells)
            rows.append(f"| {world} | {words} | {np.mean([f[2] for f in found]):.1f} |")
    return "\n".join(rows)


TABLES: dict[str, Any] = {
    "coverage": coverage_table,
    "evidence": evidence_table,
    "verdicts": verdict_table,
    "confirmation": confirmation_table,
    "cameras": cameras,
}


def table_in(text: str, name: str) -> str:
    """What stands behind ``<!-- simulated: name -->``."""
    found = re.search(rf"<!-- simulated: {name} -->\n\n((?:.+\n)+)", text)
    assert found is not None, name
    return found[1].rstrip()


if __name__ == "__main__":
    for name, make in TABLES.items():
        text = GUIDE.read_text()
        GUIDE.write_text(text.replace(table_in(text, name), make()))
        print(f"{name}\n\n{table_in(GUIDE.read_text(), name)}\n", flush=True)
