"""Masks of images in a COCO file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from results.masks.class_sets import ClassSets
from results.masks.coco import CocoMasks
from results.masks.mask_files import file_stats
from results.masks.notation import Notation
from results.masks.planes import Pixels
from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True)
class AnnotatedImages:
    """Masks from annotations. Pixels without one are the first class, of number 0.

    Attributes:
        masks: The file.
        files: The file's name of each image.
        background: Name of the first class; may be that of a category unless classes overlap.
        sets: Where classes overlap, what numbers of masks stand for; those are of sets then.
    """

    masks: CocoMasks
    files: Sequence[str]
    background: str
    sets: ClassSets | None = None

    @staticmethod
    def of(
        masks: CocoMasks, images: Sequence[str], background: str, sets: ClassSets | None = None
    ) -> AnnotatedImages:
        """Annotations of some images, which may lack folder and extension.

        Raises:
            InputError: For an image that the file does not know, or knows several of.
        """
        files = []
        for image in images:
            found = masks.files_of(image)
            if len(found) != 1:
                raise InputError(
                    f"{masks.path}: which of {', '.join(found)} is image {image!r}?"
                    if found
                    else f"{masks.path} does not list image {image!r}: nobody has labelled it, so "
                    "that it is no training image; one that is all background is listed there, "
                    "without annotations"
                )
            files.append(found[0])
        return AnnotatedImages(masks=masks, files=files, background=background, sets=sets)

    @property
    def written(self) -> Notation:
        """Names of the background and of the categories."""
        others = [name for name in self.masks.classes if name != self.background]
        return Notation(names=(self.background, *others))

    @property
    def key(self) -> Any:
        """Name, size and time of the file, and how its images are called."""
        stats = file_stats([self.masks.path])
        return [stats, list(self.files), self.background, self.sets is not None]

    def read(self, row: int) -> Pixels:
        """The mask of an image, uint8 (height, width), of numbers.

        Raises:
            InputError: For what is no polygon and no run lengths, and for classes that overlap.
        """
        names = self.written.names
        numbers = [0, *(names.index(name) for name in self.masks.classes)]
        found = self.masks.mask(self.files[row], overlapping=self.sets is not None)
        if self.sets is not None:
            sets = np.zeros(found.shape[:2], np.uint8)
            for number, plane in zip(numbers[1:], np.moveaxis(found, 2, 0), strict=True):
                self.sets.add(sets, plane.astype(np.bool_), number)
            return sets
        return np.asarray(np.array(numbers, np.uint8)[found], np.uint8)
