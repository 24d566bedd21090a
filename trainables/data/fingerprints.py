"""Fingerprints of pictures, by which near duplicates are found."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.portable.images import resize

REDUCED = 256
"""Longest side in pixels at which pictures are looked at: large photos say no more."""

THUMBNAIL = 16
"""Height and width of the thumbnails that are compared pixel by pixel."""

HASH = 8
"""Bytes of a hash."""

BYTES = HASH + 3 * THUMBNAIL**2
"""Of a fingerprint: the hash, then the thumbnail."""


class Fingerprints(NamedTuple):
    """Of several pictures.

    Attributes:
        hashes: uint64 (n,), perceptual hashes (pHash).
        thumbnails: uint8 (n, 16, 16, 3).
    """

    hashes: NDArray[np.uint64]
    thumbnails: NDArray[np.uint8]

    @staticmethod
    def of(rows: NDArray[np.uint8]) -> Fingerprints:
        """Those of rows as `fingerprint` makes them, uint8 (n, `BYTES`)."""
        hashes = np.ascontiguousarray(rows[:, :HASH]).view(">u8")[:, 0].astype(np.uint64)
        return Fingerprints(hashes, rows[:, HASH:].reshape(-1, THUMBNAIL, THUMBNAIL, 3))

    @staticmethod
    def read(path: Path) -> Fingerprints:
        """Reads a file of such rows."""
        return Fingerprints.of(np.fromfile(path, np.uint8).reshape(-1, BYTES))


def fingerprint(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Hash and thumbnail of a decoded picture, uint8 (height, width, 3), as uint8 (`BYTES`,)."""
    import imagehash  # jobs whose images are decoded do without
    from PIL import Image

    small = reduced(picture)
    bits = imagehash.phash(Image.fromarray(small)).hash.ravel()
    thumbnail = resize(small, THUMBNAIL, THUMBNAIL)
    return np.concatenate([np.packbits(bits), thumbnail.ravel()])


def reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture whose longest side has `REDUCED` pixels at most."""
    height, width = picture.shape[:2]
    factor = max(height, width) / REDUCED
    if factor <= 1:
        return picture
    return resize(picture, max(1, round(height / factor)), max(1, round(width / factor)))
