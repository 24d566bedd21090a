"""Which trials ``select=`` means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from results.records.trials import Search
from search.competition.candidates import Candidate, comparable_searches, pick
from search.jobs.search_job import SearchJob
from search.jobs.training_job import TrainingJob
from search.options.training import RunConfig, TrainConfig
from spaces.errors import InputError
from spaces.ready.schedule import schedule
from spaces.trial_config import TrialConfig
from tests.commands import run
from tests.search.test_stress_objective import Record


def trained(runs: Path, name: str, right: int, **options: Any) -> Candidate:
    """What search.train made."""
    record = Record(runs, name, kind="train", options=options)
    record.trial(right, None, why="single")
    search = record.read()
    return Candidate.of(search, search.trials[f"{name}-000"])


def test_a_training_with_something_fixed_is_no_baseline(tmp_path: Path) -> None:
    tuned = trained(tmp_path, "tuned", 190, fix={"lr": 1e-2})
    plain = trained(tmp_path, "plain", 150, epochs=20)
    assert [c.id for c in pick([tuned, plain], "baseline", 2, {})] == ["plain-000"]
    assert [c.id for c in pick([tuned, plain], "best", 2, {})] == ["tuned-000"]
    with pytest.raises(InputError, match="no baseline has been trained to its end yet: python -m"):
        pick([tuned], "baseline", 1, {})


def test_a_promotion_whose_search_was_removed_is_told(tmp_path: Path) -> None:
    told = {
        "arms": {"s-000": TrialConfig().to_json()},
        "parents": {"s-000": "s-000"},
        "scores": {"s-000": 0.9},
        "changes": {},
        "optimism": None,
        "folds": 2,
        "seeds": 1,
        "race": [],
        "verdict": "trusted",
        "force": "",
    }
    promotion = Record(tmp_path, "p", kind="promotion", promotion=told).read()
    with pytest.raises(InputError, match=r"no search beside promotions: python -m search\.run"):
        comparable_searches(tmp_path / "c")
    Record(tmp_path, "other", metric="macro_f1").read()
    with pytest.raises(InputError, match="no search beside p, with its metric, images and folds"):
        comparable_searches(tmp_path / "c", promotion)


def test_what_predicted_no_test_images_is_not_submitted(tmp_path: Path) -> None:
    record = Record(tmp_path, "s")
    record.trial(190, None)
    record.read()
    done = run(tmp_path, "submit", "competition=c", f"runs={tmp_path}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "s-000 has no test predictions to submit: it was trained without test" in done.stderr


def test_submitting_comes_next_only_where_test_images_were_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "winner", "s-000")
    for test, predicted in ((0, True), (4, False), (4, True)):
        record = Record(tmp_path / f"{test}{predicted}", images={"train": 4, "test": test})
        record.trial(190, None)
        search = record.read()
        searching, training = RunConfig(), TrainConfig()
        searching.predict.test = training.predict.test = predicted
        for job in (SearchJob(searching, schedule()), TrainingJob(training)):
            commands = job.next_commands(search)
            assert any("search.submit" in line for line in commands) == bool(test and predicted)
