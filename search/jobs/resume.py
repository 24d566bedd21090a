"""Resuming: what has changed since a job began is refused, and so is somebody else's job."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from results.records.trials import Search
from search.jobs.job import Prepared
from search.options.option import about
from search.options.training import EngineConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig


def check_owner(folder: Path) -> None:
    """Raises InputError unless a job's folder is this user's: what it says decides what is run."""
    owner = folder.stat().st_uid
    if owner != os.getuid():
        raise InputError(
            f"{folder} belongs to user {owner}, not to you ({os.getuid()}): only its owner can go "
            "on with it; history= lets a search of yours learn from it"
        )


def check_unchanged(search: Search, prepared: Prepared, config: EngineConfig) -> None:
    """Raises InputError, saying what differs, unless a job goes on with what it began with."""
    before, now = search.opened, prepared.opening
    decisive = [name for name, told in about(type(config)).items() if told.decides]
    pairs: list[tuple[str, Any, Any]] = [
        ("metric", before.metric, now.metric),
        ("direction", before.direction, now.direction),
        ("classes", list(before.classes), list(now.classes)),
        ("data", f"digest {before.data.digest}", f"digest {now.data.digest}"),
        ("teachers", before.teachers, now.teachers),
        ("folds", f"digest {before.folds.digest}", f"digest {now.folds.digest}"),
        ("stress", before.digests.stress or "none", now.digests.stress or "none"),
        *((o, before.options.get(o) or None, now.options.get(o) or None) for o in decisive),
    ]
    changes = [f"{what}: {then} then, {here} now" for what, then, here in pairs if then != here]
    changes += _differences("space", before.space, now.space)
    changes += _differences("pipeline", before.pipelines, now.pipelines)
    changes += _differences("baseline", _settings(before.baseline), _settings(now.baseline))
    if changes:
        raise InputError(
            f"{search.id} cannot go on with something else: {'; '.join(changes)}. Start a new job"
        )
    for what, then, here in (
        ("sources", before.digests.code, now.digests.code),
        ("functions of your own", before.digests.own, now.digests.own),
    ):
        if then != here and "code" not in config.accept:
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


def _settings(baseline: TrialConfig) -> dict[str, Any]:
    """A configuration's settings by flat name."""
    return {**baseline.flat(), "policy": baseline.policy.to_json()}


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a space by name, or settings of a configuration."""
    if "params" in value:
        return {p["name"]: p for p in value["params"]}
    return dict(value)
