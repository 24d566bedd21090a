"""The forecast of test scores: printed, drawn, written as a table."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

from results.forecast.forecast import forecast
from results.forecast.leak import PROPOSED, Leak
from results.reporting.figures import forecast_scatter
from results.reporting.forecast_report import forecast_page, forecast_table
from search.competition.compared_models import compared_models
from search.competition.standing import open_standing
from search.options.analysis import ForecastConfig
from search.options.exit_codes import OK
from search.promotion.estimated_ensembles import estimated_ensembles
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from spaces.files import whole_file
from trainables.data.tables import by_image


def forecast_scores(config: ForecastConfig) -> int:
    """Prints the page, writes table and figure; returns the exit code.

    Raises:
        InputError: If the rules forbid it, or no trial has predicted the test images.
    """
    standing = open_standing(config)
    folder, leaderboard = standing.folder, standing.leaderboard
    leaderboard.set_rules(test_images=config.rules.test_images)
    if config.rules.test_images is False:
        print("Recorded: the rules forbid looking at test images (rules.test_images=false)")
        return OK
    leaderboard.check_test_images()
    public = {s.trial: s.public for s in leaderboard.scored() if s.public is not None}
    trials = ((s, t) for s in standing.searches for t in s.trials.values())
    models, lacking = compared_models(standing, trials, public)
    ensembles, more = estimated_ensembles(standing, public)
    lacking |= more
    if all(model.certain for model in models) and not any(e.accuracies for e in ensembles):
        raise InputError(
            "no finished trial has predicted the test images: search with test.csv and "
            "predict.test=true"
        )
    metric = standing.task.example_metric(standing.metric, standing.search.truth)
    found = forecast(metric, models, public, ensembles)
    fold = next((f for f, _ in Counter(m.fold for m in models).most_common(1)), 0)
    leak = _leak(folder / PROPOSED, standing.search.folds_file, fold)
    audited = (folder / PROPOSED).parent.is_dir()
    page = forecast_page(found, folder.name, standing.metric, public, leak, audited)
    print("\n".join(page))
    for what, why in lacking.items():
        print(f"without {what}: {why}")
    if standing.search.truth is not None:
        print("Scores here are of some pixels of each image, so not quite those of whole masks.")
    write_csv_table(forecast_table(found, public), folder / "forecast.csv")
    if any(math.isfinite(e.score) for e in found.models.values()):
        figure = forecast_scatter(found, standing.metric, public)
        with whole_file(folder / "forecast.png") as temporary:
            figure.savefig(temporary, format="png", dpi=120)
        print(f"Table: {folder / 'forecast.csv'}   figure: {folder / 'forecast.png'}")
    else:
        print(f"Table: {folder / 'forecast.csv'}")
    if config.json:
        gap = found.gap if math.isfinite(found.gap) else None
        print(json.dumps({"id": folder.name, "path": str(folder), "gap": gap}))
    return OK


def _leak(file: Path, folds_file: Path, fold: int) -> Leak | None:
    """Of the hold-out, by groups that search.audit proposed; None where there are none.

    Raises:
        InputError: If somebody has made another table of their file.
    """
    if not file.exists():
        return None
    return Leak.of_fold(by_image(file, "data.group"), file, folds_file, fold)
