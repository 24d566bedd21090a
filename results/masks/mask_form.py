"""How a contest writes its masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from results.masks.mask_files import NumberFiles
from results.masks.true_masks import MaskRules, read_truth
from results.masks.truth import Truth
from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True)
class MaskForm:
    """How masks are written.

    Attributes:
        column: Of the training table, with the masks' files relative to its folder.
        void: Number of pixels that count for nothing; -1 for none.
        background: Name of the class that is not scored by itself; empty for none.
    """

    column: str
    void: int = -1
    background: str = ""

    def read(
        self,
        names: Sequence[str],
        path: Path,
        images: tuple[str, ...],
        classes: tuple[str, ...],
        kept: Path | None,
    ) -> Truth:
        """Reads the masks that a table names.

        Args:
            names: The column's texts.
            path: The table.
            images: Names of the images.
            classes: Class names by index; empty for those that masks know.
            kept: Folder in which masks are kept once they were read; None to keep nothing.

        Raises:
            InputError: For masks that are missing or wrong, with file and row.
        """
        files = [path.parent / name for name in names]
        for row, file in enumerate(files, start=2):
            if not file.is_file():
                raise InputError(f"{path}, row {row}: mask {names[row - 2]!r} is missing")
        rules = MaskRules(classes=classes, void=self.void, background=self.background)
        source = NumberFiles(files=files)
        return read_truth(source, rules, images, lambda row: f"{path}, row {row + 2}", kept)
