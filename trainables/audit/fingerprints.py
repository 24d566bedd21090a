"""Fingerprints of pictures, by which near duplicates are found."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.data.image_store import ImageStore
from trainables.portable.images import resize

THUMBNAIL = 16
"""Height and width of the thumbnails that are compared pixel by pixel."""

SUFFIX = ".fingerprints.npz"


class Fingerprints(NamedTuple):
    """Of several pictures.

    Attributes:
        hashes: uint64 (n,), perceptual hashes (pHash).
        thumbnails: uint8 (n, 16, 16, 3).
    """

    hashes: NDArray[np.uint64]
    thumbnails: NDArray[np.uint8]


def fingerprint(picture: NDArray[np.uint8]) -> tuple[int, NDArray[np.uint8]]:
    """Hash and thumbnail of a picture, uint8 (height, width, 3)."""
    import imagehash  # jobs whose images are known by now do without
    from PIL import Image

    bits = imagehash.phash(Image.fromarray(picture)).hash.ravel()
    small = resize(picture, THUMBNAIL, THUMBNAIL)
    return int(np.packbits(bits).view(">u8")[0]), small


def stored_fingerprints(
    store: ImageStore, progress: Callable[[int, int], None] = lambda done, total: None
) -> Fingerprints:
    """Those of stored images, which are kept beside them; a damaged file is made anew.

    Args:
        store: Images.
        progress: Called with the images done and their number.
    """
    path, count = store.path.with_suffix(SUFFIX), len(store.images)
    try:
        with np.load(path) as kept:
            found = Fingerprints(kept["hashes"], kept["thumbnails"])
        if len(found.hashes) == len(found.thumbnails) == count:
            return found
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        pass
    seen = []
    for row in range(count):
        seen.append(fingerprint(np.asarray(store.pixels[row])))
        progress(row + 1, count)
    found = Fingerprints(
        hashes=np.array([one for one, _ in seen], np.uint64),
        thumbnails=np.stack([small for _, small in seen]),
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, hashes=found.hashes, thumbnails=found.thumbnails)
        temporary.replace(path)
    except OSError:  # a store that others own, or a full disk: they are found anew next time
        temporary.unlink(missing_ok=True)
    return found
