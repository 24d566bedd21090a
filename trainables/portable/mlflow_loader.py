"""How MLflow loads an exported model: ``mlflow.pyfunc.load_model("models:/…@champion")``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .predictor import Predictor
from .preparation import SIDES, Box


class Model:
    """Predicts tables whose column ``image`` holds paths of files.

    Models that look at boxes need their columns, too: left, top, right and bottom in whole pixels.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(
        self, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Probabilities, a column per class and a row per image.

        Raises:
            ValueError: Naming the images that do not decode, or if boxes are missing.
        """
        paths = [Path(p) for p in model_input["image"]]
        boxes: list[Box] = []
        if set(SIDES) <= set(model_input):
            boxes = [
                (int(left), int(top), int(right), int(bottom))
                for left, top, right, bottom in model_input[list(SIDES)].to_numpy()
            ]
        parts: list[NDArray[np.float32]] = []
        failed: dict[Path, str] = {}
        for _, found, bad in self.predictor.chunks(paths, boxes=boxes):
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
