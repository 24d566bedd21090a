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

from results.predictions import Predictions
from results.records.trials import Search
from search.competition.images import prepared_images
from search.competition.standing import open_standing
from search.competition.tracking import track
from search.options.analysis import ExportConfig
from search.options.exit_codes import OK
from search.promotion.exported_folder import complete_promotion, export_promotion
from spaces.errors import InputError
from trainables.data.prepared_images import PreparedImages
from trainables.inference.onnx import check_onnx
from trainables.inference.parity import TOLERANCE
from trainables.portable.preparation import SIDES

CHECKED = 512
"""Test images that an export has to predict as they were predicted after training."""


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
    search, members = complete_promotion(standing, config.promotion)
    images = prepared_images(search, members[0].trials()[0], config.prepare)
    told: list[str] = []

    def check(folder: Path) -> None:
        told.append(_check(search, folder, images, config))

    export_promotion(standing, search, members, to, config.model, onnx=config.onnx, check=check)
    size = sum(p.stat().st_size for p in to.rglob("*") if p.is_file()) / 2**20
    count = len(list((to / "weights").iterdir()))
    print(f"{to}: {count} models of {search.id}, {size:.1f} MiB")
    print(told[0])
    if config.register and (config.model or config.prepare):
        print("MLflow's registry: left out, since it could not call functions of your own")
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
    print(f"Next:\n  python {to}/predict.py <folder of images>{options} --out predictions.csv")
    if config.json:
        print(json.dumps({"id": search.id, "path": str(to)}))
    return OK


def _check(search: Search, to: Path, images: PreparedImages, config: ExportConfig) -> str:
    """Runs the exported script on test images and compares; says what came out.

    Raises:
        InputError: If it fails, or predicts something else.
    """
    path = search.folder / "test.npz"
    if not path.exists():
        return "not checked: the promotion has no test predictions"
    stored = Predictions.read(path)
    names, files = stored.images[:CHECKED], images.files
    paths = [files.existing(name, "test").relative_to(files.root).as_posix() for name in names]
    listed = pd.DataFrame({"image": paths})
    if images.boxes:
        listed[list(SIDES)] = [images.boxes[name] for name in names]
    with tempfile.TemporaryDirectory() as scratch:
        table, out = Path(scratch) / "images.csv", Path(scratch) / "out.csv"
        listed.to_csv(table, index=False)
        command = [sys.executable, str(to / "predict.py"), str(files.root), "--list", str(table)]
        command += ["--out", str(out), *(["--model", config.model] if config.model else [])]
        command += ["--prepare", config.prepare] if images.preparation.own else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(f"{to}/predict.py ended with {done.returncode}: {last}")
        text = pd.read_csv(out, dtype=str)
    again = text[list(stored.classes)].to_numpy().astype(np.float32)
    off = float(np.abs(again - stored.probabilities[: len(names)]).max())
    if off > TOLERANCE:
        raise InputError(
            f"{to}/predict.py differs from the stored test predictions by {off:.2f}: were the "
            "images or the code changed since the training?"
        )
    words = "bit for bit" if off == 0 else f"within {off:.1g}"
    speed = done.stdout.strip().splitlines()[-1].partition("images, ")[2]
    return f"predict.py gives the stored probabilities of {len(names)} images {words}; {speed}"


def _register(config: ExportConfig, search: Search, to: Path) -> str:
    """Puts the export into MLflow's registry; returns what came of it."""
    result: list[str] = []

    def copy(client: Any) -> None:
        from results.tracking import register

        scores = [a.score for a in search.arms.values()]
        best = max(scores) if search.direction == "maximize" else min(scores)
        result.append(register(client, search, to, best))

    problem = track(Path(config.runs), config.tracking, copy)
    if problem:
        return f"warning: MLflow does not have it ({problem})"
    return result[0]
