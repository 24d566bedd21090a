"""The stress: what it does to images, and its fit where the truth is known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from results.predictions import Predictions
from search.competition.stresses import narrowed
from search.options.command_line import parse
from search.options.parameters import flatten
from search.options.search_space import resolve_space
from search.options.training import RunConfig
from spaces.augmentation.policy import AugPolicy, Choice
from spaces.augmentation.stress import Stress, scaled, stress_policy
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests import tiny
from tests.trainables.test_audit import scene
from trainables.audit.stress import Fitted, fit_stress, stress_of
from trainables.augment.stressed import Stressed
from trainables.data.loader import evaluation_loader
from trainables.training.context import TrainingContext
from trainables.training.fit import fit

SIDE = 32


def stress(**strengths: float) -> Stress:
    return Stress(
        policy=stress_policy(strengths),
        side=44,
        before=0.8,
        after=0.6,
        error=0.02,
        images=100,
        data="d",
    )


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    """Scenes with fine detail, (400, 32, 32, 3)."""
    rng = np.random.default_rng(0)
    detail = rng.normal(0, 30, (400, SIDE // 2, SIDE // 2, 1)).repeat(2, 1).repeat(2, 2)
    scenes = np.stack([scene(rng, SIDE) for _ in range(400)])
    return np.clip(scenes + detail, 0, 255).astype(np.uint8)


def test_the_fit_finds_what_was_done_to_the_test(pictures: NDArray[np.uint8]) -> None:
    train, test = pictures[:200], pictures[200:]
    truth = Stressed(stress_policy({"blur": 0.6}), SIDE)
    moved = np.stack([truth.view(p, 1000 + i, (SIDE, SIDE)) for i, p in enumerate(test)])
    tried = ("blur", "brightness")
    fitted = fit_stress(train, moved, (SIDE, SIDE), operations=tried)
    assert set(fitted.strengths) == {"blur"}
    assert 0.4 <= fitted.strengths["blur"] <= 0.7
    assert fitted.before > 0.75
    assert fitted.after < fitted.before - 0.1
    assert fitted.worth
    kept = stress_of(fitted, SIDE, "d")
    assert kept.policy == stress_policy(fitted.strengths)
    # Where nothing was done nothing is found.
    steps: list[tuple[int, int]] = []
    none = fit_stress(train, test, (SIDE, SIDE), lambda *step: steps.append(step), operations=tried)
    assert not none.worth
    assert steps[-1] == (2, 4)  # a second pass would find nothing either


def test_a_gain_within_noise_is_none() -> None:
    found = Fitted(strengths={"blur": 0.1}, before=0.7, after=0.68, error=0.015, images=100)
    assert not found.worth
    assert dataclasses.replace(found, error=0.005).worth
    assert not dataclasses.replace(found, error=0.005, strengths={}).worth


def test_draws_belong_to_the_image(task: TrainingContext, small: TrialConfig) -> None:
    what = stress(rotate=0.5, noise=0.3, blur=0.4, crop=0.2, perspective=0.3)
    rows = task.folds.held_out(0)

    def seen(order: NDArray[np.int64], workers: int) -> NDArray[np.uint8]:
        loader = evaluation_loader(small, task.store, order, workers, stress=what)
        return np.concatenate([batch.pictures.numpy() for batch in loader])

    once = seen(rows, 0)
    assert once.shape == (len(rows), 32, 32, 3)
    assert len(rows) > small.run.batch  # more than a worker takes at once
    np.testing.assert_array_equal(seen(rows, 2), once)
    np.testing.assert_array_equal(seen(rows[::-1].copy(), 0)[::-1], once)
    plain = np.concatenate(
        [batch.pictures.numpy() for batch in evaluation_loader(small, task.store, rows, 0)]
    )
    assert (once != plain).any(axis=(1, 2, 3)).all()
    # Two images with the same pixels have draws of their own.
    twice = Stressed(what.at_side(44), 44)
    picture = task.store.pixels[rows[0]]
    assert (twice.view(picture, 0, (32, 32)) != twice.view(picture, 1, (32, 32))).any()


def test_a_stress_alone_shows_no_borders_and_no_colour() -> None:
    white = np.full((44, 44, 3), 200, np.uint8)
    for name in ("rotate", "scale", "perspective"):
        turned = Stressed(stress_policy({name: 1.0}), 44)
        for row in range(8):
            assert turned.view(white, row, (32, 32)).min() >= 199
    grey = Stressed(stress_policy({"noise": 1.0}), 44).view(white, 0, (32, 32))
    assert np.ptp(grey) > 20
    assert (grey == grey[..., :1]).all()


def test_training_predicts_under_it(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    config = small.replace(model="tests.tiny:build", batch=128)
    under = dataclasses.replace(
        task,
        own={"tests.tiny:build": tiny.build},
        stress=stress(noise=0.5, blur=0.5),
        predict_test=False,
    )
    last = [epoch.report["metrics"] for epoch in fit(config, under, tmp_path / "last")]
    assert "stress/macro_f1" not in last[0]
    always = dataclasses.replace(under, stress_always=True)
    every = [e.report["metrics"] for e in fit(config, always, tmp_path / "every", workers=1)]
    assert "stress/macro_f1" in every[0]
    plain = {k: v for k, v in every[0].items() if not k.startswith("stress/")}
    assert plain == last[0]
    assert every[1] == last[1]  # what is predicted on the way changes nothing
    first, second = (Predictions.read(tmp_path / f"{n}/stress.npz") for n in ("last", "every"))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    holdout = Predictions.read(tmp_path / "last/holdout.npz")
    assert first.images == holdout.images
    assert (first.probabilities != holdout.probabilities).any()
    score = task.metric.score(task.folds.labels[task.folds.held_out(0)], first.probabilities)
    assert last[1]["stress/macro_f1"] == score
    none = dataclasses.replace(under, stress=None)
    only = [
        e.report["metrics"]
        for e in fit(config.replace(epochs=1, warmup_epochs=0), none, tmp_path / "none")
    ]
    assert not any(name.startswith("stress/") for name in only[0])
    assert not (tmp_path / "none/stress.npz").exists()


def test_it_is_data(tmp_path: Path) -> None:
    one = stress(blur=0.5, crop=0.4)
    assert one.policy.crops  # the crop comes first, whatever was named first
    path = one.write(tmp_path)
    assert path.name == f"stress-{one.digest}.json"
    assert Stress.read(path) == one
    assert one.strengths(44) == pytest.approx({"crop": 0.4, "blur": 0.5})
    # At twice the side a blur of so many pixels is twice as many; the rest is relative.
    assert one.strengths(88) == pytest.approx({"crop": 0.4, "blur": 1.0})
    limits = [c.limit for s in scaled(one.policy, 100).stages for c in s.choices]  # type: ignore[union-attr]
    assert limits[1] == 8.0
    for text in ("", "{}", json.dumps({**one.to_json(), "policy": {"stages": []}})):
        path.write_text(text)
        with pytest.raises(InputError, match=r"does not hold a stress|at least one operation"):
            Stress.read(path)
    path.write_text(json.dumps({**one.to_json(), "format": 9}))
    with pytest.raises(InputError, match="has the format 9, not 1"):
        Stress.read(path)


def test_what_is_offered_to_searches_fits_their_spaces() -> None:
    lines = narrowed(stress(blur=0.3, noise=0.1, rotate=0.02, crop=1.0), 44)
    assert lines[0].startswith("space=aug_policy 'narrow.stage1.operation=[crop,blur,noise,rotate]")
    assert "narrow.magnitude.quality=[0.05,0.6]" in lines[1]
    assert len(narrowed(stress(crop=0.3), 44)) == 1  # no knob of magnitude has it
    for line in lines:
        config = parse(RunConfig, [word.strip("'") for word in line.split()])
        space = resolve_space(config.space, {}, flatten(config.narrow))
        assert space.params
    assert AugPolicy() == stress_policy({"blur": 0.0})
    assert stress_policy({"blur": 0.5}).stages[0].choices == (Choice(operation="blur", limit=1.0),)
