"""What concerns a whole competition in MLflow: scores, trust and blends."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from pathlib import Path

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from results.leaderboard.entries import Blended
from results.leaderboard.leaderboard import Leaderboard
from results.reporting.trust_report import verdict_words
from results.tracking.store import ID_TAG, find_run, known_experiment, source_tags
from results.trust.trust import Trust


def log_scores(
    client: MlflowClient,
    competition: str,
    leaderboard: Leaderboard,
    metric: str,
    imported: Mapping[str, float],
) -> None:
    """Sets ``leaderboard/public`` and ``leaderboard/private`` on the runs of scored trials.

    Args:
        client: Of the tracking store.
        competition: Its name.
        leaderboard: Submissions and scores; models made elsewhere get a run of their own.
        metric: Name of the contest's metric.
        imported: Validation scores of models made elsewhere, by their names.
    """
    experiment = known_experiment(client, competition)
    for submission in leaderboard.submissions.values():
        values = {
            "leaderboard/public": submission.public,
            "leaderboard/private": submission.private,
        }
        if submission.trial in imported:
            values[f"val/{metric}"] = imported[submission.trial]
        # Of several values with one time MLflow shows the largest: a corrected score has its own.
        stamp = int((submission.told_at or submission.at) * 1000)
        metrics = [Metric(k, v, stamp, 0) for k, v in values.items() if v is not None]
        full = f"{competition}/{submission.trial}"
        found = find_run(client, experiment, full)
        if found is not None:
            run = found.info.run_id
        elif submission.source == "import":
            made = int(submission.at * 1000)
            tags = {ID_TAG: full, "kind": "import", "mlflow.user": submission.by}
            created = client.create_run(experiment, made, tags, submission.trial)
            run = created.info.run_id
            client.set_terminated(run, "FINISHED", made)
        else:
            continue
        client.log_batch(run, metrics=metrics, tags=[RunTag("submission", submission.id)])


def log_notes(client: MlflowClient, competition: str, leaderboard: Leaderboard) -> None:
    """Sets the tags ``hypothesis`` and ``conclusion`` on the runs of searches and trials."""
    experiment = known_experiment(client, competition)
    for note in leaderboard.notes.values():
        run = find_run(client, experiment, f"{competition}/{note.about}")
        for name in ("hypothesis", "conclusion"):
            if run is not None and getattr(note, name):
                client.set_tag(run.info.run_id, name, getattr(note, name))


def log_trust(client: MlflowClient, folder: Path, trust: Trust) -> None:
    """Logs the verdict, its figures and the scatter on the competition's run ``trust``."""
    now = int(time.time() * 1000)
    run = _run(client, folder.name, "trust", "trust", now)
    figures = {
        "tau": trust.tau.value,
        "tau_low": trust.tau.low,
        "tau_high": trust.tau.high,
        "band_tau": trust.band_tau.value,
        "evidence": trust.evidence,
        "regret": trust.regret.expected,
        "regret_chance": trust.regret.chance,
        "slope": trust.line.slope,
        "offset": trust.line.offset,
        "ceiling": trust.ceiling,
        "scored": float(len(trust.scored)),
        **{f"tau.{_word(c.name)}": c.tau.value for c in trust.contenders},
        **{f"evidence.{_word(c.name)}": c.evidence for c in trust.contenders},
    }
    metrics = [
        Metric(f"trust/{name}", value, now, len(trust.scored))
        for name, value in figures.items()
        if math.isfinite(value)
    ]
    client.log_batch(
        run,
        metrics=metrics,
        tags=[RunTag("verdict", trust.verdict), RunTag("validation", trust.chosen)],
    )
    words = [verdict_words(trust), trust.ranked_by.words if trust.ranked_by is not None else ""]
    client.set_tag(run, "mlflow.note.content", "\n\n".join(filter(None, words)))
    for name in ("trust.png", "trust.csv"):
        client.log_artifact(run, str(folder / name))
    client.set_terminated(run, "FINISHED", now)


def log_blend(client: MlflowClient, competition: str, record: Blended, folder: Path) -> None:
    """Logs a blend on a run of its own: its recipes' scores, what it is made of, its files."""
    stamp = int(record.at * 1000)
    run = _run(client, competition, record.id, "blend", stamp)
    written = json.loads((folder / "blend.json").read_text())
    metrics = [Metric("blend/expected", record.score, stamp, 0)]
    for name, scores in written["recipes"].items():
        word = re.sub(r"\W+", "_", name)
        metrics += [Metric(f"blend/{k}.{word}", v, stamp, 0) for k, v in scores.items()]
    client.log_batch(
        run,
        metrics=metrics,
        params=[Param("recipe", record.recipe), Param("models", str(len(record.members)))],
    )
    page = (folder / "report.txt").read_text()
    client.set_tag(run, "mlflow.note.content", f"```\n{page}```")
    for name in ("blend.json", "report.txt", "models.csv", "errors.png"):
        client.log_artifact(run, str(folder / name))
    client.set_terminated(run, "FINISHED", stamp)


def log_suspects(client: MlflowClient, competition: str, folder: Path, share: float) -> None:
    """Logs the page of suspicious labels, and its tables, on the competition's run ``labels``."""
    now = int(time.time() * 1000)
    run = _run(client, competition, "labels", "labels", now)
    client.log_batch(run, metrics=[Metric("labels/suspects", share, now, 0)])
    for name in ("index.html", "suspects.csv", "corrections.csv"):
        client.log_artifact(run, str(folder / name))
    client.set_terminated(run, "FINISHED", now)


def _word(name: str) -> str:
    """A score's name without what MLflow does not take in the name of a metric."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")


def _run(client: MlflowClient, competition: str, name: str, kind: str, begun: int) -> str:
    """Finds the run of something that concerns the whole competition, or creates it.

    ``begun`` is the start of a new run, milliseconds since the epoch.
    """
    experiment, full = known_experiment(client, competition), f"{competition}/{name}"
    run = find_run(client, experiment, full)
    if run is None:
        tags = {ID_TAG: full, "kind": kind, **source_tags()}
        run = client.create_run(experiment, begun, tags, name)
    return str(run.info.run_id)
