"""The tracker: tails a job's ledger into MLflow, in a thread that nothing waits for.

It finds a run by its ledger id before it creates one and sends the ledger's own times, so that
reading a ledger twice adds nothing twice.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from results.predictions import Predictions
from results.records.closing import Closed
from results.records.events import (
    EVENTS,
    EpochDone,
    Resumed,
    TrialEnded,
    TrialResumed,
    TrialStarted,
)
from results.records.labelled_images import LabelledImages
from results.records.ledger import whole_lines
from results.records.opening import Opened
from results.records.record import Event, read_event
from results.records.secrets import in_a_line
from results.records.trials import Search, Trial
from results.reporting.figures import learning_curves
from results.reporting.report import describe, report, verdict
from results.tracking.conventions import (
    closing_metrics,
    epoch_metrics,
    flat_params,
    training_data,
)
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
PERIOD = 2.0
"""Seconds between looks at the ledger: a request of several epochs costs as much as one of one."""


class Tracker:
    """Copies one job's ledger into MLflow until told to finish.

    Args:
        folder: The job's folder.
        uri: Tracking URI.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self._folder, self._uri = folder, uri
        self._path = folder / "ledger.jsonl"
        self._offset = self._line = 0
        self._search = Search(folder=folder)
        self._runs: dict[str, str] = {}
        self._client: MlflowClient | None = None
        self._experiment = ""
        self._pending: list[Event] = []
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._tail, name="tracker", daemon=True)
        self.cpu_seconds = 0.0
        self.problem = ""

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def finish(self, patience: float = 60.0) -> bool:
        """Waits until MLflow has all of the ledger.

        Args:
            patience: Seconds to wait at most.

        Returns:
            Whether it has; if not, `problem` says why.
        """
        self._finish.set()
        self._thread.join(patience)
        done = not self._thread.is_alive() and not self.problem
        if not done and not self.problem:
            self.problem = f"the tracking store did not keep up within {patience:g} s"
        return done

    def catch_up(self) -> None:
        """Copies what the ledger has more than MLflow; raises what MLflow raises."""
        if self._client is None:
            self._client = open_client(self._uri)
        self._read()
        while self._pending:
            self._project(self._pending)
            self._pending = []
            self._read()

    def _tail(self) -> None:
        wait = PERIOD
        while True:
            finishing = self._finish.is_set()
            try:
                self.catch_up()
                self.problem, wait = "", PERIOD
            except Exception as error:  # whatever it is, trials go on and the summary says so
                self.problem = in_a_line(error, self._uri)
                wait = min(30.0, wait * 2)
            self.cpu_seconds = time.thread_time()
            if finishing:
                return
            self._finish.wait(wait)

    def _read(self) -> None:
        """Takes in the complete lines that were added to the ledger."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            lines = whole_lines(file.read())
        for line in lines:
            event = read_event(line, EVENTS, self._path, self._line + 1)
            self._search.apply(event)
            self._pending.append(event)
            self._offset += len(line)
            self._line += 1

    def _project(self, events: list[Event]) -> None:
        assert self._client is not None
        epochs: dict[str, list[EpochDone]] = {}
        for event in events:
            match event:
                case Opened():
                    self._open_parent(event)
                case TrialStarted():
                    self._open_child(self._search.trials[event.trial])
                case Resumed():
                    self._reopen(self._search.id)
                case TrialResumed():
                    self._reopen(event.trial)
                case EpochDone():
                    epochs.setdefault(event.trial, []).append(event)
        for trial_id, reports in epochs.items():
            self._log_epochs(trial_id, reports)
        for event in events:
            if isinstance(event, TrialEnded):
                trial = self._search.trials[event.trial]
                if trial.state != "running":  # else it goes on already
                    self._close_child(trial, event)
            elif isinstance(event, Closed) and event is self._search.summary:
                self._close_parent(event)

    def _open_parent(self, event: Opened) -> None:
        client, search = self._client, self._search
        assert client is not None
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
        run = self._run(search.id, search.id, event.at, tags, params)
        self._log_data(run, event)
        if event.space:
            client.log_text(run, json.dumps(event.space, indent=2), "space.json")

    def _open_child(self, trial: Trial) -> None:
        client = self._client
        assert client is not None
        config = trial.asked  # parameters cannot be changed; a smaller micro-batch is a tag
        opened = self._search.opened
        tags = {"state": "running", "why": trial.why, "config.digest": config.digest}
        tags |= {"data.digest": opened.data.digest, "folds.digest": opened.folds.digest}
        tags["metric"] = opened.metric
        if trial.arm:
            tags["arm"] = trial.arm
        if trial.taken:
            tags["taken"] = trial.taken
        tags["mlflow.parentRunId"] = self._runs[self._search.id]
        tags["mlflow.note.content"] = "\n\n".join(describe(config, trial.params))
        name = f"{trial.id.rsplit('-', 1)[-1]} {trial.arm or trial.why}"
        run = self._run(
            trial.id, name, trial.started, tags, {**flat_params(config), **trial.params}
        )
        self._log_data(run, opened)
        client.log_text(run, json.dumps(config.policy.to_json(), indent=2), "policy.json")
        client.log_text(run, describe_policy(config.policy), "policy.txt")

    def _reopen(self, ledger_id: str) -> None:
        """A run that was closed goes on."""
        assert self._client is not None
        run = self._runs[ledger_id]
        self._client.update_run(run, status="RUNNING")
        self._client.set_tag(run, "state", "running")
        trial = self._search.trials.get(ledger_id)
        if trial is not None and trial.config != trial.asked:  # parameters cannot be changed
            self._client.set_tag(run, "changed", f"micro_batch={trial.config.run.micro_batch}")

    def _log_epochs(self, trial_id: str, events: list[EpochDone]) -> None:
        assert self._client is not None
        metrics = [
            Metric(name, value, int(event.at * 1000), event.report.epoch)
            for event in events
            for name, value in epoch_metrics(event.report).items()
        ]
        for i in range(0, len(metrics), BATCH):
            self._client.log_batch(self._runs[trial_id], metrics=metrics[i : i + BATCH])

    def _close_child(self, trial: Trial, event: TrialEnded) -> None:
        client, run = self._client, self._runs[trial.id]
        assert client is not None
        if trial.state == "finished":
            folder = self._search.trial_folder(trial)
            labelled = LabelledImages.of_fold(self._search.folds_file, trial.config.run.fold)
            predictions = Predictions.read(folder / "holdout.npz")
            figures = self._search.task.diagnostics(
                labelled.labels, predictions, self._search.truth
            )
            for name, figure in figures.items():
                client.log_figure(run, figure, name)
            client.log_figure(
                run, learning_curves([trial], self._search.metric), "learning_curve.png"
            )
        if trial.reason:
            client.log_text(run, event.traceback or trial.reason, "failure.txt")
            client.set_tag(run, "reason", trial.reason[:5000])
        client.set_tag(run, "state", trial.state)
        client.set_terminated(run, STATUS[trial.state], int(event.at * 1000))

    def _close_parent(self, event: Closed) -> None:
        client, search = self._client, self._search
        assert client is not None
        run = self._runs[search.id]
        stamp = int(event.at * 1000)
        metrics = [Metric(k, v, stamp, 0) for k, v in closing_metrics(event).items()]
        winner = search.trials.get(event.winner or "")
        if winner is not None:
            score = winner.score(search.metric)
            assert score is not None
            metrics.append(Metric(f"winner/{search.metric}", score, stamp, 0))
            client.set_tag(run, "winner", winner.id)
            client.set_tag(self._runs[winner.id], "winner", "true")
        for step, (arm, result) in enumerate(event.arms.items()):
            values = {
                f"full/{search.metric}": result.score,
                "full/low": result.interval.low if result.interval else None,
                "full/high": result.interval.high if result.interval else None,
                "full/optimism": result.optimism,
            }
            metrics += [Metric(k, v, stamp, step) for k, v in values.items() if v is not None]
            for kind in ("csv", "png"):  # tables and pictures, whatever the task has of them
                for path in sorted(search.folder.glob(f"*-{arm}.{kind}")):
                    client.log_artifact(run, str(path))
        client.log_batch(run, metrics=metrics)
        page = "\n".join(report(search))
        client.log_text(run, page, "report.txt")
        note = f"```\n{page}\n```"
        if search.opened.kind == "search":
            note = f"{verdict(search)}\n\n{note}"
        client.set_tag(run, "mlflow.note.content", note)
        trials = [t for t in search.trials.values() if t.why != "confirm"]
        client.log_figure(run, learning_curves(trials, search.metric), "learning_curves.png")
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
        assert client is not None
        full = f"{self._search.opened.competition}/{ledger_id}"
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
        assert self._client is not None
        self._client.log_inputs(run, datasets=[training_data(opened)])
