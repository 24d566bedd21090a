"""Resuming: a job is found, its options are read back, and what has changed is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from results.report import resume_command
from results.secrets import HIDDEN
from results.trials import Search, find_search
from search.config import EngineConfig
from search.job import Prepared
from spaces.errors import InputError

DECISIVE = (
    "fix",
    "scheduler",
    "seed",
    "predict",
    "fold",
    "promote",
    "folds",
    "seeds",
    "race",
    "history",
)
"""Options that decide what is trained, beside those that show in space and baseline."""

MAY_CHANGE = ("trials", "confirm")
"""Fields of the opening event that a resumed job may have changed."""

OWN_CODE = ("model", "loss", "metric", "space")
"""Options that may name a function of the user's, which only a command line may do."""


def recorded_options(kind: str) -> Callable[[EngineConfig], Mapping[str, Any]]:
    """Reads the options of a job of one kind.

    Args:
        kind: ``search``, ``train`` or ``promotion``.
    """

    def read(given: EngineConfig) -> Mapping[str, Any]:
        search = find_job(given, kind)
        options = dict(search.opened["options"])
        for key in OWN_CODE:
            reference = options.get(key, "")
            names = reference if isinstance(reference, list) else [reference]
            if any(":" in str(name) for name in names):
                if getattr(given, key) != reference:
                    raise InputError(
                        f"{search.id} was started with {key}={reference}: say so on the command "
                        "line, since nothing is imported because a file says so"
                    )
                del options[key]
        if HIDDEN in options.get("tracking", "") and not given.tracking:
            raise InputError(
                f"{search.id} was started with tracking={options['tracking']}: say so on the "
                "command line, since passwords are not recorded"
            )
        if kind == "promotion":
            options["competition"] = search.folder.parent.name
        return {**options, "runs": given.runs, "resume": search.id}

    return read


def find_job(config: EngineConfig, kind: str) -> Search:
    """The job that ``resume=`` names.

    Raises:
        InputError: If there is none, it is of another kind, or was started by a version that kept
            no options.
    """
    competition = getattr(config, "competition", "")
    name = f"{competition}/{config.resume}" if competition else config.resume
    search = Search.read(find_search(Path(config.runs), name))
    found = str(search.opened["kind"])
    if found != kind:
        raise InputError(
            f"resume={config.resume}: {search.id} is a {found}: {resume_command(search)}"
        )
    if "options" not in search.opened:
        raise InputError(f"resume={config.resume}: its record has no options to go on with")
    return search


def check_owner(folder: Path) -> None:
    """Raises InputError unless a job's folder is this user's: what it says decides what is run."""
    owner = folder.stat().st_uid
    if owner != os.getuid():
        raise InputError(
            f"{folder} belongs to user {owner}, not to you ({os.getuid()}): only its owner can go "
            "on with it; history= lets a search of yours learn from it"
        )


def check_unchanged(search: Search, prepared: Prepared, accept: list[str]) -> None:
    """Raises InputError, saying what differs, unless a job goes on with what it began with."""
    before, now = search.opened, prepared.opening
    changes = []
    for what in ("metric", "direction", "classes"):
        if before[what] != now[what]:
            changes.append(f"{what}: {before[what]} then, {now[what]} now")
    for what in ("data", "folds"):
        then, here = before[what]["digest"], now[what]["digest"]
        if then != here:
            changes.append(f"{what}: digest {then} then, {here} now")
    changes += _differences("space", before["space"], now["space"])
    changes += _differences("baseline", before["baseline"], now["baseline"])
    for option in DECISIVE:
        then, here = (o["options"].get(option) or None for o in (before, now))
        if then != here:
            changes.append(f"{option}: {then} then, {here} now")
    if changes:
        raise InputError(
            f"{search.id} cannot go on with something else: {'; '.join(changes)}. Start a new job"
        )
    for whose, what in {"code": "sources", "own": "functions of your own"}.items():
        then, here = (d["digests"].get(whose, "") for d in (before, now))
        if then != here and "code" not in accept:
            raise InputError(
                f"{search.id} was started with other {what} (digest {then}, now {here}): trials "
                "would not be alike; accept=[code] goes on"
            )


def _differences(what: str, before: Any, now: Any) -> list[str]:
    """What differs in two JSON structures, by the names at their top."""
    if before == now:
        return []
    if before is None or now is None:
        return [f"{what}: {'none' if before is None else 'one'} then"]
    found = []
    old, new = _named(before), _named(now)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            then, here = (json.dumps(x.get(name)) for x in (old, new))
            found.append(f"{what} {name}: {then[:120]} then, {here[:120]} now")
    return found


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a space by name, or fields of a configuration."""
    if "params" in value:
        return {p["name"]: p for p in value["params"]}
    return dict(value)
