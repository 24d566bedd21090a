"""Figures for tracking, drawn without any global plotting state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from results.trials import Trial

NAMED = 25
"""Most classes whose names fit on an axis."""


def learning_curves(trials: Sequence[Trial], metric: str) -> Figure:
    """The metric over epochs, one line per trial; early-stopped ones in grey."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for trial in trials:
        epochs = [e["epoch"] for e in trial.epochs]
        scores = [e["metrics"].get(f"val/{metric}", np.nan) for e in trial.epochs]
        style = {"color": "0.7", "linewidth": 1.0} if trial.state == "stopped" else {}
        if len(trials) > 1 and trial.why == "baseline":
            style = {"color": "black", "linestyle": "--"}
        label = trial.id.rsplit("-", 1)[-1] if trial.state == "finished" else None
        axes.plot(epochs, scores, marker=".", label=label, **style)  # type: ignore[arg-type]
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{metric} on the held-out fold")
    axes.grid(alpha=0.3)
    if 1 < sum(t.state == "finished" for t in trials) <= NAMED:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=7)
    return figure


def confusion(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating], classes: Sequence[str]
) -> Figure:
    """Shares of each true class by predicted class; counts in the cells of small matrices."""
    predicted = probabilities.argmax(axis=1)
    counts = confusion_matrix(labels, predicted, labels=range(len(classes)))
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    side = float(np.clip(0.35 * len(classes) + 2, 4, 12))
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(classes) <= NAMED:
        axes.set_xticks(range(len(classes)), classes, rotation=90)
        axes.set_yticks(range(len(classes)), classes)
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.6 else "black"
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
    return figure
