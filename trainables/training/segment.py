"""A segment of a training: some epochs of a member of a population."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

from spaces.sections.run import Segment
from spaces.trial_config import TrialConfig
from trainables.training.checkpoint import Checkpoint
from trainables.training.context import TrainingContext
from trainables.training.fit import Epoch, Means, fit
from trainables.training.training_error import TrainingError


def segment(
    config: TrialConfig,
    context: TrainingContext,
    folder: Path,
    **means: Unpack[Means],
) -> Iterator[Epoch]:
    """Trains as `fit` does, from where its parent has got to up to the end of the segment.

    With the parent's seed and policy it computes what the parent would have computed next: the
    checkpoint holds all that an interrupted training goes on with. Test images are not predicted,
    since no network of a population is handed in.

    Args:
        config: What to train, of the kind `Segment`.
        context: Data and metric.
        folder: The segment's, beside that of its parent.
        means: As of `fit`.
    """
    run = config.run
    assert isinstance(run, Segment)

    def taken_over() -> Checkpoint:
        found, notes = Checkpoint.newest(folder.parent / run.parent, run.parent_digest)
        if found is None or found.epoch != run.done:
            raise TrainingError("; ".join([f"the weights of {run.parent} are gone", *notes]))
        return found

    yield from fit(
        config,
        dataclasses.replace(context, predict_test=False, stress=None),
        folder,
        start=taken_over if run.parent else None,
        **means,
    )
