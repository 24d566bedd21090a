"""A policy applied to stored images, with draws that belong to the image."""

from __future__ import annotations

import random
from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
from numpy.typing import NDArray

from spaces.policy import AugPolicy, Stage
from trainables.augment.operations import transform
from trainables.portable.images import AREA_FROM


class Augmenter:
    """Turns a stored image into one training view.

    The draws depend on the trial's seed, the epoch and the image only, not on the order of
    images, the loader worker or the machine: albumentations' two generators are one keyed
    counter-based generator (Philox: Salmon et al., SC 2011), set to the image before each call,
    which costs microseconds where reseeding the pipeline would cost a tenth of a millisecond.

    Args:
        policy: What to do.
        size: Height and width of the result in pixels.
        seed: The trial's seed.
        side: Height and width of the stored images in pixels.
    """

    def __init__(self, policy: AugPolicy, size: tuple[int, int], seed: int, side: int) -> None:
        stages = list(policy.stages)
        first = [_stage(stages.pop(0), size)] if stages and stages[0].crops else []
        by_area = "image" if side >= AREA_FROM * max(size) else None
        resize = A.Resize(
            *size,
            mask_interpolation=cv2.INTER_NEAREST_EXACT,  # INTER_NEAREST is half a pixel off
            area_for_downscale=by_area,
        )
        self._compose = A.Compose([*first, resize, *(_stage(s, size) for s in stages)])
        self._seed = seed
        self._philox = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._philox)
        self._random = random.Random(0)
        self._compose.set_random_state(self._generator, self._random)

    def __call__(
        self,
        image: NDArray[np.uint8],
        epoch: int,
        index: int,
        mask: NDArray[np.uint8] | None = None,
    ) -> dict[str, NDArray[np.uint8]]:
        """Augments one image.

        Args:
            image: uint8 (side, side, 3).
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

    def to_dict(self) -> dict[str, Any]:
        """albumentations' own serialisation of what is applied."""
        data: dict[str, Any] = self._compose.to_dict()
        return data


def _stage(stage: Stage, size: tuple[int, int]) -> Any:
    if len(stage.choices) == 1:
        return transform(stage.choices[0], stage.probability, size)
    return A.OneOf([transform(c, 1.0, size) for c in stage.choices], p=stage.probability)
