"""python -m search.train — train one configuration on the hold-out.

Without anything fixed it is the untuned baseline: what a contest team wants on day one.

  python -m search.train
  python -m search.train fix.lr=1e-3 fix.policy=trivial_augment epochs=20
  python -m search.train resume=latest
"""

from __future__ import annotations

from typing import Any

from search.cli import main
from search.config import TrainConfig
from search.driver import Driver
from search.job import Prepared
from search.plan import SinglePlan
from search.preparation import prepare
from search.resume import recorded_options


def run(config: TrainConfig) -> int:
    """Trains; returns the exit code."""
    from search.session import run_job, same_place  # imports Ray, which --help can do without

    def make_plan(prepared: Prepared, driver: Driver) -> Any:
        return SinglePlan(search=driver.search, config=prepared.baseline), lambda trial: None

    here = same_place(config)
    return run_job(
        config,
        kind="train",
        prepare=lambda say: prepare(config, "train", say=say),
        make_plan=make_plan,
        next_commands=lambda search: [
            f"python -m search.show {search.id}{here}",
            f"python -m search.submit select={search.id}-000{here}",
            f"python -m search.run space=aug_policy{here}",
        ],
    )


if __name__ == "__main__":
    main(TrainConfig, run, __doc__ or "", recorded=recorded_options("train"))
