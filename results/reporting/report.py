"""A search in words: tables and the sentence that follows from the confirmation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from results.metrics import corrected
from results.records.closing import Closed, Comparison, Watched
from results.records.network_cost import FORMS, UNITS
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.costs import costs, failures
from results.reporting.expected import expected_words
from results.reporting.front import front_lines
from results.reporting.lineages import lineage_lines
from results.reporting.promotion_page import promotion_page
from results.reporting.text import enumerated, format_seconds, gain, in_words, table
from results.reporting.what_mattered import matching_lines, mattered_lines
from spaces.augmentation.families import describe_policy, is_policy_parameter
from spaces.trial_config import TrialConfig

VERDICTS = {
    "beats": "beats",
    "loses to": "loses to",
    "indistinguishable from": "cannot be told apart from",
    "not ahead of": "is not clearly ahead of",
}
"""How a sentence about the winner begins, by verdict."""

IN_A_TABLE = {
    "beats": "the winner is better",
    "loses to": "the winner is worse",
    "indistinguishable from": "no difference beyond noise",
    "not ahead of": "no lead worth another seed",
}

SHOWN = 5
"""Trials in the table of the best."""

WIDE = 5.0
"""Points; half an interval that needs a word of explanation."""


def trial_rows(search: Search, trials: Sequence[Trial]) -> list[list[str]]:
    """Header and one row per trial.

    Id, state, epochs, score; of those that ran to their end the score on images that were trained
    on, and by how many points the hold-out's lies behind it; with two objectives the cost; time,
    what is special about it.
    """
    scores, second = [_scored_by(search), "in training", "gap"], search.opened.second
    if second is not None:
        scores.append(UNITS[second])
    rows = [["trial", "state", "epochs", *scores, "time", "what"]]
    room = 100
    for trial in trials:
        what = in_words(trial.params) if trial.params else trial.arm or trial.why
        if trial.why in ("confirm", "fold"):
            what = f"{trial.arm}, fold {trial.config.run.fold}, seed {trial.config.run.seed}"
        if trial.why == "segment":
            parent = trial.config.run.parent.removeprefix(search.id)
            what = f"{trial.arm}{f' from {parent}' if parent else ''}: {what}"
        if trial.config != trial.asked:
            what = f"{what}, out of memory: micro_batch={trial.config.run.micro_batch}"
        if trial.taken:
            what = f"{what}, taken over from {trial.taken}"
        if trial.reason:
            what = f"{trial.reason.splitlines()[0]} ({what})"
        rows.append(
            [
                trial.id.removeprefix(search.id),
                trial.state,
                f"{trial.epoch}/{trial.config.run.epochs}",
                _number(search.score(trial), ".4f"),
                _number(trial.reported(f"train/{search.metric}"), ".4f"),
                _number(trial.reported(f"gap/{search.metric}"), "+.1f"),
                *([_number(search.cost(trial), FORMS[second])] if second is not None else []),
                format_seconds(trial.seconds),
                what if len(what) <= room else what[: room - 1] + "…",
            ]
        )
    return rows


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def verdict(search: Search) -> str:
    """The sentence that the confirmation allows, and no more than that."""
    closed = search.summary
    comparisons = closed.comparisons if closed else ()
    if closed and closed.state == "interrupted" and not comparisons:
        return "Not confirmed: the search was stopped before its end."
    if not comparisons:
        why = "no sampled trial ran to its end" if not search.winner else _not_confirmed(search)
        return f"Not confirmed: {why}."
    clauses = [
        f"{words} {enumerated([_clause(c) for c in comparisons if c.verdict == verdict])}"
        for verdict, words in VERDICTS.items()
        if any(c.verdict == verdict for c in comparisons)
    ]
    doubted = enumerated([c.control for c in comparisons if _contradicted(c)])
    doubt = f", but on the test images {doubted} is expected to be ahead of it" if doubted else ""
    found = enumerated(clauses) + doubt
    return f"On {search.objective.images}, the winner {found}."


def _contradicted(comparison: Comparison) -> bool:
    """Whether the forecast of the test puts a control first that the winner beats."""
    expected = comparison.forecast
    return comparison.verdict == "beats" and expected is not None and expected < 0


def _expected(search: Search, closed: Closed) -> list[str]:
    whose = closed.winner or ""
    return expected_words(closed.forecast, search.metric, "on the hold-out", whose)


def _trainings(search: Search, comparisons: Sequence[Comparison]) -> str:
    """What the confirmation was spared by ending where more seeds would settle nothing."""
    most = search.opened.confirm * (1 + len(comparisons))
    done = sum(t.state == "finished" for t in search.of("confirm"))
    left = [c.control for c in comparisons if c.open]
    unsettled = f"; not settled yet: {enumerated(left)}" if left else ""
    told = f"The confirmation took {done} of at most {most} trainings{unsettled}."
    if any(c.seeds == 2 and (c.margin or 0.0) > WIDE for c in comparisons):
        told += " Two seeds say little about their spread, so ± is wide; a third narrows it."
    return told


def _not_confirmed(search: Search) -> str:
    if not search.opened.confirm:
        return "the winner's score is from the images and the seed that chose it (confirm=0)"
    if sum(t.state == "finished" for t in search.of("confirm")) >= len(search.of("confirm")):
        return f"{search.metric} is undefined on too many resamples of fold 1"
    return "too few trainings of the confirmation ran to their end"


def _clause(comparison: Comparison) -> str:
    seeds = f"{comparison.seeds} seeds" if comparison.seeds > 1 else "one seed"
    if comparison.verdict in ("indistinguishable from", "not ahead of"):
        return f"{comparison.control} ({gain(comparison)} points, {seeds})"
    ahead = f"by {abs(comparison.gain):.1f} ± {comparison.margin:.1f} points, {seeds}"
    return f"{comparison.control} ({ahead})"


def describe(config: TrialConfig, params: Mapping[str, Any]) -> list[str]:
    """A configuration: its policy in words, mixing, and whatever else was drawn."""
    lines = [
        "augmentation:",
        *(f"  {line}" for line in describe_policy(config.policy).splitlines()),
    ]
    told, mixing = {"mix"}, getattr(config.mix, "words", "")
    if mixing:
        lines.append(f"mixing: {mixing}")
        told |= vars(config.mix).keys()
    rest = {k: v for k, v in params.items() if not is_policy_parameter(k) and k not in told}
    if rest:
        lines.append(in_words(rest))
    return lines


def report(search: Search) -> list[str]:
    """The closing page of a search, line by line."""
    closed = search.summary
    if closed is None:
        return [f"{search.id} has not ended. If it no longer runs: {resume_command(search)}"]
    if search.opened.kind == "train":
        return _single_page(search, closed)
    if search.opened.kind == "promotion":
        return promotion_page(search, closed)
    winner = search.trials.get(closed.winner or "")
    baseline = search.trials.get(closed.baseline or "")
    sampled = sorted(
        (t for t in search.of("sampled") if t.state == "finished"),
        key=lambda t: -search.sign * (search.score(t) or 0.0),
    )
    shown = sampled[:SHOWN] + ([baseline] if baseline else [])
    lines = [""]
    if shown:
        lines += [f"{search.id} on the hold-out: fold 0, {_held_out(search)} images"]
        lines += [f"  {line}" for line in table(trial_rows(search, shown))]
    if winner is not None:
        lines += ["", f"The winner, {winner.id}:"]
        lines += [f"  {line}" for line in describe(winner.config, winner.params)]
        stopped = sum(t.state == "stopped" for t in search.of("sampled"))
        if closed.optimism is not None:
            least = f"; or more, since {stopped} others were stopped early" if stopped else ""
            lines.append(
                f"  its hold-out score is probably {closed.optimism:.1f} points too good, as the "
                f"best of {len(sampled)} on the same images{least}"
            )
        elif stopped:
            lines.append(
                "  how much its hold-out score flatters it cannot be told: it was chosen over "
                f"{stopped} others that were stopped early"
            )
        lines += _on_corrected(search, winner, baseline)
    front = front_lines(search, closed.front)
    lines += ["", *front] if front else []
    lines += ["", *_confirmation(search, closed), verdict(search)]
    if closed.comparisons:
        lines.append(_trainings(search, closed.comparisons))
    lines += _watched(closed.watched)
    lines += [*_expected(search, closed), ""]
    mattered = [*matching_lines(closed.matching), *lineage_lines(closed.population, search.sign)]
    mattered += mattered_lines(closed.mattered)
    lines += [*mattered, ""] if mattered else []
    return [*lines, *failures(search), *costs(closed)]


def _single_page(search: Search, closed: Closed) -> list[str]:
    trials = list(search.trials.values())
    rows = [f"  {line}" for line in table(trial_rows(search, trials))]
    fold = trials[0].config.run.fold if trials else 0
    head = f"{search.id} on fold {fold}, {search.opened.folds.sizes[fold]:,} images"
    told = [line for trial in trials for line in _on_corrected(search, trial, None)]
    told += _expected(search, closed)
    return ["", head, *rows, *told, "", *failures(search), *costs(closed)]


def _on_corrected(search: Search, trial: Trial, baseline: Trial | None) -> list[str]:
    """Scores on labels as corrected, beside which all others are of labels as given."""
    found = search.opened.corrections
    score = trial.score(corrected(search.metric))
    if found is None or score is None:
        return []
    other = baseline.score(corrected(search.metric)) if baseline is not None else None
    beside = "" if other is None else f", the baseline {other:.4f}"
    return [
        f"  on corrected labels ({found.relabelled} changed and {found.left_out} left out in all) "
        f"it has {score:.4f}{beside}; all other scores use the labels as given"
    ]


def _scored_by(search: Search) -> str:
    return f"{search.objective.label}{search.metric}"


def _held_out(search: Search) -> str:
    return f"{search.opened.folds.sizes[0]:,}"


def _confirmation(search: Search, closed: Closed) -> list[str]:
    comparisons = closed.comparisons
    if not comparisons:
        return []
    fold = search.of("confirm")[0].config.run.fold
    head = [f"confirmation on fold {fold}", "seeds", _scored_by(search), "the winner's", "its gain"]
    corrections = search.opened.corrections is not None
    rows = [[*head, *(["on corrected labels"] if corrections else []), "on the test", ""]]
    for c in comparisons:
        scores = [f"{score:.4f}" for score in (c.control_score, c.candidate_score)]
        expected = "" if c.forecast is None else f"expected {c.forecast:+.1f}"
        on_corrected = "" if c.corrected is None else f"{c.corrected:+.1f}"
        gains = [gain(c), *([on_corrected] if corrections else []), expected]
        rows.append([c.control, str(c.seeds), *scores, *gains, IN_A_TABLE[c.verdict]])
    return [f"  {line}" for line in table(rows)]


def _watched(watched: Sequence[Watched]) -> list[str]:
    """What else is told of both sides of the confirmation, a column each."""
    found: dict[str, dict[str, str]] = {}
    heads: dict[str, None] = {}
    for w in watched:
        images = "1 image" if w.images == 1 else f"{w.images:,} images"
        head = f"{w.what}, {images}"
        heads[head] = None
        words = f"{w.score:.4f} ({w.low:.4f} to {w.high:.4f})"
        found.setdefault(w.arm, {"seeds": str(w.seeds)})[head] = words
    if not found:
        return []
    rows = [["in the confirmation, too", "seeds", *heads]]
    for arm, told in found.items():
        rows.append([arm, told["seeds"], *(told.get(head, "–") for head in heads)])
    return ["", *(f"  {line}" for line in table(rows))]


def resume_command(search: Search) -> str:
    """What goes on with a job that was interrupted."""
    command = {"train": "train", "promotion": "promote"}.get(search.opened.kind, "run")
    return f"python -m search.{command} resume={search.id}"
