"""The network: which backbone, at which image size and how resized, with how much dropout."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.errors import unknown
from spaces.param import Param
from spaces.space import SearchSpace

FAMILIES = {
    "resnet": ("resnet10t", "resnet18", "resnet34", "resnet50"),
    "mobilenetv3": ("mobilenetv3_small_100", "mobilenetv3_large_100"),
    "efficientnet": ("efficientnet_b0", "efficientnet_b3"),
    "mnasnet": ("mnasnet_100",),
    "convnext": ("convnext_atto", "convnextv2_nano", "convnext_tiny"),
    "vit": ("vit_tiny_patch16_224", "vit_small_patch16_224"),
    "swin": ("swin_tiny_patch4_window7_224",),
    "inception": ("inception_next_tiny", "inception_v3"),
}
"""timm names by family, small ones first."""

WHOLE = ("inception_v3",)
"""Those among them that have no blocks to leave out."""

OF_ONE_SIZE = (*FAMILIES["vit"], *FAMILIES["swin"])
"""Those among them whose weights are for images of one size."""

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
"""Those that are searched unless others are named."""


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "larger networks of the families (names=)": (),
    "downloaded weights (pretrained=True)": ("pretrained",),
    "how images are resized (interpolations=)": ("interpolation",),
    "drop path and epochs in which only the head learns (full)": ("drop_path", "frozen_epochs"),
    "a larger size for predictions (fix.predict_size=)": ("predict_size",),
}


def backbone(
    names: tuple[str, ...] = BACKBONES,
    sizes: tuple[str, ...] = ("64x64", "96x96", "128x128"),
    families: tuple[str, ...] = (),
    pretrained: bool = False,
    interpolations: tuple[str, ...] = (),
) -> SearchSpace:
    """timm names, sizes as height x width, and the dropout before the head.

    Args:
        names: Which ones; two with a ``+`` between them stand side by side.
        sizes: Height x width.
        families: All of these families instead, such as ``resnet`` and ``vit``.
        pretrained: Whether downloaded weights are a choice.
        interpolations: How decoded images are resized, each with stored images of its own; empty
            not to search it.

    Raises:
        InputError: For a family that is not in the table.
    """
    for family in families:
        if family not in FAMILIES:
            raise unknown("family", family, FAMILIES, f"families={list(families)}")
    chosen = tuple(name for family in families for name in FAMILIES[family]) or tuple(names)
    further = {"pretrained": (False, True) * pretrained, "interpolation": tuple(interpolations)}
    return SearchSpace(
        name="backbone",
        left_out=LEFT_OUT,
        params=(
            Param(name="backbone", distribution=CategoricalDistribution(chosen)),
            Param(name="size", distribution=CategoricalDistribution(sizes)),
            Param(name="dropout", distribution=FloatDistribution(0.0, 0.5)),
            *(
                Param(name=name, distribution=CategoricalDistribution(choices))
                for name, choices in further.items()
                if choices
            ),
        ),
    )
