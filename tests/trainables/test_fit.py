"""Training: the same bits whatever the workers, interruptions and neighbours."""

from __future__ import annotations

import importlib
import itertools
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from results.metrics import METRICS
from results.predictions import PROBABILITIES, Predictions
from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.sections.optimizer import ADAPTIVE
from spaces.trial_config import TrialConfig
from tests.faults.killpoints.sitecustomize import arm
from tests.tiny import build
from trainables.data.batch import Batch
from trainables.data.training_set import training_set
from trainables.inference.predict import load_trained, predict
from trainables.networks.timm_network import timm_network
from trainables.training import plateau, saving, step_times
from trainables.training.checkpoint import Checkpoint
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import Epoch, Report, fit
from trainables.training.step_times import StepTimes
from trainables.training.training_error import TrainingError
from trainables.training.training_score import scored_rows


def reports_of(epochs: Iterable[Epoch]) -> list[Report]:
    return [epoch.report for epoch in epochs]


def copied(epochs: Iterable[Epoch], folder: Path) -> list[Report]:
    """Reports of a training in ``0``; what an interruption after an epoch would leave is copied."""
    reports: list[Report] = []
    for epoch in epochs:
        reports.append(epoch.report)
        shutil.copytree(folder / "0", folder / f"{len(reports)}")
    return reports


def numbers(reports: list[Report]) -> list[dict[str, float]]:
    return [r["metrics"] for r in reports]


@pytest.fixture(scope="module")
def small(small: TrialConfig) -> TrialConfig:
    """On a quarter of the pixels."""
    return small.replace(size=(16, 16))


@pytest.fixture(scope="module")
def rich(small: TrialConfig) -> TrialConfig:
    """Everything that draws at random: augmentation, mixing, dropout; and an average of weights."""
    return small.replace(
        epochs=3,
        policy=trivial_augment(),
        mix="cutmix",
        mix_alpha=1.0,
        dropout=0.2,
        averaging="ema",
        ema_decay=0.9,
        label_smoothing=0.1,
    )


@pytest.fixture(scope="module")
def reference(
    rich: TrialConfig, task: TrainingContext, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Report], Path]:
    folder = tmp_path_factory.mktemp("reference")
    return reports_of(fit(rich, task, folder)), folder


def test_reports_and_files(
    reference: tuple[list[Report], Path], task: TrainingContext, rich: TrialConfig
) -> None:
    reports, folder = reference
    assert [r["epoch"] for r in reports] == [1, 2, 3]
    last = reports[-1]["metrics"]
    always = {f"val/{name}" for name in METRICS} | {"train/loss", "train/lr"}
    assert [set(r["metrics"]) for r in reports[:2]] == [always] * 2
    assert set(last) == always | {"train/macro_f1", "gap/macro_f1"}
    assert last["train/loss"] < reports[0]["metrics"]["train/loss"]
    holdout = Predictions.read(folder / "holdout.npz")
    rows = task.folds.held_out(0)
    assert holdout.images == tuple(task.folds.images[r] for r in rows)
    labels = task.folds.labels[rows]
    score = METRICS["macro_f1"].score(labels, holdout.probabilities)
    assert score == last["val/macro_f1"]  # the score is that of the stored predictions
    np.testing.assert_allclose(holdout.probabilities.sum(axis=1), 1, atol=1e-5)
    test = Predictions.read(folder / "test.npz")
    assert test.images == tuple(task.store.images[len(task.folds.images) :])
    assert {p.name[:16] for p in folder.iterdir()} == {
        "holdout.npz",
        "test.npz",
        "checkpoint-00002",
        "checkpoint-00003",
    }


