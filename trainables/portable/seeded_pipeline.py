"""A policy with draws that belong to the image, in training and from an exported file alike.

An exported policy is the pipeline that trained: the same image, seed and epoch give the same
pixels, in a process that has albumentations and this folder only.
"""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import numpy as np
from numpy.typing import NDArray

from . import sharpness, solarize_add  # noqa: F401 (makes them known to albumentations)

UNTAKEN = ".*not valid for transform.*"
"""What albumentations warns of where it reads what it wrote itself and does not take, as of
RGBShift."""


class SeededPipeline:
    """An albumentations pipeline whose draws are a function of seed, epoch and image.

    albumentations' two generators are one keyed counter-based generator (Philox: Salmon et al., SC
    2011), set to the image before each call, which costs microseconds where reseeding the pipeline
    would cost a tenth of a millisecond.

    Args:
        compose: The pipeline.
        seed: The trial's seed.
    """

    def __init__(self, compose: Any, seed: int) -> None:
        self._compose, self._seed = compose, seed
        self._philox = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._philox)
        self._random = random.Random(0)
        compose.set_random_state(self._generator, self._random)

    @property
    def transforms(self) -> list[Any]:
        """The pipeline's transforms, in their order."""
        return list(self._compose.transforms)

    @staticmethod
    def read(path: Path, arm: str) -> SeededPipeline:
        """Reads a policy from an export.

        Args:
            path: Its ``policy.json``.
            arm: The promoted trial whose policy is wanted.

        Raises:
            KeyError: If the export has no such trial.
        """
        stored = json.loads(path.read_text())[arm]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=UNTAKEN)
            return SeededPipeline(A.from_dict(stored["pipeline"]), int(stored["seed"]))

    def __call__(
        self,
        image: NDArray[np.uint8],
        epoch: int,
        index: int,
        mask: NDArray[np.uint8] | None = None,
    ) -> dict[str, NDArray[np.uint8]]:
        """Augments one image.

        Args:
            image: uint8 (side, side, 3), as decoded images are stored.
            epoch: Epoch, from 1.
            index: Row of the image in the training table.
            mask: uint8 (side, side), moved along with the pixels.

        Returns:
            ``image`` as uint8 (height, width, 3), and ``mask`` if one was given.
        """
        self._philox.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": np.zeros(4, np.uint64),
                "key": np.array([self._seed, (epoch << 40) + index], np.uint64),
            },
            "buffer": np.zeros(4, np.uint64),
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._random.seed(int(self._generator.integers(2**63)))
        masks = {} if mask is None else {"mask": mask}
        result: dict[str, NDArray[np.uint8]] = self._compose(image=image, **masks)
        return result

    def to_json(self) -> dict[str, Any]:
        """What ``policy.json`` holds of it: albumentations' own serialisation, and the seed."""
        return {"seed": self._seed, "pipeline": self._compose.to_dict()}
