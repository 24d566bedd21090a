"""Building an image store: decoding, preparing and writing, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from results.masks.label_map import nearest
from results.masks.planes import Planes
from results.masks.truth import Truth
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import whole_file
from trainables.data.contest import Contest
from trainables.data.fingerprints import fingerprint
from trainables.data.image_files import image_size
from trainables.data.image_store import FINGERPRINTS, MASKS, PIXELS, ImageStore, synced
from trainables.portable.images import decode
from trainables.portable.preparation import Preparation

FORMAT = 4
MIB, GIB = 2**20, 2**30
SPARED = 1 * GIB
"""Bytes of a disk that decoded images leave free; as much as they take themselves where that is
less."""

THREADS = 2
"""Images that are decoded at a time."""

SHOWN = 10
"""Broken images that one message lists."""

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """What is known of an image once it is decoded.

    Attributes:
        digest: SHA-256 of its file.
        size: Of the image in the file.
        fingerprint: Of the same, uint8 (n,).
    """

    digest: str
    size: Size
    fingerprint: NDArray[np.uint8]


def build_store(
    contest: Contest,
    preparation: Preparation,
    folder: Path,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
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

    Raises:
        InputError: Naming the images that cannot be stored, or if there is no room for them.
    """
    stats = [(n, p.stat()) for n, p in zip(contest.images, contest.paths, strict=True)]
    files = [(name, s.st_size, s.st_mtime_ns) for name, s in stats]
    masked = [] if contest.truth is None else [contest.truth.digest]
    key = digest([FORMAT, preparation.key, files, contest.boxes, *masked])
    store = ImageStore(folder / f"{key}-{preparation.side}.json")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"store.folder={folder}: cannot write there: {error.strerror}") from error
    lock, temporary = store.path.with_suffix(".lock"), store.path.with_suffix(f"{PIXELS}.tmp")
    try:
        with FileLock(lock):
            if not store.whole:
                try:
                    _build(contest, preparation, store.path, temporary, say, progress)
                finally:
                    temporary.unlink(missing_ok=True)
    except InputError:  # who else waits with this key is refused as well: the lock guards nothing
        lock.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else's files
            for path in made:
                path.rmdir()
        raise
    return store


