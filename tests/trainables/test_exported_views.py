"""Views and recipes in exports: what `search.blend` makes of models and their views."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.masks.merging import Blend
from results.predictions import OCCURS, Predictions
from results.tasks.tasks import TASKS
from spaces.trial_config import TrialConfig
from tests.overlaps import RUN_LENGTHS, overlaps
from tests.trainables.conftest import SMALL, context_of
from tests.trainables.test_overlapping_masks import read
from trainables.data.contest import Contest
from trainables.inference.export import Trained, write_export
from trainables.inference.predict import load_trained, predict
from trainables.portable.images import decode
from trainables.portable.mask_predictor import MaskPredictor
from trainables.portable.predictor import Predictor
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import fit


def voices_of(trained: Sequence[Trained], views: Sequence[str]) -> list[tuple[str, str]]:
    """Configurations as they are, then in each view, as `search.blend` has them."""
    arms = list(dict.fromkeys(one.arm for one in trained))
    return [(arm, "") for arm in arms] + [(arm, view) for arm in arms for view in views]


def exported(
    kind: type[Predictor],
    trained: Sequence[Trained],
    context: TrainingContext,
    views: Sequence[str],
    folder: Path,
) -> Predictor:
    truth, voices = context.truth, voices_of(trained, views)
    write_export(
        folder,
        trained,
        classes=context.classes,
        task=context.task,
        numbers=() if truth is None else truth.numbers,
        about={},
        threads=1,
        build=functools.partial(context.task.network, own={}),
        form=None if truth is None else truth.form,
        voices=voices,
        blend=Blend.mean(len(voices)) if views else None,
    )
    return kind(folder, cpu=True)


def blended(
    trained: Sequence[Trained],
    context: TrainingContext,
    images: Sequence[str],
    views: Sequence[str],
    recipes: Sequence[Blend],
) -> list[Predictions]:
    """Models are averaged by configuration and view, and these as blends would."""
    rows, task = context.test_rows, TASKS[context.task.name]
    build = functools.partial(context.task.network, own={})
    found = []
    for arm, view in voices_of(trained, views):
        said = []
        for config, folder in ((t.config, t.folder) for t in trained if t.arm == arm):
            device = Device.pick(config)
            model = device.placed(load_trained(config, folder, len(context.classes), build))
            seen = (model, config, context.store, rows, device, context.task)
            heads = predict(*seen, view=view)
            said.append(Predictions(images=tuple(images), classes=context.classes, heads=heads))
        found.append(task.average(said))
    return [task.merged(recipe.apply, found) for recipe in recipes]


def trained_on(context: TrainingContext, config: TrialConfig, folder: Path) -> list[Trained]:
    """Two seeds of one configuration, of which the second stands for another one, too."""
    found = []
    for seed in (0, 1):
        made = config.replace(seed=seed, epochs=1, warmup_epochs=0)
        list(fit(made, context, folder / str(seed)))
        found.append(Trained(config=made, folder=folder / str(seed), arm="x"))
    return [*found, Trained(config=found[1].config, folder=found[1].folder, arm="y")]


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "whole": ({"store_side": 64, "aux_weight": 0.2}, ["rotate90", "hflip_scale_1.5"]),
    "windows": (
        {"framing": "windows", "shape": "native", "size": 32, "preprocess": "gray_world"},
        ["vflip_scale_0.75", "overlap_0.75", "windows_cut"],
    ),
    "overlapping": ({"store_side": 64}, ["hflip", "rotate180"]),
}


def by_recipe(voices: int, classes: int, task: str) -> Blend:
    """Other weights for each voice and, of masks, class; biases where classes exclude each other,
    as they are read from an export."""
    rng = np.random.default_rng(voices)
    columns = 2 * classes if task == "multilabel_segmentation" else classes
    each = rng.dirichlet(np.ones(voices), columns).T
    found = Blend(
        recipe="",
        merge="mean" if columns > classes else "geometric",
        weights=tuple(each.mean(axis=1).tolist()),
        biases=() if columns > classes else tuple(rng.normal(size=classes).tolist()),
        by_class=() if task == "classification" else tuple(map(tuple, each.tolist())),
    )
    return Blend.from_json(json.loads(json.dumps(asdict(found))))


@pytest.mark.parametrize("case", CASES)
def test_masks(case: str, scenes: Contest, tmp_path: Path) -> None:
    changes, views = CASES[case]
    contest = scenes
    if case == "overlapping":
        overlaps(tmp_path / "scenes")
        contest = read(tmp_path / "scenes", *RUN_LENGTHS)
    side = {"side": 0, "shape": "native"} if case == "windows" else {"side": 64}
    context = context_of(contest, Preparation(**side), tmp_path / "store")
    trained = trained_on(context, TrialConfig.of(**{**SMALL, **changes}), tmp_path)
    predictor = exported(MaskPredictor, trained, context, views, tmp_path / "export")
    assert isinstance(predictor, MaskPredictor)
    uneven = by_recipe(len(predictor.voices), len(context.classes), context.task.name)
    recipes = [Blend.mean(len(predictor.voices)), uneven]
    both = blended(trained, context, contest.test_images, views, recipes)
    plain = exported(MaskPredictor, trained, context, [], tmp_path / "plain")
    assert isinstance(plain, MaskPredictor)
    paths = contest.paths[-len(contest.test_images) :]
    for row in (0, -1):
        picture = decode(paths[row].read_bytes())
        for predictor.blend, expected in zip(recipes, both, strict=True):
            masks, occurs = predictor.told_of(picture)
            # An image alone may have another last bit than in a batch, which rounding may tip.
            off = np.abs(masks.astype(int) - expected.masks[row])
            assert off.max() <= 1
            assert (off == 0).mean() > 0.999
            assert (masks != plain.told_of(picture)[0]).any()
        assert (both[0].masks[row] != both[1].masks[row]).any()
        if case == "whole":
            told = expected.heads[OCCURS]
            assert isinstance(told, np.ndarray)
            assert occurs is not None
            np.testing.assert_allclose(occurs, told[row], atol=1e-6)


def test_classes(
    task: TrainingContext, contest: Contest, small: TrialConfig, tmp_path: Path
) -> None:
    views = ["rotate+5", "zoom"]
    trained = trained_on(task, small, tmp_path)
    predictor = exported(Predictor, trained, task, views, tmp_path / "export")
    paths = contest.paths[len(contest.train_images) :][: len(task.test_rows)]
    ((good, found, failed),) = predictor.chunks(paths)
    assert (len(good), failed) == (len(paths), {})
    weighted = by_recipe(len(predictor.voices), len(task.classes), task.task.name)
    recipes = [Blend.mean(len(predictor.voices)), weighted]
    expected = blended(trained, task, [str(path) for path in paths], views, recipes)
    np.testing.assert_array_equal(found, expected[0].probabilities)
    predictor.blend = weighted
    ((_, again, _),) = predictor.chunks(paths)
    np.testing.assert_array_equal(again, expected[1].probabilities)
    assert (found != again).any()
    plain = exported(Predictor, trained, task, [], tmp_path / "plain")
    ((_, once, _),) = plain.chunks(paths)
    assert np.abs(found - once).max() > 1e-3
