"""The table of trials: scores beside those on images that were trained on."""

from __future__ import annotations

from pathlib import Path

from results.records.trials import Search
from results.reporting.report import trial_rows
from spaces.trial_config import TrialConfig
from tests.records import ended, job_event, opening_event, started


def test_the_training_score_stands_beside_the_hold_out_s_with_the_gap(tmp_path: Path) -> None:
    config = TrialConfig.of(epochs=2)
    search = Search(folder=tmp_path)
    search.apply(opening_event("j", config))
    for number, state in enumerate(("finished", "stopped")):
        trial = f"j-{number:03d}"
        search.apply(started(trial, config))
        for epoch in range(1, 3 - number):
            metrics = {"val/accuracy": 0.8, "train/loss": 1.0}
            if epoch == 2:
                metrics |= {"train/accuracy": 0.95, "gap/accuracy": 15.0}
            report = {"epoch": epoch, "metrics": metrics, "seconds": {"total": 1.0}, "images": 10}
            search.apply(job_event("epoch", trial=trial, report=report))
        search.apply(ended(trial, state))
    head, finished, stopped = trial_rows(search, list(search.trials.values()))
    assert head[3:6] == ["accuracy", "in training", "gap"]
    assert finished[3:6] == ["0.8000", "0.9500", "+15.0"]
    assert stopped[3:6] == ["0.8000", "–", "–"]


def test_a_confirmation_on_other_images_does_not_lead(tmp_path: Path) -> None:
    config = TrialConfig.of(epochs=2)
    search = Search(folder=tmp_path)
    search.apply(opening_event("j", config))
    for number, (why, score) in enumerate((("baseline", 0.7), ("sampled", 0.8), ("confirm", 0.9))):
        trial = f"j-{number:03d}"
        search.apply(started(trial, config, why=why))
        scores = {"epoch": 1, "metrics": {"val/accuracy": score}}
        report = {**scores, "seconds": {"total": 1.0}, "images": 10}
        search.apply(job_event("epoch", trial=trial, report=report))
        search.apply(ended(trial))
    assert search.leading == search.trials["j-001"]
