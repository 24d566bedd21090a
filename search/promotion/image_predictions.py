"""Predictions of a folder of images, part by part."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from results.predictions import Predictions
from results.reporting.text import format_seconds
from search.competition.standing import open_standing
from search.options.analysis import PredictImagesConfig
from search.options.exit_codes import FAILED, OK
from search.options.user_code import preparation_of
from search.promotion.exported_folder import (
    builder,
    complete_promotion,
    export_promotion,
    is_current,
)
from search.promotion.recorded_postprocess import of_promotion
from spaces.digest import digest
from spaces.errors import InputError
from trainables.portable.command import image_files, write_rows
from trainables.portable.images import SUFFIXES
from trainables.portable.mask_predictor import MaskPredictor, write_mask
from trainables.portable.predictor import Predictor


def predict(config: PredictImagesConfig) -> int:
    """Predicts; returns the exit code."""
    folder = Path(config.images)
    if not config.images:
        raise InputError("images= is needed: the folder of images to predict")
    if not folder.is_dir():
        raise InputError(f"images={config.images}: there is no such folder")
    paths = image_files(folder)
    if not paths:
        raise InputError(f"images={folder}: there are no images in it ({', '.join(SUFFIXES)})")
    standing = open_standing(config)
    processing, promotion = None, config.promotion
    if config.postprocess:
        processing, promotion = of_promotion(standing, config.postprocess, promotion)
    search, members = complete_promotion(standing, promotion)
    trained = members[0].trials()[0].config
    if trained.data.boxes:
        raise InputError(
            f"{search.id} looks at boxes (data.box=), which a folder of images has not: "
            "python -m search.export to=model writes a predict.py that takes a table of them"
        )
    preparation = preparation_of(trained, config.prepare, search.id)
    exported = search.folder / "model"
    if not is_current(exported, members):
        shutil.rmtree(exported, ignore_errors=True)
        export_promotion(standing, search, members, exported, config.model)
    suffix = ".csv" if search.truth is None else ""
    made_by = search.id if processing is None else f"{search.id}-{processing.id}"
    default = standing.folder / "predictions" / f"{made_by}-{folder.resolve().name}{suffix}"
    to = Path(config.to) if config.to else default
    if config.to and not to.resolve().parent.is_dir():
        raise InputError(f"to={config.to}: there is no folder {to.resolve().parent}")
    if to.is_dir() and search.truth is None:
        raise InputError(f"to={config.to}: that is a folder; name a file")
    if to.is_file() and search.truth is not None:
        raise InputError(f"to={config.to}: that is a file; name a folder for the masks")
    to.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(to.parent, os.W_OK):
        raise InputError(f"to={config.to}: cannot write in {to.parent}")
    kind = Predictor if search.truth is None else MaskPredictor
    predictor = kind(exported, builder(search, config.model), own=preparation.own)
    print(
        f"{len(paths):,} images with {len(predictor.about['models'])} models of {search.id} on "
        f"{predictor.device}" + ("" if processing is None else f"; {processing.words}"),
        flush=True,
    )
    if isinstance(predictor, MaskPredictor):
        predictor.settings = None if processing is None else processing.settings
        failed = _write_masks(predictor, folder, paths, to, made_by, config.quiet)
        return _told(config, search.id, to, len(paths) - len(failed), failed, folder)
    parts = to.with_name(f".{to.name}.parts") / _key(exported, paths)
    failed = _predict(predictor, folder, paths, parts, config.quiet)
    done = [Predictions.read(p) for p in sorted(parts.glob("*.npz"))]
    names = [image for part in done for image in part.images]
    write_rows(to, names, predictor.classes, np.concatenate([p.probabilities for p in done]))
    shutil.rmtree(parts.parent)
    return _told(config, search.id, to, len(names), failed, folder)


def _told(
    config: PredictImagesConfig,
    promotion: str,
    to: Path,
    images: int,
    failed: dict[str, str],
    folder: Path,
) -> int:
    """Says what was written and what was left out; returns the exit code."""
    print(f"{to}: {images:,} images")
    for name, reason in failed.items():
        print(f"left out: {folder / name}: {reason}")
    if config.json:
        print(json.dumps({"id": promotion, "path": str(to), "left_out": list(failed)}))
    return FAILED if failed else OK


def _write_masks(
    predictor: MaskPredictor,
    folder: Path,
    paths: Sequence[Path],
    to: Path,
    made_by: str,
    quiet: bool,
) -> dict[str, str]:
    """Writes the masks of images that have none yet; returns what did not decode."""
    record = to / ".promotion"
    if record.exists() and record.read_text() != made_by:
        raise InputError(f"to={to}: it holds masks of {record.read_text()}; name another folder")
    to.mkdir(exist_ok=True)
    record.write_text(made_by)
    out = {path: predictor.places(to, path.relative_to(folder)) for path in paths}
    todo = [path for path in paths if not all(place.exists() for place in out[path])]
    if len(todo) < len(paths):
        print(f"going on after {len(paths) - len(todo):,} images", flush=True)
    failed: dict[str, str] = {}
    begun = last = time.monotonic()
    for number, (path, labels, reason) in enumerate(predictor.labels(todo), start=1):
        if labels is None:
            failed[path.relative_to(folder).as_posix()] = reason
        else:
            write_mask(out[path], labels)
        now = time.monotonic()
        if not quiet and now - last >= 1 and number < len(todo):
            last, rate = now, number / (now - begun)
            left = format_seconds((len(todo) - number) / rate)
            print(f"{number:,} of {len(todo):,}, {rate:.1f} images/s, {left} left", flush=True)
    if todo and not quiet:
        print(f"{1000 * (time.monotonic() - begun) / len(todo):.1f} ms per image")
    return failed


def _key(exported: Path, paths: Sequence[Path]) -> str:
    """Identity of a run: these very files with these very models."""
    stats = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
    return digest([(exported / "model.json").stat().st_mtime_ns, stats])


def _predict(
    predictor: Predictor, folder: Path, paths: Sequence[Path], parts: Path, quiet: bool
) -> dict[str, str]:
    """Writes a part per chunk, after those that are there; returns what did not decode."""
    parts.mkdir(parents=True, exist_ok=True)
    for other in parts.parent.iterdir():
        if other != parts:  # of other images, or other models
            shutil.rmtree(other)
    record = parts / "left_out.json"
    failed: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    start = len(list(parts.glob("*.npz")))
    if start:
        print(f"going on after {min(start * predictor.chunk, len(paths)):,} images", flush=True)
    begun = time.monotonic()
    first = start * predictor.chunk
    for number, (good, found, bad) in enumerate(predictor.chunks(paths, first), start):
        failed |= {p.relative_to(folder).as_posix(): reason for p, reason in bad.items()}
        record.write_text(json.dumps(failed))
        Predictions.of_classes(
            images=tuple(p.relative_to(folder).as_posix() for p in good),
            classes=tuple(predictor.classes),
            probabilities=found,
        ).write(parts / f"{number:06d}.npz")
        done = min((number + 1) * predictor.chunk, len(paths))
        seconds = time.monotonic() - begun
        rate = (done - first) / seconds
        if not quiet and done < len(paths):
            left = format_seconds((len(paths) - done) / rate)
            print(f"{done:,} of {len(paths):,}, {rate:.0f} images/s, {left} left", flush=True)
    if len(paths) > first and not quiet:
        per_image = 1000 * (time.monotonic() - begun) / (len(paths) - first)
        print(f"{per_image:.1f} ms per image")
    return failed
