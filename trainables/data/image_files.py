"""Where a contest's images lie: from the names in its tables to files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from spaces.errors import InputError
from trainables.portable.images import SUFFIXES

TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap height and width."""


@dataclass(frozen=True)
class ImageFiles:
    """Files by name; a name may lack its extension, as ids often do.

    Attributes:
        root: The contest's folder.
        train: Folders in it, in any of which a training image may be by its name.
        test: The same of test images.
        extra: Folder that names of labelled images from elsewhere are relative to.
    """

    root: Path
    train: tuple[str, ...] = ("",)
    test: tuple[str, ...] = ("",)
    extra: str = ""

    def existing(self, name: str, part: str) -> Path:
        """The file of an image.

        Args:
            name: As the table has it.
            part: ``test`` or ``extra``; all others are training images.

        Raises:
            InputError: If there is none, or several have the name, with different extensions or in
                different folders.
        """
        below = {"test": self.test, "extra": (self.extra,)}.get(part, self.train)
        folders = [self.root / folder for folder in below]
        found = [path for folder in folders for path in _named(folder / name)]
        if not found:
            others = [other for folder in folders for other in _otherwise(folder / name)]
            hint = f"; {others[0]!r} is there" if others else ""
            where = " and ".join(map(str, folders))
            raise InputError(f"image {name!r} is missing in {where}{hint}")
        if len(found) > 1:
            which = ", ".join(path.relative_to(self.root).as_posix() for path in found)
            raise InputError(f"image {name!r} in {self.root}: which of {which} is meant?")
        return found[0]


def image_size(path: Path) -> tuple[int, int]:
    """Height and width of an image file, turned as its EXIF orientation says.

    Raises:
        OSError, ValueError: If it is no image.
    """
    with Image.open(path) as image:
        width, height = image.size
        turned = image.getexif().get(ExifTags.Base.Orientation) in TURNED
    return (width, height) if turned else (height, width)


def _named(file: Path) -> list[Path]:
    """The file of this very name, or else those that have it before their extension."""
    try:
        if file.is_file():
            return [file]
    except OSError:  # no file can have such a name
        return []
    return [file.parent / name for name in _by_stem(file.parent).get(file.name, ())]


def _otherwise(file: Path) -> tuple[str, ...]:
    """Images beside a missing file that are called like it but for their extension."""
    try:
        return _by_stem(file.parent).get(file.stem, ())
    except OSError:
        return ()


@functools.lru_cache(maxsize=64)
def _by_stem(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Images in a folder by their names without extension."""
    found: dict[str, tuple[str, ...]] = {}
    if folder.is_dir():
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in SUFFIXES:
                found[file.stem] = (*found.get(file.stem, ()), file.name)
    return found
