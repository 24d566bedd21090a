"""Where a contest's images lie: from the names in its tables to files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spaces.errors import InputError
from trainables.portable.images import SUFFIXES


@dataclass(frozen=True)
class ImageFiles:
    """Files by name; a name may lack its extension, as ids often do.

    Attributes:
        root: The contest's folder.
        train: Folder in it that names of training images are relative to.
        test: Folder in it that names of test images are relative to.
    """

    root: Path
    train: str = ""
    test: str = ""

    def existing(self, name: str, part: str) -> Path:
        """The file of an image.

        Args:
            name: As the table has it.
            part: ``train`` or ``test``; predictions of the hold-out are of training images.

        Raises:
            InputError: If there is none, or several have the name, with different extensions.
        """
        file = self._folder(part) / name
        if file.is_file():
            return file
        found = _by_stem(file.parent).get(file.name, ())
        if len(found) > 1:
            raise InputError(f"{file}: which of {', '.join(found)} is meant?")
        if not found:
            raise InputError(f"image {name!r} is missing in {self._folder(part)}")
        return file.parent / found[0]

    def _folder(self, part: str) -> Path:
        return self.root / (self.test if part == "test" else self.train)


@functools.lru_cache(maxsize=64)
def _by_stem(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Images in a folder by their names without extension."""
    found: dict[str, tuple[str, ...]] = {}
    if folder.is_dir():
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in SUFFIXES:
                found[file.stem] = (*found.get(file.stem, ()), file.name)
    return found
