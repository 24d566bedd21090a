"""How MLflow loads an exported model: ``mlflow.pyfunc.load_model("models:/…@champion")``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .predictor import Predictor


class Model:
    """Predicts tables whose column ``image`` holds paths of files."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(
        self, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Probabilities, a column per class and a row per image.

        Raises:
            ValueError: Naming the images that do not decode.
        """
        parts: list[NDArray[np.float32]] = []
        failed: dict[Path, str] = {}
        for _, found, bad in self.predictor.chunks([Path(p) for p in model_input["image"]]):
            parts.append(found)
            failed |= bad
        if failed:
            raise ValueError("\n".join(f"{path}: {reason}" for path, reason in failed.items()))
        return pd.DataFrame(
            np.concatenate(parts), columns=self.predictor.classes, index=model_input.index
        )


def _load_pyfunc(path: str) -> Model:
    """Called by MLflow with the folder of the export."""
    return Model(Predictor(Path(path)))
