"""Masks: the decoder and its width, the learning rate, the loss, and weights of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.errors import unknown
from spaces.param import Param, When
from spaces.ready.schedule import LEARNING_RATE
from spaces.sections.model import Decoder
from spaces.space import SearchSpace

DECODERS = ("unet", "unetplusplus", "fpn", "deeplabv3plus", "segformer", "upernet")

LOSSES = ("cross_entropy", "dice", "lovasz", "focal", "boundary")


LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "backbone and size (by what a trial may cost)": ("backbone", "size"),
    "windows (by what a trial may cost)": ("window*",),
    "augmentation (aug_policy)": ("stage*", "policy"),
    "the schedule (schedule)": ("warmup_epochs", "weight_decay"),
    "the optimizer (optimizer)": ("optimizer", "batch"),
    "Jaccard and Tversky (kin of Dice)": ("loss.jaccard", "loss.tversky"),
    "what needs no training (search.postprocess)": (),
}


def segmentation(decoders: tuple[str, ...] = DECODERS) -> SearchSpace:
    """Five dimensions and up to two that belong to a loss or to weights, for ``model=smp``.

    Args:
        decoders: Which are tried.

    Raises:
        InputError: For a decoder that is not known.
    """
    for name in decoders:
        if name not in get_args(Decoder):
            raise unknown("decoder", name, get_args(Decoder), f"decoders={list(decoders)}")
    return SearchSpace(
        name="segmentation",
        left_out=LEFT_OUT,
        params=(
            Param(name="decoder", distribution=CategoricalDistribution(decoders)),
            Param(name="decoder_width", distribution=FloatDistribution(0.5, 1.5)),
            Param(name="lr", distribution=LEARNING_RATE),
            Param(name="loss", distribution=CategoricalDistribution(LOSSES)),
            Param(
                name="entropy_share",
                distribution=FloatDistribution(0.1, 0.9),
                when=(When(parameter="loss", values=("dice", "lovasz")),),
            ),
            Param(
                name="gamma",
                distribution=FloatDistribution(0.5, 5.0),
                when=(When(parameter="loss", values=("focal",)),),
            ),
            Param(
                name="boundary_weight",
                distribution=FloatDistribution(1.5, 10.0, log=True),
                when=(When(parameter="loss", values=("boundary",)),),
            ),
            Param(name="weighting", distribution=CategoricalDistribution(("none", "balanced"))),
            Param(
                name="weight_power",
                distribution=FloatDistribution(0.1, 0.7),
                when=(When(parameter="weighting", values=("balanced",)),),
            ),
        ),
        starts=(
            {"decoder": "unet", "decoder_width": 1.0, "loss": "dice", "entropy_share": 0.5},
            {"decoder": "fpn", "decoder_width": 1.0, "loss": "cross_entropy", "lr": 1e-3},
        ),
    )
