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

    @property
    def words(self) -> str:
        """What is done, in words; empty if nothing is."""
        return ""


@dataclass(frozen=True, kw_only=True)
class Pairs(Mixing):
    """Mixup (Zhang et al., ICLR 2018), CutMix (Yun et al., ICCV 2019), one of the two by batch,
    CutMix inside of the boxes of ``data.focus``, or SnapMix (Huang et al., AAAI 2021).

    Attributes:
        mix_alpha: Parameter of the Beta distribution of the mixing ratio.
        mix_probability: Share of batches that are mixed.
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

    @property
    def words(self) -> str:
        """Which of the two, how much, how often and until when."""
        often = (
            "" if self.mix_probability == 1 else f" in {self.mix_probability:.0%} of the batches"
        )
        kind = self.kind.replace("_", " ")
        return f"{kind} with alpha {self.mix_alpha:.2g}{often}{_until(self.unmixed_epochs)}"


@dataclass(frozen=True, kw_only=True)
class CopyPaste(Mixing):
    """Regions of masks pasted from another image of the batch (Ghiasi et al., CVPR 2021).

    Pasted are all pixels of some of the classes that the other image shows, each of them with a
    chance of one half, but never of the one that most of it is covered by.

    Attributes:
        paste_probability: Share of images that something is pasted into.
        unmixed_epochs: Last epochs, in which nothing is mixed.
    """

    kind: str = "copy_paste"
    paste_probability: float = 0.5
    unmixed_epochs: int = 0

    def __post_init__(self) -> None:
        self.demand(0 < self.paste_probability <= 1, "paste_probability", "above 0 and at most 1")
        self.demand(self.unmixed_epochs >= 0, "unmixed_epochs", "0 or more")

    @property
    def words(self) -> str:
        """How often and until when."""
        until = _until(self.unmixed_epochs)
        return f"regions pasted into {self.paste_probability:.0%} of the images{until}"


def _until(unmixed_epochs: int) -> str:
    return f", not in the last {unmixed_epochs} epochs" if unmixed_epochs else ""


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
        "copy_paste": CopyPaste,
    },
)
