"""Rules of early stopping beside pace and ASHA, epoch by epoch."""

from __future__ import annotations

import pytest

from search.jobs.search_job import SearchJob
from search.options.command_line import parse
from search.options.scheduler import SchedulerConfig
from search.options.training import RunConfig
from search.planning.early_stopping import EarlyStopping
from search.planning.pace import Pace
from search.planning.patience import Patience
from search.planning.screen import Screen
from spaces.errors import InputError
from spaces.ready import ready_space

EPOCHS = 8


def ended_after(rule: EarlyStopping, scores: list[float], trial: str = "a") -> int:
    """Epochs of a trial with these scores."""
    for epoch, score in enumerate(scores, start=1):
        if rule.judge(trial, epoch, score):
            return epoch
    return len(scores)


def test_screening_ends_all_after_the_grace_and_no_rule_ends_none() -> None:
    screen = Screen(epochs=EPOCHS, grace=3)
    assert ended_after(screen, [0.1] * EPOCHS) == 3
    assert ended_after(screen, [0.9] * EPOCHS, "b") == 3
    assert ended_after(EarlyStopping(epochs=EPOCHS, grace=EPOCHS), [0.1] * EPOCHS) == EPOCHS


@pytest.mark.parametrize(
    ("scores", "epochs"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], EPOCHS),
        ([0.1, 0.5, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8], 5),  # as good as before is not better
        ([0.5, 0.4, 0.4, 0.6, 0.5, 0.5, 0.5, 0.8], 7),
        ([-5.0, -4.0, -6.0, -6.0, -6.0, -1.0, -1.0, -1.0], 5),
    ],
)
def test_patience_counts_epochs_without_a_better_score(scores: list[float], epochs: int) -> None:
    patience = Patience(EarlyStopping(epochs=EPOCHS, grace=EPOCHS), 3)
    assert ended_after(patience, scores) == epochs
    assert ended_after(patience, scores, "another") == epochs


def test_patience_leaves_the_other_rule_its_say() -> None:
    """What the other rule compares with is told to it, whatever patience says."""
    fast = [0.5, 0.6, 0.7, 0.8, 0.8, 0.9, 0.9, 0.9]
    slow = [0.01 * epoch for epoch in range(1, EPOCHS + 1)]
    pace = Pace(epochs=EPOCHS, grace=2)
    both = Patience(Pace(epochs=EPOCHS, grace=2), EPOCHS)
    for rule in (pace, both):
        assert ended_after(rule, fast) == EPOCHS
    assert ended_after(both, slow, "b") == ended_after(pace, slow, "b") < EPOCHS
    both.watch(1, 0.9)
    assert ended_after(both, [0.8] * EPOCHS, "c") == 6  # a sixth of them, and the baseline's one


@pytest.mark.parametrize(
    ("words", "finishing"),
    [
        ([], 1),
        (["scheduler.rule=pace"], 4),
        (["scheduler.rule=pace", "trials=2"], 1),
        (["scheduler.rule=pace", "trials=9"], 3),
        (["scheduler.rule=screen"], 6),
        (["scheduler.rule=screen", "scheduler.reduction=2"], 8),
    ],
)
def test_so_many_trials_run_to_their_end(words: list[str], finishing: int) -> None:
    """Of the usual sixteen."""
    job = SearchJob(parse(RunConfig, words), ready_space("aug_policy"))
    assert job.finishing == finishing


def test_what_is_no_rule_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean screen"):
        SchedulerConfig(rule="scren")
    with pytest.raises(InputError, match=r"scheduler\.patience"):
        SchedulerConfig(patience=-1)


def test_a_grace_that_is_longer_than_the_training_is_refused() -> None:
    job = SearchJob(parse(RunConfig, ["epochs=3", "scheduler.grace=4"]), ready_space("schedule"))
    with pytest.raises(InputError, match=r"scheduler\.grace=4: must be at most epochs=3"):
        job.prepare(print)
