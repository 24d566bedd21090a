"""``select=``: which trials of a competition are meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from results.trials import Search, Trial, find_search, searches
from spaces.errors import InputError, unknown


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A finished trial that holds out fold 0, with its search."""

    search: Search
    trial: Trial

    @property
    def id(self) -> str:
        """The trial's id."""
        return self.trial.id

    @property
    def score(self) -> float:
        """Its validation score, so that larger is better."""
        found = self.trial.score(self.search.metric)
        assert found is not None
        return found if self.search.direction == "maximize" else -found

    @property
    def folder(self) -> Path:
        """Where its predictions lie."""
        return self.search.trial_folder(self.trial)


def competition_folder(runs: Path, name: str) -> Path:
    """The folder of a competition, of the one worked on last if ``name`` is empty.

    Raises:
        InputError: If there is none.
    """
    if not runs.is_dir():
        raise InputError(f"runs={runs}: there is no such folder")
    folders = {p.parent.name: p.parent for p in searches(runs)}
    if not folders:
        raise InputError(f"there are no searches in {runs} yet")
    if not name:
        return find_search(runs, "latest").parent
    if name not in folders:
        raise unknown("competition", name, folders, f"competition={name}")
    return folders[name]


def candidates(competition: Path) -> list[Candidate]:
    """Finished trials on fold 0 that are comparable with the newest search, best first.

    Comparable are trials with its metric, images and folds.
    """
    found = [Search.read(p) for p in searches(competition.parent) if p.parent == competition]
    newest = found[-1].opened
    key = (newest["metric"], newest["data"]["digest"], newest["folds"]["digest"])
    same = [
        s
        for s in found
        if (s.opened["metric"], s.opened["data"]["digest"], s.opened["folds"]["digest"]) == key
    ]
    trials = [
        Candidate(search=s, trial=t)
        for s in same
        for t in s.trials.values()
        if t.state == "finished" and t.config.fold == 0 and t.score(s.metric) is not None
    ]
    return sorted(trials, key=lambda c: (-c.score, c.id))


def pick(pool: list[Candidate], select: str, band: int) -> list[Candidate]:
    """Selects candidates.

    Args:
        pool: Candidates, best first.
        select: ``best``, ``baseline``, ``band:<n>`` (n of the best ``band``, evenly over them),
            ``spread:<n>`` (n evenly over all), or ids separated by commas.
        band: How many of the pool are competitive.

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
        found = [c for c in pool if c.trial.why in ("baseline", "single")]
        if not found:
            raise InputError("select=baseline: no baseline has been trained to its end yet")
        return found[:1]
    by_id = {c.id: c for c in pool}
    names = [name.strip() for name in select.split(",")]
    for name in names:
        if name not in by_id:
            choices = ["best", "baseline", "band:<n>", "spread:<n>", *by_id]
            raise unknown("finished trial", name, choices, f"select={select}")
    return [by_id[name] for name in dict.fromkeys(names)]
