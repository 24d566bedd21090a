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
from search.options.ensembles import PredictImagesConfig
from search.options.exit_codes import FAILED, OK
from search.promotion.ensemble import Ensemble, find_ensemble
from search.promotion.exported_folder import builder, export_ensemble, is_current
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import whole_file, write_whole
from trainables.portable.command import image_files, write_rows
from trainables.portable.images import SUFFIXES
from trainables.portable.mask_predictor import MaskPredictor, write_mask
from trainables.portable.predictor import Predictor

EVERY = 1.0
"""Seconds between lines of progress at the least."""


def predict(config: PredictImagesConfig) -> int:
    """Predicts; returns the exit code."""
    folder = Path(config.images)
    paths = image_files(folder)
    if not paths:
        raise InputError(f"images={folder}: there are no images in it ({', '.join(SUFFIXES)})")
    standing = open_standing(config)
    ensemble = find_ensemble(standing, config)
    search, made_by = ensemble.search, ensemble.name
    if any(trial.config.data.boxes for _, _, trial in ensemble.trainings()):
        raise InputError(
            f"{ensemble.merged.id} looks at boxes (data.box=), which a folder of images has not: "
            "python -m search.export to=model writes a predict.py that takes a table of them"
        )
    own = ensemble.own_preparation(config.prepare)
    suffix = ".csv" if search.truth is None else ""
    default = standing.folder / "predictions" / f"{made_by}-{folder.resolve().name}{suffix}"
    to = Path(config.to) if config.to else default
    if config.to and not to.resolve().parent.is_dir():
        raise InputError(f"to={config.to}: there is no folder {to.resolve().parent}")
    if to.is_dir() and search.truth is None:
        raise InputError(f"to={config.to}: that is a folder; name a file")
    if to.is_file() and search.truth is not None:
        raise InputError(f"to={config.to}: that is a file; name a folder for the masks")
    if to.parent.is_dir() and not os.access(to.parent, os.W_OK):
        raise InputError(f"to={to}: cannot write in {to.parent}")
    exported = ensemble.merged.folder / "model"
    if not is_current(exported, ensemble):
        shutil.rmtree(exported, ignore_errors=True)
        export_ensemble(standing, ensemble, exported, config.model)
    to.parent.mkdir(parents=True, exist_ok=True)
    kind = Predictor if search.truth is None else MaskPredictor
    predictor = kind(exported, builder(search, config.model), own=own)
    predictor.voices, predictor.blend = ensemble.voices, ensemble.blend
    print(
        f"{len(paths):,} images with {ensemble.words} on {predictor.device}"
        + (f"; {ensemble.processed}" if ensemble.processed else ""),
        flush=True,
    )
    if isinstance(predictor, MaskPredictor):
        processing = ensemble.processing
        predictor.settings = None if processing is None else processing.settings
        failed = _write_masks(predictor, folder, paths, to, made_by, config.quiet)
        return _told(config, ensemble, to, len(paths) - len(failed), failed)
    parts = to.with_name(f".{to.name}.parts") / _key(exported, made_by, paths)
    failed = _predict(predictor, folder, paths, parts, config.quiet)
    done = [Predictions.read(p) for p in sorted(parts.glob("*.npz"))]
    names = [image for part in done for image in part.images]
    write_rows(to, names, predictor.classes, np.concatenate([p.probabilities for p in done]))
    shutil.rmtree(parts.parent)
    return _told(config, ensemble, to, len(names), failed)


def _told(
    config: PredictImagesConfig,
    ensemble: Ensemble,
    to: Path,
    images: int,
    failed: dict[str, str],
) -> int:
    """Says what was written and what was left out; returns the exit code."""
    print(f"{to}: {images:,} images")
    for name, reason in failed.items():
        print(f"left out: {Path(config.images) / name}: {reason}")
    if config.json:
        print(json.dumps({"id": ensemble.merged.id, "path": str(to), "left_out": list(failed)}))
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
    with whole_file(record) as temporary:
        temporary.write_text(made_by)
    out = {path: predictor.places(to, path.relative_to(folder)) for path in paths}
    todo = [path for path in paths if not all(place.exists() for place in out[path])]
    if len(todo) < len(paths):
        print(f"going on after {len(paths) - len(todo):,} images", flush=True)
    failed: dict[str, str] = {}
    progress = _Progress(len(todo), 1, predictor.looks_in_all(), quiet)
    predictor.beat = progress.beat
    for number, (path, labels, reason) in enumerate(predictor.labels(todo), start=1):
        if labels is None:
            failed[path.relative_to(folder).as_posix()] = reason
        else:
            write_mask(out[path], labels)
        progress.reach(number)
    progress.close()
    return failed


class _Progress:
    """Says every second how far predictions are, also within an image that many models look at.

    Args:
        images: That are left to predict.
        chunk: Images that are predicted together.
        looks: Of models at each of them.
        quiet: Say nothing.
    """

    def __init__(self, images: int, chunk: int, looks: int, quiet: bool) -> None:
        self._images, self._chunk, self._looks, self._quiet = images, chunk, looks, quiet
        self._done = self._seen = 0
        self._begun = self._last = time.monotonic()

    def beat(self) -> None:
        """A model has looked at the images of a chunk."""
        self._seen += 1
        self._say()

    def reach(self, images: int) -> None:
        """So many images are predicted, or left out."""
        self._done, self._seen = images, 0
        self._say()

    def close(self) -> None:
        """Says what an image took."""
        if self._images and not self._quiet:
            per_image = 1000 * (time.monotonic() - self._begun) / self._images
            print(f"{per_image:.1f} ms per image")

    def _say(self) -> None:
        now = time.monotonic()
        chunk = min(self._chunk, self._images - self._done)
        done = self._done + chunk * self._seen / self._looks
        if self._quiet or now - self._last < EVERY or not 0 < done < self._images:
            return
        self._last, rate = now, done / (now - self._begun)
        left = format_seconds((self._images - done) / rate)
        line = f"{int(done):,} of {self._images:,}, {rate:.3g} images/s, {left} left"
        print(line, flush=True)


def _key(exported: Path, made_by: str, paths: Sequence[Path]) -> str:
    """Identity of a run: these very files with these very models, in the same views."""
    stats = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
    return digest([(exported / "model.json").stat().st_mtime_ns, made_by, stats])


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
    first = start * predictor.chunk
    progress = _Progress(len(paths) - first, predictor.chunk, predictor.looks_in_all(), quiet)
    predictor.beat = progress.beat
    for number, (good, found, bad) in enumerate(predictor.chunks(paths, first), start):
        failed |= {p.relative_to(folder).as_posix(): reason for p, reason in bad.items()}
        write_whole(json.dumps(failed), record)
        Predictions.of_classes(
            images=tuple(p.relative_to(folder).as_posix() for p in good),
            classes=tuple(predictor.classes),
            probabilities=found,
        ).write(parts / f"{number:06d}.npz")
        progress.reach(min((number + 1) * predictor.chunk, len(paths)) - first)
    progress.close()
    return failed
