"""The image store: every image decoded once, in a file that all trials on a node map."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from results.masks.planes import Planes
from spaces.digest import digest
from trainables.data.contest import Contest
from trainables.data.fingerprints import BYTES, Fingerprints

OVERSIZE = 1.3
"""Stored side over training size, so that crops down to 60 % of the area do not upsample."""

PIXELS, MASKS, FINGERPRINTS = ".u8", ".masks.u8", ".fingerprints"
"""Suffixes of files of pixels, and of what tells near duplicates."""


@dataclass(frozen=True)
class ImageStore:
    """Images of a contest as uint8 (n, side, side, 3) in a memory-mapped file, and their masks.

    It pickles as its path, so that handing it to a worker costs nothing.

    Attributes:
        path: The ``.json`` file with names and digests; the pixels lie beside it in ``.u8``, masks
            of training images, where there are any, in ``.masks.u8``, and what tells near
            duplicates in ``.fingerprints``.
    """

    path: Path

    @cached_property
    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = json.loads(self.path.read_text())
        return meta

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    @property
    def side(self) -> int:
        """Height and width of the stored images in pixels; 0 where they keep their proportions."""
        return int(self._meta["side"])

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Image names by row."""
        return tuple(self._meta["images"])

    @cached_property
    def file_digests(self) -> tuple[str, ...]:
        """SHA-256 of each image file, by row."""
        return tuple(self._meta["files"])

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Height and width of each image file in pixels, int64 (n, 2), by row."""
        return np.array(self._meta["sizes"], np.int64).reshape(-1, 2)

    @property
    def digest(self) -> str:
        """Identity of the images: names and contents, whatever the machine or the side."""
        return digest([self.images, self.file_digests])

    @property
    def fingerprints(self) -> Fingerprints:
        """Those of the decoded images, before anything was done to them, by row."""
        return Fingerprints.read(self.path.with_suffix(FINGERPRINTS))

    @cached_property
    def pixels(self) -> NDArray[np.uint8] | Planes:
        """Images by row, read-only, in the page cache.

        uint8 (n, side, side, 3), or `Planes` of uint8 (height, width, 3).
        """
        return self._mapped(PIXELS, len(self._meta["images"]), (3,))

    @cached_property
    def masks(self) -> NDArray[np.uint8] | Planes | None:
        """Masks of the training images by row, read-only, as large as they; None without.

        uint8 (n_train, side, side), or `Planes` of uint8 (height, width).
        """
        return self._mapped(MASKS, self._meta["masks"], ()) if self._meta["masks"] else None

    def _mapped(
        self, suffix: str, count: int, channels: tuple[int, ...]
    ) -> NDArray[np.uint8] | Planes:
        path = self.path.with_suffix(suffix)
        if self.side:
            shape = (count, self.side, self.side, *channels)
            return np.memmap(path, dtype=np.uint8, mode="r", shape=shape)
        shapes = [(*shape, *channels) for shape in self._meta["shapes"][:count]]
        return Planes(np.memmap(path, dtype=np.uint8, mode="r"), np.array(shapes, np.int64))

    @property
    def whole(self) -> bool:
        """Whether all files are there and the pixels have the length that the names ask for."""
        try:
            meta = json.loads(self.path.read_text())
            square = [(meta["side"], meta["side"])] * len(meta["images"])
            areas = [height * width for height, width in meta["shapes"] or square]
            wanted = {PIXELS: 3 * sum(areas), FINGERPRINTS: BYTES * len(areas)}
            if meta["masks"]:
                wanted[MASKS] = sum(areas[: meta["masks"]])
            return all(
                self.path.with_suffix(suffix).stat().st_size == size
                for suffix, size in wanted.items()
            )
        except (OSError, ValueError, KeyError):
            return False

    def copied_to(self, folder: Path) -> ImageStore:
        """A copy on this machine's own disk, made by whoever comes first.

        Raises:
            OSError: If it cannot be written there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        copy = ImageStore(folder / self.path.name)
        with FileLock(copy.path.with_suffix(".lock")):
            if not copy.whole:
                masks = (MASKS,) if self._meta["masks"] else ()
                for suffix in (
                    *masks,
                    PIXELS,
                    FINGERPRINTS,
                    ".json",
                ):  # the last says that it is whole
                    temporary = copy.path.with_suffix(f"{suffix}.tmp")
                    shutil.copyfile(self.path.with_suffix(suffix), temporary)
                    synced(temporary)
                    temporary.rename(copy.path.with_suffix(suffix))
        return copy


def store_side(trained: int, predicted: int = 0) -> int:
    """Side at which to store images.

    Args:
        trained: The largest training size in pixels.
        predicted: The largest size at which images are predicted, of which nothing is cropped.
    """
    return int(np.ceil(max(trained * OVERSIZE, predicted) / 4)) * 4


def data_digest(contest: Contest, store: ImageStore) -> str:
    """Identity of the images, and of the labels of those that no fold holds out."""
    labelled = [part.digest for part in (contest.extra, contest.truth) if part is not None]
    return digest([store.digest, *labelled]) if labelled else store.digest


def synced(path: Path) -> None:
    """Returns when a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
