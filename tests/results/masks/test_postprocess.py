"""Post-processing against plain descriptions of its steps, and its choice on made predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from results.masks.metrics import MASK_METRICS
from results.masks.postprocess import Form, Postprocess
from results.masks.postprocess_choice import Counted, Load, Seen, candidates, choose, nested

EXCLUSIVE = Form(classes=4, background=0)
ALL_JUDGED = Form(classes=4, background=None)
OVERLAPPING = Form(classes=4, background=None, overlapping=True)
BINARY = Form(classes=2, background=0)


def scenes(count: int, seed: int = 0, classes: int = 4) -> list[Any]:
    """Probabilities of blobs, float32 (h, w, classes)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        height, width = rng.integers(8, 40, 2)
        rough = ndimage.gaussian_filter(rng.normal(size=(height, width, classes)), (1.2, 1.2, 0))
        raised = np.exp(8 * rough)
        found.append((raised / raised.sum(axis=2, keepdims=True)).astype(np.float32))
    return found


def one_hot(mask: Any, classes: int = 2) -> Any:
    return np.eye(classes, dtype=np.float32)[mask]


@pytest.mark.parametrize("form", [EXCLUSIVE, ALL_JUDGED])
def test_without_settings_it_is_the_likeliest_class(form: Form) -> None:
    for p in scenes(20):
        assert (Postprocess().apply(p, form) == p.argmax(axis=2)).all()
        grey = np.rint(p * 255).astype(np.uint8)
        assert (Postprocess().apply(grey, form) == grey.argmax(axis=2)).all()
    assert (Postprocess().apply(p, OVERLAPPING) == (p >= 0.5)).all()
    assert (Postprocess().apply(grey, OVERLAPPING) == (grey >= 127.5)).all()


def test_weights_come_before_the_largest_is_taken() -> None:
    weights = (0.5, 2.0, 1.0, 1.5)
    for p in scenes(20):
        expected = (p * np.array(weights, np.float32)).argmax(axis=2)
        assert (Postprocess(weights=weights).apply(p, EXCLUSIVE) == expected).all()


def test_thresholds() -> None:
    limits = (0.5, 0.3, 0.6, 0.8)
    setting = Postprocess(thresholds=limits)
    for p in scenes(20):
        called = p >= np.array(limits, np.float32)
        assert (setting.apply(p, OVERLAPPING) == called).all()
        best = p[..., 1:].argmax(axis=2) + 1
        sure = np.take_along_axis(called, best[..., None], 2)[..., 0]
        assert (setting.apply(p, EXCLUSIVE) == np.where(sure, best, 0)).all()
        both = p[..., :2] / p[..., :2].sum(axis=2, keepdims=True)
        found = Postprocess(thresholds=(0.5, 0.3)).apply(both, BINARY)
        assert (found == (both[..., 1] >= np.float32(0.3))).all()


@pytest.mark.parametrize("form", [EXCLUSIVE, ALL_JUDGED, OVERLAPPING])
@pytest.mark.parametrize("size", [6.0, 0.01])
def test_small_components_go_to_the_next_likeliest(form: Form, size: float) -> None:
    """Those of one class, so that it is plain what the others were before."""
    for p in scenes(20):
        before = Postprocess().apply(p, form)
        after = Postprocess(components=(0, 0, size, 0)).apply(p, form)
        plane = before[..., 2] if form.overlapping else before == 2
        parts, count = ndimage.label(plane, structure=np.ones((3, 3)))
        areas = ndimage.sum_labels(plane, parts, np.arange(count + 1))
        least = size if size >= 1 else size * plane.size
        small = (areas < least)[parts] & (parts > 0)
        if form.overlapping:
            expected = before.copy()
            expected[small, 2] = 0
        else:
            rest = p.copy()
            rest[..., 2] = -1
            expected = np.where(small, rest.argmax(axis=2), before)
        assert (after == expected).all()


def test_small_components_go_to_the_background_where_there_are_thresholds() -> None:
    setting, moved = Postprocess(thresholds=(0.5,) * 4), 0
    for p in scenes(20):
        before = setting.apply(p, EXCLUSIVE)
        after = replace(setting, components=(0, 0, 6, 0)).apply(p, EXCLUSIVE)
        changed = before != after
        assert (before[changed] == 2).all()
        assert (after[changed] == 0).all()
        moved += int(changed.sum())
    assert moved


