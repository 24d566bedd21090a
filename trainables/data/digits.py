"""The embedded contest: scikit-learn's handwritten digits seen by a simulated camera.

Training photos are mostly taken from the front, test photos from all angles, so that a plain
hold-out flatters, as it does in many real contests.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from trainables.data.contest_folder import Drawn, write_contest

SIDE = 32
TEST_SHARE = 0.4
FRONTAL_SHARE = 0.85
FRONTAL, STEEP = 30.0, 60.0
"""Largest tilt in degrees of frontal and of steep photos."""


CARD = """# Digits

The 1,797 handwritten digits of scikit-learn (8 x 8 pixels, Alpaydin and Kaynak, UCI 1998), seen
by a simulated camera at 32 x 32 pixels. 60 % are for training: 85 % of their photos are tilted by
up to 30 degrees, the others by up to 60. The test photos are tilted evenly by up to 60 degrees.
Blur and noise grow with the tilt. A hold-out of training photos is easier than the test, by
construction.
"""


def make_digits(folder: Path, seed: int = 0) -> Path:
    """Writes the contest into ``folder`` unless it is there already.

    The same seed gives the same files.

    Returns:
        ``folder``.
    """

    def draw() -> Drawn:
        photos, classes, trained = photographs(seed)
        return Drawn(
            photos=list(photos),
            train=pd.DataFrame({"label": classes[:trained]}),
            solution=pd.DataFrame({"label": classes[trained:]}),
        )

    return write_contest(folder, CARD, draw)


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
