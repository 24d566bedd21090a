"""One look at every image file: what its header says, its properties, and its appearance."""

from __future__ import annotations

import contextlib
import hashlib
import io
import multiprocessing
import signal
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from cleanvision.issue_managers.image_property import (
    BlurrinessProperty,
    BrightnessProperty,
    EntropyProperty,
)
from numpy.typing import NDArray
from PIL import Image

from spaces.errors import InputError
from trainables.data.contest import Contest
from trainables.data.fingerprints import BYTES, Fingerprints, fingerprint, reduced
from trainables.portable.images import decode, resize

SIDE = 64
"""Height and width in pixels at which appearance is measured."""

_BINS = (8, 4, 4)
_BORDER = 10
_LAYOUT = 6
BLOCKS = (prod(_BINS), prod(_BINS), 3 * _LAYOUT**2)
"""Lengths of the parts of the appearance: colours, colours of the border, layout."""

_HEADER = (
    "problem",
    "format",
    "mode",
    "frames",
    "orientation",
    "taken",
    "width",
    "height",
    "bytes",
    "sha256",
)
_CHUNK = 64
_ENOUGH = 500
"""Images that are worth a process, which imports for seconds before it reads one."""
_PROPERTIES = (
    BrightnessProperty("dark"),
    EntropyProperty(),
    BlurrinessProperty(),
)

PROPERTIES = {
    "pixels": "number of pixels",
    "aspect": "width over height",
    "brightness": "brightness",
    "contrast": "contrast",
    "sharpness": "sharpness",
    "saturation": "colour",
    "compression": "bytes per pixel",
    "upright": "share of edges that are horizontal or vertical",
}
"""What tells the test's images from training's may lie in these, in words."""


Seen = tuple[dict[str, Any], NDArray[np.uint8], NDArray[np.float32]]
"""Of one image: its row of the table, fingerprint, appearance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """What was seen, training images first.

    Attributes:
        table: A row per image: ``image``, ``table`` (train or test), ``row`` (line of that table),
            ``problem`` (none, ``empty``, ``unreadable: …`` or ``truncated``), ``format``,
            ``mode``, ``frames``, ``orientation`` and ``taken`` (EXIF; when, if that is known),
            ``width``, ``height``, ``bytes``, ``sha256``, the `PROPERTIES`, and what cleanvision
            measures.
        fingerprints: By which near duplicates are found; of zeros where a file is unreadable.
        appearance: float32 (n, 364): square roots of the shares of colours, of colours at the
            border, and a layout of 6 x 6 pixels. Zeros where a file is unreadable.
    """

    table: pd.DataFrame
    fingerprints: Fingerprints
    appearance: NDArray[np.float32]

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Images whose pixels are known, (n,)."""
        return ~self.table["problem"].str.startswith(("empty", "unreadable")).to_numpy(bool)

    @property
    def train(self) -> NDArray[np.bool_]:
        """Training images, (n,)."""
        return (self.table["table"] == "train").to_numpy(bool)


