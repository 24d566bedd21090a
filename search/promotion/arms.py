"""What is promoted: configurations of trials, changed as asked for, and variants of one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from search.competition.candidates import Candidate
from search.jobs.searched_choices import check_effect
from search.options.parameters import flatten, with_given
from search.options.training import PromoteConfig
from search.options.user_code import check_given
from spaces.errors import InputError
from spaces.size import parse_size
from spaces.trial_config import TrialConfig

VARIANTS = 6
"""Most variants of a trial, in a second stage."""


def promoted_arms(
    config: PromoteConfig, chosen: Sequence[Candidate]
) -> tuple[dict[str, TrialConfig], dict[str, str]]:
    """Promoted configurations by name, and the trial that each comes from.

    A list in ``promote.`` makes a variant of the trial for every choice.

    Raises:
        InputError: If there are too many variants, or several trials to make them of.
    """
    changes = flatten(config.promote)
    lists = {
        name: v for name, v in changes.items() if isinstance(v, list) and not _is_size(name, v)
    }
    if not lists:
        arms = {c.id: _promoted(config, c, changes) for c in chosen}
        return arms, {name: name for name in arms}
    shown = ", ".join(f"promote.{name}" for name in lists)
    variants = [
        dict(zip(lists, picked, strict=True)) for picked in itertools.product(*lists.values())
    ]
    if len(chosen) > 1:
        raise InputError(f"{shown}: variants are made of one trial, not of {len(chosen)}; no race=")
    if not 2 <= len(variants) <= VARIANTS:
        raise InputError(f"{shown}: {len(variants)} variants; 2 to {VARIANTS} can be tried")
    (candidate,) = chosen
    arms = {}
    for variant in variants:
        words = "_".join(re.sub(r"[^A-Za-z0-9_.-]", "_", str(v)) for v in variant.values())
        arms[f"{candidate.id}.{words}"] = _promoted(config, candidate, {**changes, **variant})
    return arms, dict.fromkeys(arms, candidate.id)


def _is_size(name: str, value: list[Any]) -> bool:
    """Whether a list is one size, height and width, instead of choices."""
    return (
        name in ("size", "predict_size")
        and len(value) == 2
        and all(isinstance(v, int) for v in value)
    )


def _promoted(
    config: PromoteConfig, candidate: Candidate, changes: Mapping[str, Any]
) -> TrialConfig:
    """The configuration of a trial with what the command line changes of it."""
    assert candidate.trial is not None
    found = candidate.trial.config
    own = {k: s.kind if s.own else "" for k, s in (("model", found.model), ("loss", found.loss))}
    for key, value in own.items():
        given = getattr(config, key)
        if given and ":" not in given:
            raise InputError(
                f"{key}={given}: write promote.{key}={given} to change what is promoted"
            )
        check_given(candidate.id, key, value, given)
    check_given(candidate.id, "prepare", found.data.prepare, config.prepare)
    if config.epochs:
        found = found.shortened(config.epochs)
    sizes = [parse_size(changes[name]) for name in ("size", "predict_size") if name in changes]
    if any(max(size) > found.data.store_side for size in sizes):
        found = found.replace(store_side=0)  # images are stored anew, larger
    changed = with_given(found, changes, "promote")
    check_effect(changes, changed, {}, "promote")
    return changed
