"""Exports: written, run once against stored predictions, and registered."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from results.masks.label_map import class_planes, label_map
from results.masks.processed_masks import processed
from results.masks.truth import Truth
from results.predictions import Predictions
from search.competition.images import prepared_images
from search.competition.standing import open_standing
from search.competition.tracking import track
from search.options.ensembles import ExportConfig
from search.options.exit_codes import OK
from search.promotion.ensemble import Ensemble, find_ensemble
from search.promotion.expected_views import expected_views
from search.promotion.exported_folder import export_ensemble
from spaces.errors import InputError
from trainables.data.prepared_images import PreparedImages
from trainables.inference.onnx import check_onnx
from trainables.inference.parity import TOLERANCE
from trainables.portable.mask_predictor import THERE, mask_places
from trainables.portable.preparation import SIDES

CHECKED = 512
"""Test images that an export has to predict as they were predicted after training."""


CHECKED_MASKS = 32
"""The same of images with masks."""

SAME = 0.999
"""Share of their pixels whose class has to be the same; rounding may tip a few on a border."""


def export(config: ExportConfig) -> int:
    """Exports; returns the exit code."""
    to = Path(config.to)
    if config.onnx:
        check_onnx()
    standing = open_standing(config)
    ensemble = find_ensemble(standing, config)
    if config.onnx and ensemble.blend is not None:
        raise InputError(
            "onnx=true writes networks one by one, and blends and views are what predict.py makes "
            "of them: leave onnx=true out, or give promotion= without views="
        )
    search = ensemble.search
    images = prepared_images(search, ensemble.trainings()[0][2], config.prepare)
    own = ensemble.own_preparation(config.prepare)
    told: list[str] = []

    def check(folder: Path) -> None:
        told.append(_compared(folder, images, ensemble, config))

    export_ensemble(standing, ensemble, to, config.model, onnx=config.onnx, check=check)
    size = sum(p.stat().st_size for p in to.rglob("*") if p.is_file()) / 2**20
    print(f"{to}: {ensemble.words}, {size:.1f} MiB")
    if ensemble.processed:
        print(ensemble.processed)
    print(told[0])
    if config.register:
        print(_registered(config, ensemble, to))
    options = "".join(
        f" {option}"
        for option, wanted in {
            "--list <table with left, top, right, bottom>": bool(images.boxes),
            f"--model {config.model}": bool(config.model),
            f"--prepare {config.prepare}": own is not None,
        }.items()
        if wanted
    )
    out = "predictions.csv" if search.truth is None else "masks"
    print(f"Next:\n  python {to}/predict.py <folder of images>{options} --out {out}")
    if config.json:
        print(json.dumps({"id": ensemble.merged.id, "path": str(to)}))
    return OK


def _compared(
    folder: Path, images: PreparedImages, ensemble: Ensemble, config: ExportConfig
) -> str:
    """How what is exported predicts beside what was predicted before, in words.

    Raises:
        InputError: If it fails, or predicts something else.
    """
    expected, truth = _expected(ensemble, config), ensemble.search.truth
    if expected is None:
        return "not checked: not all models have test predictions"
    if truth is None:
        return _check(folder, images, expected, ensemble, config)
    if ensemble.processing is not None:
        expected = processed(expected, ensemble.processing.settings, truth.form)
    return _check_masks(truth, folder, images, expected, ensemble, config)


def _expected(ensemble: Ensemble, config: ExportConfig) -> Predictions | None:
    """What an export has to say of some test images before masks are processed: what is stored, or
    in other views what a blend would say; None if there are no test predictions."""
    path = ensemble.merged.folder / "test.npz"
    if not path.exists():
        return None
    stored = Predictions.read(path)
    names = stored.images[: CHECKED if ensemble.search.truth is None else CHECKED_MASKS]
    if ensemble.views is None:
        return stored.of(names)
    return expected_views(ensemble, names, config.model, config.prepare)


def _source(ensemble: Ensemble) -> str:
    """What it is that an export has to say."""
    return "stored" if ensemble.blend is None else "blended"


def _check(
    to: Path,
    images: PreparedImages,
    expected: Predictions,
    ensemble: Ensemble,
    config: ExportConfig,
) -> str:
    """Runs the exported script on test images and compares; says what came out.

    Raises:
        InputError: If it fails, or predicts something else.
    """
    names, files = expected.images, images.files
    paths = [files.existing(name, "test").relative_to(files.root).as_posix() for name in names]
    listed = pd.DataFrame({"image": paths})
    if images.boxes:
        listed[list(SIDES)] = [images.boxes[name] for name in names]
    with tempfile.TemporaryDirectory() as scratch:
        table, out = Path(scratch) / "images.csv", Path(scratch) / "out.csv"
        listed.to_csv(table, index=False)
        done = _run(to, files.root, table, out, config, ensemble)
        text = pd.read_csv(out, dtype=str)
    again = text[list(expected.classes)].to_numpy().astype(np.float32)
    off = float(np.abs(again - expected.probabilities).max())
    if off > TOLERANCE:
        raise InputError(
            f"{to}/predict.py differs from the {_source(ensemble)} test predictions by {off:.2f}: "
            "were the images or the code changed since the training?"
        )
    words = "bit for bit" if off == 0 else f"within {off:.1g}"
    speed = done.strip().splitlines()[-1].partition("images, ")[2]
    what = f"{_source(ensemble)} probabilities of {len(names)} images"
    return f"predict.py gives the {what} {words}; {speed}"


def _check_masks(
    truth: Truth,
    to: Path,
    images: PreparedImages,
    expected: Predictions,
    ensemble: Ensemble,
    config: ExportConfig,
) -> str:
    """The same of masks, whose labels are compared.

    Raises:
        InputError: If the script fails, or predicts something else.
    """
    files = images.files
    names, numbers = expected.images, np.array(truth.numbers, np.uint8)
    paths = [files.existing(name, "test").relative_to(files.root).as_posix() for name in names]
    right = pixels = 0
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "masks"
        pd.DataFrame({"image": paths}).to_csv(Path(scratch) / "images.csv", index=False)
        done = _run(to, files.root, Path(scratch) / "images.csv", out, config, ensemble)
        for image, path in enumerate(paths):
            places = mask_places(out, Path(path), truth.classes if truth.overlapping else ())
            again = np.stack([np.asarray(Image.open(place)) for place in places], axis=2)
            size, found = again.shape[:2], expected.masks[image]
            if truth.overlapping:
                wanted = class_planes(found, *size) * np.uint8(THERE)
            else:
                wanted = numbers[label_map(found, *size)][..., None]
            right += int((again == wanted).sum())
            pixels += again.size
    if right < SAME * pixels:
        raise InputError(
            f"{to}/predict.py gives {1 - right / pixels:.1%} of the pixels another class than the "
            f"{_source(ensemble)} test predictions: were the images or the code changed since the "
            "training?"
        )
    words = "all" if right == pixels else f"{right / pixels:.3%} of"
    speed = done.strip().splitlines()[-1].partition("images, ")[2]
    what = f"{words} pixels of {len(names)} images the {_source(ensemble)} class"
    return f"predict.py gives {what}; {speed}"


def _run(
    to: Path, root: Path, table: Path, out: Path, config: ExportConfig, ensemble: Ensemble
) -> str:
    """Runs the exported script; returns what it printed.

    Raises:
        InputError: If it fails.
    """
    command = [sys.executable, str(to / "predict.py"), str(root), "--list", str(table)]
    command += ["--out", str(out), *(["--model", config.model] if config.model else [])]
    command += ["--prepare", config.prepare] if ensemble.own_preparation(config.prepare) else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"{to}/predict.py ended with {done.returncode}: {last}")
    return done.stdout


def _registered(config: ExportConfig, ensemble: Ensemble, to: Path) -> str:
    """Puts the export into MLflow's registry, if it can be there; returns what came of it."""
    left_out = _unfit(config, ensemble)
    if left_out:
        return f"MLflow's registry: left out, {left_out}"
    search = ensemble.search
    result: list[str] = []

    def copy(client: Any) -> None:
        from results.tracking.registry import register

        best = max((a.score for a in search.arms.values()), key=lambda s: search.sign * s)
        result.append(register(client, search, to, best))

    problem = track(Path(config.runs), config.tracking, copy)
    if problem:
        return f"warning: MLflow does not have it ({problem})"
    return result[0]


def _unfit(config: ExportConfig, ensemble: Ensemble) -> str:
    """Why an export cannot go into MLflow's registry; empty if it can."""
    if config.model or config.prepare:
        return "since it could not call functions of your own"
    if ensemble.search.truth is not None:
        return "its models answer with tables, and these with masks"
    return "" if ensemble.blend is None else "it compares scores of promotions without views"
