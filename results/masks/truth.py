"""True masks of images, at the images' own sizes."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.masks.class_sets import answers_of, numbers_of
from results.masks.counts import VOID, Mask, compare
from results.masks.label_map import HALF, class_planes, label_map
from results.masks.notation import Notation
from results.masks.planes import Pixels, Planes
from results.masks.postprocess import Form
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import whole_file

FULL = np.uint8(255)
"""A probability of 1."""

FEWEST = 10
"""Images that a class occurs in, from which folds share it out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """What is true of every pixel of some images.

    Attributes:
        images: Image names by row.
        classes: Class names by index.
        background: Index of the class that is not scored by itself, or None.
        numbers: Number of each class where masks are written.
        void: Number of pixels that count for nothing there; -1 for none.
        written: How else masks are written there.
        masks: uint8 (height, width) by row: class indices, or `VOID` where nothing is known.
        sets: Where classes overlap, the classes of each number in ``masks``, which then are numbers
            of sets; empty where they exclude each other.
        digest: Identity of all that; found out unless given.
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    background: int | None
    numbers: tuple[int, ...]
    void: int
    masks: Planes
    written: Notation = field(default_factory=Notation)
    sets: tuple[tuple[int, ...], ...] = ()
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", self._identity())

    def _identity(self) -> str:
        pixels = hashlib.sha256()
        for mask in self.masks:
            pixels.update(mask.data)
        known = [self.images, self.classes, self.background, self.masks.shapes.tolist()]
        known += [self.numbers, self.void, self.written.text(), self.sets]
        return digest([*known, pixels.hexdigest()])

    @property
    def scored(self) -> tuple[str, ...]:
        """Names of the classes that are scored by themselves: all but the background."""
        return tuple(name for i, name in enumerate(self.classes) if i != self.background)

    @property
    def form(self) -> Form:
        """What a mask is here."""
        return Form(
            classes=len(self.classes), background=self.background, overlapping=self.overlapping
        )

    @property
    def overlapping(self) -> bool:
        """Whether a pixel can be of several classes, and of none."""
        return bool(self.sets)

    @property
    def answers(self) -> tuple[str, ...]:
        """What can be the case at a pixel, as `answers_of` names it."""
        return answers_of(self.classes, overlapping=self.overlapping)

    @cached_property
    def members(self) -> NDArray[np.bool_]:
        """Whether pixels of a number in ``masks`` are of a class, bool (numbers, classes)."""
        classes = np.arange(len(self.classes))
        if not self.sets:
            return np.eye(len(classes), dtype=bool)
        return np.stack([np.isin(classes, members) for members in self.sets])

    def actual(self, row: int) -> Mask:
        """The mask of an image as it is compared with a predicted one."""
        return self.compared(self.masks[row])

    def compared(self, numbers: Pixels) -> Mask:
        """What numbers stand for: they are class indices; or, where classes overlap, planes of all.

        Args:
            numbers: uint8 (height, width), as in ``masks``.

        Returns:
            uint8 (height, width), or (height, width, classes) of 0 and 1; `VOID` in both.
        """
        if not self.sets:
            return numbers
        planes = np.full((VOID + 1, len(self.classes)), VOID, np.uint8)
        planes[: len(self.sets)] = self.members
        return np.asarray(planes[numbers], np.uint8)

    def told(self, probabilities: Pixels) -> tuple[Pixels, Pixels]:
        """What is told of pixels, as numbers like those in ``masks``, and how surely.

        That is the likeliest class. Where classes overlap it is the set of those from `HALF` on,
        told as surely as the class that is told least surely; of a set that has no number nothing
        is told.

        Args:
            probabilities: uint8 (…, classes), in 255ths.

        Returns:
            Numbers, or `VOID`, and confidence in 255ths, each uint8 (…,).
        """
        if not self.sets:
            return probabilities.argmax(axis=-1).astype(np.uint8), probabilities.max(axis=-1)
        there = probabilities >= HALF
        numbers = numbers_of(there, self.members)
        sure = np.where(there, probabilities, FULL - probabilities).min(axis=-1)
        return numbers, np.where(numbers == VOID, np.uint8(0), sure)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each image."""
        return {image: row for row, image in enumerate(self.images)}

    def of(self, images: Sequence[str]) -> Truth:
        """The same of some of the images, in the order given."""
        order = np.array([self.rows[image] for image in images], np.int64)
        return Truth(
            images=tuple(images),
            classes=self.classes,
            background=self.background,
            numbers=self.numbers,
            void=self.void,
            written=self.written,
            masks=self.masks[order],
            sets=self.sets,
            digest=digest([self.digest, list(images)]),
        )

    @cached_property
    def _histogram(self) -> NDArray[np.int64]:
        """Pixels of each number in each mask, int64 (n, 256)."""
        return np.stack([np.bincount(mask.ravel(), minlength=VOID + 1) for mask in self.masks])

    @cached_property
    def pixels(self) -> NDArray[np.int64]:
        """Pixels of each class in each image, int64 (n, classes); those of no class left out."""
        return self._histogram[:, : len(self.members)] @ self.members

    @property
    def known(self) -> NDArray[np.int64]:
        """Pixels of each image that are not void, int64 (n,)."""
        return np.asarray(self._histogram[:, :VOID].sum(axis=1))

    @property
    def strata(self) -> NDArray[np.int64]:
        """What folds share out evenly: the rarest class that occurs in an image, int64 (n,).

        What fewer than `FEWEST` images would have in common counts as the commonest.
        """
        occurs = self.pixels > 0
        images = occurs.sum(axis=0)
        rank = np.where(occurs & (images >= FEWEST), images, len(occurs) + 1)
        rarest = rank.argmin(axis=1)
        common = rank.min(axis=1) > len(occurs)
        sizes = np.bincount(rarest[~common], minlength=len(images))
        few = common | (sizes[rarest] < FEWEST)
        return np.where(few, sizes.argmax(), rarest).astype(np.int64)

    def counts(self, predicted: Planes, *, edges: bool = True) -> NDArray[np.float32]:
        """What predicted masks come to beside these, (n, k); see `results.masks.counts`.

        Args:
            predicted: Probabilities per pixel of the same images, in 255ths, of any size.
            edges: Whether boundaries are compared, which takes most of the time.
        """
        classes, background = len(self.classes), self.background
        told = class_planes if self.overlapping else label_map
        found = [
            compare(mask, told(p, *mask.shape[:2]), classes, background, edges=edges)
            for mask, p in zip(map(self.actual, range(len(self.masks))), predicted, strict=True)
        ]
        return np.stack(found).astype(np.float32)

    def write(self, folder: Path) -> Path:
        """Writes ``truth-<digest>.npz``, without pickles, into ``folder``; returns its path."""
        path = folder / f"truth-{self.digest}.npz"
        if path.exists():
            return path
        folder.mkdir(parents=True, exist_ok=True)
        background = -1 if self.background is None else self.background
        with whole_file(path) as temporary, temporary.open("wb") as file:
            arrays: dict[str, Any] = {
                "images": np.array(self.images, np.str_),
                "classes": np.array(self.classes, np.str_),
                "background": np.array(background),
                "numbers": np.array(self.numbers, np.int64),
                "void": np.array(self.void),
                "written": np.array(self.written.text()),
                "sets": np.array(json.dumps(self.sets)),
                "digest": np.array(self.digest),
            }
            parts = self.masks.arrays().items()
            arrays |= {f"masks:{name}": array for name, array in parts}
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        return path

    @staticmethod
    def read(path: Path) -> Truth:
        """Maps what ``write`` wrote.

        Raises:
            InputError: If the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                background = int(data["background"])
                return Truth(
                    images=tuple(data["images"].tolist()),
                    classes=tuple(data["classes"].tolist()),
                    background=None if background < 0 else background,
                    numbers=tuple(data["numbers"].tolist()),
                    void=int(data["void"]),
                    written=Notation.of(str(data["written"])),
                    masks=Planes.mapped(path, "masks:"),
                    sets=tuple(map(tuple, json.loads(str(data["sets"])))),
                    digest=str(data["digest"]),
                )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold true masks: {error}") from error
