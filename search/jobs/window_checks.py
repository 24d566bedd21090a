"""Windows that are larger than the images that they are cut out of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.jobs.searched_choices import sizes_of
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest
from trainables.data.image_store import ImageStore
from trainables.portable.preparation import Preparation
from trainables.portable.windows import size_at

MOST = 2.0
"""Times the side of the largest image that a window may have: beyond that most of it is border."""

STEP = 32
"""Sides that are proposed are multiples of it, as networks for masks need them."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Images, as windows are cut out of them.

    Attributes:
        names: Of the images.
        own: Height and width of each in pixels, int64 (n, 2).
        sizes: The same where windows are cut.
        scale: What makes them so, in words.
    """

    names: tuple[str, ...]
    own: NDArray[np.int64]
    sizes: NDArray[np.int64]
    scale: str

    def told(self, row: int) -> str:
        """An image with its size."""
        own, size = (" x ".join(map(str, s[row].tolist())) for s in (self.own, self.sizes))
        scaled = f", {size} at {self.scale}" if size != own else ""
        return f"{self.names[row]!r} with {own} (height x width){scaled}"


def window_warnings(
    baseline: TrialConfig, space: SearchSpace | None, contest: Contest
) -> Iterator[str]:
    """A warning where windows are larger than some training images.

    How large images are is known of their masks, so that no file is opened.

    Args:
        baseline: The untuned configuration.
        space: What is searched.
        contest: Its masks.

    Raises:
        InputError: Where windows are more than `MOST` times as high, or wide, as all training
            images, at any scale that may be drawn.
    """
    if not isinstance(baseline.data, Windows) or contest.truth is None:
        return
    names, own = contest.train_images, contest.truth.masks.shapes
    smallest, largest = _scales(baseline.data, space)
    seen = _seen(baseline.data, smallest, names, own)
    trained, predicted = sizes_of(baseline, space)
    windows = [("size", size) for size in trained]
    windows += [("predict_size", size) for size in predicted if any(size)]
    for name, window in windows:
        _check(name, window, _seen(baseline.data, largest, names, own))
    for words in _smaller_than(windows, seen, "training"):
        yield f"{words}, and a void one in training"


def tested_window_warnings(
    baseline: TrialConfig, space: SearchSpace | None, contest: Contest, store: ImageStore
) -> Iterator[str]:
    """A warning where windows are larger than some test images, of which no masks tell the sizes.

    Args:
        baseline: The untuned configuration.
        space: What is searched.
        contest: Names its test images.
        store: Knows how large they are.
    """
    if not isinstance(baseline.data, Windows) or not contest.test_images:
        return
    row_of = {image: row for row, image in enumerate(store.images)}
    own = store.sizes[[row_of[image] for image in contest.test_images]]
    seen = _seen(baseline.data, _scales(baseline.data, space)[0], contest.test_images, own)
    trained, predicted = sizes_of(baseline, space)
    windows = [("predict_size", size) for size in predicted if any(size)]
    if len(windows) < len(predicted):  # as large as in training
        windows += [("size", size) for size in trained]
    yield from _smaller_than(windows, seen, "test")


def _smaller_than(
    windows: Sequence[tuple[str, tuple[int, int]]], seen: _Seen, which: str
) -> Iterator[str]:
    """How many images are smaller than the windows that most are smaller than, if any."""
    name, window = max(windows, key=lambda known: int(_smaller(known[1], seen).sum()))
    rows = np.flatnonzero(_smaller(window, seen))
    if len(rows):
        least = int(rows[seen.sizes[rows].prod(axis=1).argmin()])
        yield (
            f"{len(rows):,} of {len(seen.names):,} {which} images are smaller than windows of "
            f"{_written(name, window)}, the smallest {seen.told(least)}: windows see a "
            "mirrored border where they are predicted"
        )


def _scales(data: Windows, space: SearchSpace | None) -> tuple[float, float]:
    """The smallest and the largest scale of a job."""
    if space is None or "window_scale" not in space:
        return data.window_scale, data.window_scale
    ends = space["window_scale"].smallest, space["window_scale"].largest
    return min(data.window_scale, ends[0]), max(data.window_scale, ends[1])


def _seen(data: Windows, scale: float, names: tuple[str, ...], own: NDArray[np.int64]) -> _Seen:
    """Images at a scale."""
    stored = Preparation.of(data.to_json())
    sizes = np.array([size_at(*stored.shape_of(*size), scale) for size in own.tolist()])
    limits = {"store.side": stored.side, "window_scale": scale if scale != 1 else 0}
    words = [f"{name}={value:g}" for name, value in limits.items() if value]
    return _Seen(names=names, own=own, sizes=sizes, scale=" ".join(words))


def _smaller(window: tuple[int, int], seen: _Seen) -> NDArray[np.bool_]:
    """Whether each image is smaller than a window in a side, bool (n,)."""
    return np.asarray((seen.sizes < window).any(axis=1))


def _check(name: str, window: tuple[int, int], seen: _Seen) -> None:
    """Raises InputError for windows that are much higher, or wider, than all images."""
    most = seen.sizes.max(axis=0)
    beyond = np.array(window) > MOST * most
    if not beyond.any():
        return
    words = " and ".join(w for w, is_so in zip(("high", "wide"), beyond, strict=True) if is_so)
    largest = seen.sizes[:, beyond].prod(axis=1).argmax()
    fitting = [min(w, -(-side // STEP) * STEP) for w, side in zip(window, most, strict=True)]
    smaller = "x".join(map(str, fitting))
    scale = "" if "window_scale" not in seen.scale else ", or a larger fix.window_scale="
    raise InputError(
        f"windows of {_written(name, window)} are more than {MOST:g} times as {words} as all "
        f"{len(seen.names):,} training images, the largest {seen.told(int(largest))}: most of them "
        f"would be border; fix.{name}={smaller} holds a whole image{scale}, or "
        "data.shape=squash, which shows whole images"
    )


def _written(name: str, window: tuple[int, int]) -> str:
    return f"{name}={window[0]}x{window[1]}"
