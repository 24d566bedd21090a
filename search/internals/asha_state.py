"""The state of Ray Tune's ASHA, which has no public reader."""

from __future__ import annotations

from ray.tune.schedulers import AsyncHyperBandScheduler


def is_known(scheduler: AsyncHyperBandScheduler, trial_id: str) -> bool:
    """Whether the scheduler has a bracket for a trial."""
    return trial_id in scheduler._trial_info


def forget(scheduler: AsyncHyperBandScheduler, trial_id: str) -> None:
    """Lets go of a trial that ended without a score; its scores at rungs stay."""
    scheduler._trial_info.pop(trial_id, None)


def rungs(scheduler: AsyncHyperBandScheduler) -> dict[float, dict[str, float]]:
    """Scores that were compared at each milestone of the only bracket, by trial."""
    return {milestone: dict(recorded) for milestone, recorded in scheduler._brackets[0]._rungs}
