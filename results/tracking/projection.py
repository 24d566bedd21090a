"""What a job's events are in MLflow: a run for the job, and one below it for every trial."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunTag

from results.records.closing import Closed
from results.records.events import (
    EpochDone,
    Resumed,
    TrialEnded,
    TrialResumed,
    TrialStarted,
)
from results.records.opening import Opened
from results.records.record import Event
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.figures import learning_curves, population_lines
from results.reporting.front_figure import front_figure
from results.reporting.report import describe, report, verdict
from results.tracking.conventions import (
    closing_metrics,
    epoch_metrics,
    flat_params,
    training_data,
)
from results.tracking.drawings import ReadImage, drawings
from results.tracking.store import ID_TAG, find_experiment, open_client, source_tags
from spaces.augmentation.families import describe_policy

STATUS = {
    "finished": "FINISHED",
    "stopped": "FINISHED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}
BATCH = 900
"""Metrics per request; MLflow takes 1,000."""


class Projection:
    """A job's runs in MLflow, found by their ledger ids before any is created.

    Args:
        record: The job, reduced from its events; whoever adds events has told it of them.
        uri: Tracking URI.
        read_image: Reads training images, over which masks are drawn; None to draw none.
    """

    def __init__(self, record: Search, uri: str, read_image: ReadImage | None = None) -> None:
        self._record, self._uri, self._read_image = record, uri, read_image
        self._runs: dict[str, str] = {}
        self._client = open_client(uri)
        self._experiment = ""

    def add(self, events: Sequence[Event]) -> None:
        """Sends events, in their order, that the record has taken in; raises what MLflow raises."""
        epochs: dict[str, list[EpochDone]] = {}
        for event in events:
            match event:
                case Opened():
                    self._open_parent(event)
                case TrialStarted():
                    self._open_child(self._record.trials[event.trial])
                case Resumed():
                    self._reopen(self._record.id)
                case TrialResumed():
                    self._reopen(event.trial)
                case EpochDone():
                    epochs.setdefault(event.trial, []).append(event)
        for trial_id, reports in epochs.items():
            self._log_epochs(trial_id, reports)
        for event in events:
            if isinstance(event, TrialEnded):
                trial = self._record.trials[event.trial]
                if trial.state != "running":  # else it goes on already
                    self._close_child(trial, event)
            elif isinstance(event, Closed) and event is self._record.summary:
                self._close_parent(event)

    def _open_parent(self, event: Opened) -> None:
        client, job = self._client, self._record
        self._experiment = find_experiment(client, self._uri, event.competition)
        baseline = flat_params(event.baseline)
        params = {
            "metric": event.metric,
            "trials": event.trials,
            "confirm": event.confirm,
            "folds": event.folds.count,
            **{f"baseline.{k}": v for k, v in baseline.items()},
        }
        tags = {"kind": event.kind, "state": "running"}
        if event.hypothesis:
            tags["hypothesis"] = event.hypothesis
        run = self._run(job.id, job.id, event.at, tags, params)
        self._log_data(run, event)
        if event.space:
            client.log_text(run, json.dumps(event.space, indent=2), "space.json")

    def _open_child(self, trial: Trial) -> None:
        client = self._client
        config = trial.asked  # parameters cannot be changed; a smaller micro-batch is a tag
        opened = self._record.opened
        tags = {"state": "running", "why": trial.why, "config.digest": config.digest}
        tags |= {"data.digest": opened.data.digest, "folds.digest": opened.folds.digest}
        tags["metric"] = opened.metric
        if trial.arm:
            tags["arm"] = trial.arm
        if trial.taken:
            tags["taken"] = trial.taken
        tags["mlflow.parentRunId"] = self._runs[self._record.id]
        tags["mlflow.note.content"] = "\n\n".join(describe(config, trial.params))
        name = f"{trial.id.rsplit('-', 1)[-1]} {trial.arm or trial.why}"
        run = self._run(
            trial.id, name, trial.started, tags, {**flat_params(config), **trial.params}
        )
        self._log_data(run, opened)
        cost = self._record.cost(trial)
        if cost is not None:
            client.log_batch(
                run, [Metric(f"cost/{opened.second}", cost, int(1000 * trial.started), 0)]
            )
        client.log_text(run, json.dumps(config.policy.to_json(), indent=2), "policy.json")
        client.log_text(run, describe_policy(config.policy), "policy.txt")

    def _reopen(self, ledger_id: str) -> None:
        """A run that was closed goes on."""
        run = self._runs[ledger_id]
        self._client.update_run(run, status="RUNNING")
        self._client.set_tag(run, "state", "running")
        trial = self._record.trials.get(ledger_id)
        if trial is not None and trial.config != trial.asked:  # parameters cannot be changed
            self._client.set_tag(run, "changed", f"micro_batch={trial.config.run.micro_batch}")

    def _log_epochs(self, trial_id: str, events: list[EpochDone]) -> None:
        metrics = [
            Metric(name, value, int(event.at * 1000), event.report.epoch)
            for event in events
            for name, value in epoch_metrics(event.report).items()
        ]
        for i in range(0, len(metrics), BATCH):
            self._client.log_batch(self._runs[trial_id], metrics=metrics[i : i + BATCH])

    def _close_child(self, trial: Trial, event: TrialEnded) -> None:
        client, run = self._client, self._runs[trial.id]
        if trial.state == "finished":
            pictures = drawings(self._record, trial, self._read_image)
            with tempfile.TemporaryDirectory() as folder:
                for name, content in pictures.items():
                    (Path(folder) / name).write_bytes(content)
                client.log_artifacts(run, folder)
        if trial.reason:
            client.log_text(run, event.traceback or trial.reason, "failure.txt")
            client.set_tag(run, "reason", trial.reason[:5000])
        client.set_tag(run, "state", trial.state)
        client.set_terminated(run, STATUS[trial.state], int(event.at * 1000))

    def _close_parent(self, event: Closed) -> None:
        client, job = self._client, self._record
        run = self._runs[job.id]
        stamp = int(event.at * 1000)
        metrics = [Metric(k, v, stamp, 0) for k, v in closing_metrics(event).items()]
        winner = job.trials.get(event.winner or "")
        if winner is not None:
            score = winner.score(job.metric)
            assert score is not None
            metrics.append(Metric(f"winner/{job.metric}", score, stamp, 0))
            client.set_tag(run, "winner", winner.id)
            client.set_tag(self._runs[winner.id], "winner", "true")
        for step, (arm, result) in enumerate(event.arms.items()):
            values = {
                f"full/{job.metric}": result.score,
                "full/low": result.interval.low if result.interval else None,
                "full/high": result.interval.high if result.interval else None,
                "full/optimism": result.optimism,
            }
            metrics += [Metric(k, v, stamp, step) for k, v in values.items() if v is not None]
            for kind in ("csv", "png", "svg"):  # tables and pictures, whatever the task has of them
                for path in sorted(job.folder.glob(f"*-{arm}.{kind}")):
                    client.log_artifact(run, str(path))
        client.log_batch(run, metrics=metrics)
        page = "\n".join(report(job))
        client.log_text(run, page, "report.txt")
        note = f"```\n{page}\n```"
        if job.opened.kind == "search":
            note = f"{verdict(job)}\n\n{note}"
        client.set_tag(run, "mlflow.note.content", note)
        trials = [t for t in job.trials.values() if t.why not in ("confirm", "segment")]
        client.log_figure(run, learning_curves(trials, job.metric), "learning_curves.png")
        segments = job.of("segment")
        if segments:
            members = population_lines(segments, job.key, job.sign, job.metric)
            client.log_figure(run, members, "population.png")
        if event.front is not None:
            client.log_figure(run, front_figure(job, event.front), "front.png")
        client.set_tag(run, "state", event.state)
        client.set_terminated(run, STATUS[event.state], stamp)

    def _run(
        self,
        ledger_id: str,
        name: str,
        at: float,
        tags: Mapping[str, str],
        params: Mapping[str, Any],
    ) -> str:
        """Finds the run of a ledger id, or creates it with its tags and parameters."""
        client = self._client
        full = f"{self._record.opened.competition}/{ledger_id}"
        if ledger_id not in self._runs:
            found = client.search_runs(
                [self._experiment], f"tags.`{ID_TAG}` = '{full}'", max_results=1
            )
            if found:
                self._runs[ledger_id] = found[0].info.run_id
            else:
                every = {ID_TAG: full, "mlflow.runName": name, **source_tags(), **tags}
                run = client.create_run(self._experiment, int(at * 1000), every, name)
                self._runs[ledger_id] = run.info.run_id
        client.log_batch(
            self._runs[ledger_id],
            params=[Param(k, str(v)[:6000]) for k, v in params.items() if v != ""],
            tags=[RunTag(k, str(v)) for k, v in tags.items() if k != "state"],
        )
        return self._runs[ledger_id]

    def _log_data(self, run: str, opened: Opened) -> None:
        self._client.log_inputs(run, datasets=[training_data(opened)])
