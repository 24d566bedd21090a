"""A policy of ours as the pipeline that training runs."""

from __future__ import annotations

from typing import Any

import albumentations as A  # noqa: N812 (the library's own convention)
import cv2
import numpy as np
from numpy.typing import NDArray

from spaces.augmentation.pipeline import Pipeline
from spaces.augmentation.policy import AugPolicy, Choice, Course, Stage
from trainables.augment.pipelines import build
from trainables.augment.rounds import Step
from trainables.augment.transforms import transform
from trainables.portable.images import AREA_FROM
from trainables.portable.seeded_pipeline import SeededPipeline


class Augmenter(SeededPipeline):
    """Turns a stored image into one training view.

    Args:
        policy: What to do; without courses (`AugPolicy.at`).
        size: Height and width of the result in pixels.
        seed: The trial's seed.
        side: Height and width of the stored images in pixels.
        fill: What uncovered borders show; the published policies leave them black.
    """

    def __init__(
        self, policy: AugPolicy, size: tuple[int, int], seed: int, side: int, fill: str = "black"
    ) -> None:
        stages = list(policy.stages)
        first = [_stage(stages.pop(0), size, fill)] if stages and stages[0].crops else []
        by_area = "image" if side >= AREA_FROM * max(size) else None
        resize = A.Resize(
            *size,
            mask_interpolation=cv2.INTER_NEAREST_EXACT,  # INTER_NEAREST is half a pixel off
            area_for_downscale=by_area,
        )
        super().__init__(
            A.Compose([*first, resize, *(_stage(s, size, fill) for s in stages)]), seed
        )

    def drawn(
        self,
        image: NDArray[np.uint8],
        epoch: int,
        index: int,
        mask: NDArray[np.uint8] | None = None,
    ) -> tuple[dict[str, NDArray[np.uint8]], list[Step]]:
        """A view, and what is left to do to it: here nothing; arguments as of a call."""
        return self(image, epoch, index, mask), []


def _stage(stage: Stage, size: tuple[int, int], fill: str) -> Any:
    assert not isinstance(stage.probability, Course)
    if len(stage.choices) == 1:
        return _choice(stage.choices[0], stage.probability, size, fill)
    if stage.count > 1:
        applied = [_choice(c, 1.0, size, fill) for c in stage.choices]
        return A.SomeOf(applied, n=stage.count, p=stage.probability)
    weights = stage.weights or (1.0,) * len(stage.choices)
    # albumentations takes the probabilities of alternatives as their weights.
    shares = [weight / max(weights) for weight in weights]
    choices = [_choice(c, s, size, fill) for c, s in zip(stage.choices, shares, strict=True)]
    return A.OneOf(choices, p=stage.probability)


def _choice(
    choice: Choice | Pipeline | AugPolicy, probability: float, size: tuple[int, int], fill: str
) -> Any:
    if isinstance(choice, Pipeline):
        return A.Sequential([build(choice)], p=probability)
    if isinstance(choice, AugPolicy):
        return A.Sequential([_stage(s, size, fill) for s in choice.stages], p=probability)
    return transform(choice, probability, size, fill)
