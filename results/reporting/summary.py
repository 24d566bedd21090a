"""What a search found out: the event that closes its ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from results.forecast.forecast import Forecast, forecast
from results.forecast.trained_models import models_of
from results.leaderboard.leaderboard import Leaderboard
from results.metrics import Metric, corrected
from results.predictions import predictions_file
from results.records.closing import Comparison, ExpectedScore, ForecastRecord, Watched
from results.records.confirmation import WINNER, concerns
from results.records.events import Seconds
from results.records.front import Front, FrontMember
from results.records.labelled_images import LabelledImages
from results.records.trial import Trial
from results.records.trials import Search
from results.stats.comparison import compare
from results.stats.front import margins_behind, unbeaten
from results.stats.optimism import winner_optimism
from results.stats.watched import watch


def summarise(search: Search, metric: Metric, wall: float, tracking: float) -> dict[str, Any]:
    """Compares, from stored predictions, and adds up what it cost.

    Args:
        search: The record, all trials ended.
        metric: The contest's metric.
        wall: Seconds since the search began.
        tracking: Seconds of CPU that tracking took of them.

    Returns:
        Fields of the closing event.
    """
    winner = search.best(search.of("sampled")) or search.best(search.of("single"))
    baseline = search.best(search.of("baseline"))
    trials = [t for t in search.trials.values() if not t.taken]
    expected = _forecast(search, metric)
    return {
        "counts": dict(Counter(t.state for t in trials)),
        "winner": winner.id if winner else None,
        "baseline": baseline.id if baseline else None,
        "optimism": _optimism(search, metric),
        "comparisons": tuple(
            c.model_copy(
                update={
                    "forecast": _forecast_gain(search, metric, expected, c),
                    "corrected": _corrected_gain(search, metric, c),
                }
            )
            for c in confirmed(search, metric)
        ),
        "watched": tuple(_watched(search)),
        "forecast": _forecast_event(expected, winner, metric),
        "cost": {
            "wall": wall,
            "tracking": tracking,
            **{f"trials/{k}": _seconds(trials, k) for k in Seconds.model_fields},
            "trials/beside": _beside(trials),
            **{f"why/{w}": _seconds([t for t in trials if t.why == w]) for w in _whys(trials)},
            "images": sum(e.images for t in trials for e in t.epochs),
            "epochs": sum(len(t.epochs) for t in trials),
        },
    }


def _forecast(search: Search, metric: Metric) -> Forecast | None:
    """Of the test scores of all finished trials; None where nobody predicted test images.

    Where the rules forbid looking at these, nobody looks.
    """
    if search.opened.kind == "promotion":
        return None
    if not Leaderboard.read(search.folder.parent).test_images:
        return None
    best = search.best(search.of("sampled"))
    models = models_of(
        ((search, t) for t in search.trials.values()), wanted={best.id} if best else ()
    )
    of = search.task.example_metric(metric, search.truth)
    found = forecast(of, models) if models else None
    return found if found is not None and np.isfinite(found.gap) else None


def _forecast_event(
    found: Forecast | None, winner: Trial | None, metric: Metric
) -> ForecastRecord | None:
    """What the closing event keeps of a forecast: points between hold-out and test, the winner's
    score."""
    if found is None:
        return None
    ours = found.models.get(winner.id) if winner else None
    if ours is not None and not np.isfinite([ours.score, ours.low, ours.high]).all():
        ours = None  # the metric is undefined where labels that were drawn lack a class
    return ForecastRecord(
        models=len(found.models),
        images=found.images,
        gap=metric.sign * found.gap / metric.points,
        winner=ExpectedScore(score=ours.score, low=ours.low, high=ours.high) if ours else None,
    )


def _forecast_gain(
    search: Search, metric: Metric, found: Forecast | None, compared: Comparison
) -> float | None:
    """Points by which the winner is expected to lead a control on the test images, over the seeds
    that were compared."""
    arms: dict[str, list[float]] = {WINNER: [], compared.control: []}
    for trial in _confirmations(search):
        if found is not None and trial.arm in arms and trial.id in found.models:
            arms[trial.arm].append(found.models[trial.id].score)
    scores = np.array([s[: compared.seeds] for s in arms.values() if len(s) >= compared.seeds])
    if len(scores) < 2 or not np.isfinite(scores).all():
        return None
    return metric.gain(*scores.mean(axis=1).tolist())


def _corrected_gain(search: Search, metric: Metric, compared: Comparison) -> float | None:
    """Points by which the winner leads a control on labels as corrected, over the same seeds; None
    without corrections."""
    arms: dict[str, list[float]] = {WINNER: [], compared.control: []}
    for trial in _confirmations(search):
        score = trial.score(corrected(metric.name))
        if trial.state == "finished" and trial.arm in arms and score is not None:
            arms[trial.arm].append(score)
    if any(len(scores) < compared.seeds for scores in arms.values()):
        return None
    return metric.gain(*(float(np.mean(scores[: compared.seeds])) for scores in arms.values()))


def _whys(trials: list[Trial]) -> list[str]:
    return sorted({t.why for t in trials})


def _beside(trials: list[Trial]) -> float:
    """Seconds of trials, trained in one go, that belong to no epoch."""
    whole = [t for t in trials if t.state in ("finished", "stopped") and t.attempts == 1]
    took = sum(t.ended - t.started for t in whole if t.ended is not None and not t.taken)
    return max(0.0, took - _seconds([t for t in whole if not t.taken]))


def _seconds(trials: list[Trial], part: str = "total") -> float:
    return sum(t.spent(part) for t in trials)


def _optimism(search: Search, metric: Metric) -> float | None:
    """Of the best finished trial, over all finished ones; None with fewer than two."""
    finalists = [t for t in search.of("sampled") if t.state == "finished"]
    if len(finalists) < 2:
        return None
    labelled = _labelled(search, finalists[0].config.run.fold)
    predictions = [labelled.judged(_judged(search, t)) for t in finalists]
    return winner_optimism(metric, labelled.labels, predictions, labelled.groups)


def front_of(search: Search, metric: Metric) -> Front | None:
    """Trials that no other beats in both objectives; None with one objective, or no such trial."""
    second = search.opened.second
    trials = [t for t in search.trials.values() if t.why in ("baseline", "sampled")]
    scored = [
        (t, score, cost)
        for t in trials
        if t.state == "finished"
        and (score := search.score(t)) is not None
        and (cost := search.cost(t)) is not None
    ]
    if second is None or not scored:
        return None
    _, scores, costs = zip(*scored, strict=True)
    members = [scored[row] for row in unbeaten(metric, scores, costs)]
    labelled = _labelled(search, trials[0].config.run.fold)
    seen = [labelled.judged(_judged(search, trial)) for trial, _, _ in members]
    margins = margins_behind(metric, labelled.labels, seen, labelled.groups)
    best = members[0][1]
    return Front(
        cost=second,
        trials=len(scored),
        members=tuple(
            FrontMember(
                trial=trial.id,
                score=score,
                cost=cost,
                behind=metric.gain(best, score),
                margin=margin,
            )
            for (trial, score, cost), margin in zip(members, margins, strict=True)
        ),
    )


def confirmed(search: Search, metric: Metric) -> list[Comparison]:
    """The confirmation's comparisons, as far as both sides were trained to the end."""
    labelled, arms = _arms(search)
    ours = arms.pop(WINNER, None)
    if labelled is None or ours is None:
        return []
    at_most = search.opened.confirm
    return compare(metric, labelled.labels, ours, arms, at_most, labelled.groups)


