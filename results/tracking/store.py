"""The tracking store: opening it, and finding what is in it."""

from __future__ import annotations

import functools
import logging
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from results.records.user import user_name
from results.tracking.internals import make_tables

ID_TAG = "holdfold.id"
KIND_TAG = "mlflow.experimentKind"
TRACKING_ERRORS = (MlflowException, SQLAlchemyError, OSError, ImportError)
"""What a tracking store that is away, slow or locked raises."""


def open_client(uri: str) -> MlflowClient:
    """Opens a tracking store; a new sqlite database is made by one process, whole or not at all."""
    if not uri.startswith("sqlite:///"):
        return MlflowClient(tracking_uri=uri)
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    path = Path(make_url(uri).database or "")
    with FileLock(f"{path}.lock"):
        if not path.exists():
            _make_database(path)
        client = MlflowClient(tracking_uri=uri)
        client.search_experiments(max_results=1)
    return client


def _make_database(path: Path) -> None:
    """Makes MLflow's tables elsewhere first: half of them can be neither used nor completed."""
    scratch = path.with_name(f".{path.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    new = scratch / path.name
    make_tables(new)
    new.replace(path)
    scratch.rmdir()


def find_experiment(client: MlflowClient, uri: str, name: str) -> str:
    """Id of a competition's experiment, made if need be."""
    found = client.get_experiment_by_name(name)
    if found is None:
        location = None
        if uri.startswith("sqlite:///"):
            folder = Path(uri.removeprefix("sqlite:///")).resolve().parent
            location = (folder / "mlartifacts" / name).as_uri()
        try:
            # The kind makes the UI open on training runs instead of traces.
            tags = {KIND_TAG: "custom_model_development"}
            return str(client.create_experiment(name, location, tags))
        except MlflowException:  # somebody else was faster
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def known_experiment(client: MlflowClient, name: str) -> str:
    """Id of a competition's experiment.

    Raises:
        MlflowException: If nothing of it was tracked yet.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        raise MlflowException(f"there is no experiment {name!r}; run search.sync first")
    return str(found.experiment_id)


def find_run(client: MlflowClient, experiment: str, ledger_id: str) -> Run | None:
    """The run of a job, a trial or what else a competition has; None if there is none yet.

    Args:
        client: Of the tracking store.
        experiment: Id of the competition's experiment.
        ledger_id: Competition and name.
    """
    found = client.search_runs([experiment], f"tags.`{ID_TAG}` = '{ledger_id}'", max_results=1)
    return found[0] if found else None


def page_links(client: MlflowClient, address: str) -> list[str]:
    """Links to the UI's pages of all experiments and of each competition.

    Without the parameter the UI opens on its half for language models, whatever an experiment's
    kind is, and calls trainings "evaluation runs"; its pages hand the parameter on.

    Args:
        client: The store.
        address: Of the server, with its scheme.
    """
    half = "workflowType=machine_learning"
    links = [f"{address}/#/experiments?{half}"]
    for found in client.search_experiments(order_by=["name ASC"]):
        if KIND_TAG in found.tags:
            links.append(f"{address}/#/experiments/{found.experiment_id}/runs?{half}  {found.name}")
    return links


@functools.cache
def source_tags() -> dict[str, str]:
    """Who and what made a run."""
    tags = {
        "mlflow.source.name": "python -m search",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": user_name(),
    }
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
        tags["mlflow.source.git.commit"] = found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return tags
