"""Searches and trials as pages for a terminal."""

from __future__ import annotations

import json
import time
from pathlib import Path

from results.leaderboard.entries import Noted
from results.leaderboard.leaderboard import Leaderboard
from results.records.events import Seconds
from results.records.searches import find_search, searches
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.costs import between_epochs, shares
from results.reporting.report import describe, report, trial_rows, verdict
from results.reporting.text import format_seconds, in_words, table
from search.options.analysis import ShowConfig
from search.options.exit_codes import OK
from spaces.errors import InputError, unknown


def show(config: ShowConfig) -> int:
    """Prints; returns the exit code."""
    runs = Path(config.runs)
    if not runs.is_dir():
        raise InputError(
            f"runs={runs}: there is no such folder; nothing has been trained here yet: "
            "python -m search.train trains the baseline"
        )
    if config.json and not config.select:
        raise InputError("json=true tells of one: name a search or a trial, or latest")
    search, trial = None, None
    if not config.select:
        _show_all(runs)
    else:
        search, trial = find(runs, config.select)
        print("\n".join(_trial_page(search, trial) if trial else _search_page(search)))
    if config.json and search is not None:
        path = search.trial_folder(trial) if trial else search.folder
        print(json.dumps({"id": trial.id if trial else search.id, "path": str(path)}))
    return OK


def find(runs: Path, select: str) -> tuple[Search, Trial | None]:
    """A search, or a trial by ``<search>-<number>``.

    Raises:
        InputError: If there is none of that name.
    """
    name, _, number = select.rpartition("-")
    searches_named = {p.name for p in searches(runs)}
    if number.isdigit() and name in searches_named and select not in searches_named:
        search = Search.read(find_search(runs, name))
        trial = search.trials.get(f"{search.id}-{number}")
        if trial is None:
            raise unknown("trial", select, search.trials)
        return search, trial
    return Search.read(find_search(runs, select)), None


def _show_all(runs: Path) -> None:
    rows = [["search", "state", "trials", "metric", "best", "what came out"]]
    for folder in searches(runs):
        try:
            search = Search.read(folder)
        except InputError as error:  # one damaged ledger does not hide the others
            rows.append([f"{folder.parent.name}/{folder.name}", "damaged", "", "", "", str(error)])
            continue
        best = search.leading
        score = best.score(search.metric) if best else None
        outcome = _outcome(search)
        rows.append(
            [
                f"{folder.parent.name}/{search.id}",
                search.summary.state if search.summary else "open",
                str(len(search.trials)),
                search.metric,
                "–" if score is None else f"{score:.4f}",
                outcome if search.summary else "",
            ]
        )
    print("\n".join(table(rows)) if len(rows) > 1 else f"no searches in {runs} yet")


def _outcome(search: Search) -> str:
    kind = search.opened.kind
    if kind == "promotion":
        scores = (f"{arm} promoted: {r.score:.4f}" for arm, r in search.arms.items())
        return ", ".join(scores) or "incomplete"
    return verdict(search) if kind == "search" else "a single training"


def _search_page(search: Search) -> list[str]:
    state = search.summary.state if search.summary else "open (running, or killed)"
    lines = [f"{search.id}: {state}", *_notes(search, search.id), ""]
    lines += table(trial_rows(search, list(search.trials.values())))
    return [*lines, *report(search), "", f"Everything is in {search.folder}"]


def _notes(search: Search, about: str) -> list[str]:
    """What was noted about a search or a trial."""
    note = Leaderboard.read(search.folder.parent).notes.get(about, Noted(about=about))
    hypothesis = note.hypothesis
    if about == search.id:
        hypothesis = hypothesis or search.opened.hypothesis
    found = {"hypothesis": hypothesis, "conclusion": note.conclusion}
    return [f"{name}: {words}" for name, words in found.items() if words]


def _spent(trial: Trial) -> str:
    """What a trial's time went into, in words; empty before its first epoch."""
    spent = {part: trial.spent(part) for part in Seconds.model_fields}
    if not spent["total"]:
        return ""
    return "; ".join(filter(None, [f": {shares(spent)}", between_epochs(spent)]))


def _trial_page(search: Search, trial: Trial) -> list[str]:
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(trial.started))
    lines = [
        f"{trial.id}: {trial.state}, {trial.why} {trial.arm}".rstrip(),
        f"began {began}, trained for {format_seconds(trial.seconds)}{_spent(trial)}",
        *describe(trial.config, trial.params),
    ]
    settings = {k: v for k, v in trial.config.flat().items() if v != ""}
    lines.append(in_words(settings))
    if trial.reason:
        lines.append(f"reason: {trial.reason}")
    if trial.faults:
        lines.append(f"interrupted by: {', '.join(trial.faults)}")
    lines += _notes(search, trial.id)
    names = sorted({name for e in trial.epochs for name in e.metrics})
    if names:
        rows = [["epoch", *names, ""]]
        for e in trial.epochs:
            values = [f"{e.metrics[n]:.5g}" if n in e.metrics else "–" for n in names]
            rows.append([str(e.epoch), *values, ""])
        lines += ["", *table(rows)]
    return [*lines, "", f"Everything is in {search.trial_folder(trial)}"]
