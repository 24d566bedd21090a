"""Exports: written, run once against stored predictions, and registered."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from results.masks.label_map import class_planes, label_map
from results.masks.processed_masks import processed
from results.masks.truth import Truth
from results.predictions import Predictions
from results.records.trials import Search
from search.competition.images import prepared_images
from search.competition.standing import open_standing
from search.competition.tracking import track
from search.options.analysis import ExportConfig
from search.options.exit_codes import OK
from search.promotion.ensemble_members import Member
from search.promotion.expected_views import expected_views
from search.promotion.exported_folder import complete_promotion, export_promotion
from search.promotion.recorded_postprocess import of_promotion
from search.promotion.views import check_views
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
    if not config.to:
        raise InputError("to= is needed: the folder to write")
    to = Path(config.to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InputError(f"to={config.to}: is there already, and is not an empty folder")
    if not to.resolve().parent.is_dir():
        raise InputError(f"to={config.to}: there is no folder {to.resolve().parent}")
    if config.onnx:
        check_onnx()
    standing = open_standing(config)
    processing, promotion = None, config.promotion
    if config.postprocess:
        processing, promotion = of_promotion(standing, config.postprocess, promotion)
    settings = None if processing is None else processing.settings
    search, members = complete_promotion(standing, promotion)
    views = tuple(dict.fromkeys(config.views))
    check_views(members, views)
    images = prepared_images(search, members[0].trials()[0], config.prepare)
    told: list[str] = []

    def check(folder: Path) -> None:
        expected = _expected(search, members, views, images, config)
        if expected is None:
            told.append("not checked: the promotion has no test predictions")
        elif search.truth is None:
            told.append(_check(folder, images, expected, config))
        else:
            if settings is not None:
                expected = processed(expected, settings, search.truth.form)
            told.append(_check_masks(search.truth, folder, images, expected, config))

    export_promotion(
        standing,
        search,
        members,
        to,
        config.model,
        settings=settings,
        views=views,
        onnx=config.onnx,
        check=check,
    )
    size = sum(p.stat().st_size for p in to.rglob("*") if p.is_file()) / 2**20
    count = len(list((to / "weights").iterdir()))
    seen = f", each also in {', '.join(views)}" if views else ""
    print(f"{to}: {count} models of {search.id}{seen}, {size:.1f} MiB")
    if processing is not None:
        print(f"{processing.id}: {processing.words}")
    print(told[0])
    if config.register and (config.model or config.prepare):
        print("MLflow's registry: left out, since it could not call functions of your own")
    elif config.register and search.truth is not None:
        print("MLflow's registry: left out, its models answer with tables, and these with masks")
    elif config.register and views:
        print("MLflow's registry: left out, it compares scores, and those are without views")
    elif config.register:
        print(_register(config, search, to))
    options = "".join(
        f" {option}"
        for option, wanted in {
            "--list <table with left, top, right, bottom>": bool(images.boxes),
            f"--model {config.model}": bool(config.model),
            f"--prepare {config.prepare}": images.preparation.own is not None,
        }.items()
        if wanted
    )
    out = "predictions.csv" if search.truth is None else "masks"
    print(f"Next:\n  python {to}/predict.py <folder of images>{options} --out {out}")
    if config.json:
        print(json.dumps({"id": search.id, "path": str(to)}))
    return OK


def _expected(
    search: Search,
    members: Sequence[Member],
    views: Sequence[str],
    images: PreparedImages,
    config: ExportConfig,
) -> Predictions | None:
    """What an export has to say of some test images: what was stored, or with views what a blend
    says; None if there are no test predictions."""
    path = search.folder / "test.npz"
    if not path.exists():
        return None
    stored = Predictions.read(path)
    names = stored.images[: CHECKED if search.truth is None else CHECKED_MASKS]
    if views:
        return expected_views(search, members, views, images, names, config.model)
    return stored.of(names)


def _source(config: ExportConfig) -> str:
    """What it is that an export has to say."""
    return "blended" if config.views else "stored"


def _check(to: Path, images: PreparedImages, expected: Predictions, config: ExportConfig) -> str:
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
        done = _run(to, files.root, table, out, config, images)
        text = pd.read_csv(out, dtype=str)
    again = text[list(expected.classes)].to_numpy().astype(np.float32)
    off = float(np.abs(again - expected.probabilities).max())
    if off > TOLERANCE:
        raise InputError(
            f"{to}/predict.py differs from the {_source(config)} test predictions by {off:.2f}: "
            "were the images or the code changed since the training?"
        )
    words = "bit for bit" if off == 0 else f"within {off:.1g}"
    speed = done.strip().splitlines()[-1].partition("images, ")[2]
    what = f"{_source(config)} probabilities of {len(names)} images"
    return f"predict.py gives the {what} {words}; {speed}"


def _check_masks(
    truth: Truth, to: Path, images: PreparedImages, expected: Predictions, config: ExportConfig
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
        done = _run(to, files.root, Path(scratch) / "images.csv", out, config, images)
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
            f"{_source(config)} test predictions: were the images or the code changed since the "
            "training?"
        )
    words = "all" if right == pixels else f"{right / pixels:.3%} of"
    speed = done.strip().splitlines()[-1].partition("images, ")[2]
    what = f"{words} pixels of {len(names)} images the {_source(config)} class"
    return f"predict.py gives {what}; {speed}"


def _run(
    to: Path, root: Path, table: Path, out: Path, config: ExportConfig, images: PreparedImages
) -> str:
    """Runs the exported script; returns what it printed.

    Raises:
        InputError: If it fails.
    """
    command = [sys.executable, str(to / "predict.py"), str(root), "--list", str(table)]
    command += ["--out", str(out), *(["--model", config.model] if config.model else [])]
    command += ["--prepare", config.prepare] if images.preparation.own else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"{to}/predict.py ended with {done.returncode}: {last}")
    return done.stdout


def _register(config: ExportConfig, search: Search, to: Path) -> str:
    """Puts the export into MLflow's registry; returns what came of it."""
    result: list[str] = []

    def copy(client: Any) -> None:
        from results.tracking.registry import register

        best = max((a.score for a in search.arms.values()), key=lambda s: search.sign * s)
        result.append(register(client, search, to, best))

    problem = track(Path(config.runs), config.tracking, copy)
    if problem:
        return f"warning: MLflow does not have it ({problem})"
    return result[0]
