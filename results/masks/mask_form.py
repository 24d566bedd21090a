"""How a contest writes its masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from results.masks.annotated_images import AnnotatedImages
from results.masks.class_sets import ClassSets
from results.masks.coco import read_coco
from results.masks.colour_files import ColourFiles
from results.masks.colours import read_colours
from results.masks.mask_files import NumberFiles
from results.masks.notation import Order
from results.masks.run_length_rows import Cells, RunLengthRows, class_names
from results.masks.true_masks import MaskRules, MaskSource, read_truth
from results.masks.truth import Truth
from spaces.errors import InputError, unknown

BACKGROUND = "background"
"""The class of pixels that nothing claims, unless it is given a name."""

Sizes = Callable[[Sequence[str]], Sequence[tuple[int, int]]]
"""From names of images to their heights and widths in pixels."""


@dataclass(frozen=True, kw_only=True)
class MaskForm:
    """How masks are written.

    Attributes:
        column: Of the training table, with files of masks or run lengths; or a folder with masks
            that are called like the images; empty where there are annotations.
        void: Number, or name, of the class of pixels that count for nothing; -1 for none.
        background: Name of the class that is not scored by itself; empty for none, or, where pixels
            can be claimed by nothing, for that of these.
        colours: Table of the colours of classes; None where masks are not in colour.
        run_lengths: Their order, where masks are such.
        label: Column of their classes, which the table may lack.
        annotations: A COCO file; None where masks are in files or tables.
        overlapping: Whether a pixel can be of several classes: of run lengths and annotations.
    """

    column: str = ""
    void: int | str = -1
    background: str = ""
    colours: Path | None = None
    run_lengths: Order = ""
    label: str = "label"
    annotations: Path | None = None
    overlapping: bool = False

    def read(
        self,
        cells: Cells,
        images: tuple[str, ...],
        classes: tuple[str, ...],
        sizes: Sizes,
        kept: Path | None,
    ) -> Truth:
        """Reads the masks of images.

        Args:
            cells: What a table says of them; without texts where there are annotations.
            images: Names of the images.
            classes: Class names in the order wanted; empty for all, in that of their numbers.
            sizes: How large images are.
            kept: Folder in which masks are kept once they were read; None to keep nothing.

        Raises:
            InputError: For masks that are missing or wrong, with file and row.
        """
        source = self._source(cells, images, sizes)
        rules = self._rules(source.written.names, classes)
        in_files = not (self.run_lengths or self.annotations)
        place_of = cells.file_place if in_files else cells.place

        def place(row: int) -> str:
            return place_of(cells.rows[images[row]][0])

        return read_truth(source, rules, images, place, kept)

    def _source(self, cells: Cells, images: tuple[str, ...], sizes: Sizes) -> MaskSource:
        unclaimed = "" if self.overlapping else self.background or BACKGROUND
        sets = ClassSets() if self.overlapping else None
        if self.annotations is not None:
            return AnnotatedImages.of(read_coco(self.annotations), images, unclaimed, sets)
        if self.run_lengths:
            return RunLengthRows(
                cells=cells,
                images=images,
                sizes=sizes(images),
                names=class_names(cells, unclaimed),
                order=self.run_lengths,
                sets=sets,
            )
        files = mask_files(cells)
        if self.colours is not None:
            return ColourFiles(files=files, colours=read_colours(self.colours))
        return NumberFiles(files=files)

    def _rules(self, names: tuple[str, ...], classes: tuple[str, ...]) -> MaskRules:
        """What numbers mean, where they have names."""
        if not names:
            if isinstance(self.void, str):
                raise InputError(
                    f"data.void={self.void}: pixels of these masks are numbers, which have no names"
                )
            return MaskRules(classes=classes, void=self.void, background=self.background)
        void = -1
        if self.void != -1:
            if self.void not in names:
                raise unknown("class", self.void, filter(None, names), f"data.void={self.void}")
            void = names.index(str(self.void))
        for name in classes:
            if name not in names:
                raise unknown("class", name, filter(None, names), "data.classes")
        claimed = self.overlapping or (self.annotations is None and not self.run_lengths)
        background = self.background if claimed else names[0]
        wanted = classes or tuple(name for name in names if name not in ("", self.void))
        if not claimed and background not in wanted:
            wanted = (background, *wanted)
        return MaskRules(
            classes=wanted,
            void=void,
            background=background,
            numbers=tuple(names.index(name) for name in wanted),
            spare="" if claimed or self.background or background in classes else background,
        )


def mask_files(cells: Cells) -> list[Path]:
    """The files that a table names, relative to its folder.

    Raises:
        InputError: If one is missing.
    """
    files = [cells.path.parent / text for text in cells.texts]
    for row, file in enumerate(files):
        if not file.is_file():
            raise InputError(f"{cells.place(row)}: mask {cells.texts[row]!r} is missing")
    return files
