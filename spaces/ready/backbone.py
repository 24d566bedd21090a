"""The network: which backbone, at which image size, with how much dropout."""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param
from spaces.space import SearchSpace

BACKBONES = (
    "resnet10t",
    "resnet18",
    "resnet34",
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "efficientnet_b0",
    "convnext_atto",
    "convnextv2_nano",
)


def backbone(
    names: tuple[str, ...] = BACKBONES, sizes: tuple[str, ...] = ("64x64", "96x96", "128x128")
) -> SearchSpace:
    """timm names, sizes as height x width, and the dropout before the head."""
    return SearchSpace(
        name="backbone",
        params=(
            Param(name="backbone", distribution=CategoricalDistribution(names)),
            Param(name="size", distribution=CategoricalDistribution(sizes)),
            Param(name="dropout", distribution=FloatDistribution(0.0, 0.5)),
        ),
    )
