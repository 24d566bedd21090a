"""What there is to say of one run, said in as few requests as there can be."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunInfo, RunTag
from mlflow.tracking import MlflowClient

from results.tracking.internals import artifacts_of

BATCH = 800
"""Metrics per request; MLflow takes 1,000 of all kinds, 100 parameters and 100 tags among them."""


@dataclass(kw_only=True)
class RunLog:
    """Collects what a run gets.

    Attributes:
        run: The run.
        params: By name; empty ones are left out.
        metrics: Of any steps.
        tags: By name.
        files: Contents by name.
        ended: Its last status, and milliseconds since the epoch; None while it goes on.
    """

    run: RunInfo
    params: dict[str, Any] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ended: tuple[str, int] | None = None

    def send(self, client: MlflowClient) -> None:
        """Sends all of it.

        Tags come after whatever they say is there, and the end last: whoever reads that a trial
        is finished finds its scores.
        """
        run = self.run.run_id
        if self.files:
            with tempfile.TemporaryDirectory() as folder:
                for name, content in self.files.items():
                    (Path(folder) / name).write_bytes(content)
                place = artifacts_of(self.run, client.tracking_uri)
                place.log_artifacts(folder)  # type: ignore[no-untyped-call]
        params = [Param(k, str(v)[:6000]) for k, v in self.params.items() if v != ""]
        tags = [RunTag(k, v) for k, v in self.tags.items()]
        *first, last = [
            self.metrics[i : i + BATCH] for i in range(0, len(self.metrics), BATCH)
        ] or [[]]
        for metrics in first:
            client.log_batch(run, metrics=metrics)
        client.log_batch(run, metrics=last, params=params, tags=tags)
        if self.ended is not None:
            client.set_terminated(run, *self.ended)
