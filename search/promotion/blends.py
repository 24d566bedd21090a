"""Blends: members, recipes and views judged, the chosen one written and recorded."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from results.ensemble.blend import Choice, Judged, choose, error_correlation, judge
from results.ensemble.out_of_fold import OutOfFold
from results.ensemble.recipes import RECIPES
from results.ensemble.stack import PredictionStack
from results.ensemble.view_choice import ViewChoice
from results.ensemble.view_costs import ViewCosts
from results.forecast.promotions import forecast_record
from results.metrics import Floats, Metric
from results.predictions import Predictions
from results.reporting.blend_report import blend_page, model_scores, view_choice_lines
from results.reporting.expected import expected_words
from results.reporting.figures import error_map
from search.competition.standing import Standing, open_standing
from search.competition.tracking import track_blend
from search.options.ensembles import BlendConfig
from search.options.exit_codes import OK
from search.promotion.chosen_views import AUTO, chosen_views
from search.promotion.ensemble_members import Member, read_members
from search.promotion.estimated_ensembles import LABELS_ALONE, estimated
from search.promotion.measured_views import measured_views
from search.promotion.merged import find_merged
from search.promotion.views import predict_views
from spaces.errors import InputError, unknown
from trainables.portable.views import VIEWS


def blend(config: BlendConfig) -> int:
    """Blends; returns the exit code."""
    _check_options(config)
    auto = AUTO in config.views
    standing = open_standing(config)
    plain = read_members(standing, [n.strip() for n in config.select.split(",")])
    predict_views(standing, plain, config.model, config.prepare)
    read = {m.name: m.read(standing) for m in plain}
    wanted, found, lines = config.views, None, []
    if auto:
        found, costs = chosen_views(standing, plain, read, config.model, config.prepare)
        wanted, lines = list(found.views), view_choice_lines(found)
        print("\n".join(lines), flush=True)
    own = [m for m in plain if m.search and not m.view and wanted]
    views = {m.name: {m.seen(view).name: view for view in wanted} for m in own}
    members = [*plain, *(m.seen(view) for m in own for view in wanted)]
    if len(members) < 2:
        return _nothing_to_blend(members, config)
    predict_views(standing, members, config.model, config.prepare)
    if not auto:
        costs = _costs(own, config)
    read |= {m.name: m.read(standing) for m in members if m.name not in read}
    task, truth = standing.task, standing.search.truth
    stack = PredictionStack.of(read, task, truth)
    metric = task.example_metric(standing.metric, truth)
    flattered = found.flattery if found is not None and found.views else 0.0
    choice = choose(metric, stack, judge(metric, stack), config.recipe, flattered)
    correlations = error_correlation(stack)
    page = blend_page(
        standing.folder.name,
        metric,
        stack,
        choice,
        correlations,
        views,
        costs,
        bool(config.recipe),
    )
    print("\n".join(page))
    models = list(read.values())
    page = [*lines, *page]
    name = _write(standing, models, stack, metric, choice, correlations, page, found)
    folder = standing.folder / "blends" / name
    problem = track_blend(standing, name, folder, config.tracking, Path(config.runs))
    if problem:
        print(f"warning: MLflow does not have it ({problem}); search.sync copies it")
    print(f"{name}: {folder}")
    if (folder / "test.npz").exists():
        for line in _expected(standing, name):
            print(line)
        print(f"Next:\n  python -m search.submit select=blend:{name}")
    else:
        print("Not every model predicts the test images: there is nothing to submit.")
    if config.json:
        print(json.dumps({"id": name, "path": str(folder)}))
    return OK


def _expected(standing: Standing, name: str) -> list[str]:
    """What the test score of a blend will be, where looking at test images is allowed."""
    if not standing.leaderboard.test_images:
        return []
    try:
        told = estimated(standing, find_merged(standing, f"blend:{name}"))
    except InputError as error:
        return [f"Without a forecast: {error}"]
    if not told.accuracies:
        return [f"Without a forecast: {LABELS_ALONE}"]
    record = forecast_record(standing.search, standing.metric, told)
    return expected_words(record, standing.metric.name, "out of fold")


def _check_options(config: BlendConfig) -> None:
    """Raises InputError for views or a recipe that there are not."""
    if AUTO in config.views and len(config.views) > 1:
        raise InputError("views=auto tries every view by itself: give it alone")
    for view in config.views:
        if view not in (AUTO, *VIEWS):
            raise unknown("view", view, [AUTO, *VIEWS], "views")
    if config.recipe and config.recipe not in RECIPES:
        raise unknown("recipe", config.recipe, RECIPES, f"recipe={config.recipe}")


def _nothing_to_blend(members: list[Member], config: BlendConfig) -> int:
    """Says that one model is too few; returns the exit code.

    Raises:
        InputError: Unless views were tried, of which none may have paid.
    """
    named = ", ".join(m.name for m in members) or "no promotion with all of its folds"
    if AUTO not in config.views:
        more = "views=[hflip] adds a view, " if members else ""
        raise InputError(
            f"a blend needs at least two models or views, got {named}: {more}python -m "
            "search.promote trains another"
        )
    print(f"There is nothing to blend {named} with.")
    if config.json:
        print(json.dumps({"id": None, "path": None}))
    return OK


def _costs(own: list[Member], config: BlendConfig) -> dict[str, ViewCosts]:
    """What the views that are asked for cost; unknown where only their predictions are left."""
    try:
        return measured_views(own, config.views, config.model, config.prepare)
    except InputError as error:
        print(f"What views cost is not measured: {error}")
        return {}


def _write(
    standing: Standing,
    models: list[tuple[OutOfFold, Predictions | None]],
    stack: PredictionStack,
    metric: Metric,
    choice: Choice,
    correlations: Floats,
    page: list[str],
    found: ViewChoice | None,
) -> str:
    """Writes a blend's files, then records it; returns its id."""
    chosen = choice.recipes[choice.chosen]
    blends = standing.folder / "blends"
    blends.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".blend-", dir=blends))
    folder.chmod(0o755)
    _merged(standing, chosen, [oof for oof, _ in models]).write(folder / "oof.npz")
    tests = [test for _, test in models if test is not None]
    if len(tests) == len(models):
        standing.task.merged(chosen.blend.apply, tests).write(folder / "test.npz")
    written = {
        "members": list(stack.names),
        "blend": asdict(chosen.blend),
        "expected": asdict(choice.expected),
        "recipes": {
            n: {"in_sample": r.in_sample, "honest": r.honest} for n, r in choice.recipes.items()
        },
        "views": None if found is None else asdict(found),
    }
    (folder / "blend.json").write_text(json.dumps(written, indent=2))
    (folder / "report.txt").write_text("\n".join(page) + "\n")
    scores = pd.Series(model_scores(metric, stack), stack.names, name="score")
    weights = pd.Series(chosen.blend.weights, stack.names, name="weight")
    pd.concat(
        [scores, weights, pd.DataFrame(correlations, stack.names, stack.names)], axis=1
    ).to_csv(folder / "models.csv", index_label="model")
    error_map(correlations, stack.names).savefig(folder / "errors.png", dpi=100)
    record = standing.leaderboard.add_blend(
        folder, stack.names, choice.chosen, choice.expected.value
    )
    return record.id


def _merged(standing: Standing, chosen: Judged, models: list[OutOfFold]) -> Predictions:
    """Out-of-fold predictions of the blend, judged: of images as it was judged, of masks whole."""
    first = models[0].predictions
    if len(chosen.predictions) == len(first.images):
        return Predictions.of_classes(
            images=first.images, classes=first.classes, probabilities=chosen.predictions
        )
    merged = standing.task.merged(chosen.blend.apply, [m.predictions for m in models])
    return standing.task.judged(merged, standing.search.truth)