def _build(
    contest: Contest,
    preparation: Preparation,
    path: Path,
    temporary: Path,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> None:
    truth, shapes = contest.truth, _shapes(contest, preparation)
    size = 3 * sum(height * width for height, width in shapes)
    say(_announcement(path.parent, shapes, preparation, size))
    _reserve(temporary, size)
    block = np.memmap(temporary, dtype=np.uint8, mode="r+", shape=(size,))
    pixels = Planes(block, np.array([(*shape, 3) for shape in shapes], np.int64))

    stored, broken = _decoded(contest, preparation, pixels, progress)
    if broken:
        _refuse(contest, broken)
    block.flush()
    synced(temporary)
    temporary.rename(path.with_suffix(PIXELS))
    if truth is not None:
        _write_masks(truth, shapes, path.with_suffix(MASKS))
    with whole_file(path.with_suffix(FINGERPRINTS)) as prints:
        prints.write_bytes(np.stack([s.fingerprint for s in stored]).tobytes())
        synced(prints)
    meta = {
        "format": FORMAT,
        "side": 0 if preparation.shape == "native" else preparation.side,
        "shapes": shapes if preparation.shape == "native" else [],
        "images": contest.images,
        "files": [s.digest for s in stored],
        "sizes": [s.size for s in stored],
        "masks": 0 if truth is None else len(truth.images),
    }
    named = path.with_suffix(".json.tmp")
    named.write_text(json.dumps(meta))
    synced(named)
    named.rename(path)


def _decoded(
    contest: Contest, preparation: Preparation, pixels: Planes, progress: Callable[[int, int], None]
) -> tuple[list[_Stored], list[str]]:
    """Fills the store's pixels; what is known of each image, and in words which are broken."""
    images, stored, broken = contest.images, list[_Stored](), list[str]()

    def fill(row: int) -> _Stored | Exception:
        try:
            return _fill(contest, preparation, pixels, row)
        except (ValueError, OSError) as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        # Interrupted, `map` drops the images that are left.
        for row, found in enumerate(pool.map(fill, range(len(images)))):
            if isinstance(found, _Stored):
                stored.append(found)
            else:
                broken.append(f"{images[row]} ({_place(contest, row)}): {found}")
            progress(row + 1, len(images))
    return stored, broken


def _fill(contest: Contest, preparation: Preparation, pixels: Planes, row: int) -> _Stored:
    """Decodes and prepares one image.

    Raises:
        OSError, ValueError: If it cannot be read, or becomes of another size than its place has.
    """
    data = contest.paths[row].read_bytes()
    picture = decode(data)
    size = picture.shape[0], picture.shape[1]
    truth = contest.truth
    if truth is not None and row < len(truth.images):
        _check_size(tuple(truth.masks.shapes[row].tolist()), size)
    prepared = preparation(picture, contest.boxes.get(contest.images[row]))
    place = pixels[row]
    if prepared.shape != place.shape:
        raise ValueError(
            f"it becomes {prepared.shape[1]} x {prepared.shape[0]} pixels, where "
            f"{place.shape[1]} x {place.shape[0]} are expected; images that keep their sizes "
            "cannot be changed by prepare="
        )
    place[...] = prepared
    return _Stored(
        digest=hashlib.sha256(data).hexdigest(), size=size, fingerprint=fingerprint(picture)
    )


def _shapes(contest: Contest, preparation: Preparation) -> list[Size]:
    """Height and width at which each image is stored.

    Raises:
        InputError: Naming the images whose size cannot be read.
    """
    if preparation.shape != "native":
        return [(preparation.side, preparation.side)] * len(contest.images)
    shapes: list[Size] = []
    broken: list[str] = []
    for row, path in enumerate(contest.paths):
        try:
            shapes.append(preparation.shape_of(*image_size(path)))
        except (OSError, ValueError, UnidentifiedImageError) as error:
            broken.append(f"{contest.images[row]} ({_place(contest, row)}): {error}")
    if broken:
        _refuse(contest, broken)
    return shapes


def _refuse(contest: Contest, broken: list[str]) -> None:
    """Raises InputError, naming images that cannot be stored."""
    more = f"\n  … and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
    raise InputError(
        f"{len(broken)} of {len(contest.images)} images in {contest.files.root} cannot be stored:"
        + "".join(f"\n  {line}" for line in broken[:SHOWN])
        + more
    )


def _check_size(mask: tuple[int, ...], image: Size) -> None:
    """Raises ValueError unless a mask is as large as its image."""
    if mask[:2] != image:
        raise ValueError(
            f"its mask has {mask[1]} x {mask[0]} pixels, the image {image[1]} x {image[0]}"
        )


def _write_masks(truth: Truth, shapes: list[Size], path: Path) -> None:
    """Writes masks at the stored sizes, whole or not at all."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        for mask, shape in zip(truth.masks, shapes, strict=False):
            file.write(np.ascontiguousarray(nearest(mask, *shape)).data)
        file.flush()
        os.fsync(file.fileno())


def _announcement(folder: Path, shapes: list[Size], preparation: Preparation, size: int) -> str:
    """How much room a new store takes, and what others take beside it."""
    how = f"of {preparation.side} x {preparation.side} pixels"
    if preparation.shape == "native":
        how = f"of up to {max(w for _, w in shapes)} x {max(h for h, _ in shapes)} pixels"
    words = f"decoded images: {len(shapes):,} {how}, {_mib(size)} in {folder}"
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


def _place(contest: Contest, row: int) -> str:
    parts = {"training": len(contest.train_images), "test": len(contest.test_images)}
    for part, count in parts.items():
        if row < count:
            return f"{part} row {row + 2}"
        row -= count
    return f"data.extra row {row + 2}"
