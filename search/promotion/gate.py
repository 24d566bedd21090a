"""The gate before full training: what trust allows to promote."""

from __future__ import annotations

from dataclasses import dataclass

from results.reporting.trust_report import settle_words, verdict_words
from results.stats.optimism import winner_optimism
from results.trust.trust import Trust
from results.trust.verdict import Verdict
from search.competition.assessment import assess_as_asked
from search.competition.candidates import Candidate, pick
from search.competition.standing import Standing
from search.competition.submissions import unfit
from search.options.training import PromoteConfig
from spaces.errors import InputError

FINALISTS = 50
"""Trials, the best first, that may have won: what choosing among them flatters is estimated."""

PARTIAL = 2
"""Folds of the promotion that may go on while there is not enough evidence."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What came through the gate.

    Attributes:
        chosen: Trials to promote, best first.
        verdict: What trust says.
        words: The verdict in words, and what follows from it.
        force: Why it went on nevertheless; empty if it did not have to.
        optimism: By how many points the hold-out flatters the best, having chosen it, as far as
            can be expected; None where that is not known.
    """

    chosen: list[Candidate]
    verdict: Verdict
    words: list[str]
    force: str
    optimism: float | None


def pass_gate(config: PromoteConfig, standing: Standing) -> Passage:
    """Chooses what is promoted, as far as validation can be believed.

    Raises:
        InputError: If validation is not trusted, or nobody knows, and neither ``force=`` nor a
            promotion of two folds was asked for.
    """
    pool = [c for c in standing.pool if c.trial is not None]
    if not config.race:
        pick(pool, config.select, 1, unfit(standing))  # a mistyped name is told before a verdict
    trust = None
    if standing.leaderboard.scored():
        _, trust = assess_as_asked(standing, config)
    verdict: Verdict = trust.verdict if trust else "not enough evidence"
    words = [
        verdict_words(trust) if trust else "Not enough evidence: no submission has a score yet."
    ]
    if standing.unlabelled is not None:
        words.append(standing.unlabelled.words)
    if not config.force:
        _refuse(config, standing, trust, words)
    chosen = _choose(config, standing, trust, words)
    optimism = _optimism(standing, chosen, words)
    return Passage(
        chosen=chosen, verdict=verdict, words=words, force=config.force, optimism=optimism
    )


def _optimism(standing: Standing, chosen: list[Candidate], words: list[str]) -> float | None:
    """How much the hold-out is expected to flatter the best on it for having chosen it."""
    finalists = [c for c in standing.pool if c.trial is not None][:FINALISTS]
    if len(finalists) < 2 or chosen[0].id != max(finalists, key=lambda c: c.merit).id:
        return None
    metric, labelled = standing.metric, standing.labelled
    stored = [v.probabilities for v in standing.validated(finalists)]
    optimism = winner_optimism(metric, labelled.labels, stored, labelled.groups)
    if optimism is not None:
        words.append(
            f"{chosen[0].id} has {metric.name} {chosen[0].score:.4f} on the hold-out, probably "
            f"{optimism:.1f} points too good: it is the best of {len(finalists)} trials there."
        )
    return optimism


def _refuse(
    config: PromoteConfig, standing: Standing, trust: Trust | None, words: list[str]
) -> None:
    if trust is not None and trust.verdict in ("trusted", "indistinguishable"):
        return
    force = 'force="why" goes on and records the reason'
    if trust is not None and trust.verdict == "not trusted":
        if config.select == trust.posterior_best:
            words.append(f"Both scores together rank {config.select} first.")
            return
        raise InputError(
            f"{words[0]} Full training of the validation-best is not worth it; "
            f"select={trust.posterior_best} promotes the one that both scores together rank first; "
            f"{force}"
        )
    if config.folds == PARTIAL:
        return
    settle = "score submissions first: python -m search.submit, then search.score"
    if trust is not None:
        settle = settle_words(trust, standing.leaderboard.allowance())
    raise InputError(
        f"{words[0]} {settle.rstrip('.')}. folds={PARTIAL} trains two of the folds, which is cheap "
        f"and worth a submission; {force}"
    )


def _choose(
    config: PromoteConfig, standing: Standing, trust: Trust | None, words: list[str]
) -> list[Candidate]:
    pool = [c for c in standing.pool if c.trial is not None]
    band = standing.band
    if config.race:
        if config.select != "best":
            raise InputError(f"race={config.race} takes the best itself: leave select= out")
        competitive = [c for c in pool if c.id in band]
        if len(competitive) < 2:
            raise InputError(
                f"race={config.race} needs two trials that compete; there is {len(competitive)}"
            )
        return competitive[: config.race]
    chosen = pick(pool, config.select, len(band), unfit(standing))
    by_holdout = config.select == "best" and standing.unlabelled is None
    if by_holdout and trust is not None and trust.verdict == "indistinguishable":
        competitive = [c for c in pool if c.id in band]
        equal = standing.as_good(competitive)
        chosen = [min((c for c in competitive if c.id in equal), key=_seconds)]
        words.append(
            f"Of the {len(band)} trials that compete, {len(equal)} "
            f"{'is' if len(equal) == 1 else 'are'} within half a standard error of the best on the "
            f"hold-out; {chosen[0].id} is the cheapest of these."
        )
    return chosen


def _seconds(candidate: Candidate) -> float:
    assert candidate.trial is not None
    return candidate.trial.seconds
