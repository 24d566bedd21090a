"""python -m search.train — train one configuration on the hold-out.

With nothing fixed it trains the untuned baseline: what a contest team wants on day one.

  python -m search.train
  python -m search.train fix.lr=1e-3 fix.policy=trivial_augment epochs=20
  python -m search.train resume=latest
"""

from __future__ import annotations

from search.options.command_line import main
from search.options.files import check_files
from search.options.recorded import recorded_options
from search.options.training import TrainConfig


def run(config: TrainConfig) -> int:
    """Trains; returns the exit code."""
    check_files(config)
    from search.jobs.lifecycle import run_job
    from search.jobs.training_job import TrainingJob

    return run_job(config, TrainingJob(config))


if __name__ == "__main__":
    main(TrainConfig, run, __doc__ or "", recorded=recorded_options("train"))
