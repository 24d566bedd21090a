"""Each operation of the table as an albumentations transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2

from results.masks.counts import VOID
from spaces.augmentation.operations import operation
from spaces.augmentation.policy import Choice, Course
from trainables.augment.warps import Affine, ElasticTransform, GridDistortion, Perspective
from trainables.portable.sharpness import Sharpness
from trainables.portable.solarize_add import SolarizeAdd

Build = Callable[[float, float, tuple[int, int]], Any]
"""From limit, probability and training size to a transform."""

SHADOWS = 2
"""At most, in an image."""

TILES = 4
"""Along each side, that are equalised one by one."""


def _jitter(**factors: tuple[float, float]) -> dict[str, tuple[float, float]]:
    still = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    return {**still, **factors}


def _around(limit: float) -> tuple[float, float]:
    return (1 - limit, 1 + limit)


_LIMITED: dict[str, Build] = {
    "rotate": lambda v, p, _: Affine(rotate=(-v, v), fill_mask=VOID, p=p),
    "shear_x": lambda v, p, _: Affine(shear={"x": (-v, v), "y": (0, 0)}, fill_mask=VOID, p=p),
    "shear_y": lambda v, p, _: Affine(shear={"x": (0, 0), "y": (-v, v)}, fill_mask=VOID, p=p),
    "translate_x": lambda v, p, _: Affine(
        translate_percent={"x": (-v, v), "y": (0, 0)}, fill_mask=VOID, p=p
    ),
    "translate_y": lambda v, p, _: Affine(
        translate_percent={"x": (0, 0), "y": (-v, v)}, fill_mask=VOID, p=p
    ),
    "scale": lambda v, p, _: Affine(scale=_around(v), fill_mask=VOID, p=p),
    "crop": lambda v, p, size: A.RandomResizedCrop(
        size=size,
        scale=(v, 1.0),
        mask_interpolation=cv2.INTER_NEAREST_EXACT,
        area_for_downscale="image",
        p=p,
    ),
    "perspective": lambda v, p, _: Perspective(scale=(0, v), fill_mask=VOID, p=p),
    "grid_distortion": lambda v, p, _: GridDistortion(distort_limit=(-v, v), fill_mask=VOID, p=p),
    "brightness": lambda v, p, _: A.ColorJitter(**_jitter(brightness=_around(v)), p=p),
    "contrast": lambda v, p, _: A.ColorJitter(**_jitter(contrast=_around(v)), p=p),
    "saturation": lambda v, p, _: A.ColorJitter(**_jitter(saturation=_around(v)), p=p),
    "hue": lambda v, p, _: A.ColorJitter(**_jitter(hue=(-v, v)), p=p),
    "sharpness": lambda v, p, _: Sharpness(factor_range=_around(v), p=p),
    "posterize": lambda v, p, _: A.Posterize(num_bits=(max(1, 8 - round(v)), 7), p=p),
    "solarize": lambda v, p, _: A.Solarize(threshold_range=(1 - v, 1.0), p=p),
    "blur": lambda v, p, _: A.GaussianBlur(sigma_limit=(0.1 * v, v), blur_limit=0, p=p),
    "noise": lambda v, p, _: A.GaussNoise(std_range=(0, v), p=p),
    "compression": lambda v, p, _: A.ImageCompression(quality_range=(100 - round(v), 100), p=p),
    "cutout": lambda v, p, _: A.CoarseDropout(
        num_holes_range=(1, 1), hole_height_range=(0.1 * v, v), hole_width_range=(0.1 * v, v), p=p
    ),
    "grid_mask": lambda v, p, _: A.GridDropout(ratio=v, p=p),
    "solarize_add": lambda v, p, _: SolarizeAdd(added_range=(0, v), p=p),
    "elastic": lambda v, p, _: ElasticTransform(alpha=v, sigma=6, fill_mask=VOID, p=p),
    "gamma": lambda v, p, _: A.RandomGamma(gamma_limit=(100 * (1 - v), 100 * (1 + v)), p=p),
    "clahe": lambda v, p, _: A.CLAHE(clip_limit=(1, v), tile_grid_size=(TILES, TILES), p=p),
    "motion_blur": lambda v, p, _: A.MotionBlur(blur_limit=(3, max(3, round(v) | 1)), p=p),
    "defocus": lambda v, p, _: A.Defocus(radius=(1, max(1, round(v))), alias_blur=(0.1, 0.1), p=p),
    "iso_noise": lambda v, p, _: A.ISONoise(
        color_shift=(0.0, 0.2 * v), intensity=(0.1 * v, v), p=p
    ),
    "downscale": lambda v, p, _: A.Downscale(scale_range=(1 - v, 1 - v / 10), p=p),
    "erasing": lambda v, p, _: A.Erasing(scale=(0.1 * v, v), p=p),
    "shadow": lambda v, p, _: A.RandomShadow(
        shadow_roi=(0, 0, 1, 1),
        num_shadows_limit=(1, SHADOWS),
        shadow_intensity_range=(0.1 * v, v),
        p=p,
    ),
    "fog": lambda v, p, _: A.RandomFog(fog_coef_range=(0.1 * v, v), p=p),
}
_PLAIN: dict[str, Callable[[float], Any]] = {
    "horizontal_flip": lambda p: A.HorizontalFlip(p=p),
    "vertical_flip": lambda p: A.VerticalFlip(p=p),
    "autocontrast": lambda p: A.AutoContrast(method="pil", p=p),
    "equalize": lambda p: A.Equalize(mode="pil", p=p),
    "transpose": lambda p: A.Transpose(p=p),
    "rotate90": lambda p: A.RandomRotate90(p=p),
    "invert": lambda p: A.InvertImg(p=p),
    "gray": lambda p: A.ToGray(p=p),
}


BORDERS: dict[str, tuple[int, tuple[int, ...]]] = {
    "mean": (cv2.BORDER_CONSTANT, (124, 116, 104)),
    "reflect": (cv2.BORDER_REFLECT_101, (0, 0, 0)),
    "nearest": (cv2.BORDER_REPLICATE, (0, 0, 0)),
}
"""OpenCV's way with borders that are not black, and the colour that it may need."""


def transform(
    choice: Choice, probability: float, size: tuple[int, int], fill: str = "black"
) -> Any:
    """Builds the transform of an operation.

    Args:
        choice: Operation and limit.
        probability: How often it is applied.
        size: Height and width after cropping, in pixels.
        fill: What uncovered borders show, ``black`` or one of `BORDERS`; masks have nothing there.

    Returns:
        An albumentations transform that knows its ``operation``. At the identity it is ``NoOp``,
        which changes no pixel, whereas compressing at quality 100 or resampling by 0° could.
        Geometry carries masks along; of what it fills nothing is known. What paints over pixels
        leaves masks as they are.
    """
    row = operation(choice.operation)
    assert not isinstance(choice.limit, Course)
    made = _made(row.name, choice.limit, probability, size)
    made.operation = row.name
    if fill in BORDERS and hasattr(made, "border_mode"):
        made.border_mode, made.fill = BORDERS[fill]
    return made


def _made(name: str, limit: float | None, probability: float, size: tuple[int, int]) -> Any:
    if limit is None:
        return _PLAIN[name](probability)
    steps = name in ("posterize", "compression")  # whole bits and whole quality points
    if limit == operation(name).identity or (steps and round(limit) == 0):
        return A.NoOp(p=probability)
    return _LIMITED[name](limit, probability, size)