def test_the_training_score_is_of_images_that_were_trained_on(
    reference: tuple[list[Report], Path], task: TrainingContext, rich: TrialConfig
) -> None:
    """At the last epoch: of a share of every class, not augmented, by the averaged weights."""
    reports, folder = reference
    learned = training_set(rich, task)
    rows = scored_rows(learned, task, 0)
    held_out = task.folds.held_out(0)
    assert len(rows) == len(held_out)
    assert not set(rows) & set(held_out)
    sizes = [np.bincount(task.folds.labels[r], minlength=10) for r in (rows, held_out)]
    assert np.abs(sizes[0] - sizes[1]).max() <= 2
    model = load_trained(rich, folder, 10, timm_network)
    told = predict(model, rich, task.store, rows, Device.pick(rich), task.task)
    probabilities = told[PROBABILITIES]
    assert isinstance(probabilities, np.ndarray)
    found = METRICS["macro_f1"].score(task.folds.labels[rows], probabilities)
    last = reports[-1]["metrics"]
    assert last["train/macro_f1"] == pytest.approx(found)
    assert last["gap/macro_f1"] == pytest.approx(100 * (found - last["val/macro_f1"]))


def test_loader_workers_change_nothing(
    reference: tuple[list[Report], Path], rich: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    again = reports_of(fit(rich, task, tmp_path, workers=2))
    assert numbers(again) == numbers(reference[0])


def test_an_interrupted_training_ends_with_the_same_bits(
    reference: tuple[list[Report], Path], rich: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    first = reports_of(itertools.islice(fit(rich, task, tmp_path), 1))
    torch.rand(7)  # whatever happens in between
    np.random.rand(3)
    rest = reports_of(fit(rich, task, tmp_path))
    seconds = first[0].pop("seconds")  # the checkpoint's own report comes first
    assert {**rest[0].pop("seconds"), "checkpoint": seconds["checkpoint"]} == seconds
    assert rest[0] == first[0]
    assert numbers(rest) == numbers(reference[0])
    ours = Predictions.read(tmp_path / "test.npz").probabilities
    theirs = Predictions.read(reference[1] / "test.npz").probabilities
    np.testing.assert_array_equal(ours, theirs)


def test_seconds_of_steps_are_waiting_or_moving_or_computing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 10.0
    monkeypatch.setattr(step_times, "time", SimpleNamespace(perf_counter=lambda: clock))
    times = StepTimes(torch.device("cpu"))
    for feeding, moving, computing in ((2.0, 0.125, 3.0), (0.5, 0.375, 1.0)):
        clock += feeding
        times.begin()
        clock += moving
        times.moved()
        clock += computing
        times.end()
    clock += 0.25  # to find that there is no batch left
    assert times.seconds() == {"feed": 2.75, "transfer": 0.5, "compute": 4.0}


def test_seconds_between_epochs_are_checkpoints_and_waiting(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "TIMES_AS_LONG", 1e9)  # the first epoch and the last
    told = []
    for epoch in fit(small.replace(epochs=3), task, tmp_path):
        told.append(epoch.report["seconds"])
        time.sleep(0.05)
    assert [seconds.get("checkpoint", 0) > 0 for seconds in told] == [True, False, True]
    assert [seconds["wait"] >= 0.05 for seconds in told] == [False, True, True]
    parts = ("feed", "transfer", "compute", "evaluate")
    assert all(sum(s[part] for part in parts) <= s["total"] for s in told)


def test_a_batch_moves_whole_but_for_boxes() -> None:
    pictures, targets = torch.zeros(2, 4, 4, 3), torch.zeros(2)
    batch = Batch(pictures, targets, masks=torch.zeros(2, 4, 4), boxes=torch.zeros(2, 4))
    moved = batch.to(torch.device("meta"))
    assert moved.masks is not None
    assert {part.device.type for part in (moved.pictures, moved.targets, moved.masks)} == {"meta"}
    assert moved.boxes is batch.boxes


def test_epochs_without_a_checkpoint_are_trained_again(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of short epochs the first and the last have one; the same bits come of an interruption."""
    config = small.replace(epochs=4)
    whole = reports_of(fit(config, task, tmp_path / "whole"))
    monkeypatch.setattr(saving, "TIMES_AS_LONG", 1e9)
    cut = reports_of(itertools.islice(fit(config, task, tmp_path / "cut"), 3))
    assert [report["epoch"] for report in cut] == [1, 2, 3]
    assert [path.name[:16] for path in (tmp_path / "cut").glob("checkpoint-*")] == [
        "checkpoint-00001"
    ]
    again = reports_of(fit(config, task, tmp_path / "cut"))
    assert numbers(again) == numbers(whole)
    assert {path.name[:16] for path in (tmp_path / "cut").glob("checkpoint-*")} == {
        f"checkpoint-0000{epoch}" for epoch in (2, 4)
    }


def test_another_trial_before_it_changes_nothing(
    reference: tuple[list[Report], Path], rich: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    other = rich.replace(seed=9, policy=AugPolicy(), optimizer="sgd", lr=0.1, epochs=2)
    reports_of(fit(other, task, tmp_path / "other"))
    again = reports_of(fit(rich, task, tmp_path / "again"))
    assert numbers(again) == numbers(reference[0])


def test_seed_and_fold_matter(task: TrainingContext, small: TrialConfig, tmp_path: Path) -> None:
    runs = {
        name: numbers(reports_of(fit(config, task, tmp_path / name)))
        for name, config in {
            "plain": small,
            "seed": small.replace(seed=1),
            "fold": small.replace(fold=1),
        }.items()
    }
    assert runs["plain"] != runs["seed"]
    assert runs["plain"] != runs["fold"]


def test_accumulation_equals_the_whole_batch(task: TrainingContext, tmp_path: Path) -> None:
    """Without batch normalisation, two halves give the gradient of the whole."""
    config = TrialConfig.of(
        backbone="test_vit",
        size=(32, 32),
        store_side=44,
        batch=64,
        micro_batch=64,
        epochs=1,
        warmup_epochs=0,
        clip_grad=0.0,
    )
    whole = numbers(reports_of(fit(config, task, tmp_path / "whole")))
    halves = numbers(reports_of(fit(config.replace(micro_batch=32), task, tmp_path / "halves")))
    assert whole[0]["train/loss"] == pytest.approx(halves[0]["train/loss"], rel=1e-3)
    assert config.replace(micro_batch=32).run.accumulation == 2


def test_warm_up_and_cosine(task: TrainingContext, small: TrialConfig, tmp_path: Path) -> None:
    config = small.replace(epochs=4, warmup_epochs=2, warmup_start=0.1)
    rates = [r["metrics"]["train/lr"] for r in reports_of(fit(config, task, tmp_path))]
    steps = len(task.folds.trained_on(0)) // config.run.batch
    warm = [0.1 + 0.9 * (end * steps - 1) / (2 * steps) for end in (1, 2)]  # of the last steps
    assert rates[:2] == pytest.approx([config.optimizer.lr * share for share in warm])
    assert rates[3] < 0.05 * config.optimizer.lr


@pytest.mark.parametrize(
    "changes",
    [
        *({"optimizer": name, "lr": 5e-3} for name in ADAPTIVE),
        {"optimizer": "lion", "lr": 1e-3},
        {"optimizer": "sgd", "lr": 0.1},
        {"lookahead": 4},
        {"sam_radius": 0.05, "dropout": 0.2, "mix": "mixup"},
        {"layer_decay": 0.9},
        {"schedule": "one_cycle", "lookahead": 4},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_optimizers_train_and_resume(
    changes: dict[str, Any], task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    config = small.replace(**changes)
    whole = copied(fit(config, task, tmp_path / "0"), tmp_path)
    assert numbers(reports_of(fit(config, task, tmp_path / "1"))) == numbers(whole)


def test_a_plateau_before_an_interruption_is_known_after_it(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the losses are: only one that falls to a tenth counts as lower here."""
    monkeypatch.setattr(plateau, "LEAST", 0.9)
    config = small.replace(epochs=3, warmup_epochs=0, schedule="plateau", plateau_epochs=1)
    whole = copied(fit(config, task, tmp_path / "0"), tmp_path)
    rates = [report["metrics"]["train/lr"] for report in whole]
    assert rates == pytest.approx([config.optimizer.lr, config.optimizer.lr, rates[1] / 10])
    assert numbers(reports_of(fit(config, task, tmp_path / "2"))) == numbers(whole[1:])


def test_the_last_epochs_weights_are_averaged_and_resumed(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    config = small.replace(epochs=3, warmup_epochs=0, averaging="swa", swa_epochs=2)
    whole = copied(fit(config, task, tmp_path / "0"), tmp_path)
    seen: list[Checkpoint] = []
    for done in (1, 2, 3):
        checkpoint, _ = Checkpoint.newest(tmp_path / str(done), config)
        assert checkpoint is not None
        seen.append(checkpoint)
    *_, two, three = (dict(checkpoint.states["model"]) for checkpoint in seen)
    average = seen[-1].states["average"]
    assert average["epochs"] == 2
    for name, averaged in average["weights"].items():
        if averaged.is_floating_point():
            torch.testing.assert_close(averaged, (two[name] + three[name]) / 2)
    assert (
        max((three[n] - averaged).abs().max() for n, averaged in average["weights"].items()) > 1e-3
    )
    model = load_trained(config, tmp_path / "0", 10, timm_network)
    torch.testing.assert_close(dict(model.state_dict()), dict(average["weights"]))
    for done in (1, 2):
        rest = reports_of(fit(config, task, tmp_path / str(done)))
        assert numbers(rest) == numbers(whole[done - 1 :])


def test_an_own_network_and_loss(task: TrainingContext, small: TrialConfig, tmp_path: Path) -> None:
    seen: list[tuple[int, ...]] = []

    def model(config: TrialConfig, classes: int) -> torch.nn.Module:
        return torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(192, classes)
        )

    def loss(config: TrialConfig) -> Any:
        def mean_squared(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(targets.shape))
            return ((logits.softmax(1) - targets) ** 2).sum(1).mean()

        return mean_squared

    own = replace(task, own={"my:model": model, "my:loss": loss})
    config = small.replace(size=(32, 32), model="my:model", loss="my:loss")
    with pytest.raises(InputError, match="model=my:model is your own: say model=my:model"):
        reports_of(fit(config, task, tmp_path))
    reports = reports_of(fit(config, own, tmp_path))
    assert seen[0] == (32, 10)
    first, last = (report["metrics"]["train/loss"] for report in reports)
    assert last < first


def test_a_loss_that_is_not_finite_ends_the_training(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    def loss(config: TrialConfig) -> Any:
        return lambda logits, targets: logits.sum() * float("nan")

    with pytest.raises(TrainingError, match="loss is nan in epoch 1"):
        reports_of(
            fit(small.replace(loss="my:loss"), replace(task, own={"my:loss": loss}), tmp_path)
        )
    assert not list(tmp_path.glob("checkpoint-*"))


def test_a_checkpoint_of_another_configuration_is_not_continued(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    reports_of(fit(small, task, tmp_path))
    reports = reports_of(fit(small.replace(lr=1e-3), task, tmp_path))
    assert [r["epoch"] for r in reports] == [1, 2]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    reference: tuple[list[Report], Path], rich: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    reports_of(itertools.islice(fit(rich, task, tmp_path), 2))
    (newest,) = tmp_path.glob("checkpoint-00002*")
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(bytes(data))
    found, notes = Checkpoint.newest(tmp_path, rich)
    assert found is not None
    assert found.epoch == 1
    assert f"{newest.name} is damaged" in notes[0]
    first, *rest = fit(rich, task, tmp_path)
    assert first.notes == notes
    assert numbers(reports_of([first, *rest])) == numbers(reference[0])


WRITES = [
    ("trainables.training.epoch_evaluation", "Predictions.write", 1),
    ("trainables.training.epoch_evaluation", "Predictions.write", 3),  # of the test images
    ("trainables.training.fit", "Checkpoint.write", 1),
    ("trainables.training.fit", "Checkpoint.write", 2),
    ("trainables.training.checkpoint", "_sync", 1),  # in the middle of a checkpoint
    (
        "trainables.training.checkpoint",
        "_sync",
        2,
    ),  # it is there, and so are those that it replaces
    ("trainables.training.checkpoint", "trim_checkpoints", 2),
]


@pytest.fixture(scope="module")
def unharmed(
    task: TrainingContext, small: TrialConfig, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainingContext, list[Report], Path]:
    """A small network, its reports, and the folder of its training."""
    quick, folder = replace(task, own={"my:model": build}), tmp_path_factory.mktemp("unharmed")
    small = small.replace(model="my:model")
    return quick, reports_of(fit(small, quick, folder)), folder


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("module", "write", "call"), WRITES)
def test_killed_on_either_side_of_a_write(
    unharmed: tuple[TrainingContext, list[Report], Path],
    small: TrialConfig,
    tmp_path: Path,
    module: str,
    write: str,
    call: int,
    side: str,
) -> None:
    task, whole, folder = unharmed
    small = small.replace(model="my:model")

    def killed() -> None:
        points = [(0, [write, side, str(call), ""])]
        os.environ["KILL_MARKS"] = str(tmp_path)
        arm(importlib.import_module(module), points)
        list(fit(small, task, tmp_path / "trial"))

    torch.set_num_threads(1)
    child = multiprocessing.get_context("fork").Process(target=killed)
    child.start()
    child.join()
    assert child.exitcode == -9
    reports = {r["epoch"]: r["metrics"] for r in reports_of(fit(small, task, tmp_path / "trial"))}
    assert reports == {r["epoch"]: r["metrics"] for r in whole if r["epoch"] in reports}
    assert 2 in reports
    for part in ("holdout.npz", "test.npz"):
        ours, theirs = (Predictions.read(d / part) for d in (tmp_path / "trial", folder))
        np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)
    assert not list((tmp_path / "trial").glob(".*"))


def test_damage_at_a_hundred_places_is_recognised(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    """Cut or flipped anywhere, the newest gives way to the one before, which has all reports."""
    config = small.replace(epochs=3)
    reports = reports_of(itertools.islice(fit(config, task, tmp_path), 2))
    rng = np.random.default_rng(0)
    (path,) = tmp_path.glob("checkpoint-00002*")
    whole = path.read_bytes()
    for i in range(100):
        place = int(rng.integers(len(whole)))
        if i % 2:
            path.write_bytes(whole[:place])
        else:
            flipped = bytearray(whole)
            flipped[place] ^= 1
            path.write_bytes(bytes(flipped))
        found, notes = Checkpoint.newest(tmp_path, config)
        assert found is not None, place
        assert [r["metrics"] for r in found.reports] == numbers(reports[:1])
        assert f"{path.name} is damaged" in notes[0]
    path.write_bytes(whole)
    found, notes = Checkpoint.newest(tmp_path, config)
    assert found is not None
    assert ([r["metrics"] for r in found.reports], notes) == (numbers(reports), ())


def test_a_training_without_any_whole_checkpoint_says_that_it_starts_anew(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    reports = reports_of(itertools.islice(fit(small, task, tmp_path), 1))
    next(tmp_path.glob("checkpoint-00001*")).write_text("{}")
    (first,) = itertools.islice(fit(small, task, tmp_path), 1)
    assert numbers([first.report]) == numbers(reports)
    assert first.notes[-1] == "no checkpoint is left: it starts with its first epoch"


def test_a_smaller_micro_batch_goes_on_from_the_checkpoint(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    reports = reports_of(itertools.islice(fit(small, task, tmp_path), 1))
    halved = small.halved()
    assert halved is not None
    assert (halved.run.micro_batch, halved.run.accumulation, halved.run.batch) == (16, 2, 32)
    first, second = fit(halved, task, tmp_path)
    assert (numbers([first.report]), first.notes) == (numbers(reports[:1]), ())
    assert second.report["epoch"] == 2
    assert small.replace(batch=15).halved() is None
    assert small.replace(batch=6, mix="mixup").halved() is None


def test_evaluation_does_not_depend_on_the_batch(task: TrainingContext, small: TrialConfig) -> None:
    from trainables.networks.timm_network import timm_network
    from trainables.training.device import Device

    torch.manual_seed(0)
    model = timm_network(small, 10)
    rows = task.folds.held_out(0)
    device = Device.pick(small)
    found = [
        predict(model, small.replace(batch=b), task.store, rows, device, task.task)[PROBABILITIES]
        for b in (8, 32)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)
