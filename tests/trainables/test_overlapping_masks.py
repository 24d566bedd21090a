"""Masks whose classes overlap: read, compared, trained and handed in as every class for itself."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from results.ensemble.blend import choose, judge
from results.ensemble.out_of_fold import OutOfFold
from results.ensemble.recipes import BY_CLASS
from results.ensemble.stack import PredictionStack
from results.leaderboard.run_length_form import RunLengthForm
from results.masks.counts import VOID, Counts
from results.masks.label_map import class_planes
from results.masks.planes import Planes
from results.masks.truth import Truth
from results.predictions import MASKS, SIZES, Head, Predictions
from results.tasks.multilabel_segmentation import MultilabelSegmentation as Told
from results.tasks.task import Known
from search.jobs.contest_data import read_contest
from search.options.audit import AuditConfig
from search.options.command_line import parse
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.overlaps import ANNOTATIONS, CLASSES, RUN_LENGTHS, overlaps
from tests.trainables.conftest import SMALL, context_of
from trainables.audit.mask_checks import _empty
from trainables.data.contest import Contest
from trainables.data.image_files import image_size
from trainables.data.pixel_targets import pixel_targets
from trainables.inference.export import Trained, write_export
from trainables.losses.losses import LOSSES
from trainables.losses.occurrence import occurrence
from trainables.portable.mask_predictor import MaskPredictor
from trainables.portable.preparation import Preparation
from trainables.tasks.multilabel_segmentation import MultilabelSegmentation
from trainables.tasks.segmentation import planes_of
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.mixings import MIXINGS

RLE, COCO = RUN_LENGTHS[:3], ANNOTATIONS


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, NDArray[np.uint8]]]:
    folder = tmp_path_factory.mktemp("overlaps") / "scenes"
    return folder, overlaps(folder)


def read(folder: Path, *options: str) -> Contest:
    given = ["data=csv", f"data.root={folder}", "data.overlapping=true", *options]
    return read_contest(parse(AuditConfig, given).data, folder.parent / "runs")


def masks_of(truth: Truth) -> list[Any]:
    return [truth.actual(row) for row in range(len(truth.images))]


@pytest.mark.parametrize("form", [RLE, COCO])
def test_every_pixel_has_all_of_its_classes(scenes: Any, form: tuple[str, ...]) -> None:
    folder, masks = scenes
    contest = read(folder, *form)
    truth = contest.truth
    assert truth is not None
    assert contest.task == "multilabel_segmentation"
    assert (contest.classes, truth.background) == (CLASSES, None)
    assert truth.sets == ((), (0,), (1,), (0, 1))
    for image, found in zip(truth.images, masks_of(truth), strict=True):
        np.testing.assert_array_equal(found, masks[image])
    areas = np.stack([masks[image].sum(axis=(0, 1)) for image in truth.images])
    np.testing.assert_array_equal(truth.pixels, areas)
    again = read(folder, *form).truth  # as it was kept
    assert again is not None
    assert (again.digest, again.sets) == (truth.digest, truth.sets)
    assert truth.strata.max() < len(CLASSES)


def test_a_void_class_is_void_in_all(scenes: Any) -> None:
    folder, masks = scenes
    truth = read(folder, *RLE, "data.void=bar").truth
    assert truth is not None
    assert truth.classes == ("disc",)
    for image, found in zip(truth.images, masks_of(truth), strict=True):
        expected = np.where(masks[image][..., :1] == 1, VOID, masks[image][..., 1:])
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["data.mask=rle"], "data.overlapping=true needs data.run_lengths= or data.annotations="),
        ([*RLE, "data.background=sky"], "data.background=sky: with data.overlapping=true every"),
        ([*RLE, "data.classes=[disc]"], "'bar' is none of the classes disc"),
        ([*RLE, "data.classes=[disc,baar]"], "unknown class 'baar' .*choices: bar, disc$"),
        ([*RLE, "data.overlapping=false"], "exclude each other unless data.overlapping=true"),
        ([*COCO, "data.overlapping=false"], "exclude each other unless data.overlapping=true"),
    ],
)
def test_what_does_not_go_together_is_told(scenes: Any, options: list[str], words: str) -> None:
    with pytest.raises(InputError) as error:
        read(scenes[0], *options)
    assert re.search(words, str(error.value)), error.value


def told(masks: dict[str, NDArray[np.uint8]], images: tuple[str, ...], seed: int) -> Predictions:
    """Probabilities that are right but for noise."""
    rng = np.random.default_rng(seed)
    sure = [np.where(masks[i] == 1, 180, 70) + rng.normal(0, 60, masks[i].shape) for i in images]
    planes = Planes.of(np.clip(p, 0, 255).astype(np.uint8) for p in sure)
    sizes = np.array([masks[image].shape[:2] for image in images], np.float32)
    heads: dict[str, Head] = {MASKS: planes, SIZES: sizes}
    return Predictions(images=images, classes=CLASSES, heads=heads)


def test_counts_are_of_every_class_from_one_half_on(scenes: Any) -> None:
    folder, masks = scenes
    truth = read(folder, *RLE).truth
    assert truth is not None
    found = Told().judged(told(masks, truth.images, 0), truth)
    counts = Counts.of(found.judged.astype(np.float64))
    for row, (image, said) in enumerate(zip(truth.images, found.masks, strict=True)):
        for c in range(len(CLASSES)):
            called, true = said[..., c] >= 128, masks[image][..., c] == 1
            assert counts.intersection[row, c] == (called & true).sum()
            assert counts.predicted[row, c] == called.sum()
    table = Told().class_table(np.zeros(len(truth.images), np.int64), found, truth)
    assert set(table["name"]) == set(CLASSES)


def test_examples_stand_for_classes_at_pixels(scenes: Any) -> None:
    """Their metric is that of the same pixels, one class after the other."""
    folder, masks = scenes
    truth = read(folder, *RLE, "data.void=bar").truth
    whole = read(folder, *RLE).truth
    assert truth is not None
    assert whole is not None
    task, said = Told(), told(masks, whole.images, 1)
    labels, shares, rows = task.examples(np.zeros(24, np.int64), said, whole)
    assert shares.shape == (len(labels), 4)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    metric = task.example_metric(task.metric("mean_iou"), whole)
    expected = []
    for c in range(2):
        mine = labels // 2 == c
        actual, called = labels[mine] % 2 == 0, shares[mine, 2 * c] > 0.5
        expected.append((actual & called).sum() / (actual | called).sum())
    assert metric.score(labels, shares) == pytest.approx(np.mean(expected))
    assert np.bincount(rows).tolist() == [len(labels) // 24] * 24
    known = task.examples(np.zeros(24, np.int64), told(masks, whole.images, 1), whole).labels
    assert (known == labels).all()
    alone = dataclasses.replace(said, classes=("disc",), heads={MASKS: _only(said.masks, 1)})
    some = task.examples(np.zeros(24, np.int64), alone, truth)
    assert len(some.labels) < 24 * 1024  # void ones are left out


def _only(planes: Planes, c: int) -> Planes:
    return Planes.of(np.ascontiguousarray(mask[..., c : c + 1]) for mask in planes)


def test_models_are_merged_class_by_class(scenes: Any) -> None:
    folder, masks = scenes
    images = tuple(masks)[:3]
    a, b = told(masks, images, 2), told(masks, images, 3)

    def mean(block: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(block.mean(axis=0), np.float32)

    merged = Told().merged(mean, [a, b])
    for x, y, found in zip(a.masks, b.masks, merged.masks, strict=True):
        np.testing.assert_allclose(found, (x.astype(float) + y) / 2, atol=0.51)
    assert folder.is_dir()


def test_a_submission_has_overlapping_run_lengths(scenes: Any, tmp_path: Path) -> None:
    folder, masks = scenes
    contest = read(folder, *RLE)
    truth = contest.truth
    assert truth is not None
    said = told(masks, contest.test_images, 4)
    form = RunLengthForm.of(contest.test_images, truth)
    form.write(said, tmp_path / "s.csv")
    sizes = {name: image_size(folder / name) for name in contest.test_images}
    known = Known(CLASSES, truth, sizes)
    back = Told().read_submission(tmp_path / "s.csv", known)
    for found, wanted in zip(back.masks, said.masks, strict=True):
        np.testing.assert_array_equal(found == 255, wanted >= 128)
    solved = Told().solved(folder / "solution.csv", said, known)
    right = [
        ((m >= 128) == (masks[i] == 1)).sum() for i, m in zip(said.images, said.masks, strict=True)
    ]
    assert solved.judged[:, 0].tolist() == right


def test_solutions_are_annotations_where_masks_are(scenes: Any) -> None:
    folder, masks = scenes
    contest = read(folder, *COCO)
    assert contest.truth is not None
    sizes = {name: image_size(folder / name) for name in contest.test_images}
    known = Known(CLASSES, contest.truth, sizes)
    said = told(masks, contest.test_images, 5)
    by_rows = Known(CLASSES, read(folder, *RLE).truth, sizes)
    annotated, listed = (
        Told().solved(folder / f"solution.{kind}", said, of).judged
        for kind, of in (("json", known), ("csv", by_rows))
    )
    np.testing.assert_array_equal(annotated, listed)
    table = pd.read_csv(folder / "solution.csv", dtype=str, keep_default_na=False)
    table.loc[0, "label"] = ""
    table.to_csv(folder / "odd.csv", index=False)
    with pytest.raises(
        InputError, match=r"unknown class '' .*odd\.csv, row 2.*choices: bar, disc$"
    ):
        Told().solved(folder / "odd.csv", said, by_rows)


def test_targets_say_what_a_pixel_is_and_what_not(scenes: Any) -> None:
    truth = read(scenes[0], *RLE).truth
    assert truth is not None
    rows = np.arange(24)
    table = pixel_targets(TrialConfig(), truth, rows)
    assert table.shape == (5, 2, 2)
    masks = torch.tensor([[[0, 1, 2, 3, VOID]]], dtype=torch.uint8)
    planes = planes_of(masks, torch.from_numpy(table))
    assert planes.shape == (1, 2, 2, 1, 5)
    assert planes[0, :, 0, 0].tolist() == [[0, 1, 0, 1, 0], [0, 0, 1, 1, 0]]
    assert planes[0, :, 1, 0].tolist() == [[1, 0, 1, 0, 0], [1, 1, 0, 0, 0]]
    weighed = pixel_targets(TrialConfig.of(weighting="balanced", weight_power=1.0), truth, rows)
    areas = np.stack([truth.pixels.sum(axis=0), truth.known.sum() - truth.pixels.sum(axis=0)], 1)
    sides = np.stack([weighed[3, :, 0], weighed[0, :, 1]], axis=1)
    np.testing.assert_allclose(sides * areas, areas.sum() / 4, rtol=1e-5)


@pytest.mark.parametrize("kind", [*LOSSES])
def test_every_loss_learns_classes_that_overlap(kind: str, scenes: Any) -> None:
    """A few steps on the logits themselves make both classes of a pixel likely."""
    truth = read(scenes[0], *RLE).truth
    assert truth is not None
    table = torch.from_numpy(pixel_targets(TrialConfig(), truth, np.arange(24)))
    masks = torch.from_numpy(np.array(truth.masks[0])[None])
    targets = planes_of(masks, table)
    logits = torch.zeros(1, 2, *masks.shape[1:], requires_grad=True)
    loss = LOSSES.of(TrialConfig.of(loss=kind).loss)(TrialConfig.of(loss=kind))
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(30):
        optimizer.zero_grad()
        loss(logits, targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    found = (torch.sigmoid(logits)[0] > 0.5).numpy()
    np.testing.assert_array_equal(np.moveaxis(found, 0, 2), truth.actual(0) == 1)


def test_what_occurs_is_known_of_every_class(scenes: Any) -> None:
    truth = read(scenes[0], *RLE).truth
    assert truth is not None
    table = torch.from_numpy(pixel_targets(TrialConfig(), truth, np.arange(24)))
    targets = planes_of(torch.from_numpy(np.stack([truth.masks[4], truth.masks[7]])), table)
    sure = torch.tensor([[9.0, 9.0], [-9.0, -9.0]])  # the eighth is empty
    assert float(occurrence(sure, targets)) < 0.001
    assert float(occurrence(-sure, targets)) > 5


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_both_sides_are_mixed_as_images_are(mix: str) -> None:
    config = TrialConfig.of(mix=mix, mix_probability=1.0, batch=4)
    np.random.seed(0)
    which = torch.arange(4.0)[:, None, None].expand(4, 8, 8)
    targets = torch.stack([which, 3 - which], dim=1)[:, None].repeat(1, 2, 1, 1, 1)
    images, mixed = MIXINGS.of(config.mix)(config, torch.nn.Identity())(
        which[:, None].repeat(1, 3, 1, 1), targets, None
    )
    assert mixed.shape == targets.shape
    for c in range(2):
        torch.testing.assert_close(mixed[:, c, 0], images[:, 0])
        torch.testing.assert_close(mixed[:, c, 1], 3 - images[:, 0])


def test_what_takes_a_class_from_others_is_refused() -> None:
    words = "mix=copy_paste puts regions of one class over what else is"
    with pytest.raises(InputError, match=words):
        MultilabelSegmentation().check(TrialConfig.of(model="smp", size=(32, 32), mix="copy_paste"))


def test_more_sets_than_numbers_are_told(tmp_path: Path) -> None:
    """Nine classes, of which 300 pixels have as many different sets."""
    overlaps(tmp_path / "c", train=8)
    rows, names = [], [f"c{bit}" for bit in range(9)]
    for row in range(8):
        for bit, name in enumerate(names):
            runs = [f"{value} 1" for value in range(1, 300) if value >> bit & 1]
            rows.append((f"train/{row:03d}.png", name, " ".join(runs)))
    table = pd.DataFrame(rows, columns=["image", "label", "rle"])
    table.to_csv(tmp_path / "c/train.csv", index=False)
    with pytest.raises(InputError, match="more than 255 different sets of classes share pixels"):
        read(tmp_path / "c", *RLE)


def test_an_audit_knows_empty_masks(scenes: Any) -> None:
    contest = read(scenes[0], *RLE)

    class Evidence:
        pass

    evidence: Any = Evidence()
    evidence.contest = contest
    (finding,) = _empty(evidence)
    assert finding.what == "training images with nothing: 3 of 24 (12%)"
    assert json.dumps(finding.what)


@pytest.mark.parametrize("kind", ["squashed", "windows"])
def test_what_is_trained_is_stored_and_exported(kind: str, scenes: Any, tmp_path: Path) -> None:
    """With a loss of areas, an auxiliary head, weighted classes and mixing; then of two seeds."""
    folder = scenes[0]
    contest = read(folder, *RUN_LENGTHS)
    assert contest.truth is not None
    native = {"framing": "windows", "shape": "native", "window_crop": "present", "size": 32}
    changes: dict[str, Any] = {"store_side": 64} if kind == "squashed" else native
    config = TrialConfig.of(**{**SMALL, **changes}, loss="dice", aux_weight=0.2, mix="cutmix")
    config = config.replace(weighting="balanced")
    side = {"side": 64} if kind == "squashed" else {"side": 0, "shape": "native"}
    context = context_of(contest, Preparation(**side), tmp_path)
    trained = []
    for seed in (0, 1):
        place = tmp_path / str(seed)
        made = config.replace(seed=seed)
        (*_, last) = fit(made, context, place)
        trained.append(Trained(config=made, folder=place, arm="x"))
        held_out = Predictions.read(place / "holdout.npz")
        again = contest.truth.of(held_out.images).counts(held_out.masks)
        np.testing.assert_array_equal(held_out.judged, again)
        assert np.isfinite(last.report["metrics"]["val/mean_iou"])
    models = {str(i): (_out_of_fold(t.folder, context), None) for i, t in enumerate(trained)}
    stack = PredictionStack.of(models, Told(), contest.truth)
    metric = Told().example_metric(context.metric, contest.truth)
    choice = choose(metric, stack, judge(metric, stack))
    assert set(choice.recipes) >= {"geometric", "vote", BY_CLASS, "weighted + biases"}
    for judged in choice.recipes.values():
        merged = Told().merged(judged.blend.apply, [m.predictions for m, _ in models.values()])
        assert len(merged.masks) == len(merged.images)
    write_export(
        tmp_path / "export",
        trained,
        classes=contest.classes,
        task=context.task,
        numbers=contest.truth.numbers,
        about={},
        threads=1,
        build=functools.partial(context.task.network, own={}),
        form=contest.truth.form,
    )
    predictor = MaskPredictor(tmp_path / "export")
    expected = Told().average([Predictions.read(t.folder / "test.npz") for t in trained])
    paths = contest.paths[-8:]
    for row, (path, found, _) in enumerate(predictor.labels(paths)):
        assert path == paths[row]
        assert found is not None
        wanted = class_planes(expected.masks[row], *found.shape[:2])
        np.testing.assert_array_equal(found, 255 * wanted)


def _out_of_fold(folder: Path, context: TrainingContext) -> OutOfFold:
    """The hold-out's predictions as if halves of it were two folds."""
    found = Predictions.read(folder / "holdout.npz")
    count = len(found.images)
    return OutOfFold(
        predictions=found,
        labels=context.folds.labels[context.folds.held_out(0)],
        folds=np.arange(count) % 2,
        groups=None,
        count=2,
    )
