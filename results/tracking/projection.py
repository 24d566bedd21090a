"""What a job's events are in MLflow: a run for the job, and one below it for every trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mlflow.entities import Metric, RunInfo

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
from results.tracking.run_log import RunLog
from results.tracking.store import ID_TAG, find_experiment, find_run, open_client, source_tags
from spaces.augmentation.families import describe_policy

STATUS = {
    "finished": "FINISHED",
    "stopped": "FINISHED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}
TOGETHER = 20
"""Trials whose runs are looked for in one request: few, so that hardly any time passes in which
another process may create a run that this one has just missed."""


class Projection:
    """A job's runs in MLflow, found by their ledger ids before any is created.

    Args:
        record: The job, reduced from its events; whoever adds events has told it of them.
        uri: Tracking URI.
        read_image: Reads training images, over which masks are drawn; None to draw none.
    """

    def __init__(self, record: Search, uri: str, read_image: ReadImage | None = None) -> None:
        self._record, self._uri, self._read_image = record, uri, read_image
        self._runs: dict[str, RunInfo] = {}
        self._client = open_client(uri)
        self._experiment = ""

    def add(self, events: Sequence[Event]) -> None:
        """Sends events, in their order, that the record has taken in; raises what MLflow raises."""
        told: dict[str, list[Event]] = {}
        for event in events:
            match event:
                case Opened():
                    self._open_parent(event)
                case Resumed():
                    self._reopen_parent()
                case TrialStarted() | TrialResumed() | EpochDone() | TrialEnded():
                    told.setdefault(event.trial, []).append(event)
        trials = [self._record.trials[name] for name in told]
        for i in range(0, len(trials), TOGETHER):
            some = trials[i : i + TOGETHER]
            self._find_children([trial for trial in some if trial.id not in self._runs])
            for trial in some:
                self._tell(trial, told[trial.id])
        for event in events:
            if isinstance(event, Closed) and event is self._record.summary:
                self._close_parent(event)

    def _open_parent(self, event: Opened) -> None:
        client, job = self._client, self._record
        self._experiment = find_experiment(client, self._uri, event.competition)
        tags = {"kind": event.kind, "state": "running"}
        if event.hypothesis:
            tags["hypothesis"] = event.hypothesis
        found = find_run(client, self._experiment, self._full(job.id))
        if found is not None:
            self._runs[job.id] = found.info
        log = self._log(job.id, job.id, event.at, tags)
        baseline = flat_params(event.baseline)
        log.params = {
            "metric": event.metric,
            "trials": event.trials,
            "confirm": event.confirm,
            "folds": event.folds.count,
            **{f"baseline.{k}": v for k, v in baseline.items()},
        }
        if event.space:
            log.files["space.json"] = json.dumps(event.space, indent=2).encode()
        log.send(client)

    def _reopen_parent(self) -> None:
        """A job that was closed goes on."""
        run = self._runs[self._record.id].run_id
        self._client.update_run(run, status="RUNNING")
        self._client.set_tag(run, "state", "running")

    def _find_children(self, trials: Sequence[Trial]) -> None:
        """Looks for runs of trials, which an earlier tracker or another process may have made."""
        if not trials:
            return
        begun = [_milliseconds(trial.started) for trial in trials]
        parent = self._runs[self._record.id].run_id
        found = self._client.search_runs(
            [self._experiment],
            f"tags.`mlflow.parentRunId` = '{parent}' and "
            f"attributes.start_time >= {min(begun)} and attributes.start_time <= {max(begun)}",
        )
        there = {run.data.tags[ID_TAG]: run.info for run in found}
        for trial in trials:
            if self._full(trial.id) in there:
                self._runs[trial.id] = there[self._full(trial.id)]

    def _tell(self, trial: Trial, events: Sequence[Event]) -> None:
        """Says what has happened to a trial."""
        log = RunLog(run=self._runs[trial.id]) if trial.id in self._runs else None
        for event in events:
            match event:
                case TrialStarted():
                    log = self._open_child(trial)
                case EpochDone():
                    assert log is not None
                    stamp, epoch = _milliseconds(event.at), event.report.epoch
                    log.metrics += [
                        Metric(name, value, stamp, epoch)
                        for name, value in epoch_metrics(event.report).items()
                    ]
                case TrialResumed() if trial.state == "running":
                    assert log is not None
                    self._client.update_run(log.run.run_id, status="RUNNING")
                    log.tags["state"] = "running"
        assert log is not None
        if trial.config != trial.asked:  # parameters cannot be changed
            log.tags["changed"] = f"micro_batch={trial.config.run.micro_batch}"
        ends = [event for event in events if isinstance(event, TrialEnded)]
        if ends and trial.state != "running":  # else it goes on already
            self._close_child(trial, ends[-1], log)
        log.send(self._client)

    def _open_child(self, trial: Trial) -> RunLog:
        config = trial.asked  # parameters cannot be changed; a smaller micro-batch is a tag
        opened = self._record.opened
        tags = {"state": "running", "why": trial.why, "config.digest": config.digest}
        tags |= {"data.digest": opened.data.digest, "folds.digest": opened.folds.digest}
        tags["metric"] = opened.metric
        if trial.arm:
            tags["arm"] = trial.arm
        if trial.taken:
            tags["taken"] = trial.taken
        tags["mlflow.parentRunId"] = self._runs[self._record.id].run_id
        tags["mlflow.note.content"] = "\n\n".join(describe(config, trial.params))
        name = f"{trial.id.rsplit('-', 1)[-1]} {trial.arm or trial.why}"
        log = self._log(trial.id, name, trial.started, tags)
        log.params = {**flat_params(config), **trial.params}
        cost = self._record.cost(trial)
        if cost is not None:
            log.metrics.append(
                Metric(f"cost/{opened.second}", cost, _milliseconds(trial.started), 0)
            )
        log.files["policy.json"] = json.dumps(config.policy.to_json(), indent=2).encode()
        log.files["policy.txt"] = describe_policy(config.policy).encode()
        return log

    def _close_child(self, trial: Trial, event: TrialEnded, log: RunLog) -> None:
        if trial.state == "finished":
            log.files |= drawings(self._record, trial, self._read_image)
        if trial.reason:
            log.files["failure.txt"] = (event.traceback or trial.reason).encode()
            log.tags["reason"] = trial.reason[:5000]
        log.tags["state"] = trial.state
        log.ended = STATUS[trial.state], _milliseconds(event.at)

    def _close_parent(self, event: Closed) -> None:
        client, job = self._client, self._record
        run = self._runs[job.id].run_id
        stamp = _milliseconds(event.at)
        metrics = [Metric(k, v, stamp, 0) for k, v in closing_metrics(event).items()]
        winner = job.trials.get(event.winner or "")
        if winner is not None:
            score = winner.score(job.metric)
            assert score is not None
            metrics.append(Metric(f"winner/{job.metric}", score, stamp, 0))
            client.set_tag(run, "winner", winner.id)
            client.set_tag(self._runs[winner.id].run_id, "winner", "true")
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

    def _log(self, ledger_id: str, name: str, at: float, tags: Mapping[str, str]) -> RunLog:
        """A log of a run that was found, or is created, with its data and tags."""
        if ledger_id in self._runs:
            log = RunLog(run=self._runs[ledger_id])
            log.tags = {k: v for k, v in tags.items() if k != "state"}
        else:
            full = self._full(ledger_id)
            every = {ID_TAG: full, "mlflow.runName": name, **source_tags(), **tags}
            run = self._client.create_run(self._experiment, _milliseconds(at), every, name)
            self._runs[ledger_id] = run.info
            log = RunLog(run=run.info)
        data = training_data(self._record.opened)
        self._client.log_inputs(log.run.run_id, datasets=[data])
        return log

    def _full(self, ledger_id: str) -> str:
        return f"{self._record.opened.competition}/{ledger_id}"


def _milliseconds(at: float) -> int:
    return int(at * 1000)
