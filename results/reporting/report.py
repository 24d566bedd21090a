"""A search in words: tables and the sentence that follows from the confirmation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from results.records.trials import Search, Trial
from results.stats.correlation import kendall_interval
from spaces.trial_config import TrialConfig

VERDICTS = {
    "beats": "beats",
    "loses to": "loses to",
    "indistinguishable from": "is indistinguishable from",
}
"""How a sentence about the winner begins, by verdict."""

SECOND_STAGE = (0,)
"""Folds of the race when variants of one trial compete on the hold-out."""

SHOWN = 5
"""Trials in the table of the best."""


def format_seconds(seconds: float) -> str:
    """``4 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def in_words(params: Mapping[str, Any]) -> str:
    """Parameters as ``name=value``, numbers to three digits."""
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in params.items()
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligns columns: the first left, the rest right, the last left again."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(w) if i in (0, len(row) - 1) else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def trial_rows(search: Search, trials: Sequence[Trial]) -> list[list[str]]:
    """Header and one row per trial: id, state, epochs, score, time, what is special about it."""
    rows = [["trial", "state", "epochs", search.metric, "time", "what"]]
    room = 100
    for trial in trials:
        score = trial.score(search.metric)
        what = in_words(trial.params) if trial.params else trial.arm or trial.why
        if trial.why in ("confirm", "fold"):
            what = f"{trial.arm}, fold {trial.config.fold}, seed {trial.config.seed}"
        if trial.config != trial.asked:
            what = f"{what}, out of memory: micro_batch={trial.config.micro_batch}"
        if trial.taken:
            what = f"{what}, taken over from {trial.taken}"
        if trial.reason:
            what = f"{trial.reason.splitlines()[0]} ({what})"
        rows.append(
            [
                trial.id.removeprefix(search.id),
                trial.state,
                f"{trial.epoch}/{trial.config.epochs}",
                "–" if score is None else f"{score:.4f}",
                format_seconds(trial.seconds),
                what if len(what) <= room else what[: room - 1] + "…",
            ]
        )
    return rows


def verdict(search: Search) -> str:
    """The sentence that the confirmation allows, and no more than that."""
    summary = search.summary or {}
    comparisons = summary.get("comparisons", [])
    if summary.get("state") == "interrupted" and not comparisons:
        return "Not confirmed: the search was stopped before its end."
    if not comparisons:
        why = (
            "no sampled trial ran to its end"
            if not summary.get("winner")
            else _not_confirmed(search)
        )
        return f"Not confirmed: {why}."
    seeds = comparisons[0]["seeds"]
    clauses = [
        f"{words} {_enumerate([_clause(c) for c in comparisons if c['verdict'] == verdict])}"
        for verdict, words in VERDICTS.items()
        if any(c["verdict"] == verdict for c in comparisons)
    ]
    listed = _enumerate(clauses)
    return f"Over {seeds} seeds, on images that did not choose it, the winner {listed}."


def _not_confirmed(search: Search) -> str:
    if not search.opened.get("confirm"):
        return "the winner's score stands on the images and the seed that chose it (confirm=0)"
    if sum(t.state == "finished" for t in search.of("confirm")) >= len(search.of("confirm")):
        return f"{search.metric} is undefined on too many resamples of fold 1"
    return "too few trainings of the confirmation ran to their end"


def _clause(comparison: Mapping[str, Any]) -> str:
    gain, margin = comparison["gain"], comparison["margin"]
    if comparison["verdict"] == "indistinguishable from":
        return f"{comparison['control']} ({gain:+.1f} ± {margin:.1f} points)"
    return f"{comparison['control']} by {abs(gain):.1f} ± {margin:.1f} points"