@pytest.mark.parametrize("size", [4.0, 0.02])
def test_holes_are_filled_up_to_a_size(size: float) -> None:
    for p in scenes(30, classes=2):
        before = Postprocess().apply(p, BINARY) == 1
        after = Postprocess(holes=size).apply(p, BINARY) == 1
        holes = ndimage.binary_fill_holes(before) & ~before
        parts, count = ndimage.label(holes)
        areas = ndimage.sum_labels(holes, parts, np.arange(count + 1))
        most = size if size >= 1 else size * before.size
        assert (after == (before | ((areas <= most)[parts] & (parts > 0)))).all()
        two = np.stack([p[..., 1], p[..., 1]], axis=2)
        form = Form(classes=2, background=None, overlapping=True)
        assert (Postprocess(holes=size).apply(two, form)[..., 1] == after).all()


def test_opening_takes_what_is_thin_and_spares_the_rim() -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[5:15, 5:15] = 1
    mask[10, 15:30] = 1
    mask[20:, 30:] = 1  # in the corner
    opened = Postprocess(opening=2).apply(one_hot(mask), BINARY)
    assert not opened[10, 17:30].any()
    assert opened[7:13, 7:13].all()
    assert opened[22:, 32:].all()
    assert opened[29, 39] == 1


def test_images_without_anything_likely_are_empty() -> None:
    p = np.full((5, 6, 2), 0.4, np.float32)
    p[2, 3] = (0.3, 0.7)
    for form in (BINARY, Form(classes=2, background=None, overlapping=True)):
        assert Postprocess(present=0.7).apply(p, form).any()
        empty = Postprocess(present=0.71).apply(p, form)
        assert empty.shape == Postprocess().apply(p, form).shape
        assert not empty.any()
    third = Form(classes=3, background=2)
    assert (Postprocess(present=0.9).apply(np.full((2, 2, 3), 0.3), third) == 2).all()


@pytest.mark.parametrize("form", [EXCLUSIVE, ALL_JUDGED, OVERLAPPING])
def test_classes_that_do_not_occur_go_to_the_next_likeliest(form: Form) -> None:
    occurs = np.array([0.1, 0.9, 0.3, 0.4], np.float32)
    gone = [2] if form.background == 0 else [0, 2]
    for p in scenes(20):
        rest = p.copy()
        rest[..., gone] = 0 if form.overlapping else -1
        setting = Postprocess(occurs=0.35)
        assert (setting.apply(p, form, occurs) == Postprocess().apply(rest, form)).all()
        # Small components of others do not go to them either.
        shaped = replace(setting, components=(0, 8, 0, 8)).apply(p, form, occurs)
        assert not (shaped[..., gone] if form.overlapping else np.isin(shaped, gone)).any()


def test_where_nothing_occurs() -> None:
    (p,) = scenes(1)
    occurs = np.array([0.1, 0.2, 0.3, 0.05], np.float32)
    setting = Postprocess(occurs=0.5)
    assert not setting.apply(p, EXCLUSIVE, occurs).any()
    assert not replace(setting, thresholds=(0.0,) * 4).apply(p, EXCLUSIVE, occurs).any()
    assert not replace(setting, present=0.1).apply(p, EXCLUSIVE, occurs).any()
    assert not setting.apply(p, OVERLAPPING, occurs).any()
    assert (setting.apply(p, ALL_JUDGED, occurs) == 2).all()  # something has to be there
    with pytest.raises(ValueError, match="occurs needs networks that tell which classes occur"):
        setting.apply(p, EXCLUSIVE)


