"""COCO's annotations as masks, and masks as COCO's results."""

from __future__ import annotations

import codecs
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Annotated, Any

import numpy as np
from pycocotools import mask as coco_tools
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from results.masks.coco_regions import region_of
from results.masks.counts import Mask
from results.masks.rle import Bools
from spaces.errors import InputError, unknown
from spaces.files import whole_file

Id = int | str
Side = Annotated[int, Field(gt=0, le=65535)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id


class _Image(_Part):
    file_name: str
    height: Side
    width: Side


class _Category(_Part):
    name: str


class _Annotation(_Part):
    image_id: Id
    category_id: Id
    segmentation: Any


class _File(BaseModel):
    images: list[_Image] = Field(min_length=1)
    categories: list[_Category] = Field(min_length=1)
    annotations: list[_Annotation] = []


@dataclass(frozen=True, kw_only=True, eq=False)
class CocoMasks:
    """Masks of a COCO file of annotations.

    Attributes:
        path: The file.
        classes: Names of the categories, in the order of their ids.
        images: File names, in the file's order.
        image_ids: The file's id of each image, by file name.
        category_ids: The file's id of each class.
        sizes: Height and width of each image in pixels, by file name.
    """

    path: Path
    classes: tuple[str, ...]
    images: tuple[str, ...]
    image_ids: Mapping[str, Id]
    category_ids: tuple[Id, ...]
    sizes: Mapping[str, tuple[int, int]] = field(repr=False)
    _annotations: Mapping[str, list[_Annotation]] = field(repr=False)

    @cached_property
    def _by_stem(self) -> Mapping[str, tuple[str, ...]]:
        """File names by their last part without extension."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.images:
            stem = PurePath(name).stem
            found[stem] = (*found.get(stem, ()), name)
        return found

    def files_of(self, image: str) -> tuple[str, ...]:
        """The file names that an image may be meant by: its own, or those of its stem."""
        return (image,) if image in self.image_ids else self._by_stem.get(PurePath(image).stem, ())

    def mask(self, name: str, overlapping: bool) -> Mask:
        """The mask of an image.

        Args:
            name: One of `images`.
            overlapping: Whether a pixel can be of several classes.

        Returns:
            uint8 (h, w): 0 where no annotation is, and ``i + 1`` for class ``i``. Where classes
            overlap uint8 (h, w, classes) of 0 and 1, without a background.

        Raises:
            InputError: For a polygon or run lengths that are none, and for annotations of different
                classes that cover the same pixel although classes do not overlap.
        """
        height, width = self.sizes[name]
        planes = np.zeros((height, width, len(self.classes)), np.uint8) if overlapping else None
        labels = np.zeros((height, width), np.uint8)
        owner = np.zeros((height, width), np.int32)
        for number, (annotation, label, inside) in enumerate(self._regions(name)):
            if planes is not None:
                planes[..., label - 1] |= inside
                continue
            taken = inside & (labels != 0) & (labels != label)
            if taken.any():
                y, x = np.argwhere(taken)[0].tolist()
                other = self._annotations[name][owner[y, x]]
                raise InputError(
                    f"{self.path}: annotations {other.id} ({self.classes[labels[y, x] - 1]}) and "
                    f"{annotation.id} ({self.classes[label - 1]}) of {name!r} overlap in "
                    f"{np.count_nonzero(taken)} pixels, the first at x={x}, y={y}, but classes "
                    "exclude each other unless data.overlapping=true"
                )
            labels[inside], owner[inside] = label, number
        return labels if planes is None else planes

    def shared(self) -> str:
        """The first image of which classes have pixels in common, in words; empty where none has.

        Raises:
            InputError: For a polygon or run lengths that are none.
        """
        for name in self.images:
            if len({a.category_id for a in self._annotations[name]}) < 2:
                continue
            labels = np.zeros(self.sizes[name], np.uint8)
            for _, label, inside in self._regions(name):
                taken = labels[inside & (labels != 0) & (labels != label)]
                if len(taken):
                    pair = f"{self.classes[taken[0] - 1]} and {self.classes[label - 1]}"
                    return f"annotations of {pair} share {len(taken):,} pixels of {name}"
                labels[inside] = label
        return ""

    def _regions(self, name: str) -> Iterator[tuple[_Annotation, int, Bools]]:
        """The annotations of an image, each with its class, from 1, and its pixels."""
        height, width = self.sizes[name]
        labels = {category: i for i, category in enumerate(self.category_ids, start=1)}
        for annotation in self._annotations[name]:
            place = f"{self.path}: annotation {annotation.id} of {name!r}"
            inside = region_of(annotation.segmentation, height, width, place)
            yield annotation, labels[annotation.category_id], inside


def read_coco(path: Path) -> CocoMasks:
    """Reads a file of annotations; their shapes are looked at when a mask is asked for.

    Raises:
        InputError: If the file is missing or no COCO file, for ids or names that are there twice,
            and for annotations of an image or category that is not there.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        found = _File.model_validate_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"]))
        where = f"{path}, {place}" if place else f"{path}"
        raise InputError(f"{where}: {first['msg']}; COCO's JSON is needed") from None
    categories = sorted(found.categories, key=lambda c: (isinstance(c.id, str), c.id))
    if len(categories) > 254:
        raise InputError(f"{path}: 254 categories at most, got {len(categories)}")
    for what, values in (
        ("image id", [i.id for i in found.images]),
        ("file name", [i.file_name for i in found.images]),
        ("category id", [c.id for c in categories]),
        ("category name", [c.name for c in categories]),
        ("annotation id", [a.id for a in found.annotations]),
    ):
        _check_single(values, what, path)
    names = {image.id: image.file_name for image in found.images}
    known = {category.id for category in categories}
    annotations: dict[str, list[_Annotation]] = defaultdict(list)
    for a in found.annotations:
        if a.image_id not in names:
            raise InputError(f"{path}: annotation {a.id}: there is no image with id {a.image_id!r}")
        if a.category_id not in known:
            place = f"{path}: annotation {a.id} of {names[a.image_id]!r}"
            raise unknown("category", a.category_id, map(str, known), place)
        annotations[names[a.image_id]].append(a)
    return CocoMasks(
        path=path,
        classes=tuple(c.name for c in categories),
        images=tuple(i.file_name for i in found.images),
        image_ids={i.file_name: i.id for i in found.images},
        category_ids=tuple(c.id for c in categories),
        sizes={i.file_name: (i.height, i.width) for i in found.images},
        _annotations={i.file_name: annotations[i.file_name] for i in found.images},
    )


def write_coco_results(path: Path, regions: Iterable[tuple[Id, Id, Bools, float]]) -> None:
    """Writes predictions as COCO's list of results, with run lengths as COCO's text.

    Args:
        path: Its folder is there.
        regions: Id of an image, id of a category, bool (h, w), and how sure it is from 0 to 1;
            empty ones are left out.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        separator = "["
        for image, category, inside, score in regions:
            if not inside.any():
                continue
            rle = coco_tools.encode(np.asfortranarray(inside, np.uint8))
            size, counts = [int(side) for side in rle["size"]], rle["counts"].decode("ascii")
            row = {
                "image_id": image,
                "category_id": category,
                "segmentation": {"size": size, "counts": counts},
                "score": round(float(score), 6),
            }
            file.write(f"{separator}\n{json.dumps(row)}")
            separator = ","
        file.write("[]\n" if separator == "[" else "\n]\n")


def _check_single(values: list[Any], what: str, path: Path) -> None:
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise InputError(f"{path}: the {what} {value!r} is there twice")
        seen.add(value)
