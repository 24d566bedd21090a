"""A blend in words: the models, whom each should blend with, the recipes, and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from results.ensemble.blend import PLAIN_RECIPE, Choice, best_partners, paired_gain
from results.ensemble.recipes import not_ranked
from results.ensemble.stack import PredictionStack
from results.ensemble.view_choice import ViewChoice
from results.ensemble.view_costs import ViewCosts
from results.metrics import Floats, Metric
from results.reporting.text import table

VIEW_COLUMNS = ("gain", "standard error", "ms per image", "more time", "per 100 %")

NAMED = 20
"""Most models that are printed; the tables on disk have all."""


def blend_page(
    competition: str,
    metric: Metric,
    stack: PredictionStack,
    choice: Choice,
    correlations: Floats,
    views: Mapping[str, Mapping[str, str]],
    costs: Mapping[str, ViewCosts],
    wanted: bool,
) -> list[str]:
    """The page that ``search.blend`` prints.

    Args:
        competition: Its name.
        metric: The contest's metric.
        stack: The models.
        choice: What was judged and chosen.
        correlations: Of errors (models, models).
        views: Of each model that has any, its views by the names under which they take part.
        costs: What views cost models, by the models' names, as far as it is known.
        wanted: Whether the user chose the recipe.
    """
    rows = stack.judged
    first, last = stack.folds[rows].min(), stack.folds[rows].max()
    folds = f"fold {first}" if first == last else f"folds {first} to {last}"
    lines = [
        f"{competition}: {len(stack.names)} models, {_examples(stack)} out of fold; "
        f"{metric.name} on the {int(rows.sum()):,} of {folds}"
    ]
    lines += ["", *_models(metric, stack, correlations)]
    lines += _views(metric, stack, views, costs)
    why = not_ranked(metric, stack)
    lines += ["", *_recipes(metric, choice), *([f"without rank: {why}"] if why else []), ""]
    lines += _chosen(metric, choice, wanted)
    return lines


def view_choice_lines(choice: ViewChoice) -> list[str]:
    """What views gain, what they cost, and which are taken."""
    cost = choice.costs.views
    order = sorted(choice.alone, key=lambda view: -choice.alone[view][0] / cost[view])
    rows = [_view_row(view, *choice.alone[view], choice.costs, [view]) for view in order]
    lines = table([["the mean with", *VIEW_COLUMNS], *rows])
    if not choice.found:
        return [*lines, "Taken: none; no view gains more than its standard error.", ""]
    worth = (
        f"{choice.gain:+.2f} points where they were not chosen (standard error {choice.noise:.2f})"
    )
    named = ", ".join(choice.found)
    if not choice.views:
        return [*lines, f"Taken: none; {named} together are worth {worth}.", ""]
    more = sum(cost[view] for view in choice.views)
    return [*lines, f"Taken: {named}, {worth}, for {100 * more:.0f} % more time.", ""]


def _view_row(
    words: str, gain: float, noise: float, costs: ViewCosts | None, views: Sequence[str]
) -> list[str]:
    """What the mean with some views gains, and what it costs if that is known."""
    row = [words, f"{gain:+.2f} points", f"{noise:.2f}"]
    if costs is None:
        return [*row, "", "", ""]
    more = sum(costs.views[view] for view in views)
    each = 1000 * costs.seconds * (1 + more)
    return [*row, f"{each:.3g}", f"+{100 * more:.0f} %", f"{gain / more:+.2f}"]


def _examples(stack: PredictionStack) -> str:
    """What models are compared on."""
    images = len(set(stack.images))
    if images == len(stack.images):
        return f"{images:,} images"
    return f"{len(stack.images):,} pixels of {images:,} images"


def model_scores(metric: Metric, stack: PredictionStack) -> list[float]:
    """Score of every model on the folds that did not choose the models."""
    rows = stack.judged
    return [metric.score(stack.labels[rows], p[rows]) for p in stack.oof]


def _models(metric: Metric, stack: PredictionStack, correlations: Floats) -> list[str]:
    scores = model_scores(metric, stack)
    sign = metric.sign
    order = sorted(range(len(scores)), key=lambda i: -sign * scores[i])
    partners = best_partners(metric, stack)
    found = [["model", metric.name, "errors alike", "best with"]]
    for i in order[:NAMED]:
        others = np.delete(correlations[i], i)
        others = others[~np.isnan(others)]  # of models that never err differently
        alike = f"{others.mean():.2f}" if len(others) else "–"
        partner, gain = partners.get(stack.names[i], ("", 0.0))
        with_whom = f"{partner}: {gain:+.2f} points" if partner else ""
        found.append([stack.names[i], f"{scores[i]:.4f}", alike, with_whom])
    more = len(order) - NAMED
    return table(found) + ([f"… and {more} more, in models.csv"] if more > 0 else [])


def _views(
    metric: Metric,
    stack: PredictionStack,
    views: Mapping[str, Mapping[str, str]],
    costs: Mapping[str, ViewCosts],
) -> list[str]:
    """What test-time augmentation gains on each model, and what it costs."""
    rows = stack.judged
    labels = stack.labels[rows]
    groups = None if stack.groups is None else stack.groups[rows]
    index = {name: i for i, name in enumerate(stack.names)}
    lines = []
    for name, own in views.items():
        alone = stack.oof[index[name]][rows]
        found = [[f"{name} with the mean of", *VIEW_COLUMNS]]
        every = {f"its {len(own)} views": [*own]} if len(own) > 1 else {}
        for words, some in {**{own[seen]: [seen] for seen in own}, **every}.items():
            together = stack.oof[[index[seen] for seen in (name, *some)]][:, rows].mean(axis=0)
            gain, noise = paired_gain(metric, labels, together, alone, groups)
            taken = [own[seen] for seen in some]
            found.append(_view_row(words, gain, noise, costs.get(name), taken))
        lines += ["", *table(found)]
    return lines


def _recipes(metric: Metric, choice: Choice) -> list[str]:
    sign = metric.sign
    plain = choice.recipes[PLAIN_RECIPE]
    found = [["recipe", "in sample", "honest", "against the mean", ""]]
    for name, r in sorted(choice.recipes.items(), key=lambda item: -sign * item[1].honest):
        against = metric.gain(r.honest, plain.honest)
        found.append(
            [
                name,
                f"{r.in_sample:.4f}",
                f"{r.honest:.4f}",
                f"{against:+.2f} points" if name != PLAIN_RECIPE else "",
                "chosen" if name == choice.chosen else "",
            ]
        )
    return table(found)


def _chosen(metric: Metric, choice: Choice, wanted: bool) -> list[str]:
    interval = choice.expected
    if wanted:
        why = "as asked for"
    elif choice.chosen == PLAIN_RECIPE and choice.gain > 0:
        why = (
            f"the best is ahead by {choice.gain:.2f} points, which is not beyond noise (standard "
            f"error {choice.noise:.2f})"
        )
    elif choice.chosen == PLAIN_RECIPE:
        why = "nothing does better"
    else:
        why = f"{choice.gain:.2f} points over the mean, standard error {choice.noise:.2f}"
    lines = [f"Chosen: {choice.chosen} — {why}."]
    flat = (
        f", {choice.flattery:.2f} points taken off for what was chosen" if choice.flattery else ""
    )
    lines.append(
        f"On images like these: {metric.name} {interval.value:.4f} ({interval.low:.4f} to "
        f"{interval.high:.4f}, given these models{flat})."
    )
    return lines
