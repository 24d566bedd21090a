"""The masks of a contest: from its tables and folders to what is true of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import pandas as pd

from results.masks.coco import read_coco
from results.masks.mask_form import MaskForm
from results.masks.rle import pairs_of
from results.masks.run_length_rows import Cells
from results.masks.truth import Truth
from spaces.errors import InputError, unknown
from trainables.data.image_files import ImageFiles, image_size
from trainables.data.tables import (
    TRAIN,
    column_of,
    leads_outside,
    led_outside,
    pictures,
    read_table,
)

ENDINGS = ("", "_mask", "_masks", "_label", "_labels", "_seg", "_gt", "_L")
"""What masks in a folder may have behind the names of their images."""


def masked_table(folder: Path, train: str, image: str, form: MaskForm) -> pd.DataFrame:
    """The training table, or one made of the images in a folder or in a COCO file."""
    if (folder / train).is_dir():
        names = [file.relative_to(folder).as_posix() for file in pictures(folder / train)]
        if not names:
            raise InputError(f"data.train={train}: {folder / train} holds no images")
        return pd.DataFrame({image: names})
    if form.annotations is not None and train == TRAIN and not (folder / train).exists():
        return pd.DataFrame({image: list(read_coco(form.annotations).images)})
    table = read_table(folder, train, "data.train")
    if form.column in table and not form.run_lengths:
        _check_files(table[form.column].str.strip(), folder / train, form.column)
    return table


def _check_files(texts: pd.Series, path: Path, column: str) -> None:
    """Raises InputError where a column of files of masks begins with run lengths."""
    row = int((texts != "").to_numpy().argmax())
    text = texts.iloc[row]
    try:
        runs = pairs_of(text)
    except InputError:
        return
    if len(runs):
        raise InputError(
            f"{path}, row {row + 2}: column {column!r} holds run lengths, {text[:40]!r}: "
            "data.run_lengths=column or row says in which order"
        )


def row_per_image(
    table: pd.DataFrame, path: Path, image: str, columns: Sequence[str]
) -> pd.DataFrame:
    """The first row of every image, of a table with several of each.

    Args:
        table: As text.
        path: Where it was read from, for messages.
        image: Column with names of images.
        columns: Those that must say the same in all rows of an image.

    Raises:
        InputError: If one does not.
    """
    names = column_of(table, path, image, "data.image")
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        first.setdefault(name, row)
    for column in columns:
        for row, (name, value) in enumerate(zip(names, table[column], strict=True)):
            if value != table[column][first[name]]:
                raise InputError(
                    f"{path}, row {row + 2}: column {column!r} says {value!r} of {name!r}, but "
                    f"{table[column][first[name]]!r} in row {first[name] + 2}"
                )
    return table.loc[list(first.values())]


def read_masks(
    form: MaskForm,
    table: pd.DataFrame,
    path: Path,
    image: str,
    images: tuple[str, ...],
    classes: tuple[str, ...],
    files: ImageFiles,
    kept: Path | None,
) -> Truth:
    """Reads the true masks of training images.

    Args:
        form: How they are written.
        table: The whole training table, as text.
        path: Where it was read from.
        image: Its column with names of images.
        images: Each of them once.
        classes: Class names in the order wanted; empty for all.
        files: Where the images lie.
        kept: Folder in which masks are kept once they were read; None to keep nothing.

    Raises:
        InputError: For masks that are missing or wrong, with file and row.
    """

    def sizes(names: Sequence[str]) -> list[tuple[int, int]]:
        found = []
        for name in names:
            try:
                found.append(image_size(files.existing(name, "train")))
            except (OSError, ValueError) as error:
                raise InputError(f"image {name!r} cannot be read: {error}") from None
        return found

    return form.read(_cells(form, table, path, image), images, classes, sizes, kept)


def _cells(form: MaskForm, table: pd.DataFrame, path: Path, image: str) -> Cells:
    names = column_of(table, path, image, "data.image")
    if form.annotations is not None:
        return Cells(path=form.annotations, images=names, texts=())
    column = form.column
    if column not in table and leads_outside(column):
        raise InputError(f"data.mask={column}: a folder inside of {path.parent} is needed")
    if column not in table and (path.parent / column).is_dir():
        return Cells(path=path, images=names, texts=masks_in_folder(path.parent, column, names))
    if column not in table:
        place = f"data.mask={column}, {path}"
        raise unknown("column", column, map(str, table.columns), place)
    texts = [str(text).strip() for text in table[column]]
    if form.run_lengths:
        if form.label not in table and form.label != MaskForm.label:  # it may lack the usual one
            place = f"data.label={form.label}, {path}"
            raise unknown("column", form.label, map(str, table.columns), place)
        listed = table[form.label].str.strip().tolist() if form.label in table else ()
        return Cells(path=path, images=names, texts=texts, classes=listed)
    for row, text in enumerate(texts):
        if not text:
            raise InputError(
                f"{path}, row {row + 2}: {names[row]!r} has no mask: it is no training image, but "
                "may be one of data.test"
            )
        if leads_outside(text):
            raise InputError(f"{path}, row {row + 2}: {led_outside(text, path.parent)}")
    return Cells(path=path, images=names, texts=texts)


def masks_in_folder(root: Path, folder: str, names: Sequence[str]) -> list[str]:
    """Masks that are called like their images, but for one of `ENDINGS`.

    Args:
        root: The contest's folder.
        folder: Of masks, in it.
        names: Of images.

    Returns:
        Paths relative to ``root``.

    Raises:
        InputError: For an image without one, or with several.
    """
    by_stem: dict[str, list[str]] = {}
    for file in pictures(root / folder):
        by_stem.setdefault(file.stem, []).append(file.relative_to(root).as_posix())
    found = []
    for row, name in enumerate(names, start=2):
        stem = PurePath(name).stem
        masks = [mask for ending in ENDINGS for mask in by_stem.get(stem + ending, ())]
        if len(masks) != 1:
            what = f"which of {', '.join(masks)} is its mask?" if masks else "has no mask there"
            raise InputError(f"data.mask={folder}: image {name!r} (row {row}) {what}")
        found.append(masks[0])
    return found
