"""Density matching: policies scored by a trained network, without a training each."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import numpy as np

from results.matched_policies import MatchedPolicies
from results.metrics import all_scores
from spaces.sections.run import DensityMatching
from spaces.trial_config import TrialConfig
from trainables.inference.predict import load_trained, predict
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import Epoch, Means, fit
from trainables.training.full_disk import with_room
from trainables.training.state import Beat, no_beat
from trainables.training.training_error import TrainingError

SAVE_PERIOD = 5.0
"""Seconds of scoring that are lost at most when the process is killed."""


def density_matching(
    config: TrialConfig,
    context: TrainingContext,
    folder: Path,
    **means: Unpack[Means],
) -> Iterator[Epoch]:
    """Trains as `fit` does, then scores the job's candidates before the last epoch is reported.

    Each held-out image is augmented once per policy, and the metric is that of all of them: of what
    a policy draws on average, not of the best of it. After an interruption, a few seconds of it are
    scored again.

    Args:
        config: What to train, of the kind `DensityMatching`.
        context: Data, metric and candidates.
        folder: Gets ``matched.json`` beside what `fit` writes.
        means: As of `fit`.
    """
    workers, beat = means.get("workers", 0), means.get("beat", no_beat)
    for epoch in fit(config, context, folder, **means):
        if epoch.report["epoch"] == config.run.epochs:
            _match(config, context, folder, workers, beat)
        yield epoch


def _match(
    config: TrialConfig, context: TrainingContext, folder: Path, workers: int, beat: Beat
) -> None:
    assert isinstance(config.run, DensityMatching)
    assert context.candidates is not None
    rows, device = context.folds.held_out(config.run.fold), Device.pick(config)
    model = device.placed(
        load_trained(config, folder, len(context.classes), lambda c, _: context.network(c))
    )
    done = MatchedPolicies.read(folder, config.run.candidates)
    scores, saved = list(done.scores), time.perf_counter()
    for number, policy in enumerate(context.candidates.policies[len(scores) :], len(scores) + 1):
        found = predict(
            model,
            config.replace(policy=policy),
            context.store,
            rows,
            device,
            context.task,
            workers=workers,
            augmented=True,
            beat=beat,
        )
        judged = found[context.task.head]
        assert isinstance(judged, np.ndarray)
        score = all_scores(context.folds.labels[rows], judged, [context.metric])
        if context.metric.name not in score:
            raise TrainingError(
                f"{context.metric.name} is not defined on predictions of policy {number}"
            )
        scores.append(score[context.metric.name])
        now = time.perf_counter()
        if now - saved > SAVE_PERIOD or number == len(context.candidates.policies):
            done = MatchedPolicies(
                candidates=done.candidates,
                scores=tuple(scores),
                seconds=done.seconds + now - saved,
            )
            with_room(functools.partial(done.write, folder), beat)
            saved = now
