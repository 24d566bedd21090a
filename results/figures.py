"""Figures for tracking, drawn without any global plotting state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from results.trials import Trial
from results.trust import Trust

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


def trust_scatter(trust: Trust, metric: str) -> Figure:
    """Public against validation scores: the band marked, the fit, what is expected next."""
    figure = Figure(figsize=(6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for inside, colour, label in ((False, "0.6", "others"), (True, "tab:blue", "the band")):
        names = [i for i in trust.scored if (i in trust.band) == inside]
        if names:
            axes.errorbar(
                [trust.validation[i] for i in names],
                [trust.public[i] for i in names],
                xerr=trust.error,
                yerr=trust.public_error,
                fmt="o",
                color=colour,
                label=label,
                capsize=2,
            )
    if np.isfinite(trust.slope):
        ends = np.array([min(trust.validation.values()), max(trust.validation.values())])
        v = np.mean([trust.validation[i] for i in trust.scored])
        p = np.mean([trust.public[i] for i in trust.scored])
        axes.plot(ends, p + trust.slope * (ends - v), color="0.3", linewidth=1, label="fit")
    if trust.predicted is not None:
        low, high = trust.predicted.low, trust.predicted.high
        x, y = trust.validation[trust.following], trust.predicted.value
        axes.errorbar(
            [x],
            [y],
            yerr=[[y - low], [high - y]],
            fmt="s",
            mfc="none",
            color="tab:orange",
            label="expected of the next",
            capsize=3,
        )
    tau = trust.tau
    axes.set_title(
        f"tau {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f}), E {trust.evidence:.3g}: "
        f"{trust.verdict}",
        fontsize=10,
    )
    axes.set_xlabel(f"{metric} on the hold-out, points")
    axes.set_ylabel(f"{metric} on the public leaderboard, points")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
