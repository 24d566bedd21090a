"""Which checkpoints stay once a trial has ended. Predictions always do."""

from __future__ import annotations

from pathlib import Path

from results.records.trial import Trial
from results.records.trials import Search
from trainables.training.checkpoint import trim_checkpoints

ALL, NONE = "all", "none"
_KEPT = "kept-for-"


def tidy(search: Search, ended: Trial, keep: str, finishing: int = 1) -> None:
    """Removes checkpoints that are not needed any more.

    While a trial may go on its newest two stay. An early-stopped one keeps its newest until enough
    of the others have run to the end: if they do not, the best of them go on.

    Args:
        search: The record.
        ended: The trial that has just ended.
        keep: Whose final checkpoint stays: ``all``, ``none``, or those of the baseline and of so
            many of the best sampled trials.
        finishing: Sampled trials that run to their end, at least.
    """
    if ended.why == "segment":
        _tidy_population(search, ended)
        return
    if ended.taken or ended.state not in ("finished", "stopped"):
        return
    stays = ended.state == "finished" and keep != NONE
    stays = stays and not (ended.why == "confirm" and keep != ALL)
    if ended.why == "sampled":
        stopped = [t for t in search.of("sampled") if t.state == "stopped"]
        if sum(t.state == "finished" for t in search.of("sampled")) >= finishing:
            for trial in stopped:
                trim_checkpoints(search.trial_folder(trial), keep=0)
        else:
            stays = stays or ended in stopped
    trim_checkpoints(search.trial_folder(ended), keep=int(stays))
    if keep in (ALL, NONE):
        return
    sign = search.sign
    scored = [
        (sign * score, -t.number, t)
        for t in search.of("sampled")
        if t.state == "finished" and (score := search.score(t)) is not None and not t.taken
    ]
    for _, _, trial in sorted(scored, reverse=True)[int(keep) :]:
        folder = search.trial_folder(trial)
        if not list(folder.glob(f"{_KEPT}*")):
            trim_checkpoints(folder, keep=0)


def _tidy_population(search: Search, ended: Trial) -> None:
    """Leaves a segment's checkpoint as long as one of the next interval may start from it."""
    done = ended.segment.done
    begun = search.of("segment")
    members = sum(t.segment.done == 0 for t in begun)
    present = [t.state for t in begun if t.segment.done == done]
    if len(present) == members and not {"running", "interrupted"} & set(present):
        for trial in begun:
            if trial.segment.until <= done:
                trim_checkpoints(search.trial_folder(trial), keep=0)
    if ended.state != "interrupted":
        followed = ended.state == "finished" and ended.segment.until < ended.segment.epochs
        trim_checkpoints(search.trial_folder(ended), keep=int(followed))


def mark_kept(folder: Path, job: str) -> None:
    """Notes that another job has taken a trial over and needs its checkpoint."""
    (folder / f"{_KEPT}{job}").touch()
