"""Windows that are larger than the images that they are cut out of, told before any is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.jobs.searched_choices import sizes_of
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest
from trainables.portable.preparation import Preparation
from trainables.portable.windows import size_at

STEP = 32
"""Sides that are proposed are multiples of it, as networks for masks need them."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Training images, as windows are cut out of them.

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
        InputError: Where windows are higher, or wider, than all training images.
    """
    if not isinstance(baseline.data, Windows) or contest.truth is None:
        return
    seen = _seen(baseline.data, space, contest.train_images, contest.truth.masks.shapes)
    trained, predicted = sizes_of(baseline, space)
    windows = [("size", size) for size in trained]
    windows += [("predict_size", size) for size in predicted if any(size)]
    for name, window in windows:
        _check(name, window, seen)
    name, window = max(windows, key=lambda known: int(_smaller(known[1], seen).sum()))
    rows = np.flatnonzero(_smaller(window, seen))
    if len(rows):
        smallest = rows[seen.sizes[rows].prod(axis=1).argmin()]
        yield (
            f"{len(rows):,} of {len(seen.names):,} training images are smaller than windows of "
            f"{_written(name, window)}, the smallest {seen.told(int(smallest))}: windows see a "
            "mirrored border where they are predicted, and a void one in training"
        )


def _seen(
    data: Windows, space: SearchSpace | None, names: tuple[str, ...], own: NDArray[np.int64]
) -> _Seen:
    """Training images at the smallest scale of a job."""
    stored, scale = Preparation.of(data.to_json()), data.window_scale
    if space is not None and "window_scale" in space:
        scale = min(scale, space["window_scale"].smallest)
    sizes = np.array([size_at(*stored.shape_of(*size), scale) for size in own.tolist()])
    limits = {"store.side": stored.side, "window_scale": scale if scale != 1 else 0}
    words = [f"{name}={value:g}" for name, value in limits.items() if value]
    return _Seen(names=names, own=own, sizes=sizes, scale=" ".join(words))


def _smaller(window: tuple[int, int], seen: _Seen) -> NDArray[np.bool_]:
    """Whether each image is smaller than a window in a side, bool (n,)."""
    return np.asarray((seen.sizes < window).any(axis=1))


def _check(name: str, window: tuple[int, int], seen: _Seen) -> None:
    """Raises InputError for windows that are higher, or wider, than all images."""
    most = seen.sizes.max(axis=0)
    beyond = np.array(window) > most
    if not beyond.any():
        return
    words = " and ".join(w for w, is_so in zip(("higher", "wider"), beyond, strict=True) if is_so)
    largest = seen.sizes[:, beyond].prod(axis=1).argmax()
    fitting = [min(w, side // STEP * STEP or side) for w, side in zip(window, most, strict=True)]
    smaller = "x".join(map(str, fitting))
    scale = "" if "window_scale" not in seen.scale else ", or a larger fix.window_scale="
    raise InputError(
        f"windows of {_written(name, window)} are {words} than all {len(seen.names):,} training "
        f"images, the largest {seen.told(int(largest))}; set fix.{name}={smaller} at "
        f"most{scale}, or data.shape=squash, which shows whole images"
    )


def _written(name: str, window: tuple[int, int]) -> str:
    return f"{name}={window[0]}x{window[1]}"
