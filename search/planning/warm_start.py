"""Warm start: what earlier searches of a competition tell the sampler of a new one.

Only numbers and choices are taken from them, and only of trainings that this search could have
proposed itself: the same data, folds and metric, and a configuration that differs in nothing but
what is searched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.records.objective import STRESS, objective
from results.records.opening import Past
from results.records.searches import find_search
from results.records.secrets import masked
from results.records.trials import Search
from search.jobs.job import Prepared
from spaces.errors import InputError
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig

FROM_MLFLOW = "mlflow"
"""The name that stands for everything in the tracking store."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A training as a record tells it.

    Attributes:
        id: Global id of the trial.
        values: Parameters by name, as values or texts: those drawn and those of its configuration.
        seed: Its seed.
        digest: Digest of its configuration.
        scores: The contest's metric by epoch.
        finished: Whether it ran to its end.
    """

    id: str
    values: Mapping[str, Any]
    seed: int
    digest: str
    scores: tuple[float, ...]
    finished: bool


def read_history(
    names: list[str],
    runs: Path,
    tracking: str,
    prepared: Prepared,
    space: SearchSpace,
    fix: Mapping[str, Any],
) -> tuple[list[Past], list[str]]:
    """Reads earlier trainings.

    Args:
        names: Searches of this competition, or ``mlflow`` for all in the tracking store.
        runs: The runs folder.
        tracking: URI of the tracking store.
        prepared: The new search.
        space: What it searches.
        fix: What is pinned.

    Returns:
        What the sampler learns from, and for each name in a sentence how much that is.

    Raises:
        InputError: If there is no such search, it is of other data, or the store is away.
    """
    found: dict[str, Past] = {}
    words = []
    for name in names:
        if name == FROM_MLFLOW:
            sources = _tracked(prepared, tracking)
        else:
            sources = _recorded(name, runs, prepared)
        fits = [_fit(source, prepared.baseline, space, fix) for source in sources]
        new = {p.id: p for p in fits if isinstance(p, Past) and p.id not in found}
        found |= new
        sentence = f"history: {len(new)} of {len(sources)} trials of {name} tell the sampler"
        reasons = Counter(reason for reason in fits if isinstance(reason, str))
        if reasons:
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))
            sentence += f"; others are left out: {why}"
        words.append(sentence)
    return list(found.values()), words


def _fit(
    source: Source, baseline: TrialConfig, space: SearchSpace, fix: Mapping[str, Any]
) -> Past | str:
    """The training as one of this search, or why it is of no use here."""
    params = space.read(source.values)
    if params is None:
        return "outside the space"
    if not source.scores:
        return "without a score at every epoch"
    try:
        config = baseline.with_params({**fix, **params}).replace(seed=source.seed)
    except InputError:
        return "not valid with these options"
    if config.digest != source.digest:
        other = [name for name in _differences(source.values, config) if name not in params]
        return f"with another {' and '.join(other) or 'policy'}"
    return Past(id=source.id, params=dict(params), scores=source.scores, finished=source.finished)


def _recorded(name: str, runs: Path, prepared: Prepared) -> list[Source]:
    """The hold-out trainings of a job in the runs folder."""
    competition = prepared.job.competition
    search = Search.read(find_search(runs, name if "/" in name else f"{competition}/{name}"))
    theirs, ours = search.opened, prepared.opening
    for what in ("competition", "metric", "direction"):
        then, here = getattr(theirs, what), getattr(ours, what)
        if then != here:
            raise InputError(f"history={name}: its {what} is {then}, here {here}")
    for what, then, here in (
        ("data", theirs.data.digest, ours.data.digest),
        ("folds", theirs.folds.digest, ours.folds.digest),
    ):
        if then != here:
            raise InputError(f"history={name}: it has other {what}; scores cannot be compared")
    own = ":" in str(theirs.options.get("metric", "")) + prepared.job.metric
    if own and theirs.digests.own != ours.digests.own:
        raise InputError(f"history={name}: your own functions were others; scores differ")
    if ours.digests.stress != theirs.digests.stress and prepared.job.objective == STRESS:
        raise InputError(f"history={name}: it has another stress, or none; scores differ")
    key = objective(prepared.job.objective).key(search.metric)
    return [
        Source(
            id=t.id,
            values={**t.asked.flat(), **t.params},
            seed=t.asked.run.seed,
            digest=t.asked.digest,
            scores=_scores(e.metrics.get(key) for e in t.epochs),
            finished=t.state == "finished",
        )
        for t in search.trials.values()
        if t.config.run.fold == 0 and t.state in ("finished", "stopped") and t.why != "segment"
    ]


def _tracked(prepared: Prepared, tracking: str) -> list[Source]:
    """The hold-out trainings of everybody whose runs are in the tracking store."""
    from results.tracking.history import tracked_trials
    from results.tracking.store import TRACKING_ERRORS

    opened = prepared.opening
    if prepared.job.objective == STRESS:
        raise InputError("history=mlflow: with objective=stress, name the searches instead")
    try:
        trials = tracked_trials(
            tracking,
            opened.competition,
            metric=opened.metric,
            data=opened.data.digest,
            folds=opened.folds.digest,
        )
    except TRACKING_ERRORS as error:
        reason = masked(f"{tracking} cannot be read: {error}", tracking).splitlines()[0]
        raise InputError(f"history=mlflow: {reason}") from error
    return [
        Source(
            id=t.id,
            values=t.params,
            seed=int(t.params["seed"]),
            digest=t.digest,
            scores=_scores(t.scores),
            finished=t.finished,
        )
        for t in trials
        if t.params.get("fold") == "0" and t.params.get("seed", "").isdigit()
    ]


def _differences(values: Mapping[str, Any], config: TrialConfig) -> list[str]:
    """Settings in which parameters differ from ours; a policy has too many forms to tell."""
    return [name for name, ours in config.flat().items() if str(values.get(name, "")) != str(ours)]


def _scores(values: Iterable[float | None]) -> tuple[float, ...]:
    found = list(values)
    return tuple(v for v in found if v is not None) if None not in found else ()
