"""True masks of test images, written like those of the training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from results.leaderboard.submission_file import check_ids, read_table
from results.masks.annotated_images import AnnotatedImages
from results.masks.class_sets import ClassSets
from results.masks.coco import read_coco
from results.masks.colour_files import ColourFiles
from results.masks.colours import Colours
from results.masks.mask_files import NumberFiles
from results.masks.mask_form import BACKGROUND, mask_files
from results.masks.run_length_rows import Cells, RunLengthRows
from results.masks.true_masks import MaskRules, MaskSource, read_truth
from results.masks.truth import Truth
from spaces.errors import InputError, unknown


def read_solution(
    path: Path, images: Sequence[str], truth: Truth, sizes: Mapping[str, tuple[int, int]]
) -> Truth:
    """Reads true masks of test images, of all of them or of a public part.

    Args:
        path: A COCO file (``.json``), or a table: the image, then the file of its mask, relative to
            the table's folder; or the image, its class where there are classes, run lengths.
        images: All test images.
        truth: True masks of training images, which say how masks are written.
        sizes: Height and width of test images in pixels.

    Raises:
        InputError: For images that are no test images, repeated ones, or what are no masks, and
            for masks of another size than their images.
    """
    if path.suffix.lower() == ".json":
        source, names, places = _annotated(path, images, truth)
    else:
        source, names, places = _listed(path, images, truth, sizes)
    found = read_truth(source, MaskRules.of(truth), names, lambda row: places[row])
    for row, (image, shape) in enumerate(zip(names, found.masks.shapes.tolist(), strict=True)):
        height, width = sizes[image]
        if tuple(shape) != (height, width):
            raise InputError(
                f"{places[row]}: the mask has {shape[1]} x {shape[0]} pixels, the image {width} x "
                f"{height}"
            )
    return found


Found = tuple[MaskSource, tuple[str, ...], list[str]]
"""A source, the images that it has masks of, and where each stands."""


def _annotated(path: Path, images: Sequence[str], truth: Truth) -> Found:
    masks, written = read_coco(path), truth.written.names
    known = tuple(image for image in images if masks.files_of(image))
    unclaimed = written[0] if written else BACKGROUND
    source = AnnotatedImages.of(masks, known, unclaimed, _sets(truth))
    odd = sorted(set(masks.images) - set(source.files))
    if odd:
        raise InputError(f"{path}: {len(odd)} images are no test images, such as {odd[0]!r}")
    if source.written.names != written:
        raise InputError(
            f"{path}: its categories are {', '.join(masks.classes)}; the training masks have the "
            f"classes {', '.join(truth.classes)}"
        )
    return source, known, [f"{path}: {image!r}" for image in known]


def _listed(
    path: Path, images: Sequence[str], truth: Truth, sizes: Mapping[str, tuple[int, int]]
) -> Found:
    table, written = read_table(path), truth.written
    if len(table.columns) < 2:
        raise InputError(f"{path}: a column of images and one of masks are needed")
    in_classes = bool(written.order) and len(table.columns) > 2
    columns = [list(table.iloc[:, index]) for index in range(3 if in_classes else 2)]
    cells = Cells(
        path=path,
        images=columns[0],
        texts=columns[-1],
        classes=columns[1] if in_classes else (),
    )
    names = tuple(cells.rows) if written.order else tuple(cells.images)
    check_ids(names, tuple(i for i in images if i in set(names)), path)
    place_of = cells.place if written.order else cells.file_place
    places = [place_of(cells.rows[name][0]) for name in names]
    if written.order:
        for row, name in enumerate(cells.classes):
            if (name or cells.texts[row]) and (not name or name not in written.names):
                raise unknown("class", name, filter(None, written.names), cells.place(row))
        source: MaskSource = RunLengthRows(
            cells=cells,
            images=names,
            sizes=[sizes[name] for name in names],
            names=written.names,
            order=written.order,
            sets=_sets(truth),
        )
    elif written.colours:
        rgb = np.array(written.colours, np.uint8)
        colours = Colours(path=Path("data.colours"), names=written.names, rgb=rgb)
        source = ColourFiles(files=mask_files(cells), colours=colours)
    else:
        source = NumberFiles(files=mask_files(cells))
    return source, names, places


def _sets(truth: Truth) -> ClassSets | None:
    """Sets of classes, where the contest's classes overlap."""
    return ClassSets() if truth.overlapping else None