def _enumerate(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def describe(config: TrialConfig, params: Mapping[str, Any]) -> list[str]:
    """A configuration: its policy in words, mixing, and whatever else was drawn."""
    lines = ["augmentation:", *(f"  {line}" for line in config.policy.describe().splitlines())]
    if config.mix != "none":
        lines.append(f"mixing: {config.mix} with alpha {config.mix_alpha:.2g}")
    rest = {
        k: v for k, v in params.items() if not k.startswith("stage") and not k.startswith("mix")
    }
    if rest:
        lines.append(in_words(rest))
    return lines


def report(search: Search) -> list[str]:
    """The closing page of a search, line by line."""
    summary = search.summary
    if summary is None:
        return [f"{search.id} has not ended. If nothing runs it any more: {resume_command(search)}"]
    if search.opened["kind"] == "train":
        return _single_page(search, summary)
    if search.opened["kind"] == "promotion":
        return _promotion_page(search, summary)
    winner = search.trials.get(summary["winner"] or "")
    baseline = search.trials.get(summary["baseline"] or "")
    sampled = sorted(
        (t for t in search.of("sampled") if t.state == "finished"),
        key=lambda t: t.score(search.metric) or 0.0,
        reverse=search.direction == "maximize",
    )
    shown = sampled[:SHOWN] + ([baseline] if baseline else [])
    lines = [""]
    if shown:
        lines += [f"{search.id} on the hold-out: fold 0, {_held_out(search)} images"]
        lines += [f"  {line}" for line in table(trial_rows(search, shown))]
    if winner is not None:
        lines += ["", f"The winner, {winner.id}:"]
        lines += [f"  {line}" for line in describe(winner.config, winner.params)]
        if summary["optimism"] is not None:
            lines.append(
                f"  its hold-out score is expected to flatter it by {summary['optimism']:.1f} "
                f"points, as the best of {len(sampled)} on the same images"
            )
    lines += ["", *_confirmation(search, summary), verdict(search), ""]
    return [*lines, *_failures(search), *_costs(summary)]


def _single_page(search: Search, summary: Mapping[str, Any]) -> list[str]:
    trials = list(search.trials.values())
    rows = [f"  {line}" for line in table(trial_rows(search, trials))]
    fold = trials[0].config.fold if trials else 0
    head = f"{search.id} on fold {fold}, {search.opened['folds']['sizes'][fold]:,} images"
    return ["", head, *rows, "", *_failures(search), *_costs(summary)]


def _promotion_page(search: Search, summary: Mapping[str, Any]) -> list[str]:
    """The fold table and what the promoted trials are worth."""
    asked, metric = search.opened["promotion"], search.metric
    trials = [t for t in search.of("fold") if t.state == "finished"]
    folds = sorted({t.config.fold for t in trials})
    rows = [["promoted", "hold-out", *(f"fold {f}" for f in folds), "pooled", ""]]
    for arm in asked["arms"]:
        result = summary["arms"].get(arm)
        cells = []
        for fold in folds:
            runs = [t.score(metric) for t in trials if t.arm == arm and t.config.fold == fold]
            known = [r for r in runs if r is not None]
            cells.append(f"{sum(known) / len(known):.4f}" if known else "–")
        pooled = f"{result['score']:.4f}" if result else "–"
        rows.append([arm, f"{asked['scores'][arm]:.4f}", *cells, pooled, _left_out(search, arm)])
    lines = ["", f"{search.id}: {metric} of each fold's held-out images"]
    lines += [f"  {line}" for line in table(rows)]
    for arm, result in summary["arms"].items():
        lines += ["", *_headline(arm, result, metric)]
    taken = [t for t in trials if t.taken]
    lines += [
        "",
        *_light_to_heavy_words(search, summary),
        *_proxy_words(summary["proxies"], search),
    ]
    if taken:
        lines.append(f"{len(taken)} of {len(trials)} trainings were done before and taken over.")
    return [*lines, *_failures(search), *_costs(summary)]


def _left_out(search: Search, arm: str) -> str:
    if arm in (search.summary or {}).get("arms", {}):
        return ""
    if any(t.state == "failed" for t in search.of("fold") if t.arm == arm):
        return "a fold failed"
    raced = (search.summary or {}).get("arms") and search.opened["promotion"]["race"]
    if raced == list(SECOND_STAGE):
        return "not the best variant"
    return "out of the race" if raced else "unfinished"


def _headline(arm: str, result: Mapping[str, Any], metric: str) -> list[str]:
    chosen = result["chosen"] is not None and len(result["folds"]) > 1
    where = "the folds that did not choose it" if chosen else "its folds"
    lines = [f"{arm}: {metric} {result['score']:.4f} on {result['images']:,} images of {where}"]
    interval, given = result["interval"], result["given_models"]
    if interval is not None:
        lines.append(
            f"  {interval['low']:.4f} to {interval['high']:.4f} for models trained anew "
            "(Nadeau-Bengio, 95 %)"
        )
    lines.append(
        f"  {given['low']:.4f} to {given['high']:.4f} given these models, on other images alone"
    )
    if result["optimism"] is not None:
        words = "flattered by" if result["optimism"] >= 0 else "did not flatter:"
        lines.append(
            f"  fold 0, which chose it, has {result['chosen']:.4f}: it {words} "
            f"{result['optimism']:+.1f} points"
        )
    return lines


def _light_to_heavy_words(search: Search, summary: Mapping[str, Any]) -> list[str]:
    """Whether trials keep their order when the promotion changes what they are made of."""
    changes = search.opened["promotion"].get("changes")
    if not changes:
        return []
    pairs = summary.get("light_to_heavy", [])
    if len(pairs) < 3:
        return [
            f"Light to heavy ({in_words(changes)}): not checked whether trials keep their order; "
            "race=3 trains three of them changed."
        ]
    tau = kendall_interval([p["light"] for p in pairs], [p["heavy"] for p in pairs])
    return [
        f"Light to heavy ({in_words(changes)}): over {len(pairs)} trials the hold-out and the "
        f"changed trainings agree with tau {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})."
    ]


def _proxy_words(proxies: Sequence[Mapping[str, Any]], search: Search) -> list[str]:
    """Whether hold-out scores order promoted trials as full training does."""
    if len(proxies) < 2:
        return []
    tau = kendall_interval([p["holdout"] for p in proxies], [p["full"] for p in proxies])
    return [
        f"Over {len(proxies)} promoted trials, hold-out and out-of-fold scores agree with tau "
        f"{tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})."
    ]


def _failures(search: Search) -> list[str]:
    """What made trials fail, each reason once."""
    reasons = Counter(
        t.reason.splitlines()[0] for t in search.trials.values() if t.state == "failed"
    )
    return [f"{n} failed: {reason}" for reason, n in reasons.most_common(SHOWN)]


def _held_out(search: Search) -> str:
    return f"{search.opened['folds']['sizes'][0]:,}"


def _confirmation(search: Search, summary: Mapping[str, Any]) -> list[str]:
    comparisons = summary["comparisons"]
    if not comparisons:
        return []
    fold = search.of("confirm")[0].config.fold
    rows = [[f"confirmation on fold {fold}", search.metric, "winner's gain in points", ""]]
    rows.append(["the winner", f"{comparisons[0]['candidate_score']:.4f}", "", ""])
    for c in comparisons:
        gain = f"{c['gain']:+.1f} ± {c['margin']:.1f}"
        words = {
            "beats": "the winner is better",
            "loses to": "the winner is worse",
            "indistinguishable from": "no difference beyond noise",
        }[c["verdict"]]
        rows.append([c["control"], f"{c['control_score']:.4f}", gain, words])
    return [f"  {line}" for line in table(rows)]


def _costs(summary: Mapping[str, Any]) -> list[str]:
    cost = summary["cost"]
    wall, trained = cost["wall"], cost["trials/total"]
    if not trained:
        return [f"It took {format_seconds(wall)}; no epoch was trained ({_states(summary)})."]
    share = {k: cost[f"trials/{k}"] / trained for k in ("feed", "compute")}
    spent = ", ".join(
        f"{name} {format_seconds(cost[f'why/{name}'])}"
        for name in ("baseline", "sampled", "confirm", "single", "fold")
        if f"why/{name}" in cost
    )
    gained = [c for c in summary["comparisons"] if "the baseline" in c["control"]]
    return [
        *(
            f"Sampling took {format_seconds(cost['why/sampled'])} of training and gained "
            f"{c['gain']:+.1f} ± {c['margin']:.1f} points on the baseline."
            for c in gained
        ),
        f"It took {format_seconds(wall)} ({_states(summary)}); training time: {spent}.",
        f"{cost['images'] / wall:,.0f} images/s over {cost['epochs']} epochs; "
        f"of training time {share['feed']:.0%} feeding, {share['compute']:.0%} computing, "
        f"{1 - share['feed'] - share['compute']:.0%} evaluating; tracking took "
        f"{cost['tracking'] / wall:.1%} of one core.",
    ]


def resume_command(search: Search) -> str:
    """What goes on with a job that was interrupted."""
    command = {"train": "train", "promotion": "promote"}.get(str(search.opened["kind"]), "run")
    return f"python -m search.{command} resume={search.id}"


def _states(summary: Mapping[str, Any]) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(summary["counts"].items()))
