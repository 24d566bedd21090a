"""Run lengths of large masks: python -m tests.benchmarks.run_lengths [masks]

Masks of 1,000 x 1,000 pixels with some fifteen smooth shapes each are written as run lengths and
read back, down the columns and along the rows, and by pycocotools, whose form is another. Prints
seconds for all masks, on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from results.masks.rle import Order, decode, encode
from tests.benchmarks.machine import machine

SIDE = 1000
ORDERS: tuple[Order, ...] = ("column", "row")


def masks(seeds: range) -> list[NDArray[np.bool_]]:
    """Smooth noise above its three quarters."""
    found = []
    for seed in seeds:
        coarse = np.random.default_rng(seed).random((12, 12), np.float32)
        smooth = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        found.append(np.asarray(smooth > np.quantile(coarse, 0.75), np.bool_))
    return found


def timed(call: Callable[[Any], Any], every: list[Any]) -> tuple[float, list[Any]]:
    """Seconds of the calls, and what they gave."""
    begun = time.perf_counter()
    found = [call(one) for one in every]
    return time.perf_counter() - begun, found


def main() -> None:
    """Prints a line per form."""
    cv2.setNumThreads(0)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(machine("numpy", "opencv-python-headless", "pycocotools"))
    written: dict[str, float] = {}
    read: dict[str, float] = {}
    for first in range(0, count, 100):  # a hundred megabytes at a time
        every = masks(range(first, min(first + 100, count)))
        for order in ORDERS:
            spent, texts = timed(partial(encode, order=order), every)
            written[order] = written.get(order, 0.0) + spent
            spent, back = timed(partial(decode, height=SIDE, width=SIDE, order=order), texts)
            read[order] = read.get(order, 0.0) + spent
            assert all((a == b).all() for a, b in zip(every, back, strict=True))
        planes = [np.asfortranarray(mask, np.uint8) for mask in every]
        spent, coded = timed(coco.encode, planes)
        written["pycocotools"] = written.get("pycocotools", 0.0) + spent
        read["pycocotools"] = read.get("pycocotools", 0.0) + timed(coco.decode, coded)[0]
    for form, spent in written.items():
        print(f"{count:,} masks, {form}: {spent:.1f} s to write, {read[form]:.1f} s to read")


if __name__ == "__main__":
    main()
