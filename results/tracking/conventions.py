"""How reports and configurations look in MLflow: flat names, groups behind slashes."""

from __future__ import annotations

import json
import re
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag

from results.records.closing import Closed
from results.records.events import Report
from results.records.opening import Opened
from spaces.trial_config import TrialConfig


def epoch_metrics(report: Report) -> dict[str, float]:
    """Metrics of an epoch's report, seconds among them."""
    seconds = report.seconds.model_dump(exclude_unset=True)
    return {**report.metrics, **{f"seconds/{k}": v for k, v in seconds.items()}}


def flat_params(config: TrialConfig) -> dict[str, Any]:
    """A configuration as flat parameters; the policy, a structure, is an artifact instead."""
    return {**config.flat(), "stages": len(config.policy.stages)}


def training_data(opened: Opened) -> DatasetInput:
    """The contest's images as MLflow's input of a run, from a job's opening event."""
    dataset = Dataset(
        name=opened.competition,
        digest=opened.data.digest,
        source_type="local",
        source=json.dumps({"uri": opened.data.root}),
        profile=json.dumps({**opened.images.model_dump(), "classes": len(opened.classes)}),
    )
    return DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", "training")])


def closing_metrics(closed: Closed) -> dict[str, float]:
    """What a search cost, and what its winner gained on each control."""
    metrics = {f"cost/{k}": float(v) for k, v in closed.cost.items()}
    if closed.optimism is not None:
        metrics["winner/optimism"] = closed.optimism
    if closed.forecast is not None:
        metrics["forecast/gap"] = closed.forecast.gap
        if closed.forecast.winner is not None:
            for end, value in closed.forecast.winner:
                metrics[f"forecast/{end}"] = value
    if closed.mattered is not None:
        for importance in closed.mattered.importances:
            metrics[f"importance/{importance.parameter}"] = importance.value
            metrics[f"importance/{importance.parameter}.chance"] = importance.chance
        for effect in closed.mattered.operations:
            metrics[f"effect/{effect.name}"] = effect.gain
            metrics[f"effect/{effect.name}.margin"] = effect.margin
        for rung in closed.mattered.early:
            metrics[f"early_ranks/tau_after_{rung.epoch}"] = rung.tau.value
    for comparison in closed.comparisons:
        name = re.sub(r"\W+", "_", comparison.control).strip("_")
        metrics[f"gain/{name}"] = comparison.gain
        if comparison.forecast is not None:
            metrics[f"gain/{name}.on_test"] = comparison.forecast
        if comparison.corrected is not None:
            metrics[f"gain/{name}.on_corrected"] = comparison.corrected
        if comparison.margin is not None:
            metrics[f"gain/{name}.margin"] = comparison.margin
    return metrics
