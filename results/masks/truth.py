"""True masks of images, at the images' own sizes."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.masks.counts import VOID, compare
from results.masks.label_map import label_map
from results.masks.notation import Notation
from results.masks.planes import Planes
from results.masks.postprocess import Form
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import whole_file

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
        digest: Identity of all that; found out unless given.
    """

    images: tuple[str, ...]
    classes: tuple[str, ...]
    background: int | None
    numbers: tuple[int, ...]
    void: int
    masks: Planes
    written: Notation = field(default_factory=Notation)
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", self._identity())

    def _identity(self) -> str:
        pixels = hashlib.sha256()
        for mask in self.masks:
            pixels.update(mask.data)
        known = [self.images, self.classes, self.background, self.masks.shapes.tolist()]
        known += [self.numbers, self.void, self.written.text()]
        return digest([*known, pixels.hexdigest()])

    @property
    def scored(self) -> tuple[str, ...]:
        """Names of the classes that are scored by themselves: all but the background."""
        return tuple(name for i, name in enumerate(self.classes) if i != self.background)

    @property
    def form(self) -> Form:
        """What a mask is here."""
        return Form(classes=len(self.classes), background=self.background)

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
            digest=digest([self.digest, list(images)]),
        )

    @cached_property
    def pixels(self) -> NDArray[np.int64]:
        """Pixels of each class in each image, int64 (n, classes); those of no class left out."""
        count = len(self.classes)
        return np.stack(
            [np.bincount(mask.ravel(), minlength=VOID + 1)[:count] for mask in self.masks]
        )

    @property
    def strata(self) -> NDArray[np.int64]:
        """What folds share out evenly: the rarest class that occurs in an image, int64 (n,).

        What fewer than `FEWEST` images would have in common counts as the commonest.
        """
        occurs = self.pixels > 0
        images = occurs.sum(axis=0)
        rank = np.where(occurs & (images >= FEWEST), images, len(occurs) + 1)
        rarest = rank.argmin(axis=1)
        sizes = np.bincount(rarest, minlength=len(images))
        return np.where(sizes[rarest] >= FEWEST, rarest, sizes.argmax()).astype(np.int64)

    def counts(self, predicted: Planes, *, edges: bool = True) -> NDArray[np.float32]:
        """What predicted masks come to beside these, (n, k); see `results.masks.counts`.

        Args:
            predicted: Probabilities per pixel of the same images, in 255ths, of any size.
            edges: Whether boundaries are compared, which takes most of the time.
        """
        classes, background = len(self.classes), self.background
        found = [
            compare(mask, label_map(p, *mask.shape), classes, background, edges=edges)
            for mask, p in zip(self.masks, predicted, strict=True)
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
                    digest=str(data["digest"]),
                )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold true masks: {error}") from error