def look_at(
    contest: Contest,
    progress: Callable[[int, int], None] = lambda done, total: None,
    processes: int = 2,
) -> Looks:
    """Reads every file of a contest once.

    Args:
        contest: Its tables.
        progress: Called with the images done and their number.
        processes: That read side by side, fewer if there are few images; 1 is this one.

    Raises:
        InputError: If one of them is killed.
    """
    paths = [str(path) for path in contest.paths]
    chunks = [paths[i : i + _CHUNK] for i in range(0, len(paths), _CHUNK)]
    seen: list[Seen] = []
    for chunk in _chunks_read(chunks, min(processes, len(paths) // _ENOUGH)):
        seen += chunk
        progress(len(seen), len(paths))
    table = pd.DataFrame([facts for facts, *_ in seen])
    table = table.reindex(columns=[*dict.fromkeys([*_HEADER, *PROPERTIES, *table.columns])])
    trained = len(contest.train_images)
    table.insert(0, "image", contest.images)
    table.insert(1, "table", ["train"] * trained + ["test"] * (len(paths) - trained))
    lines = [*range(2, trained + 2), *range(2, len(paths) - trained + 2)]
    table.insert(2, "row", lines)
    return Looks(
        table=table,
        fingerprints=Fingerprints.of(np.stack([s[1] for s in seen])),
        appearance=np.stack([s[2] for s in seen]),
    )


def _chunks_read(chunks: list[list[str]], processes: int) -> Iterator[list[Seen]]:
    if processes <= 1:
        with _quietly():
            yield from map(_look_at_all, chunks)
        return
    # A process that is spawned carries no threads of torch or Ray along.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_alone) as pool:
            with deaf_to_ctrl_c():
                found = pool.map(_look_at_all, chunks)
            yield from found
    except BrokenProcessPool as error:
        raise InputError(
            "a process that read images was killed, perhaps for lack of memory"
        ) from error


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that begin meanwhile leave it to this one, which then ends them.

    A terminal sends Ctrl-C to all of them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Lets OpenCV say nothing: what is wrong with a file is told by us, with its row."""
    before = cv2.utils.logging.setLogLevel(0)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


def _alone() -> None:
    cv2.setNumThreads(0)
    cv2.utils.logging.setLogLevel(0)


def _look_at_all(paths: list[str]) -> list[Seen]:
    return [_look(path) for path in paths]


def _look(path: str) -> Seen:
    nothing = np.zeros(BYTES, np.uint8), np.zeros(sum(BLOCKS), np.float32)
    facts: dict[str, Any] = {"problem": ""}
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return {**facts, "problem": f"unreadable: {error.strerror}", "bytes": 0}, *nothing
    facts |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    facts |= _header(data)
    try:
        picture = decode(data)
    except ValueError as error:
        problem = "empty" if not data else f"unreadable: {facts['problem'] or error}"
        return {**facts, "problem": problem}, *nothing
    facts["height"], facts["width"] = picture.shape[:2]
    small = reduced(picture)
    facts |= _measured(small, len(data), picture.shape[0], picture.shape[1])
    return facts, fingerprint(small), appearance_of(small)


def _header(data: bytes) -> dict[str, Any]:
    """What Pillow says of a file; it is stricter than OpenCV, which fills in what is missing."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of decompression bombs: large images have their finding
        try:
            with Image.open(io.BytesIO(data)) as image:
                exif = image.getexif()
                found = {
                    "format": image.format,
                    "mode": image.mode,
                    "frames": getattr(image, "n_frames", 1),
                    "orientation": exif.get(0x0112, 1),
                    "taken": str(exif.get_ifd(0x8769).get(0x9003, "")) if exif else "",
                }
                image.load()
        except Image.DecompressionBombError:
            return found
        except (OSError, SyntaxError, ValueError) as error:
            if found and "truncated" in str(error):
                return {**found, "problem": "truncated"}
    return found


def seen_properties(picture: NDArray[np.uint8]) -> dict[str, float]:
    """Those of the `PROPERTIES` that lie in the pixels, of uint8 (height, width, 3)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(across, down, angleInDegrees=True)
    off = np.minimum(angle % 90, 90 - angle % 90)
    total = float(strength.sum())
    return {
        "brightness": float(grey.mean()) / 255,
        "contrast": float(grey.std()) / 255,
        "sharpness": float(np.log1p(cv2.Laplacian(grey, cv2.CV_32F).var())),
        "saturation": float(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)[..., 1].mean()) / 255,
        "upright": float(strength[off <= 10].sum()) / total if total else 0.0,
    }


def _measured(picture: NDArray[np.uint8], size: int, height: int, width: int) -> dict[str, Any]:
    """Properties of a reduced picture, and cleanvision's measures of it."""
    found: dict[str, Any] = {
        "pixels": height * width,
        "aspect": width / height,
        "compression": size / (height * width),
        **seen_properties(picture),
    }
    image = Image.fromarray(picture)
    for measure in _PROPERTIES:
        for name, value in measure.calculate(image).items():
            found[f"clean_{name}"] = value
    # These are of the file, not of the reduced picture in RGB that was measured.
    found["clean_aspect_ratio"] = min(width / height, height / width)
    found["clean_size"] = (width * height) ** 0.5
    red, green, blue = cv2.split(picture)
    is_grey = np.array_equal(red, green) and np.array_equal(green, blue)
    found["clean_color_space"] = "L" if is_grey else "RGB"
    return found


def appearance_of(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colours, colours of the border and layout of a picture, uint8 (height, width, 3)."""
    small = resize(picture, SIDE, SIDE)
    colours = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    border = np.ones((SIDE, SIDE), bool)
    border[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    layout = resize(small, _LAYOUT, _LAYOUT).astype(np.float32) / 255
    return np.concatenate([_shares(colours), _shares(colours[border][:, None]), layout.ravel()])


def _shares(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Square roots of the shares of colours, whose distance is that of Hellinger."""
    ranges = [0, 180, 0, 256, 0, 256]
    counts = cv2.calcHist([pixels], [0, 1, 2], None, list(_BINS), ranges).ravel()
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)
