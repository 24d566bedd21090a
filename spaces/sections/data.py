"""What the network sees of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from spaces.names import check_name
from spaces.sections.section import Kinds, Section, Size

Shape = Literal["squash", "pad", "crop", "native"]
Fill = Literal["black", "reflect", "nearest", "mean"]
Preprocess = Literal["none", "clahe", "gray", "sharpen", "gray_world"]
AugmentOn = Literal["image", "batch"]
Crop = Literal["random", "present"]
Weights = Literal["gaussian", "flat", "cut"]
Interpolation = Literal["auto", "bilinear", "bicubic", "lanczos", "area"]

SHAPES: tuple[str, ...] = get_args(Shape)
INTERPOLATIONS: tuple[str, ...] = get_args(Interpolation)
FILLS: tuple[str, ...] = get_args(Fill)
PREPROCESSINGS: tuple[str, ...] = get_args(Preprocess)

GROWN = 0.75
"""Share of the epochs after which images that grow have their size."""


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The image, or a box of it.

    Attributes:
        size: Height and width in pixels that the network sees.
        predict_size: The same for predictions; 0 is the size of training.
        first_share: Share of the size at which a training begins. It grows until three quarters of
            the epochs are done (EfficientNetV2; Tan and Le, ICML 2021), in steps of 32 pixels if
            the size is a multiple of 32. 1 is the full size from the start.
        store_side: Side in pixels at which decoded images are stored; crops are taken from it. Of
            images that keep their sizes, the longest side that is stored; 0 for any.
        boxes: File of the boxes that are cut out of the images, beside the folds; empty for none.
        focus: The same of boxes that mixing keeps to.
        prepare: A team's own function of a decoded image, ``module:function``, or empty.
        shape: How an image gets the aspect ratio of the size.
        interpolation: How it is resized to the side at which it is stored.
        fill: What fills a border that an augmentation uncovers; ``mean`` is ImageNet's.
        augment_on: Whether the loading processes augment image by image, or the training's device
            whole batches.
        preprocess: What is done to every picture first, in training and prediction: lightness
            equalised locally, colour removed, sharpening, or colours balanced as if the world were
            grey.
    """

    kind: str = "resized"
    size: Size = (224, 224)
    predict_size: Size = (0, 0)
    first_share: float = 1.0
    store_side: int = 0
    boxes: str = ""
    focus: str = ""
    prepare: str = ""
    shape: Shape = "squash"
    interpolation: Interpolation = "auto"
    fill: Fill = "black"
    augment_on: AugmentOn = "image"
    preprocess: Preprocess = "none"

    def __post_init__(self) -> None:
        self.demand(min(self.size) >= 8, "size", "at least 8 pixels high and wide")
        self.demand(
            self.predict_size == (0, 0) or min(self.predict_size) >= 8,
            "predict_size",
            "at least 8 pixels high and wide, or 0 for the size of training",
        )
        self.demand(0 < self.first_share <= 1, "first_share", "above 0 and at most 1")
        begins, unit = self.size_at(0.0), math.gcd(32, *self.size)
        self.demand(
            self.first_share == 1 or (begins != self.size and min(begins) >= 8),
            "first_share",
            f"1, or a share with which it begins smaller, in steps of {unit} pixels from 8 on",
        )
        largest = max(*self.size, *self.predict_size)
        self.demand(
            (self.shape == "native") == (self.kind == "windows"),
            "shape",
            "native where windows of images are seen, and not elsewhere",
        )
        self.demand(
            self.store_side == 0 or self.store_side >= largest,
            "store_side",
            f"0 or at least the largest size {largest}",
        )
        for name in ("boxes", "focus"):
            if getattr(self, name):
                check_name(getattr(self, name), name)
        if self.shape in ("pad", "crop"):
            (height, width), seen = self.size, self.prediction_size
            self.demand(
                seen[0] * width == seen[1] * height,
                "predict_size",
                f"in the proportions of size={height}x{width}, which data.shape={self.shape} keeps",
            )

    def size_at(self, progress: float) -> Size:
        """Height and width that the network sees in training.

        Args:
            progress: Share of the epochs that are done, from 0 in the first to 1 in the last.
        """
        share = self.first_share + (1 - self.first_share) * min(1.0, progress / GROWN)
        unit = math.gcd(32, *self.size)

        def grown(side: int) -> int:
            return max(unit, math.floor(side * share / unit + 0.5) * unit)

        height, width = self.size
        return grown(height), grown(width)

    @property
    def prediction_size(self) -> Size:
        """Height and width in pixels that the network sees where it predicts."""
        return self.predict_size if any(self.predict_size) else self.size


@dataclass(frozen=True, kw_only=True)
class Windows(Data):
    """Windows of images that keep their sizes, for masks.

    Attributes:
        window_scale: Factor by which images are resized before windows are cut out.
        window_crop: Which windows are trained on: any, or those with a pixel of a class drawn from
            all in the image, whatever their sizes.
        window_overlap: Share of its side by which a window overlaps the next in predictions.
        window_weights: Weights of a window's pixels in predictions: more in the middle, all alike,
            or only those far enough from its edges.
        scored_images: Held-out images that are scored after each epoch but the last, which scores
            all; 0 for all.
    """

    kind: str = "windows"
    shape: Shape = "native"
    window_scale: float = 1.0
    window_crop: Crop = "random"
    window_overlap: float = 0.25
    window_weights: Weights = "gaussian"
    scored_images: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(0 < self.window_scale <= 4, "window_scale", "above 0, at most 4")
        self.demand(0 <= self.window_overlap <= 0.9, "window_overlap", "within 0 to 0.9")
        self.demand(self.scored_images >= 0, "scored_images", "0 or more")


DATA = Kinds("framing", Data, {"resized": Data, "windows": Windows})
