"""What of an image the network sees."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.sections.section import Kinds, Section, Size


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The whole image, resized.

    Attributes:
        size: Height and width in pixels that the network sees.
        store_side: Side in pixels at which decoded images are stored; crops are taken from it.
    """

    kind: str = "resized"
    size: Size = (224, 224)
    store_side: int = 0

    def __post_init__(self) -> None:
        self.demand(min(self.size) >= 8, "size", "at least 8 pixels high and wide")
        self.demand(
            self.store_side == 0 or self.store_side >= max(self.size),
            "store_side",
            f"0 or at least the training size {max(self.size)}",
        )


DATA = Kinds("data", Data, {"resized": Data})
