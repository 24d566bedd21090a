"""python -m search.promote — full K-fold training of the search's best, if it can be trusted.

Asks trust first, then trains the folds (those that were trained before are taken over), and writes
out-of-fold and test predictions, the fold table, an honest headline and what to expect of the test.

  python -m search.promote                     the best, on all folds of the search
  python -m search.promote folds=2             two folds: cheap, and worth a submission
  python -m search.promote race=3              the top three run two folds first
  python -m search.promote resume=latest       after a kill, a reboot or a deadline
  python -m search.promote select=a-003,b-001 seeds=2
  python -m search.promote promote.backbone=resnet18 promote.size=96 epochs=30
  python -m search.promote 'promote.backbone=[resnet18,resnet34]'    the better on the hold-out
"""

from __future__ import annotations

from search.options.command_line import main
from search.options.recorded import recorded_options
from search.options.training import PromoteConfig


def run(config: PromoteConfig) -> int:
    """Promotes; returns the exit code."""
    from search.jobs.lifecycle import run_job
    from search.promotion.promotion_job import PromotionJob

    return run_job(config, PromotionJob(config))


if __name__ == "__main__":
    main(PromoteConfig, run, __doc__ or "", recorded=recorded_options("promotion"))
