"""What is written on figures: each entry of a legend is drawn, and each tick is a value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from results.forecast.forecast import Expected, Forecast
from results.metrics import METRICS
from results.records.trials import Search
from results.reporting.figures import forecast_scatter, learning_curves
from spaces.trial_config import TrialConfig
from tests.records import ended, job_event, opening_event, started


def test_learning_curves_tell_the_baseline_and_what_was_stopped(tmp_path: Path) -> None:
    config = TrialConfig.of(epochs=2)
    search = Search(folder=tmp_path)
    search.apply(opening_event("j", config))
    for number, state in enumerate(("finished", "finished", "stopped", "stopped")):
        trial = f"j-{number:03d}"
        search.apply(started(trial, config, why="sampled" if number else "baseline"))
        for epoch in range(1, 3):
            scores = {"epoch": epoch, "metrics": {"val/accuracy": 0.8 + epoch / 100}}
            report = {**scores, "seconds": {"total": 1.0}, "images": 10}
            search.apply(job_event("epoch", trial=trial, report=report))
        search.apply(ended(trial, state))
    figure = learning_curves([*search.trials.values()], "accuracy")
    axes, legend = figure.axes[0], figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [
        "000, baseline",
        "001",
        "stopped early",
    ]
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_public_scores_are_in_the_legend_where_there_are_some() -> None:
    models = {
        f"s-{i:03d}": Expected(
            id=f"s-{i:03d}",
            fold=0,
            holdout=0.8 + i / 100,
            score=0.78,
            low=0.7,
            high=0.85,
            accuracies={},
            agreement=0.5,
        )
        for i in range(3)
    }
    found = Forecast(models=models, images=100, conditions=())

    def entries(public: Mapping[str, float]) -> set[str]:
        axes = forecast_scatter(found, METRICS["accuracy"], public).axes[0]
        return set(axes.get_legend_handles_labels()[1])

    assert entries({}) == {"expected", "no offset"}
    assert entries({"s-001": 0.79}) == {"expected", "no offset", "public"}
