"""The command line of an exported model: images in, a table of probabilities or masks out."""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .images import SUFFIXES
from .mask_predictor import MaskPredictor, write_mask
from .networks import build_network
from .predictor import Build, Predictor
from .preparation import SIDES, Box


def image_files(folder: Path) -> list[Path]:
    """Image files in a folder and its subfolders, by name."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def listed_files(folder: Path, table: Path) -> tuple[list[Path], list[Box]]:
    """Files in a folder that the first column of a table names, in its order, and their boxes.

    Raises:
        ValueError: If the columns of boxes hold something else.
    """
    with table.open(newline="", encoding="utf-8-sig") as file:
        separator = max(",;\t|", key=file.readline().count)
        file.seek(0)
        header, *rows = [row for row in csv.reader(file, delimiter=separator) if row] or [[]]
    paths = [folder / row[0] for row in rows]
    if not set(SIDES) <= set(header):
        return paths, []
    columns = [header.index(side) for side in SIDES]
    boxes = []
    for number, row in enumerate(rows, start=2):
        texts = [row[column] if column < len(row) else "" for column in columns]
        try:
            left, top, right, bottom = map(int, texts)
        except ValueError:
            left = right = top = bottom = 0
        if not (0 <= left < right and 0 <= top < bottom):
            raise ValueError(f"{table}, row {number}: {', '.join(texts)} is no box in whole pixels")
        boxes.append((left, top, right, bottom))
    return paths, boxes


def write_rows(
    path: Path, names: Sequence[str], classes: Sequence[str], found: NDArray[np.float32]
) -> None:
    """Writes a table: image, label of the likeliest class, and a probability per class."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image", "label", *classes])
        for name, row in zip(names, found, strict=True):
            # str() of a float32 is the shortest text that reads back as the same bits.
            table.writerow([name, classes[int(row.argmax())], *map(str, row)])
    temporary.replace(path)


def main(folder: Path, arguments: Sequence[str] | None = None) -> int:
    """The command line of an exported model; returns the exit code."""
    parser = argparse.ArgumentParser(description="Predicts classes of images, or masks.")
    parser.add_argument("images", type=Path, help="folder of images")
    parser.add_argument(
        "--list",
        type=Path,
        help="table whose first column names the images; models that look at boxes need its "
        f"columns {', '.join(SIDES)}, too, in whole pixels",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("predictions.csv"),
        help="table to write; of masks a folder, made if it is not there",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 as in training")
    parser.add_argument("--cpu", action="store_true", help="leave a GPU alone")
    parser.add_argument("--model", default="", help="module:function that builds your own network")
    parser.add_argument(
        "--prepare", default="", help="module:function that prepares images, if there was one"
    )
    given = parser.parse_args(arguments)
    if not given.images.is_dir():
        parser.error(f"{given.images}: there is no such folder")
    if given.list is not None and not given.list.is_file():
        parser.error(f"{given.list}: there is no such file")
    masks = json.loads((folder / "model.json").read_text())["task"] != "classification"
    there = given.out.is_file() if masks else given.out.is_dir()
    if there or not given.out.resolve().parent.is_dir():
        kind = "folder" if masks else "file"
        parser.error(f"--out {given.out}: not a {kind} in a folder that is there")
    boxes: list[Box] = []
    try:
        if given.list:
            paths, boxes = listed_files(given.images, given.list)
        else:
            paths = image_files(given.images)
        own = _function(given.prepare) if given.prepare else None
        kind_of = MaskPredictor if masks else Predictor
        predictor = kind_of(folder, _own(given.model), given.threads, given.cpu, own)
    except (ValueError, ImportError, AttributeError) as error:
        parser.error(str(error))
    if not paths:
        parser.error(f"{given.images}: there are no images ({', '.join(SUFFIXES)})")
    if predictor.looks_at_boxes and not boxes:
        parser.error(f"these models look at boxes: --list a table with {', '.join(SIDES)}")
    if isinstance(predictor, MaskPredictor):
        return _write_masks(predictor, given.images, paths, given.out)
    names: list[str] = []
    found: list[NDArray[np.float32]] = []
    failed: dict[Path, str] = {}
    begun = time.monotonic()
    for good, probabilities, bad in predictor.chunks(paths, boxes=boxes):
        names += [p.relative_to(given.images).as_posix() for p in good]
        found.append(probabilities)
        failed |= bad
        print(f"{len(names) + len(failed):,} of {len(paths):,}", file=sys.stderr, flush=True)
    write_rows(given.out, names, predictor.classes, np.concatenate(found))
    per_image = 1000 * (time.monotonic() - begun) / len(paths)
    print(f"{given.out}: {len(names):,} images, {per_image:.1f} ms each on {predictor.device}")
    for path, reason in failed.items():
        print(f"left out: {path}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _write_masks(predictor: MaskPredictor, images: Path, paths: list[Path], out: Path) -> int:
    """Writes a PNG per image, of the same name, whose pixels are numbers of classes; where classes
    overlap, one in a folder of each class."""
    begun, failed = time.monotonic(), 0
    for number, (path, labels, reason) in enumerate(predictor.labels(paths), start=1):
        if labels is None:
            print(f"left out: {path}: {reason}", file=sys.stderr)
            failed += 1
        else:
            write_mask(predictor.places(out, path.relative_to(images)), labels)
        print(f"{number:,} of {len(paths):,}", file=sys.stderr, flush=True)
    per_image = 1000 * (time.monotonic() - begun) / len(paths)
    count = len(paths) - failed
    print(f"{out}: {count:,} images, {per_image:.1f} ms each on {predictor.device}")
    return 1 if failed else 0


def _own(reference: str) -> Build:
    if not reference:
        return build_network
    function = _function(reference)

    def build(config: dict[str, Any], classes: int) -> torch.nn.Module:
        made = function(_namespace(config), classes)
        assert isinstance(made, torch.nn.Module)
        return made

    return build


def _function(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _namespace(value: Any) -> Any:
    """A configuration as own networks got it in training: sections with attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _namespace(item) for name, item in value.items()})
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return tuple(value)
    return value
