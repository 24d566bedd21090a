"""Early stopping by the pace of others, on made-up curves."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.records.ledger import Ledger
from results.records.trials import Search
from search.planning.early_stopping import SCORE, SCORES
from search.planning.pace import Pace
from spaces.trial_config import TrialConfig
from tests.records import ended, job_event, opening_event, started

EPOCHS = 12
FAST = [0.1 * epoch for epoch in range(1, EPOCHS + 1)]
"""A curve that rises by 0.1 each epoch."""


def slower(times: float) -> list[float]:
    """The same, so many times slower."""
    return [score / times for score in FAST]


def follow(pace: Pace, name: str, curve: Sequence[float]) -> int:
    """Trains until it is told to stop; returns the epochs."""
    for epoch, score in enumerate(curve, start=1):
        if pace.judge(name, epoch, score) and epoch < EPOCHS:
            return epoch
    return EPOCHS


def test_a_trial_half_as_fast_as_the_best_is_ended() -> None:
    pace = Pace(epochs=EPOCHS, grace=3)
    assert follow(pace, "a", FAST) == EPOCHS  # there is nobody to be compared with
    assert follow(pace, "b", slower(1.5)) == EPOCHS
    assert follow(pace, "c", slower(4)) == 3
    assert follow(pace, "d", [*slower(4)[:2], *FAST[2:]]) == EPOCHS  # slow at first only


def test_most_others_do_not_end_a_trial_and_one_bad_epoch_does_not() -> None:
    pace = Pace(epochs=EPOCHS, grace=1)
    for number in range(9):
        follow(pace, str(number), slower(3))
    follow(pace, "best", FAST)
    assert follow(pace, "as most", slower(3)) == EPOCHS  # nine of ten are like it
    assert follow(pace, "bad", [0.4, 0.5, 0.0, 0.6, *FAST[4:]]) == EPOCHS


def test_the_baseline_and_earlier_searches_end_the_first_trial() -> None:
    fast = Pace(epochs=EPOCHS, grace=1)
    for epoch, score in enumerate(FAST, start=1):
        fast.watch(epoch, score)
    assert follow(fast, "first", slower(8)) == 6  # where the baseline was after one
    assert follow(fast, "slow", [*slower(8)[:5], *slower(2)[5:]]) == EPOCHS
    warm = Pace(epochs=EPOCHS, grace=2, earlier=[tuple(FAST), (0.3,)])
    assert follow(warm, "first", slower(8)) == 2


def test_a_score_that_is_better_when_it_is_smaller_comes_with_a_sign() -> None:
    pace = Pace(epochs=EPOCHS, grace=1)
    assert follow(pace, "a", [-1 / epoch for epoch in range(1, EPOCHS + 1)]) == EPOCHS
    assert follow(pace, "b", [-5.0] * EPOCHS) == 2


class Live:
    """A trial as Tune hands it over."""

    def __init__(self, name: str, why: str, revived: bool = False) -> None:
        self.config = {"trial": name, "why": why, "revived": revived}


def tell(pace: Pace, live: Any, epoch: int, score: float) -> bool:
    result = {"epoch": epoch, SCORE: score, SCORES: [(epoch, score)]}
    return pace.on_trial_result(None, live, result) == "STOP"


def test_controls_and_revived_trials_run_to_the_end() -> None:
    pace = Pace(epochs=EPOCHS, grace=1)
    follow(pace, "a", FAST)
    for why, revived in (("baseline", False), ("confirm", False), ("sampled", True)):
        live = Live(why, why, revived)
        assert not any(tell(pace, live, epoch, 0.0) for epoch in range(1, EPOCHS))
    assert tell(pace, Live("b", "sampled"), 2, 0.0)


@pytest.mark.parametrize("cut", [3, 9, 20])
def test_a_replay_of_the_record_decides_what_was_decided(tmp_path: Path, cut: int) -> None:
    """Also in two parts: what a search decides after a restart it would have decided without."""
    config = TrialConfig.of(epochs=EPOCHS)
    curves = {"s-000": FAST, "s-001": slower(2), "s-002": slower(20), "s-003": slower(1.2)}
    whys = {"s-000": "baseline"}
    live, stopped, events = Pace(epochs=EPOCHS, grace=2), set(), 0
    second: Pace | None = None
    with contextlib.closing(Ledger(tmp_path / "ledger.jsonl")) as ledger:
        ledger.add(opening_event("s", config))
        for number, name in enumerate(curves):
            why = whys.get(name, "sampled")
            ledger.add(started(name, config, number=number, why=why))
        for epoch in range(1, EPOCHS + 1):
            for name, curve in curves.items():
                if name in stopped:
                    continue
                report = {
                    "epoch": epoch,
                    "metrics": {"val/accuracy": curve[epoch - 1]},
                    "seconds": {"total": 1.0},
                }
                ledger.add(job_event("epoch", trial=name, report=report))
                trial = Live(name, whys.get(name, "sampled"))
                said = tell(live, trial, epoch, curve[epoch - 1])
                if second is not None:
                    assert tell(second, trial, epoch, curve[epoch - 1]) == said
                if said:
                    stopped.add(name)
                    ledger.add(ended(name, "stopped"))
                events += 1
                if events == cut:
                    ledger.commit()
                    second = Pace(epochs=EPOCHS, grace=2)
                    second.replay(Search.read(tmp_path))
        ledger.commit()
    assert stopped == {"s-002"}
    assert Pace(epochs=EPOCHS, grace=2).replay(Search.read(tmp_path)) == stopped


def test_the_pace_is_a_quantile_of_the_others() -> None:
    rng = np.random.default_rng(0)
    curves = rng.random((30, EPOCHS)).round(1)  # with ties
    pace = Pace(epochs=EPOCHS, grace=1)
    for number, curve in enumerate(curves):
        for epoch, score in enumerate(curve, start=1):
            said = pace.judge(str(number), epoch, score)
            then = int(epoch / 2)
            if then and number:
                bar = np.quantile(curves[:number, then - 1], 0.8)
                reached = max(curve[max(0, epoch - 2) : epoch])
                assert said == (reached < bar) or abs(reached - bar) < 1e-12