def _watched(search: Search) -> list[Watched]:
    """What else is told of both sides, as far as they were trained to the end."""
    labelled, arms = _arms(search)
    if labelled is None or WINNER not in arms:
        return []
    every = LabelledImages.every(search.folds_file)
    metrics = search.task.watched(every.labels, search.opened.classes)
    return watch(metrics, labelled.labels, arms, labelled.groups)


def _arms(search: Search) -> tuple[LabelledImages | None, dict[str, list[Any]]]:
    """The confirmation's images and, by arm, predictions of every training that ended."""
    runs = [t for t in _confirmations(search) if t.state == "finished"]
    if not runs:
        return None, {}
    labelled = _labelled(search, runs[0].config.run.fold)
    arms: dict[str, list[Any]] = {}
    for trial in runs:
        arms.setdefault(trial.arm, []).append(labelled.judged(_judged(search, trial)))
    return labelled, arms


def unsettled(search: Search, metric: Metric) -> set[str]:
    """Controls that further seeds may tell from the winner, or that lack a training."""
    runs = _confirmations(search)
    controls = {t.arm for t in runs} - {WINNER}
    trained = {t.arm for t in runs if t.state == "finished"}
    if WINNER not in trained:
        return controls
    found = {c.control: c for c in confirmed(search, metric)}
    if not found and trained != {WINNER}:
        return set()  # the metric is undefined on resamples: no number of seeds settles anything
    return {name for name in controls if name not in found or found[name].open}


def _confirmations(search: Search) -> list[Trial]:
    """Trainings of the confirmation of the winner as it is now."""
    winner = search.best(search.of("sampled"))
    return [t for t in search.of("confirm") if winner is not None and concerns(t, winner, search)]


def _judged(search: Search, trial: Trial) -> Path:
    """The predictions that a trial is compared by."""
    return search.trial_folder(trial) / predictions_file(search.objective.part)


def _labelled(search: Search, fold: int) -> LabelledImages:
    return LabelledImages.of_fold(search.folds_file, fold)
