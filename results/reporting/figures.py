"""Figures for tracking, drawn without any global plotting state."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from results.forecast.forecast import Expected, Forecast
from results.metrics import Metric
from results.records.trial import Trial
from results.reporting.fonts import take_letters_from_other_fonts
from results.stats.interval import Interval
from results.trust.evidence import CONVINCING
from results.trust.trust import Trust

take_letters_from_other_fonts()

SQUARES = 8
"""In a row of a contact sheet."""

NAMED = 25
"""Most classes whose names fit on an axis."""

LONGEST = 20
"""Letters of a name or a line."""

NEAR = 10.0
"""Points behind the best within which a model is shown once more on its own."""


def png(figure: Figure) -> bytes:
    """The figure as a file's content."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def learning_curves(trials: Sequence[Trial], metric: str) -> Figure:
    """The metric over epochs, one line per trial; early-stopped ones in grey."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    first_stopped = next((t for t in trials if t.state == "stopped"), None)
    for trial in trials:
        epochs = [e.epoch for e in trial.epochs]
        scores = [e.metrics.get(f"val/{metric}", np.nan) for e in trial.epochs]
        label = trial.id.rsplit("-", 1)[-1] if trial.state == "finished" else None
        style = {}
        if trial.state == "stopped":
            style = {"color": "0.7", "linewidth": 1.0}
            label = "stopped early" if trial is first_stopped else None
        if len(trials) > 1 and trial.why == "baseline":
            style = {"color": "black", "linestyle": "--"}
            label = label and f"{label}, baseline"
        axes.plot(epochs, scores, marker=".", label=label, **style)  # type: ignore[arg-type]
    _label_epochs(axes)
    axes.set_ylabel(f"{metric} on the held-out fold")
    axes.grid(alpha=0.3)
    if 1 < sum(t.state == "finished" for t in trials) <= NAMED:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=7)
    return figure


def _label_epochs(axes: Axes) -> None:
    """Epochs are whole numbers, however few there are."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def population_lines(segments: Sequence[Trial], key: str, sign: float, label: str) -> Figure:
    """A population's scores over the epochs: who went on from whom, and the best lineage.

    Args:
        segments: Of all members and intervals.
        key: Of the score in reports.
        sign: 1 where a larger score is better, else -1.
        label: What the score is, in words.
    """
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    by_id = {t.id: t for t in segments}
    final = [t for t in segments if t.state == "finished" and t.epoch == t.segment.epochs]
    best = max(final, key=lambda t: sign * t.epochs[-1].metrics[key], default=None)
    lineage = set()
    while best is not None:
        lineage.add(best.id)
        best = by_id.get(best.segment.parent)
    labels = {"the best lineage": {"color": "tab:blue"}, "others": {"color": "0.65"}}
    for trial in sorted(segments, key=lambda t: t.id in lineage):
        parent = by_id.get(trial.segment.parent)
        reports = (*(parent.epochs[-1:] if parent else ()), *trial.epochs)
        shown = [e.epoch for e in reports], [e.metrics.get(key, np.nan) for e in reports]
        name = "the best lineage" if trial.id in lineage else "others"
        axes.plot(*shown, marker=".", linewidth=1.2, label=name, **labels[name])  # type: ignore[arg-type]
        if parent is not None and parent.arm != trial.arm:
            start = shown[0][:1], shown[1][:1]
            axes.plot(*start, "o", mfc="none", color="tab:orange", label="taken over")
    _label_epochs(axes)
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    once = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(once.values(), once.keys(), fontsize=8)
    return figure


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def error_map(correlations: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """How much models err on the same images (models, models): low pairs blend well."""
    side = float(np.clip(0.4 * len(names) + 2.5, 4, 14))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(
        correlations, cmap="viridis", vmin=min(0.0, np.nanmin(correlations)), vmax=1
    )
    figure.colorbar(image, ax=axes, label="correlation of errors", shrink=0.8)
    if len(names) <= 2 * NAMED:
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
    if len(names) <= NAMED:
        for row, column in np.ndindex(correlations.shape):
            value = correlations[row, column]
            colour = "black" if value > 0.6 else "white"
            axes.text(
                column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=6
            )
    return figure


def contact_sheet(pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> Figure:
    """Pictures, uint8 (height, width, 3) each, in rows of `SQUARES` squares, with captions."""
    widest = max(picture.shape[1] / picture.shape[0] for picture in pictures)
    columns = max(1, round(SQUARES / widest))
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(1.5 * widest * columns, 1.9 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, picture, caption in zip(figure.axes, pictures, captions, strict=False):
        axes.imshow(picture)
        axes.set_title("\n".join(map(_shortened, caption.splitlines())), fontsize=7)
    return figure


def trust_scatter(trust: Trust, metric: Metric) -> Figure:
    """Public against validation scores with fit and interval, and the band on its own."""
    outside = [i for i in trust.scored if i not in trust.band]
    figure = Figure(figsize=(10 if outside else 6.4, 5), layout="constrained")
    axes = figure.subplots(1, 2 if outside else 1, squeeze=False)[0]
    unit = metric.sign * metric.points
    for panel in axes:
        _scores(panel, trust, outside if panel is axes[0] else [], unit)
        panel.set_xlabel(
            f"{trust.chosen} {metric.name} on the hold-out"
            if trust.ranked_by is None
            else f"{trust.chosen} on test images, with the spread of {metric.name} on the hold-out"
        )
        panel.grid(alpha=0.3)
    axes[0].set_ylabel(f"{metric.name} on the public leaderboard")
    if np.isfinite(trust.line.slope):
        ends = np.array([min(trust.validation.values()), max(trust.validation.values())])
        v = np.mean([trust.validation[i] for i in trust.scored])
        p = np.mean([trust.public[i] for i in trust.scored])
        line = p + trust.line.slope * (ends - v)
        axes[0].plot(unit * ends, unit * line, color="0.3", linewidth=1, label="fit")
    both = [unit * x for x in (*trust.public.values(), *trust.validation.values())]
    edges = [min(both), max(both)] if both else []
    axes[0].plot(edges, edges, color="0.3", linewidth=0.8, linestyle="--", label="no offset")
    if outside:
        edges = [unit * trust.validation[i] for i in trust.band]
        axes[0].axvspan(min(edges), max(edges), color="tab:blue", alpha=0.1, label="the band")
    axes[0].set_title(f"all {len(trust.scored)}: {_tau(trust.tau)}", fontsize=10)
    if outside:
        axes[1].set_title(f"the band: {_tau(trust.band_tau)}", fontsize=10)
    figure.suptitle(
        f"{trust.verdict}, E = {trust.evidence:.3g} ({CONVINCING:g} rules out chance)\n"
        f"sampling noise alone allows a tau of {trust.ceiling:.2f} in the band",
        fontsize=11,
    )
    for panel in axes:
        for i in trust.scored if len(trust.scored) <= NAMED else ():
            if panel is axes[0] or i in trust.band:
                at = (unit * trust.validation[i], unit * trust.public[i])
                _annotate(panel, i, at)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8)
    return figure


def forecast_scatter(found: Forecast, metric: Metric, public: Mapping[str, float]) -> Figure:
    """Expected and public scores against the hold-out's, with the diagonal in view; those within
    `NEAR` points of the best once more on their own."""
    every = [m for m in found.models.values() if np.isfinite(m.score)]
    best = max(metric.sign * m.score for m in every)
    near = [m for m in every if best - metric.sign * m.score <= NEAR * metric.points]
    panels = [every, near] if len(near) < len(every) else [every]
    figure = Figure(figsize=(5.5 * len(panels), 5), layout="constrained")
    for axes, models in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _expected(axes, models, public, named=models is panels[-1])
        out_of_fold = ", of ensembles out of fold" if None in {m.fold for m in models} else ""
        axes.set_xlabel(f"{metric.name} on the hold-out{out_of_fold}")
        axes.set_title("all models" if models is every else "near the best", fontsize=10)
    figure.axes[0].set_ylabel(f"{metric.name} on {found.images:,} test images")
    figure.axes[0].legend(fontsize=8)
    return figure


def _expected(
    axes: Axes, models: Sequence[Expected], public: Mapping[str, float], named: bool
) -> None:
    single = [m for m in models if m.fold is not None]
    together = [m for m in models if m.fold is None]
    for some, marker, label in (
        (single, "o", "expected"),
        (together, "s", "expected of ensembles"),
    ):
        if some:
            score = np.array([m.score for m in some])
            axes.errorbar(
                [m.holdout for m in some],
                score,
                yerr=np.abs(np.array([[m.low, m.high] for m in some]).T - score),
                fmt=marker,
                markersize=4,
                capsize=2,
                elinewidth=0.8,
                label=label,
            )
    known = [m for m in models if m.id in public]
    scores = [public[m.id] for m in known]
    if known:
        axes.plot([m.holdout for m in known], scores, "x", color="tab:red", label="public")
    both = [*(x for m in models for x in (m.holdout, m.score)), *scores]
    edges = [min(both), max(both)]
    axes.plot(edges, edges, color="0.3", linewidth=1, linestyle="--", label="no offset")
    if named and len(models) <= NAMED:
        for m in models:
            _annotate(axes, m.id, (m.holdout, m.score))
    axes.grid(alpha=0.3)


def _annotate(axes: Axes, trial: str, at: tuple[float, float]) -> None:
    """A trial's number beside its point."""
    number = trial.rpartition("-")[2]
    axes.annotate(number, at, (3, 2), textcoords="offset points", fontsize=6)


def _scores(axes: Axes, trust: Trust, outside: Sequence[str], unit: float) -> None:
    """Scores with their errors, and what is expected of the next."""
    inside = [i for i in trust.scored if i in trust.band]
    for names, colour, label in ((outside, "0.6", "others"), (inside, "tab:blue", "in the band")):
        if names:
            axes.errorbar(
                [unit * trust.validation[i] for i in names],
                [unit * trust.public[i] for i in names],
                xerr=trust.error * abs(unit),
                yerr=trust.public_error * abs(unit),
                fmt="o",
                markersize=4,
                color=colour,
                label=label,
                capsize=2,
                elinewidth=0.8,
            )
    if trust.predicted is not None:
        value, low, high = (
            unit * x for x in (trust.predicted.value, trust.predicted.low, trust.predicted.high)
        )
        axes.errorbar(
            [unit * trust.validation[trust.following]],
            [value],
            yerr=[[abs(value - low)], [abs(high - value)]],
            fmt="s",
            mfc="none",
            color="tab:orange",
            label="expected of the next",
            capsize=3,
        )


def _tau(tau: Interval) -> str:
    if np.isnan(tau.value):  # of one score, or of scores that are all the same
        return "no tau"
    return f"tau {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})"
