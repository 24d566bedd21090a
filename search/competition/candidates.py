"""``select=``: which trials of a competition are meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from results.predictions import predictions_file
from results.records.searches import find_search, searches
from results.records.trial import Trial
from results.records.trials import Search
from spaces.errors import InputError, unknown

BEGIN = "python -m search.train trains the baseline"
"""What to do where nothing has been trained."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Something with predictions of the hold-out: a finished trial, or a model made elsewhere.

    Attributes:
        id: Of the trial or the import.
        search: The trial's search; for an import, the one whose hold-out it was scored on.
        trial: None for an import.
        score: Plain validation score, as the metric has it.
        holdout: File of its hold-out predictions.
        ended: When it was there, seconds since the epoch.
    """

    id: str
    search: Search
    trial: Trial | None
    score: float
    holdout: Path
    ended: float

    @property
    def merit(self) -> float:
        """The score, so that larger is better."""
        return self.search.sign * self.score

    @property
    def untuned(self) -> bool:
        """Whether it is a baseline: of a search, or of search.train without anything fixed."""
        why = self.trial.why if self.trial is not None else ""
        return why == "baseline" or (why == "single" and not self.search.opened.options.get("fix"))

    @property
    def folder(self) -> Path:
        """Where its predictions lie."""
        return self.holdout.parent

    @staticmethod
    def of(search: Search, trial: Trial) -> Candidate:
        """A trial with a score."""
        score = trial.score(search.metric)
        assert score is not None
        return Candidate(
            id=trial.id,
            search=search,
            trial=trial,
            score=score,
            holdout=search.trial_folder(trial) / predictions_file("holdout"),
            ended=trial.ended or trial.started,
        )


def competition_folder(runs: Path, name: str) -> Path:
    """The folder of a competition, of the one worked on last if ``name`` is empty.

    Raises:
        InputError: If there is none.
    """
    if not runs.is_dir():
        raise InputError(
            f"runs={runs}: there is no such folder; nothing has been trained here yet: {BEGIN}"
        )
    folders = {p.parent.name: p.parent for p in searches(runs)}
    if not folders:
        raise InputError(f"there are no searches in {runs} yet: {BEGIN}")
    if not name:
        return find_search(runs, "latest").parent
    if name not in folders:
        raise unknown("competition", name, folders, f"competition={name}")
    return folders[name]


def comparable_searches(competition: Path, like: Search | None = None) -> list[Search]:
    """Searches with the metric, images and folds of one job, or of the newest search.

    One that has trained nothing, since it failed or has just begun, sets no yardstick.

    Args:
        competition: The competition's folder.
        like: The job; None for the newest search.

    Returns:
        Oldest first, one at least.

    Raises:
        InputError: If there is none, as where searches were removed and promotions stayed.
    """
    every = [Search.read(p) for p in searches(competition.parent) if p.parent == competition]
    found = [s for s in every if s.opened.kind != "promotion"]

    def key(search: Search) -> tuple[str, str, str]:
        opened = search.opened
        return opened.metric, opened.data.digest, opened.folds.digest

    trained = [s for s in found if any(t.state == "finished" for t in s.trials.values())]
    yardstick = like or next(reversed(trained or found), None)
    alike = [s for s in found if yardstick is not None and key(s) == key(yardstick)]
    if not alike:
        alone = (
            f"beside {like.id}, with its metric, images and folds" if like else "beside promotions"
        )
        raise InputError(
            f"{competition}: there is no search {alone}: python -m search.run, or put the search "
            "back that was promoted from"
        )
    return alike


def finished_trials(found: list[Search]) -> list[Candidate]:
    """Trials on fold 0 that ran to their end, in order."""
    return [
        Candidate.of(search, trial)
        for search in found
        for trial in search.trials.values()
        if trial.state == "finished"
        and trial.why != "segment"
        and trial.config.run.fold == 0
        and trial.score(search.metric) is not None
    ]


def pick(pool: list[Candidate], select: str, band: int, others: dict[str, str]) -> list[Candidate]:
    """Selects candidates.

    Args:
        pool: Candidates that can be submitted, best first.
        select: ``best``, ``baseline``, ``band:<n>`` (n of the best ``band``, evenly over them),
            ``spread:<n>`` (n evenly over all), or ids separated by commas.
        band: How many of the pool are competitive.
        others: Ids that cannot be selected, with the reason.

    Raises:
        InputError: If nothing fits, or a name is unknown.
    """
    if not pool:
        raise InputError("there is no finished trial on fold 0 yet")
    kind, _, count = select.partition(":")
    if kind in ("band", "spread"):
        if not count.isdigit() or int(count) < 1:
            raise InputError(f"select={select}: write {kind}:<number>, such as {kind}:6")
        among = pool[:band] if kind == "band" else pool
        rows = np.unique(np.linspace(0, len(among) - 1, min(int(count), len(among))).round())
        return [among[int(r)] for r in rows]
    if select == "best":
        return pool[:1]
    if select == "baseline":
        found = [c for c in pool if c.untuned]
        if not found:
            raise InputError(
                "select=baseline: no baseline has been trained to its end yet: "
                "python -m search.train, with nothing fixed, trains it"
            )
        return found[:1]
    by_id = {c.id: c for c in pool}
    names = [name.strip() for name in select.split(",")]
    for name in names:
        if name in others:
            raise InputError(f"select={select}: {name} {others[name]}")
        if name not in by_id:
            choices = ["best", "baseline", "band:<n>", "spread:<n>", *by_id]
            raise unknown("finished trial", name, choices, f"select={select}")
    return [by_id[name] for name in dict.fromkeys(names)]
