"""What a promotion leaves behind: predictions, tables and pictures of every complete trial."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from results.ensemble.out_of_fold import (
    OutOfFold,
    collect,
    headline,
)
from results.forecast.promotions import estimated_promotion, forecast_record
from results.leaderboard.leaderboard import Leaderboard
from results.records.closing import Headline, LightToHeavy, Proxy
from results.records.searches import searches
from results.records.trials import Search
from results.reporting.figures import contact_sheet
from search.jobs.job import Prepared
from search.promotion.race import race_survivors
from spaces.csv_table import write_csv_table
from spaces.errors import InputError
from spaces.files import whole_file

SHOWN = 32
"""Images on the contact sheet of the worst."""


def close_promotion(search: Search, prepared: Prepared) -> dict[str, Any]:
    """Writes predictions and tables of every arm that has all of its folds."""
    wanted, race = search.promotion.folds * search.promotion.seeds, search.promotion.race
    arms, oofs, tests = {}, [], []
    for arm in search.promotion.arms:
        if len(search.trainings(arm)) < wanted:
            continue
        oof, test = collect(search, arm)
        oof.predictions.write(search.folder / f"oof-{arm}.npz")
        oofs.append(oof)
        if test is not None:
            test.write(search.folder / f"test-{arm}.npz")
            tests.append(test)
        arms[arm] = headline(prepared.metric, oof, (0, *race))
        table = search.task.class_table(oof.labels, oof.predictions, search.truth)
        write_csv_table(table, search.folder / f"classes-{arm}.csv")
        _draw(search, arm, oof, prepared)
    expected = None
    if tests:
        merged = search.task.average(tests)
        merged.write(search.folder / "test.npz")
        if len(tests) == len(arms) and Leaderboard.read(search.folder.parent).test_images:
            with contextlib.suppress(InputError):  # a training predicted no, or other test images
                told = estimated_promotion(search, prepared.metric, oofs, merged, list(arms))
                expected = forecast_record(search, prepared.metric, told)
    gain = prepared.metric.gain
    best = max(arms, key=lambda a: gain(arms[a].score, 0.0), default=None)
    if race:  # the best headline of the survivors would flatter itself once more
        raced = race_survivors(search, prepared.metric, race)
        best = next((arm for arm in raced if arm in arms), best)
    return {
        "winner": best,
        "arms": arms,
        "forecast": expected,
        "proxies": _proxies(search, arms),
        "light_to_heavy": light_to_heavy(search),
    }


def _proxies(search: Search, arms: Mapping[str, Headline]) -> tuple[Proxy, ...]:
    """Hold-out scores of all promoted trials against their out-of-fold scores without fold 0."""
    found: dict[str, tuple[float, float]] = {}
    for folder in searches(search.folder.parent.parent):
        if folder.parent != search.folder.parent or folder == search.folder:
            continue
        other = Search.read(folder)
        if other.opened.kind != "promotion" or other.summary is None:
            continue
        if other.opened.folds.digest != search.opened.folds.digest:
            continue
        _add_proxies(found, other.arms)
    _add_proxies(found, arms)
    return tuple(Proxy(trial=a, holdout=h, full=f) for a, (h, f) in found.items())


def _add_proxies(found: dict[str, tuple[float, float]], arms: Mapping[str, Headline]) -> None:
    """The very configuration that was promoted, on fold 0 and on the others."""
    for arm, result in arms.items():
        if result.optimism is not None and result.chosen is not None:
            found[arm] = (result.chosen, result.score)


def light_to_heavy(search: Search) -> tuple[LightToHeavy, ...]:
    """Scores of trials before and after the change, on the folds that all changed ones trained."""
    asked = search.promotion
    parents = asked.parents
    if not asked.changes or len(set(parents.values())) < len(parents):
        return ()
    scores: dict[str, dict[int, list[float]]] = {arm: {} for arm in parents}
    for trial in search.of("fold"):
        score = trial.score(search.metric)
        if trial.state == "finished" and score is not None:
            scores[trial.arm].setdefault(trial.config.run.fold, []).append(score)
    shared = set.intersection(*(set(by_fold) for by_fold in scores.values()))
    if not shared:
        return ()
    return tuple(
        LightToHeavy(
            trial=arm,
            light=asked.scores[arm],
            heavy=float(np.mean([np.mean(by_fold[f]) for f in sorted(shared)])),
        )
        for arm, by_fold in scores.items()
    )


def _draw(search: Search, arm: str, oof: OutOfFold, prepared: Prepared) -> None:
    """Draws where the arm errs, and the images that were furthest from their class."""
    task, truth = search.task, search.truth
    for name, content in task.diagnostics(oof.labels, oof.predictions, truth).items():
        path = Path(name)
        with whole_file(search.folder / f"{path.stem}-{arm}{path.suffix}") as temporary:
            temporary.write_bytes(content)
    row_of = {image: i for i, image in enumerate(prepared.contest.train_images)}
    pictures, captions = [], []
    for row in task.worst(oof.labels, oof.predictions)[:SHOWN].tolist():
        image = oof.predictions.images[row]
        picture, predicted = prepared.store.pixels[row_of[image]], oof.predictions.of((image,))
        picture, words = task.panel(picture, int(oof.labels[row]), predicted, truth)
        pictures.append(picture)
        captions.append(words)
    sheet = contact_sheet(pictures, captions)
    with whole_file(search.folder / f"worst-{arm}.png") as temporary:
        sheet.savefig(temporary, format="png", dpi=100)
