"""What a search's winner is compared with, and which trainings of a record belong to that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from results.records.trial import Trial
from results.records.trials import Search
from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.sections.labels import GIVEN
from spaces.sections.run import MixMatch
from spaces.trial_config import TrialConfig

CONTROLS: dict[str, dict[str, Any]] = {
    "no augmentation": {"policy": AugPolicy(), "mix": "none"},
    "TrivialAugment": {"policy": trivial_augment(), "mix": "none"},
    "labels as given": {"labels": GIVEN},
    "without pseudo-labels": {"pseudo": "none"},
    "without the extra images": {"extra": "none"},
    "without MixMatch": {"action": "train"},
}
"""Matched controls: the winner's configuration but for its augmentation, what it makes of corrected
labels, or the images that it learns from beside the labelled ones."""

WINNER, BASELINE = "winner", "the baseline"
"""The arm that all others are compared with, and the control that is no matched one."""


def confirmation_arms(winner: TrialConfig, baseline: TrialConfig) -> dict[str, TrialConfig]:
    """The winner and what it has to beat, by name; equal configurations appear once."""
    arms = {WINNER: winner}
    for name, changes in CONTROLS.items():
        if "action" in changes and not isinstance(winner.run, MixMatch):
            continue  # an action of the team's own is not what is asked about
        config = winner.replace(**changes)
        if config == baseline:
            name = f"{name} ({BASELINE})"
        if config != winner:
            arms[name] = config
    return arms if baseline in arms.values() else {**arms, BASELINE: baseline}


def is_baseline(control: str) -> bool:
    """Whether a control is the baseline, which may be a matched one, too."""
    return control == BASELINE or control.endswith(f" ({BASELINE})")


def concerns(trial: Trial, winner: Trial, search: Search) -> bool:
    """Whether a confirmation is of this winner: a search that went on may have had another."""
    ours = winner.config
    config = trial.asked.replace(seed=ours.run.seed, fold=ours.run.fold)
    if trial.arm == WINNER:
        return config == ours
    for changes in CONTROLS.values():
        fields = ["run" if name == "action" else name for name in changes]
        if replace(config, **{field: getattr(ours, field) for field in fields}) == ours:
            return True
    return any(config == t.asked for t in search.of("baseline"))
