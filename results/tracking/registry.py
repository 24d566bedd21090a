"""MLflow's model registry: exported promotions, and which of them is the champion."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

import mlflow.pyfunc
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from results.records.trials import Search
from results.tracking.store import find_run, known_experiment

CHAMPION = "champion"
SCORE_TAG = "out_of_fold"


def register(client: MlflowClient, search: Search, exported: Path, score: float) -> str:
    """Registers an exported promotion as a pyfunc model over safetensors.

    It becomes the champion unless the champion has a better out-of-fold score by the same metric on
    as many of the same folds.

    Args:
        client: Of the tracking store.
        search: The promotion.
        exported: Its export, with ``portable/`` and ``model.json``.
        score: Its out-of-fold score.

    Returns:
        What to tell the user.

    Raises:
        MlflowException: If the promotion has no run yet.
    """
    competition = search.opened.competition
    run = find_run(client, known_experiment(client, competition), f"{competition}/{search.id}")
    if run is None:
        raise MlflowException(f"{search.id} has no run; run search.sync first")
    name = f"holdfold-{competition}"
    _log_model(client, run.info.run_id, exported)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description=f"Promotions of {competition}.")
    like = {
        "metric": search.metric,
        "folds": search.opened.folds.digest,
        "trained": str(search.promotion.folds),
    }
    version = client.create_model_version(
        name,
        f"{run.info.artifact_uri}/model",
        run.info.run_id,
        tags={"promotion": search.id, SCORE_TAG: repr(score), **like},
    )
    try:
        champion = client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException:
        champion = None
    words = f"MLflow: {name} version {version.version}"
    if champion is not None and all(champion.tags.get(k) == v for k, v in like.items()):
        theirs = float(champion.tags[SCORE_TAG])
        if search.sign * (theirs - score) > 0:
            return (
                f"{words}; {champion.tags['promotion']} stays {CHAMPION}, with {search.metric} "
                f"{theirs:.4f} against {score:.4f} out of fold"
            )
    client.set_registered_model_alias(name, CHAMPION, version.version)
    return f"{words}, alias {CHAMPION}: mlflow.pyfunc.load_model('models:/{name}@{CHAMPION}')"


def _log_model(client: MlflowClient, run_id: str, exported: Path) -> None:
    """Logs an export as a model that MLflow can load, without a pickle."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        shutil.copytree(exported, data, ignore=shutil.ignore_patterns("__pycache__"))
        model = Path(scratch) / "model"
        logger = logging.getLogger("mlflow")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            mlflow.pyfunc.save_model(
                str(model),
                loader_module="portable.mlflow_loader",
                data_path=str(data),
                code_paths=[str(data / "portable")],
                pip_requirements=(data / "requirements.txt").read_text().split(),
            )
        finally:
            logger.setLevel(level)
        client.log_artifacts(run_id, str(model), "model")
