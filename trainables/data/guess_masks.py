"""Options of a contest whose images have masks: in files, run lengths, or in a COCO file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from results.masks.coco import CocoMasks
from trainables.data.contest_masks import masks_in_folder
from trainables.data.guess import Guess
from trainables.data.guess_tables import (
    LOOKED_UP,
    Table,
    beside_training,
    folder_guesses,
    folder_of_tests,
    group_guesses,
    guesses_of_tests,
    image_folders,
    share_found,
    size_guesses,
    size_of,
)
from trainables.data.mask_looks import (
    annotation_file,
    are_masks,
    mask_column,
    mask_folder,
    meaning_of_files,
    meaning_of_names,
)
from trainables.data.run_length_looks import run_lengths_of
from trainables.portable.images import SUFFIXES

MASK_METRIC = Guess(option="metric", value="mean_iou", why="there are masks; nothing says which")


def mask_guesses(root: Path, tables: Sequence[Table]) -> list[Guess]:
    """Options of a contest whose images have masks; none where no masks are found."""
    folders = image_folders(root)
    annotated = annotation_file(root)
    if annotated is not None:
        return _annotated(root, folders, *annotated)
    for table in sorted(tables, key=lambda t: "train" not in t.file.lower()):
        if "sample" in table.file.lower() or "test" in table.file.lower():
            continue
        names = table.rows[table.image].str.strip().tolist()
        masked, label = _masks_of(root, folders, table, names)
        if not masked:
            continue
        others, unread = beside_training(root, table, tables)
        why = f"{len(names):,} rows with masks{unread}"
        found = [
            Guess(option="train", value=table.file, why=why),
            *folder_guesses(table, "train"),
            *masked,
            *group_guesses(table, label),
        ]
        plain = [t for t in others if "sample" not in t.file.lower()] or others
        return [
            *found,
            *guesses_of_tests(root, table, plain)[0],
            *size_guesses(root, table),
            MASK_METRIC,
        ]
    return [] if tables else _folders_of_masks(root, folders)


def _masks_of(
    root: Path, folders: Sequence[str], table: Table, names: Sequence[str]
) -> tuple[list[Guess], str]:
    """What says where masks are and what they mean, and their column of classes."""
    column = mask_column((root / table.file).parent, table.rows, table.image)
    runs = None if column else run_lengths_of(root, table)
    if runs is not None:
        return [*runs.guesses], runs.label
    where = column or mask_folder(root, folders, names, table.folders[0])
    if not where:
        return [], ""
    why = "its values are files of few values" if column else "masks are called like images"
    meaning = meaning_of_files(root, _mask_files(root, table, column, where, names))
    return [Guess(option="mask", value=where, why=why), *meaning], ""


def _mask_files(
    root: Path, table: Table, column: str, where: str, names: Sequence[str]
) -> list[Path]:
    if column:
        return [(root / table.file).parent / text for text in table.rows[column].str.strip()]
    return [root / name for name in masks_in_folder(root, where, names)]


def _annotated(root: Path, folders: Sequence[str], file: str, masks: CocoMasks) -> list[Guess]:
    """Options of a contest with a COCO file, whose images are those to train on."""
    names = pd.Series(masks.images)
    folder = max(["", *folders], key=lambda below: share_found(root, (below,), names))
    count, classes = len(masks.images), len(masks.classes)
    why = f"COCO annotations of {count:,} images in {classes} categories"
    rows = pd.DataFrame({"image": names})
    table = Table(file="", rows=rows, image="image", folders=(folder,))
    return [
        Guess(option="annotations", value=file, why=why),
        *folder_guesses(table, "train"),
        *meaning_of_names(masks.classes, masks.shared()),
        folder_of_tests(root, leave=folder),
        *size_guesses(root, table),
        MASK_METRIC,
    ]


def _folders_of_masks(root: Path, folders: Sequence[str]) -> list[Guess]:
    """Options of a contest with a folder of images, and one of masks that are called alike."""
    for train in sorted(folders, key=lambda name: ("train" not in name.lower(), name)):
        files = [p for p in sorted((root / train).iterdir()) if p.suffix.lower() in SUFFIXES]
        if "test" in train.lower() or are_masks(files[:LOOKED_UP]):
            continue
        where = mask_folder(root, folders, [file.name for file in files], train)
        if where:
            names = masks_in_folder(root, where, [file.name for file in files])
            return [
                Guess(option="train", value=train, why=f"a folder of {len(files):,} images"),
                Guess(option="mask", value=where, why="a folder of masks called like them"),
                *meaning_of_files(root, [root / name for name in names]),
                folder_of_tests(root, leave=train),
                *size_of(files[:LOOKED_UP]),
                MASK_METRIC,
            ]
    return []
