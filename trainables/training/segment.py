"""A segment of a training: some epochs of a member of a population."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from spaces.sections.run import Segment
from spaces.trial_config import TrialConfig
from trainables.training.checkpoint import Checkpoint
from trainables.training.context import TrainingContext
from trainables.training.fit import Epoch, fit
from trainables.training.ranks import ALONE, Ranks
from trainables.training.state import Beat, no_beat
from trainables.training.training_error import TrainingError


def segment(
    config: TrialConfig,
    context: TrainingContext,
    folder: Path,
    *,
    threads: int = 1,
    workers: int = 0,
    beat: Beat = no_beat,
    ranks: Ranks = ALONE,
) -> Iterator[Epoch]:
    """Trains as `fit` does, from where its parent has got to up to the end of the segment.

    With the parent's seed and policy it computes what the parent would have computed next: the
    checkpoint holds all that an interrupted training goes on with. Test images are not predicted,
    since no network of a population is handed in.

    Args:
        config: What to train, of the kind `Segment`.
        context: Data and metric.
        folder: The segment's, beside that of its parent.
        threads: As of `fit`.
        workers: As of `fit`.
        beat: As of `fit`.
        ranks: As of `fit`.
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
        threads=threads,
        workers=workers,
        beat=beat,
        ranks=ranks,
        start=taken_over if run.parent else None,
    )
