"""What a search found out: the event that closes its ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

from results.metrics import Metric
from results.records.labelled_images import LabelledImages
from results.records.trials import Search, Trial
from results.stats.comparison import Comparison, compare
from results.stats.optimism import winner_optimism

WINNER = "winner"
"""Arm of the confirmation that all others are compared with."""


def summarise(search: Search, metric: Metric, wall: float, tracking: float) -> dict[str, Any]:
    """Compares, from stored predictions, and adds up what it cost.

    Args:
        search: The record, all trials ended.
        metric: The contest's metric.
        wall: Seconds since the search began.
        tracking: Seconds of CPU that tracking took of them.

    Returns:
        JSON-ready fields of the closing event.
    """
    winner = search.best(search.of("sampled")) or search.best(search.of("single"))
    baseline = search.best(search.of("baseline"))
    trials = [t for t in search.trials.values() if not t.taken]
    return {
        "counts": dict(Counter(t.state for t in trials)),
        "winner": winner.id if winner else None,
        "baseline": baseline.id if baseline else None,
        "optimism": _optimism(search, metric),
        "comparisons": [{**asdict(c), "verdict": c.verdict} for c in _confirm(search, metric)],
        "cost": {
            "wall": wall,
            "tracking": tracking,
            **{f"trials/{k}": _seconds(trials, k) for k in ("total", "feed", "compute")},
            **{f"why/{w}": _seconds([t for t in trials if t.why == w]) for w in _whys(trials)},
            "images": sum(int(e["images"]) for t in trials for e in t.epochs),
            "epochs": sum(t.epoch for t in trials),
        },
    }


def _whys(trials: list[Trial]) -> list[str]:
    return sorted({t.why for t in trials})


def _seconds(trials: list[Trial], part: str = "total") -> float:
    return sum(float(e["seconds"][part]) for t in trials for e in t.epochs)


def _optimism(search: Search, metric: Metric) -> float | None:
    """Of the best finished trial, over all finished ones; None with fewer than two."""
    finalists = [t for t in search.of("sampled") if t.state == "finished"]
    if len(finalists) < 2:
        return None
    labelled = _labelled(search, finalists[0].config.run.fold)
    predictions = [
        labelled.probabilities(search.trial_folder(t) / "holdout.npz") for t in finalists
    ]
    return winner_optimism(metric, labelled.labels, predictions, labelled.groups)


def _confirm(search: Search, metric: Metric) -> list[Comparison]:
    """The confirmation's comparisons, over arms that have at least two finished seeds."""
    winner = search.best(search.of("sampled"))
    runs = [
        t
        for t in search.of("confirm")
        if t.state == "finished" and winner is not None and concerns(t, winner, search)
    ]
    if not runs:
        return []
    labelled = _labelled(search, runs[0].config.run.fold)
    arms: dict[str, list[Any]] = {}
    for trial in runs:
        path = search.trial_folder(trial) / "holdout.npz"
        arms.setdefault(trial.arm, []).append(labelled.probabilities(path))
    arms = {name: arm for name, arm in arms.items() if len(arm) >= 2}
    ours = arms.pop(WINNER, None)
    if ours is None or not arms:
        return []
    return compare(metric, labelled.labels, ours, arms, labelled.groups)


def concerns(trial: Trial, winner: Trial, search: Search) -> bool:
    """Whether a confirmation is of this winner: a search that went on may have had another."""
    ours = winner.config
    config = trial.asked.replace(seed=ours.run.seed, fold=ours.run.fold)
    if trial.arm == WINNER:
        return config == ours
    matched = replace(config, policy=ours.policy, mix=ours.mix)
    return matched == ours or any(config == t.asked for t in search.of("baseline"))


def _labelled(search: Search, fold: int) -> LabelledImages:
    return LabelledImages.of_fold(search.folds_file, fold)
