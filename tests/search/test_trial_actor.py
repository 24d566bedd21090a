"""The process that trains one trial after another."""

from __future__ import annotations

import gc
from dataclasses import asdict
from pathlib import Path

from search.execution.trial_actor import TrialActor
from spaces.trial_config import TrialConfig
from tests.sharing import job_of
from trainables.training.context import TrainingContext
from trainables.training.state import TrainingState


def test_a_training_that_is_over_is_not_held_until_the_next(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    """Neighbours of an idle worker need the memory."""
    job = job_of(task, tmp_path, processes=1)
    config = small.replace(epochs=2, warmup_epochs=0)
    given = {"job": asdict(job), "config": config.to_json(), "trial": "t-000"}
    gc.collect()
    others = {id(o) for o in gc.get_objects() if type(o) is TrainingState}

    def trained_now() -> list[TrainingState]:
        found = (o for o in gc.get_objects() if type(o) is TrainingState)
        return [o for o in found if id(o) not in others]

    actor = TrialActor(given)
    try:
        first = actor.step()
        assert not first["done"]
        assert len(trained_now()) == 1
        last = actor.step()
        assert last["done"]
        assert [r["epoch"] for r in last["reports"]] == [2]
        assert not trained_now()
    finally:
        actor.cleanup()
        gc.unfreeze()
