"""What post-processing is worth, on made predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from results.masks.metrics import MASK_METRICS
from results.masks.postprocess import Form, Postprocess
from results.masks.postprocess_choice import Counted, Load, Nested, candidates, nested
from results.masks.postprocess_verdict import Verdict, choices, verdict
from tests.results.masks.test_postprocess import ALL_JUDGED, BINARY, speckled

METRIC = MASK_METRICS["mean_iou"]


def judged(images: list[Load], folds: Any, groups: Any = None) -> tuple[Nested, Verdict]:
    counted = Counted(images, BINARY, METRIC)
    found = nested(counted, folds)
    return found, verdict(counted, found, folds, groups)


def test_specks_help_beyond_noise_and_steps_add_up() -> None:
    images = [speckled(i, 20) for i in range(9)]
    found, told = judged(images, np.arange(9) % 3)
    assert choices(found) == [step.name for step in told.steps]
    assert "components" in choices(found)
    assert told.helps
    assert told.gain.low < told.gain.value < told.gain.high
    assert np.isclose(told.gain.value, METRIC.gain(found.honest, found.plain))
    assert np.isclose(sum(step.honest for step in told.steps), told.gain.value)
    (counts,) = Counted(images, BINARY, METRIC).counts([found.chosen])
    flattered = METRIC.gain(METRIC.score(np.zeros(9, np.int64), counts), found.plain)
    assert np.isclose(sum(step.flattered for step in told.steps), flattered)
    assert told.steps[-1].settings == found.chosen


def test_what_helps_one_fold_alone_does_not_help() -> None:
    folds = np.array([0, 0, 1, 1, 2, 2])
    found, told = judged([speckled(i, 20 * (f == 1)) for i, f in enumerate(folds)], folds)
    assert found.chosen != Postprocess()
    assert told.gain.value == 0
    assert not told.helps


def test_few_groups_make_the_interval_wide() -> None:
    folds = np.arange(12) % 3
    images = [speckled(i, 5 + 2 * i) for i in range(12)]
    alone, together = (judged(images, folds, g)[1] for g in (None, folds.astype(str)))
    assert (alone.units, together.units) == (12, 3)
    assert together.gain.high - together.gain.low > alone.gain.high - alone.gain.low


def test_many_classes_have_one_smallest_component() -> None:
    few, many = (
        sum(bool(s.components) for step in candidates(form) for s in step(Postprocess()))
        for form in (ALL_JUDGED, Form(classes=6, background=0))
    )
    assert few == 4 * 3
    assert many == 3
    for step in candidates(Form(classes=6, background=0)):
        for setting in step(Postprocess()):
            assert len(set(setting.components[1:])) <= 1
            assert not setting.components or setting.components[0] == 0
