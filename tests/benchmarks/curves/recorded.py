"""Recorded learning curves: configurations, and what each scored after every epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import json_to_distribution

from spaces.param import Param, When
from spaces.space import SearchSpace

EPOCHS = 27
"""Length of every training."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """A set of curves.

    Attributes:
        space: What the configurations were drawn from.
        params: What was drawn, one for each curve.
        scores: Of the held-out images after each epoch, float64 (n, `EPOCHS`); larger is better.
        baselines: The same of the untuned configuration, a seed each.
    """

    space: SearchSpace
    params: tuple[Mapping[str, Any], ...]
    scores: NDArray[np.float64]
    baselines: NDArray[np.float64]

    @staticmethod
    def empty(space: SearchSpace) -> Curves:
        """No curve yet."""
        none = np.empty((0, EPOCHS))
        return Curves(space=space, params=(), scores=none, baselines=none)

    @staticmethod
    def read(name: str) -> Curves:
        """A set that was recorded."""
        with np.load(curves_file(name)) as stored:
            told = json.loads(str(stored["told"]))
            return Curves(
                space=_space(told["space"]),
                params=tuple(told["params"]),
                scores=stored["scores"].astype(np.float64),
                baselines=stored["baselines"].astype(np.float64),
            )

    def write(self, name: str) -> None:
        """Keeps the set."""
        told = json.dumps({"space": self.space.to_json(), "params": self.params})
        np.savez_compressed(
            curves_file(name),
            told=np.array(told),
            scores=self.scores.astype(np.float32),
            baselines=self.baselines.astype(np.float32),
        )

    def with_trained(self, params: Mapping[str, Any], scores: Sequence[float]) -> Curves:
        """One curve more."""
        return replace(
            self, params=(*self.params, dict(params)), scores=np.vstack([self.scores, scores])
        )

    def with_baseline(self, scores: Sequence[float]) -> Curves:
        """One curve of the untuned configuration more."""
        return replace(self, baselines=np.vstack([self.baselines, scores]))


def _space(told: Mapping[str, Any]) -> SearchSpace:
    """Inverse of `SearchSpace.to_json`."""
    params = tuple(
        Param(
            name=param["name"],
            distribution=json_to_distribution(json.dumps(param["distribution"])),
            when=tuple(
                When(parameter=when["parameter"], values=tuple(when["values"]))
                for when in param["when"]
            ),
        )
        for param in told["params"]
    )
    return SearchSpace(name=told["name"], params=params, starts=tuple(told.get("starts", ())))


def curves_file(name: str) -> Path:
    """Where a set lies."""
    return Path(__file__).parent / f"{name}.npz"
