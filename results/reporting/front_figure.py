"""The picture of two objectives: who is best at which cost."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from results.records.front import Front
from results.records.network_cost import FORMS, UNITS
from results.records.trial import Trial
from results.records.trials import Search


def front_figure(search: Search, front: Front) -> Figure:
    """Score against cost of all trials, with the front as a line and its margins."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    sampled = search.of("sampled")
    stopped = [t for t in sampled if t.state == "stopped"]
    finished = [t for t in sampled if t.state == "finished"]
    for trials, label, style in (
        (stopped, "stopped early", {"marker": "x", "color": "0.7"}),
        (finished, "sampled", {"marker": "o", "color": "tab:blue"}),
        (search.of("baseline"), "the baseline", {"marker": "s", "color": "black"}),
    ):
        points = _points(search, trials)
        if points:
            costs, scores = zip(*points, strict=True)
            axes.scatter(costs, scores, s=22, label=label, **style)  # type: ignore[arg-type]
    axes.errorbar(
        [m.cost for m in front.members],
        [m.score for m in front.members],
        yerr=[search.opened.points * (m.margin or 0.0) for m in front.members],
        color="tab:orange",
        linewidth=1.2,
        capsize=2,
        elinewidth=0.8,
        label="beaten by none, ± against the best",
    )
    for member in front.members:
        name = member.trial.rpartition("-")[2]
        place = (member.cost, member.score)
        axes.annotate(name, place, (4, 4), textcoords="offset points", fontsize=7)
    every = [cost for cost, _ in _points(search, [*sampled, *search.of("baseline")])]
    if max(every) > 5 * min(every) > 0:
        axes.set_xscale("log")
        for formatted in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
            formatted(f"{{x:{FORMS[front.cost]}}}")
        axes.tick_params(axis="x", which="minor", labelsize=7)
    axes.set_xlabel(UNITS[front.cost])
    axes.set_ylabel(f"{search.objective.label}{search.metric} on the hold-out")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _points(search: Search, trials: Sequence[Trial]) -> list[tuple[float, float]]:
    return [
        (cost, score)
        for trial in trials
        if (cost := search.cost(trial)) is not None and (score := search.score(trial)) is not None
    ]
