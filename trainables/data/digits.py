"""The embedded contest: scikit-learn's handwritten digits seen by a simulated camera.

Training photos are mostly taken from the front, test photos from all angles, so that a plain
hold-out flatters, as it does in many real contests.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIDE = 32
TEST_SHARE = 0.4
FRONTAL_SHARE = 0.85
FRONTAL, STEEP = 30.0, 60.0
"""Largest tilt in degrees of frontal and of steep photos."""


def make_digits(folder: Path, seed: int = 0) -> Path:
    """Writes the contest into ``folder`` unless it is there already.

    ``train.csv``, ``test.csv``, ``sample_submission.csv``, ``solution.csv`` (the test labels, for
    scoring locally) and PNG files of 32 x 32 pixels. The same seed gives the same files.

    Returns:
        ``folder``.
    """
    if (folder / "train.csv").exists():
        return folder
    photos, classes, trained = photographs(seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        names = [f"train/{i:04d}.png" for i in range(trained)]
        names += [f"test/{i:04d}.png" for i in range(len(photos) - trained)]
        for part in ("train", "test"):
            (temporary / part).mkdir()
        for name, photo in zip(names, photos, strict=True):
            cv2.imwrite(str(temporary / name), photo)
        test_table = pd.DataFrame({"image": names[trained:], "label": classes[trained:]})
        test_table[["image"]].to_csv(temporary / "test.csv", index=False)
        test_table.to_csv(temporary / "solution.csv", index=False)
        test_table.assign(label=0).to_csv(temporary / "sample_submission.csv", index=False)
        train_table = pd.DataFrame({"image": names[:trained], "label": classes[:trained]})
        train_table.to_csv(temporary / "train.csv", index=False)
        temporary.chmod(0o755)
        try:
            temporary.rename(folder)
        except OSError:
            if not (folder / "train.csv").exists():  # otherwise somebody else was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def photographs(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Takes all photos.

    Returns:
        uint8 (n, 32, 32), training photos first; classes int64 (n,); the number of training photos.
    """
    bunch = load_digits()
    pictures, labels = bunch.images, bunch.target
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_SHARE, random_state=seed, stratify=labels
    )
    rng = np.random.default_rng(seed)
    limits = np.where(rng.random(len(train)) < FRONTAL_SHARE, FRONTAL, STEEP)
    tilts = np.concatenate([rng.uniform(0, limits), rng.uniform(0, STEEP, len(test))])
    order = np.concatenate([train, test])
    photos = [photograph(pictures[i], t, rng) for i, t in zip(order, tilts, strict=True)]
    return np.stack(photos), labels[order].astype(np.int64), len(train)


def photograph(
    picture: NDArray[np.float64], tilt: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Takes a photo of a picture that is tilted out of the image plane.

    Args:
        picture: float (8, 8) in 0 to 16, dark to bright.
        tilt: Angle between the picture and the image plane, in degrees.
        rng: Draws the axis of the tilt and the noise.

    Returns:
        uint8 (32, 32); blur and noise grow with the tilt.
    """
    scale = SIDE * 0.8 / 8
    large = cv2.resize(picture.astype(np.float32) * (255 / 16), None, fx=scale, fy=scale)
    half = large.shape[0] / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    axis = rng.uniform(0, 2 * np.pi)
    along, across = np.array([np.cos(axis), np.sin(axis)]), np.array([-np.sin(axis), np.cos(axis)])
    angle = np.deg2rad(tilt)
    u, v = corners @ along, corners @ across
    distance = 2.5 * SIDE  # of the camera, in pixels: near enough for a visible perspective
    shrink = distance / (distance + v * np.sin(angle))
    seen = (np.outer(u * shrink, along) + np.outer(v * np.cos(angle) * shrink, across)) + SIDE / 2
    matrix = cv2.getPerspectiveTransform(
        (corners + half).astype(np.float32), seen.astype(np.float32)
    )
    photo = cv2.warpPerspective(large, matrix, (SIDE, SIDE))
    share = tilt / STEEP
    photo = cv2.GaussianBlur(photo, (0, 0), sigmaX=0.4 + 0.8 * share)
    photo = photo + rng.normal(0, 6 + 24 * share, photo.shape)
    return np.asarray(np.clip(np.rint(photo), 0, 255), dtype=np.uint8)
