"""Mixing the images of a batch."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Mixing(Section):
    """No mixing."""

    kind: str = "none"

    @property
    def pairs(self) -> bool:
        """Whether images are mixed in pairs, for which a batch must be even."""
        return False


@dataclass(frozen=True, kw_only=True)
class Pairs(Mixing):
    """Mixup (Zhang et al., ICLR 2018), CutMix (Yun et al., ICCV 2019), one of the two by batch,
    CutMix inside of the boxes of ``data.focus``, or SnapMix (Huang et al., AAAI 2021).

    Attributes:
        mix_alpha: Beta parameter of the mixing share.
        mix_probability: Share of the batches that are mixed.
        unmixed_epochs: Last epochs, in which nothing is mixed.
    """

    kind: str = "mixup"
    mix_alpha: float = 0.2
    mix_probability: float = 1.0
    unmixed_epochs: int = 0

    def __post_init__(self) -> None:
        self.demand(self.mix_alpha > 0, "mix_alpha", "above 0")
        self.demand(0 < self.mix_probability <= 1, "mix_probability", "above 0 and at most 1")
        self.demand(self.unmixed_epochs >= 0, "unmixed_epochs", "0 or more")

    @property
    def pairs(self) -> bool:
        """Always."""
        return True


SNAPMIX, BOX_CUTMIX = "snapmix", "cutmix_box"

MIXINGS = Kinds(
    "mix",
    Mixing,
    {
        "none": Mixing,
        "mixup": Pairs,
        "cutmix": Pairs,
        "mixup_or_cutmix": Pairs,
        BOX_CUTMIX: Pairs,
        SNAPMIX: Pairs,
    },
)
