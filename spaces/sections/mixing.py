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
    """Mixup (Zhang et al., ICLR 2018) or CutMix (Yun et al., ICCV 2019).

    Attributes:
        mix_alpha: Beta parameter of the mixing share.
    """

    kind: str = "mixup"
    mix_alpha: float = 0.2

    def __post_init__(self) -> None:
        self.demand(self.mix_alpha > 0, "mix_alpha", "above 0")

    @property
    def pairs(self) -> bool:
        """Always."""
        return True


MIXINGS = Kinds("mix", Mixing, {"none": Mixing, "mixup": Pairs, "cutmix": Pairs})
