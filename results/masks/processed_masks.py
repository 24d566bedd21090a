"""Masks that were made of predictions, as predictions of their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from results.masks.label_map import at_size
from results.masks.planes import Pixels, Planes
from results.masks.postprocess import Form, Postprocess
from results.predictions import MASKS, OCCURS, Predictions

CERTAIN = 255
"""A probability of 1."""


def processed(predictions: Predictions, settings: Postprocess, form: Form) -> Predictions:
    """What is made of predicted masks at the images' own sizes, as certain probabilities.

    Args:
        predictions: Probabilities per pixel, with the sizes of the images.
        settings: What is made of them.
        form: What a mask is here.
    """

    def masks() -> Iterator[Pixels]:
        said = predictions.heads.get(OCCURS)
        for row, (found, size) in enumerate(zip(predictions.masks, predictions.sizes, strict=True)):
            occurs = said[row] if isinstance(said, np.ndarray) else None
            mask = settings.apply(at_size(found, int(size[0]), int(size[1])), form, occurs)
            if not form.overlapping:
                mask = np.asarray(mask[..., None] == np.arange(form.classes)).view(np.uint8)
            yield mask * np.uint8(CERTAIN)

    return Predictions(
        images=predictions.images,
        classes=predictions.classes,
        heads={**predictions.heads, MASKS: Planes.of(masks())},
    )
