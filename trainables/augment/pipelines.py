"""A team's own albumentations pipelines: written down, built again, tried out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
import yaml
from albumentations.core.serialization import serialize_enum

from results.masks.counts import VOID
from spaces.augmentation.pipeline import CLASS, PARTS, Pipeline, classes_of
from spaces.augmentation.policy import AugPolicy, Stage
from spaces.errors import InputError, unknown
from trainables.portable.seeded_pipeline import UNTAKEN
from trainables.portable.sharpness import Sharpness
from trainables.portable.solarize_add import SolarizeAdd

TENSORS = ("Normalize", "ToTensorV2", "ToTensor3D", "ToFloat", "FromFloat")
"""What makes anything but pictures; networks normalise, and get tensors, themselves."""

OURS = (Sharpness.get_class_fullname(), SolarizeAdd.get_class_fullname())
"""Transforms that exports carry along."""

KINDS = (A.BaseCompose, A.BasicTransform)

DRAWS = 24
"""Views of a picture with which a pipeline is tried out."""


def written(name: str, own: Callable[..., Any], place: str) -> Pipeline:
    """What albumentations writes of a pipeline.

    Args:
        name: What the team calls it.
        own: It, or a function that makes it.
        place: Where it was named, for messages.

    Raises:
        InputError: If it is no pipeline, or cannot be written.
    """
    made: Any = own
    if not isinstance(own, KINDS):
        try:
            made = own()
        except Exception as error:  # it may raise whatever it likes
            raise InputError(f"{place}: called with () it fails: {_reason(error)}") from error
    if not isinstance(made, KINDS):
        raise InputError(
            f"{place} returned {type(made).__name__}, not an A.Compose or a transform of "
            "albumentations"
        )
    try:
        transform = made.to_dict()["transform"]
    except Exception as error:  # each transform has its own reasons
        raise InputError(f"{place}: albumentations cannot write it: {_reason(error)}") from error
    return checked(name, transform, place)


def read_pipeline(name: str, path: Path, place: str) -> Pipeline:
    """A pipeline from a file of ``A.save``.

    Raises:
        InputError: If there is no such file, or it holds something else.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise InputError(f"{place}: {path} cannot be read: {reason}") from error
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(f"{place}: {path} is damaged: {_reason(error)}") from error
    transform = data.get("transform") if isinstance(data, Mapping) else None
    if not _well_formed(transform):
        raise InputError(f"{place}: {path} is not what A.save writes of a pipeline")
    return checked(name, transform, place)


def checked(name: str, transform: Mapping[str, Any], place: str) -> Pipeline:
    """A pipeline, if it is one of albumentations' own operations on pictures.

    Raises:
        InputError: If it is not; the message names the operation.
    """
    for full in classes_of(transform):
        short = full.rpartition(".")[2] if full.startswith("albumentations.") else full
        if short in TENSORS:
            raise InputError(
                f"{place}: leave {short} out; networks normalise, and get tensors, themselves"
            )
        if short in OURS or _stock(short):
            continue
        if "." in full:
            raise InputError(
                f"{place}: {full} is a transform of your own, which records and exports cannot "
                "carry; albumentations' own can be used"
            )
        stock = [key for key in dir(A) if _stock(key)]
        raise unknown("operation of albumentations", short, stock, place)
    pipeline = Pipeline.of(name, serialize_enum(transform))
    try:
        made = build(pipeline)
    except Exception as error:  # each transform has its own checks of its arguments
        raise InputError(f"{place}: albumentations cannot build it: {_reason(error)}") from error
    for told, leaf in zip(_written_leaves(transform), leaves_of(made), strict=True):
        own = leaf.to_dict()["transform"]
        for name in told.keys() - own.keys():
            choices = [key for key in own if key != CLASS]
            raise unknown("argument", name, choices, f"{place}, {type(leaf).__name__}")
    return pipeline


