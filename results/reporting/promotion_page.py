"""The closing page of a promotion."""

from __future__ import annotations

import math
from collections.abc import Sequence

from results.records.closing import Closed, Headline, Proxy
from results.records.trials import Search
from results.reporting.costs import costs, failures
from results.reporting.expected import expected_words
from results.reporting.text import in_words, table
from results.stats.correlation import kendall_interval
from results.stats.interval import Interval

SECOND_STAGE = (0,)
"""Folds of the race when variants of one trial compete on the hold-out."""


def promotion_page(search: Search, closed: Closed) -> list[str]:
    """The fold table and what the promoted trials are worth."""
    asked, metric = search.promotion, search.metric
    trials = [t for t in search.of("fold") if t.state == "finished"]
    folds = sorted({t.config.run.fold for t in trials})
    rows = [["promoted", "hold-out", *(f"fold {f}" for f in folds), "pooled", ""]]
    for arm in asked.arms:
        result = closed.arms.get(arm)
        cells = []
        for fold in folds:
            runs = [t.score(metric) for t in trials if t.arm == arm and t.config.run.fold == fold]
            known = [r for r in runs if r is not None]
            cells.append(f"{sum(known) / len(known):.4f}" if known else "–")
        pooled = f"{result.score:.4f}" if result else "–"
        rows.append([arm, f"{asked.scores[arm]:.4f}", *cells, pooled, _left_out(search, arm)])
    lines = ["", f"{search.id}: {metric} of each fold's held-out images"]
    lines += [f"  {line}" for line in table(rows)]
    for arm, result in closed.arms.items():
        lines += ["", *_headline(arm, result, metric)]
    taken = [t for t in trials if t.taken]
    lines += [
        "",
        *expected_words(closed.forecast, metric, "out of fold"),
        *_light_to_heavy_words(search, closed),
        *_proxy_words(closed.proxies),
    ]
    if taken:
        lines.append(f"{len(taken)} of {len(trials)} trainings were taken over from earlier jobs.")
    return [*lines, *failures(search), *costs(closed)]


def _left_out(search: Search, arm: str) -> str:
    if arm in search.arms:
        return ""
    if any(t.state == "failed" for t in search.of("fold") if t.arm == arm):
        return "a fold failed"
    raced = search.promotion.race if search.arms else ()
    if raced == SECOND_STAGE:
        return "not the best variant"
    return "out of the race" if raced else "unfinished"


def _headline(arm: str, result: Headline, metric: str) -> list[str]:
    chosen = result.chosen is not None and len(result.folds) > 1
    where = "the folds that did not choose it" if chosen else "its folds"
    lines = [f"{arm}: {metric} {result.score:.4f} on {result.images:,} images of {where}"]
    interval, given = result.interval, result.given_models
    if interval is not None:
        lines.append(
            f"  {interval.low:.4f} to {interval.high:.4f} for models trained anew "
            "(Nadeau-Bengio, 95 %)"
        )
    lines.append(f"  {given.low:.4f} to {given.high:.4f} for these very models on other images")
    if result.optimism is not None:
        words = "too good" if result.optimism >= 0 else "lower, so it did not flatter"
        lines.append(
            f"  fold 0, which chose it, has {result.chosen:.4f}: {abs(result.optimism):.1f} points "
            f"{words}"
        )
    return lines


def _light_to_heavy_words(search: Search, closed: Closed) -> list[str]:
    """Whether trials keep their order when the promotion changes what they are made of."""
    changes = search.promotion.changes
    if not changes:
        return []
    pairs = closed.light_to_heavy
    if len(pairs) < 3:
        return [
            f"Light to heavy ({in_words(changes)}): not checked whether trials keep their order; "
            "race=3 trains three of them with the change."
        ]
    tau = kendall_interval([p.light for p in pairs], [p.heavy for p in pairs])
    return [
        f"Light to heavy ({in_words(changes)}): over {len(pairs)} trials, scores before and after "
        f"the change {_agree(tau)}."
    ]


def _proxy_words(proxies: Sequence[Proxy]) -> list[str]:
    """Whether hold-out scores order promoted trials as full training does."""
    if len(proxies) < 2:
        return []
    tau = kendall_interval([p.holdout for p in proxies], [p.full for p in proxies])
    return [f"Over {len(proxies)} promoted trials, hold-out and out-of-fold scores {_agree(tau)}."]


def _agree(tau: Interval) -> str:
    if math.isnan(tau.value):
        return "have no tau: those of one side are all the same, and rank nothing"
    return f"agree with tau {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})"
