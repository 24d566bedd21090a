"""The image store: every image decoded once, in a file that all trials on a node map."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from spaces.digest import digest
from spaces.errors import InputError
from trainables.data.contest import Contest
from trainables.portable.images import decode
from trainables.portable.preparation import Preparation

FORMAT = 2
OVERSIZE = 1.3
"""Stored side over training size, so that crops down to 60 % of the area do not upsample."""

MIB, GIB = 2**20, 2**30
SPARED = 1 * GIB
"""Bytes of a disk that decoded images leave free; as much as they take themselves where that is
less."""


@dataclass(frozen=True)
class ImageStore:
    """Images of a contest as uint8 (n, side, side, 3) in a memory-mapped file.

    It pickles as its path, so that handing it to a worker costs nothing.

    Attributes:
        path: The ``.json`` file with names and digests; the pixels lie beside it in ``.u8``.
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
        """Height and width of the stored images in pixels."""
        return int(self._meta["side"])

    @property
    def images(self) -> list[str]:
        """Image names by row."""
        return list(self._meta["images"])

    @property
    def file_digests(self) -> list[str]:
        """SHA-256 of each image file, by row."""
        return list(self._meta["files"])

    @property
    def digest(self) -> str:
        """Identity of the images: names and contents, whatever the machine or the side."""
        return digest([self.images, self.file_digests])

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 (n, side, side, 3), read-only, in the page cache."""
        shape = (len(self._meta["images"]), self.side, self.side, 3)
        return np.memmap(self.path.with_suffix(".u8"), dtype=np.uint8, mode="r", shape=shape)

    def copied_to(self, folder: Path) -> ImageStore:
        """A copy on this machine's own disk, made by whoever comes first.

        Raises:
            OSError: If it cannot be written there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        copy = ImageStore(folder / self.path.name)
        with FileLock(copy.path.with_suffix(".lock")):
            if not _whole(copy.path):
                for suffix in (".u8", ".json"):  # the names last: they say that it is whole
                    temporary = copy.path.with_suffix(f"{suffix}.tmp")
                    shutil.copyfile(self.path.with_suffix(suffix), temporary)
                    _sync(temporary)
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
    if contest.extra is None:
        return store.digest
    return digest([store.digest, contest.extra.digest])


def build_store(
    contest: Contest,
    preparation: Preparation,
    folder: Path,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    threads: int = 2,
) -> ImageStore:
    """Decodes and prepares a contest's images unless a store of the same is there.

    Its name is a digest of the files' names, sizes and times, of boxes and preparation, so a look
    at the folder is enough to find it. One process builds at a time; the result is renamed into
    place when complete.

    Args:
        contest: Its images.
        preparation: What becomes of each image, and the side in pixels at which it is stored.
        folder: Where stores are kept.
        say: Hears how much room a new store takes, and where.
        progress: Called with the images done and their number.
        threads: Decoding threads.

    Raises:
        InputError: Naming the images that cannot be stored, or if there is no room for them.
    """
    side = preparation.side
    stats = [(n, p.stat()) for n, p in zip(contest.images, contest.paths, strict=True)]
    files = [(name, s.st_size, s.st_mtime_ns) for name, s in stats]
    key = digest([FORMAT, preparation.key, files, contest.boxes])
    path = folder / f"{key}-{side}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"store.folder={folder}: cannot write there: {error.strerror}") from error
    with FileLock(path.with_suffix(".lock")):
        if _whole(path):
            return ImageStore(path)
        pixels_path = path.with_suffix(".u8.tmp")
        size = len(stats) * side**2 * 3
        say(_announcement(folder, len(stats), side, size))
        _reserve(pixels_path, size)
        pixels = np.memmap(
            pixels_path, dtype=np.uint8, mode="r+", shape=(len(stats), side, side, 3)
        )

        def fill(row: int) -> str:
            data = contest.paths[row].read_bytes()
            pixels[row] = preparation(decode(data), contest.boxes.get(contest.images[row]))
            return hashlib.sha256(data).hexdigest()

        digests: list[str] = []
        broken: list[str] = []
        with ThreadPoolExecutor(threads) as pool:
            for row, done in enumerate([pool.submit(fill, i) for i in range(len(stats))]):
                try:
                    digests.append(done.result())
                except (ValueError, OSError) as error:
                    broken.append(f"{contest.images[row]} ({_place(contest, row)}): {error}")
                progress(row + 1, len(stats))
        if broken:
            del pixels
            pixels_path.unlink()
            more = f"\n  … and {len(broken) - 10} more" if len(broken) > 10 else ""
            raise InputError(
                f"{len(broken)} of {len(stats)} images in {contest.files.root} cannot be stored:"
                + "".join(f"\n  {line}" for line in broken[:10])
                + more
            )
        pixels.flush()
        _sync(pixels_path)
        pixels_path.rename(path.with_suffix(".u8"))
        meta = {"format": FORMAT, "side": side, "images": contest.images, "files": digests}
        temporary = path.with_suffix(".json.tmp")
        temporary.write_text(json.dumps(meta))
        _sync(temporary)
        temporary.rename(path)
    return ImageStore(path)


def _announcement(folder: Path, images: int, side: int, size: int) -> str:
    """How much room a new store takes, and what others take beside it."""
    words = f"decoded images: {images:,} of {side} x {side} pixels, {_mib(size)} in {folder}"
    others = [path.stat().st_size for path in folder.glob("*.u8")]
    return f"{words} beside {_mib(sum(others))} of earlier ones" if others else words


def _mib(size: int) -> str:
    return f"{size / MIB:,.0f} MiB"


def _reserve(path: Path, size: int) -> None:
    """Takes the room for a file now: a full disk would kill a process that writes to a map of it.

    Raises:
        InputError: If there is not enough, or too little would be left.
    """
    path.unlink(missing_ok=True)  # what a killed process left
    free, spared = shutil.disk_usage(path.parent).free, min(size, SPARED)
    if free < size + spared:
        raise InputError(
            f"{path.parent}: no room for {_mib(size)} of decoded images: {_mib(free)} are free, of "
            f"which {_mib(spared)} shall stay so; remove those that no search uses any more, which "
            "are made again when needed, or name another place by store.folder="
        )
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InputError(
            f"{path.parent}: no room for {_mib(size)} of decoded images "
            f"({error.strerror}); store.folder= names another place"
        ) from error


def _whole(path: Path) -> bool:
    """Whether both files are there and the pixels have the length that the names ask for."""
    pixels = path.with_suffix(".u8")
    if not path.is_file() or not pixels.is_file():
        return False
    try:
        meta = json.loads(path.read_text())
        return bool(pixels.stat().st_size == len(meta["images"]) * meta["side"] ** 2 * 3)
    except (ValueError, KeyError):
        return False


def _place(contest: Contest, row: int) -> str:
    parts = {"training": len(contest.train_images), "test": len(contest.test_images)}
    for part, count in parts.items():
        if row < count:
            return f"{part} row {row + 2}"
        row -= count
    return f"data.extra row {row + 2}"


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
