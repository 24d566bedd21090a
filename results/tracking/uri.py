"""Where runs are tracked unless somebody says otherwise; imports nothing of MLflow."""

from __future__ import annotations

from pathlib import Path

from spaces.errors import InputError


def default_uri(runs: Path) -> str:
    """The sqlite database beside the runs folder.

    Raises:
        InputError: If no URI can name it.
    """
    path = runs.resolve().parent / "mlflow.db"
    if "?" in str(path):
        raise InputError(
            f"{path}: MLflow takes what stands behind a question mark for options; runs= names "
            "another folder, or tracking= another store"
        )
    return f"sqlite:///{path}"
