"""What of an image the network sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from spaces.names import check_name
from spaces.sections.section import Kinds, Section, Size

Shape = Literal["squash", "pad", "crop"]
Fill = Literal["black", "reflect", "nearest", "mean"]
Interpolation = Literal["auto", "bilinear", "bicubic", "lanczos", "area"]

SHAPES: tuple[str, ...] = get_args(Shape)
INTERPOLATIONS: tuple[str, ...] = get_args(Interpolation)
FILLS: tuple[str, ...] = get_args(Fill)


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The image, or a box of it, resized.

    Attributes:
        size: Height and width in pixels that the network sees.
        predict_size: The same where it predicts; 0 is the size of training.
        store_side: Side in pixels at which decoded images are stored; crops are taken from it.
        boxes: File of the boxes that are cut out of the images, beside the folds; empty for none.
        prepare: A team's own function of a decoded image, ``module:function``, or empty.
        shape: How an image gets the proportions of the size.
        interpolation: How it gets the side at which it is stored.
        fill: What stands where an augmentation uncovers a border: ``mean`` is ImageNet's.
    """

    kind: str = "resized"
    size: Size = (224, 224)
    predict_size: Size = (0, 0)
    store_side: int = 0
    boxes: str = ""
    prepare: str = ""
    shape: Shape = "squash"
    interpolation: Interpolation = "auto"
    fill: Fill = "black"

    def __post_init__(self) -> None:
        self.demand(min(self.size) >= 8, "size", "at least 8 pixels high and wide")
        self.demand(
            self.predict_size == (0, 0) or min(self.predict_size) >= 8,
            "predict_size",
            "at least 8 pixels high and wide, or 0 for the size of training",
        )
        largest = max(*self.size, *self.predict_size)
        self.demand(
            self.store_side == 0 or self.store_side >= largest,
            "store_side",
            f"0 or at least the largest size {largest}",
        )
        if self.boxes:
            check_name(self.boxes, "boxes")
        if self.shape != "squash":
            (height, width), seen = self.size, self.prediction_size
            self.demand(
                seen[0] * width == seen[1] * height,
                "predict_size",
                f"in the proportions of size={height}x{width}, which data.shape={self.shape} keeps",
            )

    @property
    def prediction_size(self) -> Size:
        """Height and width in pixels that the network sees where it predicts."""
        return self.predict_size if any(self.predict_size) else self.size


DATA = Kinds("data", Data, {"resized": Data})
