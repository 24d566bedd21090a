"""Submissions of masks as COCO's list of results."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from results.leaderboard.certain_masks import CERTAIN, Claim, certain
from results.masks.coco import CocoMasks, Id, read_coco, write_coco_results
from results.masks.coco_regions import region_of
from results.masks.label_map import at_size, regions
from results.masks.planes import Pixels, Planes
from results.masks.postprocess import Form
from results.masks.rle import Bools
from results.masks.truth import Truth
from results.predictions import Predictions
from spaces.errors import InputError, unknown
from spaces.files import whole_file, write_whole

SUFFIX = ".json"
"""Of a sample and of submissions in this form."""

LISTING = "listing.json"
"""Beside submissions, which name images and categories by ids: what these stand for."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)

    image_id: Id
    category_id: Id
    segmentation: dict[str, Any]
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0


_RESULTS = TypeAdapter(list[_Result])

_Row = tuple[int, dict[str, Any], str]
"""Index of a class, run lengths, and where they stand, for messages."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CocoForm:
    """A region per image and class that is in it.

    Attributes:
        listing: COCO file of the test images, with their ids and those of categories.
        files: The listing's name of each test image.
        classes: Class names by index.
        form: What a mask is here.
    """

    listing: CocoMasks
    files: Mapping[str, str]
    classes: tuple[str, ...]
    form: Form

    @staticmethod
    def read(sample: Path, images: Sequence[str], truth: Truth) -> CocoForm:
        """Reads ids from a COCO file of the test images; it may lack annotations.

        Raises:
            InputError: If it does not list them all, or lacks a class.
        """
        listing, files = read_coco(sample), {}
        for image in images:
            found = listing.files_of(image)
            if len(found) != 1:
                what = f"which of {', '.join(found)} is it?" if found else "it is not listed"
                raise InputError(f"{sample}: test image {image!r}: {what}")
            files[image] = found[0]
        for name in truth.scored:
            if name not in listing.classes:
                raise unknown("class", name, listing.classes, f"{sample}, its categories")
        return CocoForm(listing=listing, files=files, classes=truth.classes, form=truth.form)

    def check_ids(self, folder: Path) -> None:
        """Raises InputError if earlier submissions have other ids."""
        path = folder / LISTING
        if path.exists() and path.read_text(encoding="utf-8") != self._text:
            raise InputError(
                f"{self.listing.path}: its images or categories have other ids than those of "
                f"earlier submissions, which {path} lists"
            )

    def keep(self, folder: Path) -> None:
        """Writes beside submissions what their ids stand for."""
        write_whole(self._text, folder / LISTING)

    @property
    def _text(self) -> str:
        """The listing, as it is kept."""
        return json.dumps(
            {
                "images": [
                    {"id": self.listing.image_ids[name], "file_name": name, "height": h, "width": w}
                    for name, (h, w) in self.listing.sizes.items()
                ],
                "categories": [
                    {"id": number, "name": name}
                    for number, name in zip(
                        self.listing.category_ids, self.listing.classes, strict=True
                    )
                ],
            }
        )

    def write(self, predictions: Predictions, path: Path) -> None:
        """Writes masks at the images' own sizes, whole and checked or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            write_coco_results(temporary, self._found(predictions))
            self.check(temporary)

    def _found(self, predictions: Predictions) -> Iterator[tuple[Id, Id, Bools, float]]:
        """Regions; as sure as their class is likely in them, on average."""
        category = dict(zip(self.listing.classes, self.listing.category_ids, strict=True))
        for row, image in enumerate(predictions.images):
            name = self.files[image]
            height, width = map(int, predictions.sizes[row])
            self._check_size(image, (height, width))
            shares = at_size(predictions.masks[row], height, width)
            every = regions(shares, height, width, self.form.overlapping)
            for index, inside in enumerate(every):
                if index == self.form.background or not inside.any():
                    continue
                score = float(shares[..., index][inside].mean()) / CERTAIN
                image_id = self.listing.image_ids[name]
                yield image_id, category[self.classes[index]], inside, score

    def _check_size(self, image: str, size: tuple[int, int]) -> None:
        listed = self.listing.sizes[self.files[image]]
        if listed != size:
            raise InputError(
                f"{self.listing.path}: {image!r} is listed with {listed[1]} x {listed[0]} pixels, "
                f"and has {size[1]} x {size[0]}"
            )

    def check(self, path: Path) -> None:
        """Checks a list of results: ids, run lengths of the images' sizes, scores within 0 to 1.

        Raises:
            InputError: Naming what is wrong, with its place in the list.
        """
        for name, rows in self._listed(path).items():
            for _ in self._claims(name, rows):
                pass  # decoding says what is wrong

    def masks(self, path: Path, images: Sequence[str], sizes: Sequence[tuple[int, int]]) -> Planes:
        """Reads the masks of some images back, as certain probabilities.

        Args:
            path: A submission in this form.
            images: Which ones.
            sizes: Their heights and widths in pixels.

        Raises:
            InputError: For anything wrong with them.
        """
        listed = self._listed(path)

        def planes() -> Iterator[Pixels]:
            for image, size in zip(images, sizes, strict=True):
                self._check_size(image, size)
                name = self.files[image]
                claims = self._claims(name, listed.get(name, []))
                yield certain(claims, size, self.form, f"{path}, {image!r}")

        return Planes.of(planes())

    def _claims(self, name: str, rows: Sequence[_Row]) -> Iterator[Claim]:
        """What results claim of an image of the listing."""
        for index, segmentation, place in rows:
            yield index, region_of(segmentation, *self.listing.sizes[name], place), place

    def _listed(self, path: Path) -> dict[str, list[_Row]]:
        """What a list of results has of each image, by its name in the listing."""
        if not path.is_file():
            raise InputError(f"{path}: there is no such file")
        try:
            results = _RESULTS.validate_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "/".join(map(str, first["loc"]))
            raise InputError(f"{path}, {place or 'all of it'}: {first['msg']}") from None
        names = {number: name for name, number in self.listing.image_ids.items()}
        wanted = set(self.files.values())
        kinds = dict(zip(self.listing.category_ids, self.listing.classes, strict=True))
        found: dict[str, list[_Row]] = {}
        for number, result in enumerate(results):
            place = f"{path}, result {number}"
            name, kind = names.get(result.image_id), kinds.get(result.category_id)
            if name is None or name not in wanted:
                raise InputError(f"{place}: {result.image_id!r} is the id of no test image")
            if kind is None or kind not in self.classes:
                raise unknown("category", result.category_id, map(str, kinds), place)
            row = (self.classes.index(kind), result.segmentation, place)
            found.setdefault(name, []).append(row)
        return found
