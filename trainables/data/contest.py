"""A contest: tables of images and labels in a folder, checked when read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from results.masks.mask_form import MaskForm
from results.masks.truth import Truth
from results.tasks.classification import read_labels
from results.tasks.tasks import task_of_truth
from spaces.digest import digest
from spaces.errors import InputError, unknown
from trainables.data.boxes import Boxes
from trainables.data.contest_corrections import contest_corrections
from trainables.data.contest_masks import masked_table, read_masks, row_per_image
from trainables.data.corrections import Corrections
from trainables.data.extra import ExtraImages
from trainables.data.image_files import ImageFiles
from trainables.data.listing import Listing
from trainables.data.own_folds import own_folds, own_holdout
from trainables.data.tables import (
    TRAIN,
    beside,
    column_or_table,
    leads_outside,
    read_table,
    test_table,
    training_table,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """What there is to learn from and to predict.

    Attributes:
        name: Competition name, a folder name below ``runs/`` and the MLflow experiment.
        files: Where the images lie.
        train_images: Names of images in the order of the training table.
        test_images: Names of images in the order of the test table; may be empty.
        test_ids: What the site calls them, in the same order; empty where that is their names.
        labels: int64 (n_train,), indices into ``classes``; of images with masks, what folds share
            out evenly (`Truth.strata`).
        classes: Class names; their order is the order of probability columns everywhere.
        named: Whether ``data.classes=`` names them.
        groups: str (n_train,), or None; images of one group never stand on both sides of a split.
        fold: int64 (n_train,), a team's own folds from 0, or None.
        held: bool (n_train,), what a team holds out itself, or None.
        boxes: The part of each image that counts, by name; empty where whole images do.
        focus: The part of each training image that mixing keeps to, by name; empty for none.
        corrections: Labels that a person corrected, or None; folds and scores know nothing of them.
        extra: Labelled images from elsewhere, or None.
        truth: True masks of the training images, or None.
        task: Kind of prediction.
    """

    name: str
    files: ImageFiles
    train_images: tuple[str, ...]
    test_images: tuple[str, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    named: bool = False
    test_ids: tuple[str, ...] = ()
    groups: NDArray[np.str_] | None = None
    fold: NDArray[np.int64] | None = None
    held: NDArray[np.bool_] | None = None
    boxes: Boxes = field(default_factory=dict)
    focus: Boxes = field(default_factory=dict)
    corrections: Corrections | None = None
    extra: ExtraImages | None = None
    truth: Truth | None = None
    task: str = "classification"

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Training images, then test images, then extra ones: the rows of the image store."""
        extra = () if self.extra is None else self.extra.images
        return self.train_images + self.test_images + extra

    @property
    def own(self) -> int:
        """How many of them are the contest's, which come before those from elsewhere."""
        return len(self.train_images) + len(self.test_images)

    def shows(self, index: int) -> NDArray[np.bool_]:
        """Whether each training image is, or its mask has pixels, of a class, bool (n,)."""
        if self.truth is None:
            return np.asarray(self.labels == index)
        return np.asarray(self.truth.pixels[:, index] > 0)

    @cached_property
    def files_digest(self) -> str:
        """Identity of the files by names, sizes and times: a look at the folder tells it."""
        stats = [(n, p.stat()) for n, p in zip(self.images, self.paths, strict=True)]
        return digest([(name, s.st_size, s.st_mtime_ns) for name, s in stats])

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The files of all images, in the order of `images`.

        Raises:
            InputError: If one is missing.
        """
        names = [(name, "train") for name in self.train_images]
        names += [(name, "test") for name in self.test_images]
        names += [(name, "extra") for name in self.images[len(names) :]]
        return tuple(self.files.existing(name, part) for name, part in names)


def load_contest(
    *,
    name: str,
    root: str | Path,
    train: str = TRAIN,
    test: str = "test.csv",
    image: str | Sequence[str] = "image",
    id: str = "",
    label: str = "label",
    group: str = "",
    fold: str = "",
    holdout: str = "",
    train_images: str | Sequence[str] = "",
    test_images: str | Sequence[str] = "",
    box: Sequence[str] = (),
    focus: Sequence[str] = (),
    extra: str = "",
    extra_images: str = "",
    classes: Sequence[str] = (),
    corrections: str = "",
    masks: MaskForm | None = None,
    kept: Path | None = None,
) -> Contest:
    """Reads a contest's tables.

    Args:
        name: Competition name.
        root: The contest's folder.
        train: Training table, relative to ``root``, or a folder with a folder of images per class.
        test: Test table, relative to ``root``, or a folder of images; empty for none.
        image: Column with names of images: paths, with or without extension; or that of the
            training table and that of the test table.
        id: Column of the test table with what the site calls the images; empty where that is
            their names.
        label: Column with labels.
        group: Column with groups, or a table of images and groups (``.csv``); empty for none.
        fold: Column with a team's own folds, numbered in the order of their names, or a table of
            images and folds; empty for none.
        holdout: Column that says what is held out, in words of `HELD` and `TRAINED`, or a table of
            images and such words; empty for none.
        train_images: Folder that names of training images are relative to, itself so to ``root``;
            or several, each image being in one of them.
        test_images: The same of test images.
        box: Columns of left, top, right and bottom, in both tables, of a box that is cut out.
        focus: The same columns, in the training table, of a box that mixing keeps to.
        extra: Table of labelled images from elsewhere, with the columns of the training table, as a
            path or relative to ``root``; empty for none.
        extra_images: The same of these images; may be an absolute path.
        classes: Class names in the order wanted; sorted labels when empty.
        corrections: Table of corrected labels; empty for none.
        masks: How masks are written, where there are masks instead of labels.
        kept: Folder in which masks are kept once they were read; None to keep nothing.

    Raises:
        InputError: For anything missing, empty, repeated or unknown, with file and row.
    """
    image, tested_by = (image, image) if isinstance(image, str) else image
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(f"data.root={str(root)!r}: there is no such folder")
    files = _image_files(folder, train_images, test_images, extra_images)
    path = folder / train
    if masks is None:
        table = whole = training_table(folder, train, image, label)
    else:
        table = whole = masked_table(folder, train, image, masks)
        if masks.run_lengths:
            alike = [column for column in (group, fold, holdout) if column in whole]
            table = row_per_image(whole, path, image, alike)
    listed = Listing(table=table, path=path, image=image, files=files, part="train")
    images = listed.images
    truth = None
    if masks is None:
        meant = classes if path.is_file() else set(table[label])  # folders have names
        values = listed.column(label, "data.label", meant)
        labels, names = read_labels(values, tuple(classes), path)
    else:
        truth = read_masks(masks, whole, path, image, images, tuple(classes), files, kept)
        labels, names = truth.strata, truth.classes
    groups, folds, held = (
        column_or_table(value, key, images, table, path) if value else None
        for key, value in (("data.group", group), ("data.fold", fold), ("holdout", holdout))
    )
    boxes, focused = listed.boxes(box), listed.boxes(focus, "data.focus")
    tests: tuple[str, ...] = ()
    test_ids: tuple[str, ...] = ()
    if id and masks is not None:
        raise InputError(f"data.id={id}: submissions of masks go by the images' names")
    if test:
        tested = _tested(folder, test, image, tested_by, files)
        tests, test_ids = tested.images, tested.ids(id) if id else ()
        boxes |= tested.boxes(box)
        if masks is None:
            _check_labels(tested, label, names)
    both = set(images) & set(tests)
    if both:
        raise InputError(f"{sorted(both)[0]!r} is listed in both {train} and {test}")
    return Contest(
        name=name,
        files=files,
        train_images=images,
        test_images=tests,
        test_ids=test_ids,
        labels=labels,
        classes=names,
        named=bool(classes),
        groups=None if groups is None else np.array(groups, dtype=np.str_),
        fold=None if folds is None else own_folds(folds, fold),
        held=None if held is None else own_holdout(held, groups, holdout),
        boxes=boxes,
        focus=focused,
        corrections=(
            contest_corrections(beside(corrections, folder), images, labels, names, truth)
            if corrections
            else None
        ),
        extra=_extra_images(extra, folder, image, label, names, files) if extra else None,
        truth=truth,
        task=task_of_truth(truth).name,
    )


def _image_files(
    folder: Path, train: str | Sequence[str], test: str | Sequence[str], extra: str
) -> ImageFiles:
    """Where images lie, by the folders that their names are relative to.

    Raises:
        InputError: If one is not there, or outside the contest's.
    """
    trained, tested = (
        (below,) if isinstance(below, str) else tuple(below) for below in (train, test)
    )
    for key, roots in (("train", trained), ("test", tested), ("extra", (extra,))):
        for below in roots:
            if not (folder / below).is_dir():
                raise InputError(f"data.{key}_images={below}: there is no such folder in {folder}")
            if key != "extra" and leads_outside(below):
                raise InputError(f"data.{key}_images={below}: link it into {folder} and name that")
    return ImageFiles(folder.resolve(), trained, tested, extra)


def _tested(folder: Path, test: str, image: str, column: str, files: ImageFiles) -> Listing:
    """The test table, which may call images otherwise than the training table."""
    table, path = test_table(folder, test, column), folder / test
    if column not in table:
        other = f"data.image=[{image},<column>] names the test table's"
        place = f"data.image={column}, {path}; {other}"
        raise unknown("column", column, map(str, table.columns), place)
    return Listing(table=table, path=path, image=column, files=files, part="test")


def _check_labels(tested: Listing, label: str, classes: tuple[str, ...]) -> None:
    """Raises InputError where a test table with labels has one that no training image has."""
    if label not in tested.table:
        return
    for row, value in enumerate(tested.table[label].str.strip(), start=2):
        if value not in classes:
            place = f"{tested.path}, row {row}, column {label!r}"
            raise unknown("label", value, classes, f"{place}; only the test knows it")


def _extra_images(
    extra: str, folder: Path, image: str, label: str, classes: tuple[str, ...], files: ImageFiles
) -> ExtraImages:
    """Labelled images from elsewhere; their labels have to be the contest's."""
    path = beside(extra, folder)
    table = read_table(path.parent, path.name, "data.extra")
    listed = Listing(table=table, path=path, image=image, files=files, part="extra")
    images = listed.images
    values = listed.column(label, "data.label", classes)
    labels, _ = read_labels(values, classes, path, complete=False)
    return ExtraImages(images=images, labels=labels)
