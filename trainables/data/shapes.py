"""The embedded contest of masks: drawn scenes whose frames come in sequences.

Neighbouring frames show the same background and the same shapes, in colours that say what they are
in that sequence and in no other: random folds promise more than the test keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trainables.data.contest_folder import Drawn, write_contest
from trainables.data.scenes import CLASSES, Pixels, Scene, Shape, changed, mask_of

SIZES = ((96, 128), (72, 96), (120, 160))
"""Height and width of the frames of a sequence, in turn."""

SEQUENCES, TEST_SEQUENCES = 12, 4
FRAMES = 20
"""Of a sequence."""

EMPTY = 2
"""Frames of a sequence in which nothing is but the background."""

WRONG_SHARE = 0.1
"""Of the training images whose mask is wrong."""

CARD = """# Shapes

Drawn scenes with masks, made by a fixed recipe: 240 images for training in 12 sequences of 20
frames, 80 for the test in 4 others. Frames are 96 x 128, 72 x 96 or 120 x 160 pixels, all of a
sequence alike.

Classes of masks, by number: 0 background, 1 disc (large), 2 dot (small, about five pixels across),
3 line (lines and rings about two pixels thick), 4 patch (striped rectangles). A sequence has one
background and up to twelve shapes, which move slowly; those of a class have similar colours within
a sequence, and any others in the next. What is nearer covers what is farther. In two frames of each
sequence there is nothing but the background.

Wrong masks: in 10 % of the training images all outlines are one or two pixels off, or one shape is
missing. The test has none.

Columns of train.csv: image, mask, sequence. Names and order of the images say nothing.
"""


def make_shapes(folder: Path, seed: int = 0) -> Path:
    """Writes the contest into ``folder`` unless it is there already.

    The same seed gives the same files.

    Returns:
        ``folder``.
    """
    return write_contest(folder, CARD, lambda: drawn_shapes(seed))


def drawn_shapes(seed: int = 0) -> Drawn:
    """Draws all scenes."""
    rng = np.random.default_rng(seed)
    photos: list[Pixels] = []
    masks: list[Pixels] = []
    train = _sequences(range(SEQUENCES), WRONG_SHARE, rng, photos, masks)
    _sequences(range(SEQUENCES, SEQUENCES + TEST_SEQUENCES), 0.0, rng, photos, masks)
    return Drawn(
        photos=photos,
        masks=masks,
        classes=CLASSES[1:],
        train=pd.DataFrame({"sequence": [f"s{number:02d}" for number in train]}),
        solution=pd.DataFrame(index=range(TEST_SEQUENCES * FRAMES)),
    )


def _sequences(
    numbers: Sequence[int],
    wrong_share: float,
    rng: np.random.Generator,
    photos: list[Pixels],
    masks: list[Pixels],
) -> list[int]:
    """Adds the frames of some sequences, in random order; returns which each is of."""
    taken: list[tuple[int, Pixels, list[Shape]]] = []
    for number in numbers:
        scene = Scene.draw(*SIZES[number % len(SIZES)], rng)
        empty = set(rng.choice(FRAMES, EMPTY, replace=False).tolist())
        taken += [(number, *scene.frame(time, time in empty, rng)) for time in range(FRAMES)]
    filled = [i for i, (_, _, shapes) in enumerate(taken) if shapes]
    wrong = set(rng.choice(filled, round(wrong_share * len(taken)), replace=False).tolist())
    order = rng.permutation(len(taken)).tolist()
    for i in order:
        _, photo, shapes = taken[i]
        photos.append(photo)
        masks.append(mask_of(_mistaken(shapes, rng) if i in wrong else shapes, *photo.shape[:2]))
    return [taken[i][0] for i in order]


def _mistaken(shapes: list[Shape], rng: np.random.Generator) -> list[Shape]:
    """Shapes as a careless hand outlines them: all a little off, or one forgotten."""
    if rng.random() < 0.5:
        off = rng.choice([-1, 1], 2) * rng.integers(1, 3, 2)
        return [changed(shape, at=shape.at + off) for shape in shapes]
    forgotten = int(rng.integers(len(shapes)))
    return [*shapes[:forgotten], *shapes[forgotten + 1 :]]