def build(pipeline: Pipeline) -> Any:
    """The transforms of a pipeline, as training and export run them.

    Masks have nothing where geometry uncovers a border, whatever the pipeline fills them with.
    """
    transform = pipeline.transform
    if transform[CLASS].endswith("Compose"):  # without its boxes and key points, which we lack
        transform = {CLASS: "Sequential", "p": transform.get("p", 1.0), PARTS: transform[PARTS]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=UNTAKEN)
        warnings.filterwarnings(
            "ignore", category=UserWarning, message=".*special case of Affine.*"
        )
        made = A.from_dict({"transform": transform})
    for leaf in leaves_of(made):
        if getattr(leaf, "fill_mask", None) is not None:
            leaf.fill_mask = VOID
        if isinstance(leaf, RESIZING):
            leaf.mask_interpolation = cv2.INTER_NEAREST_EXACT
    return made


RESIZING = (A.Resize, A.RandomResizedCrop, A.RandomSizedCrop, A.LongestMaxSize, A.SmallestMaxSize)
"""OpenCV's ``INTER_NEAREST``, their default for masks, is half a pixel off."""


def try_pipeline(pipeline: Pipeline, size: tuple[int, int], masks: bool) -> None:
    """Augments a picture as a training would, and with every transform applied.

    Args:
        pipeline: The pipeline.
        size: Height and width in pixels at which it will see images.
        masks: Whether masks go along.

    Raises:
        InputError: If it fails, makes something else than a picture of this size, or draws from
            generators of its own.
    """
    from trainables.augment.augmenter import Augmenter  # which builds pipelines

    place = f"pipeline {pipeline.name!r}"
    checked(pipeline.name, pipeline.transform, place)  # it may come from another's record
    policy = AugPolicy(stages=(Stage(choices=(pipeline,)),))
    side = max(size)
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    mask = np.zeros((side, side), np.uint8) if masks else None
    first, again, always = (Augmenter(policy, size, 0, side) for _ in range(3))
    for leaf in leaves_of(always.transforms[-1]):
        leaf.p = 1.0
    seen = []
    for augmenter in (always, first):
        for index in range(DRAWS):
            try:
                found = augmenter(picture, 1, index, mask)
            except Exception as error:  # each transform has its own reasons
                raise InputError(f"{place} fails: {_reason(error)}") from error
            _check(place, "image", found["image"], (*size, 3))
            if masks:
                _check(place, "mask", found["mask"], size)
            seen.append(found["image"])
    if any((again(picture, 1, i)["image"] != seen[i - DRAWS]).any() for i in range(DRAWS)):
        raise InputError(
            f"{place} gives other pixels for the same image, epoch and seed: it has generators of "
            "its own"
        )


def _check(place: str, part: str, made: Any, wanted: tuple[int, ...]) -> None:
    shape, kind = tuple(getattr(made, "shape", ())), getattr(made, "dtype", type(made).__name__)
    if shape != wanted or kind != np.uint8:
        raise InputError(
            f"{place}: of {part}s uint8 of shape {wanted} it makes {kind} of shape {shape}; size "
            "and type have to stay as they are"
        )


def _well_formed(transform: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether it has the form of a written transform, in all of its parts."""
    if not isinstance(transform, Mapping) or not isinstance(transform.get(CLASS), str):
        return False
    parts = transform.get(PARTS, [])
    needed = transform[CLASS].endswith("Compose")
    if not isinstance(parts, list) or (needed and PARTS not in transform):
        return False
    return all(map(_well_formed, parts))


def leaves_of(transform: Any) -> list[Any]:
    """The transforms of a pipeline that are made of no others, in their order."""
    if isinstance(transform, A.BaseCompose):
        return [leaf for part in transform.transforms for leaf in leaves_of(part)]
    return [transform]


def _written_leaves(transform: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The same of what albumentations writes."""
    if PARTS in transform:
        return [leaf for part in transform[PARTS] for leaf in _written_leaves(part)]
    return [transform]


def _stock(name: str) -> bool:
    found = getattr(A, name, None)
    return isinstance(found, type) and issubclass(found, KINDS)


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])}"
