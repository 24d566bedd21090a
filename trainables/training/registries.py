"""All registries of what a configuration stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spaces.trial_config import TrialConfig
from trainables.data.extra import EXTRAS
from trainables.data.labellings import LABELLINGS
from trainables.data.pseudo_labels import PSEUDO_LABELS
from trainables.data.samplings import SAMPLINGS
from trainables.data.weightings import WEIGHTINGS
from trainables.losses.losses import LOSSES
from trainables.networks.networks import NETWORKS
from trainables.parts import Parts
from trainables.training.actions import ACTIONS
from trainables.training.averages import AVERAGES
from trainables.training.mixings import MIXINGS
from trainables.training.optimizers import OPTIMIZERS, check_optimizer
from trainables.training.schedules import SCHEDULES

REGISTRIES: tuple[Parts[Any], ...] = (
    NETWORKS,
    OPTIMIZERS,
    SCHEDULES,
    LOSSES,
    MIXINGS,
    LABELLINGS,
    SAMPLINGS,
    WEIGHTINGS,
    EXTRAS,
    PSEUDO_LABELS,
    AVERAGES,
    ACTIONS,
)


def check_makers(config: TrialConfig, own: Mapping[str, Callable[..., Any]]) -> None:
    """Raises InputError unless everything that a configuration names can be made here.

    Args:
        config: The configuration.
        own: Functions named on the command line, by ``module:function``.
    """
    for registry in REGISTRIES:
        registry.of(config.section(registry.section), own)
    check_optimizer(config.optimizer.kind)