def test_what_occurs_is_tried_where_somebody_tells() -> None:
    """A second of them says that the disc is not there, and is right."""
    told: list[Load] = []
    for i in range(6):
        seen = speckled(i, 0)()
        truth = seen.truth if i % 2 else np.zeros_like(seen.truth)
        occurs = np.array([1.0, 0.9 if i % 2 else 0.04], np.float32)
        told.append(lambda p=seen.probabilities, t=truth, o=occurs: Seen(p, t, o))  # type: ignore[misc]
    metric = MASK_METRICS["mean_iou_images"]
    chosen = choose(Counted(told, BINARY, metric, auxiliary=True), np.arange(6))
    assert chosen == Postprocess(occurs=0.05)
    assert choose(Counted(told, BINARY, metric), np.arange(6)).occurs == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"occurs": 1.5}, "occurs must be within 0 to 1, got 1.5"),
        ({"present": 1.5}, "present must be within 0 to 1, got 1.5"),
        ({"weights": (1.0, 0.0)}, "weights must be above 0"),
        ({"weights": (1.0, float("inf"))}, "weights must be above 0"),
        ({"thresholds": (0.5, -1.0)}, "thresholds must be within 0 to 1"),
        ({"opening": -1}, "opening must be within 0 to 100"),
        ({"components": (float("nan"),)}, "components must be 0 or more"),
        ({"holes": -1.0}, "holes must be 0 or more"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Postprocess(**settings)


def test_settings_that_do_not_fit_the_masks_are_refused() -> None:
    with pytest.raises(
        ValueError, match="weights must be one for each of 4 classes or none, got 2"
    ):
        Postprocess(weights=(1.0, 1.0)).apply(scenes(1)[0], EXCLUSIVE)
    for settings in (Postprocess(present=0.5), Postprocess(thresholds=(0.5,) * 4)):
        with pytest.raises(ValueError, match="needs a background class"):
            settings.apply(scenes(1)[0], ALL_JUDGED)


@pytest.mark.parametrize("form", [EXCLUSIVE, ALL_JUDGED, OVERLAPPING, BINARY])
def test_what_is_tried_fits_the_masks_and_goes_to_json_and_back(form: Form) -> None:
    (p,) = scenes(1, classes=form.classes)
    for step in candidates(form):
        tried = step(Postprocess())
        assert len(set(tried)) == len(tried)
        for setting in tried:
            setting.apply(p, form)
            assert Postprocess.from_json(setting.to_json()) == setting


def speckled(seed: int, specks: int) -> Load:
    """A disc and single pixels that are none."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:60, :60]
    truth = ((down - 30) ** 2 + (across - 30) ** 2 < 15**2).astype(np.uint8)
    wrong = truth.copy()
    wrong[rng.integers(0, 10, specks), rng.integers(0, 60, specks)] = 1
    return lambda: Seen(one_hot(wrong), truth)


def test_a_choice_takes_what_gains_and_nothing_else() -> None:
    metric = MASK_METRICS["mean_iou"]
    clean = Counted([speckled(i, 0) for i in range(4)], BINARY, metric)
    assert choose(clean, np.arange(4)) == Postprocess()
    dirty = Counted([speckled(i, 20) for i in range(6)], BINARY, metric)
    chosen = choose(dirty, np.arange(6))
    assert chosen.components[1] > 0
    assert replace(chosen, components=()) == Postprocess()
    found = nested(dirty, np.arange(6) % 3)
    assert found.chosen == chosen
    assert set(found.by_fold) == {0, 1, 2}
    assert found.plain < 0.99
    assert found.honest > found.plain
    assert metric.score(np.zeros(6, np.int64), found.honest_counts) == found.honest
    assert metric.score(np.zeros(6, np.int64), found.plain_counts) == found.plain


def test_a_fold_has_no_say_in_its_own_processing() -> None:
    """Whatever its truth is; and what helps one fold only helps nobody honestly."""
    folds = np.array([0, 0, 1, 1, 2, 2])
    metric = MASK_METRICS["dice_images"]
    images = [speckled(i, 20 * (fold == 1)) for i, fold in enumerate(folds)]
    found = nested(Counted(images, BINARY, metric), folds)
    assert found.by_fold[1] == Postprocess()
    assert found.by_fold[0] == found.by_fold[2] == found.chosen != Postprocess()
    assert found.honest == found.plain


def test_classes_beside_a_background_get_thresholds_of_their_own() -> None:
    """One is missed at 0.31 where the background is too likely for any weight; the other is told
    at 0.55 where it is not."""
    form = Form(classes=3, background=0)
    rows = {0: (1, (0.66, 0.31, 0.03)), 1: (2, (0.05, 0.05, 0.9)), 2: (0, (0.40, 0.05, 0.55))}
    truth = np.zeros((12, 12), np.uint8)
    p = np.tile(np.array([0.9, 0.05, 0.05], np.float32), (12, 12, 1))
    for row, (label, chances) in rows.items():
        truth[4 * row : 4 * row + 3] = label
        p[4 * row : 4 * row + 3] = chances
    counted = Counted([lambda: Seen(p, truth)] * 4, form, MASK_METRICS["mean_iou"])
    found = nested(counted, np.arange(4) % 2)
    assert found.chosen.thresholds[1:] == (0.3, 0.6)
    assert found.plain < 0.6
    assert found.honest == 1
    (mask,) = {found.chosen.apply(p, form).tobytes()}
    assert mask == truth.tobytes()


def test_every_image_is_loaded_once_for_a_step() -> None:
    loaded = []

    def load() -> Any:
        loaded.append(1)
        return speckled(0, 5)()

    counted = Counted([load], BINARY, MASK_METRICS["mean_iou"])
    choose(counted, np.arange(1))
    once = len(loaded)
    assert once == 1 + len(candidates(BINARY))  # each of them has something to try
    choose(counted, np.arange(1))
    assert len(loaded) == once


@pytest.mark.parametrize("name", ["boundary_f1", "mean_iou"])
def test_boundaries_are_compared_where_the_metric_asks(name: str) -> None:
    counted = Counted([speckled(0, 5)], BINARY, MASK_METRICS[name])
    (counts,) = counted.counts([Postprocess()])
    assert (counts[:, 6:] > 0).any() == (name == "boundary_f1")
