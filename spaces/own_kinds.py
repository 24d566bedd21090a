"""Kinds and policies of a team's own, beside those that are here."""

from __future__ import annotations

from collections.abc import Iterable

from spaces.augmentation.families import FAMILIES, PIPELINES, Family
from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.pipeline import Pipeline
from spaces.errors import InputError, unknown
from spaces.sections.section import NAME, Section
from spaces.trial_config import ELSEWHERE, SECTIONS, parameters


def register(key: str, kind: str, settings: type[Section]) -> None:
    """Adds a team's own kind to a section.

    Args:
        key: The section, such as ``loss``.
        kind: Its name, as it is written in ``loss=<name>``.
        settings: Frozen dataclass of its parameters, derived from the section's base.

    Raises:
        InputError: If a name is taken, or the class is none of this section.
    """
    if key not in SECTIONS:
        raise unknown("section", key, SECTIONS)
    if kind in FAMILIES:
        raise InputError(f"{SECTIONS[key].parameter}={kind}: a policy has this name; rename yours")
    others = [kinds.names() for k, kinds in SECTIONS.items() if k != key]
    taken = [*(name for names in others for name in names), *ELSEWHERE, "policy", "stages"]
    own = set(SECTIONS[key].names())
    SECTIONS[key].add(kind, settings, taken=[name for name in taken if name not in own])


def register_family(name: str, build: Family) -> None:
    """Adds a team's own family of policies; its parameters are called ``<name>.<parameter>``.

    Raises:
        InputError: If the name is taken or no name, or ``build`` is no function.
    """
    _check_policy_name(name, FAMILIES)
    if not callable(build):
        raise InputError(f"policy={name}: a function from parameters to an AugPolicy is needed")
    FAMILIES[name] = build


def register_pipeline(pipeline: Pipeline) -> None:
    """Makes a team's own pipeline a policy of its name.

    Raises:
        InputError: If the name is taken by something else, or no name.
    """
    _check_policy_name(pipeline.name, (*FAMILIES, *OPERATIONS))
    PIPELINES[pipeline.name] = pipeline


def _check_policy_name(name: str, others: Iterable[str]) -> None:
    kinds = [kind for section in SECTIONS.values() for kind in section]
    if name in (*others, *kinds, *parameters()):
        raise InputError(f"policy={name}: the name is taken; choose another for your own")
    if not NAME.match(name):
        raise InputError(f"policy={name}: a name like rand_augment is needed")
