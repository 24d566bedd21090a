"""Everything at once, for those with the GPUs: more choices than a few hundred trials settle."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.augmentation.families import FAMILIES, PIPELINES
from spaces.param import Param, When
from spaces.ready.aug_policy import aug_policy
from spaces.ready.averaging import averaging
from spaces.ready.backbone import FAMILIES as BACKBONES
from spaces.ready.backbone import OF_ONE_SIZE, WHOLE, backbone
from spaces.ready.imbalance import imbalance
from spaces.ready.loss import loss
from spaces.ready.optimizer import optimizer
from spaces.ready.policies import policies
from spaces.ready.preprocess import preprocess
from spaces.ready.schedule import schedule
from spaces.sections.data import FILLS
from spaces.sections.optimizer import OPTIMIZERS
from spaces.sections.schedule import SCHEDULES
from spaces.space import SearchSpace

SIZES = ("96x96", "128x128")
"""That every backbone of the families can see."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "masks (segmentation)": ("decoder*",),
    "corrected labels (labels)": ("labels",),
    "extra images (extra)": ("extra",),
    "pseudo-labels (pseudo)": ("pseudo",),
    "groups, which not every contest has (imbalance)": ("sampling.grouped",),
}


def full(
    families: Sequence[str] = tuple(BACKBONES),
    sizes: Sequence[str] = SIZES,
    stages: int = 2,
    pretrained: bool = False,
) -> SearchSpace:
    """Network, optimizer, schedule, loss, averaging, augmentation and imbalance, joined.

    What only some choices have is drawn where it has a meaning.

    Args:
        families: Of backbones.
        sizes: Height x width.
        stages: Most stages of a policy of stages.
        pretrained: Whether downloaded weights are a choice, with epochs in which they are frozen
            and layers of them that begin anew.
    """
    parts = (
        _network(families, sizes, pretrained),
        optimizer(names=tuple(OPTIMIZERS)),
        _around_the_optimizer(),
        schedule(kinds=tuple(SCHEDULES)),
        loss(),
        averaging(),
        _augmentation(stages),
        imbalance().pin({"loss": "cross_entropy"}),
    )
    return replace(functools.reduce(SearchSpace.join, parts), name="full", left_out=LEFT_OUT)


def _network(families: Sequence[str], sizes: Sequence[str], pretrained: bool) -> SearchSpace:
    chosen = backbone(families=tuple(families), sizes=tuple(sizes), pretrained=pretrained)
    able = tuple(name for name in chosen["backbone"].categories if name not in WHOLE)
    further = []
    if pretrained:
        known = (When(parameter="pretrained", values=(True,)),)
        further += [
            Param(name="frozen_epochs", distribution=IntDistribution(0, 2), when=known),
            Param(name="fresh_layers", distribution=IntDistribution(0, 3), when=known),
        ]
    if able:
        when = (When(parameter="backbone", values=able),)
        rate = FloatDistribution(0.0, 0.3)
        further.append(Param(name="drop_path", distribution=rate, when=when))
    growing = tuple(name for name in able if name not in OF_ONE_SIZE)
    if growing:
        when = (When(parameter="backbone", values=growing),)
        shares = CategoricalDistribution((1.0, 0.5))
        further.append(Param(name="first_share", distribution=shares, when=when))
    return SearchSpace(name="network", params=(*chosen.params, *further))


def _around_the_optimizer() -> SearchSpace:
    return SearchSpace(
        name="around",
        params=(
            Param(name="layer_decay", distribution=FloatDistribution(0.6, 1.0)),
            Param(name="lookahead", distribution=CategoricalDistribution((0, 6))),
            Param(name="sam_radius", distribution=CategoricalDistribution((0.0, 0.05))),
        ),
    )


def _augmentation(stages: int) -> SearchSpace:
    """One of the policies, a team's own pipelines among them, mixing, and what comes before."""
    mixing = aug_policy(stages)
    fills = Param(name="fill", distribution=CategoricalDistribution(FILLS))
    around = SearchSpace(name="around", params=(fills, mixing["mix"], mixing["mix_alpha"]))
    return policies((*FAMILIES, *PIPELINES), stages).join(around).join(preprocess())
