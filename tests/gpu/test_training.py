"""Trainings on a GPU: close to a CPU's, in every precision, and out of memory as they should be."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from results.predictions import PROBABILITIES, Predictions
from spaces.augmentation.operations import OPERATIONS
from spaces.trial_config import TrialConfig
from tests.trainables.conftest import context_of
from tests.trainables.test_batches import SIDE, SIZE, SQUARE, apart, policy_of_one
from trainables.augment.batches import augmented
from trainables.augment.drawing import Drawing
from trainables.augment.rounds import rounds_of
from trainables.data.contest import Contest
from trainables.inference.footprint import ms_per_image
from trainables.inference.predict import load_trained, predict
from trainables.networks.timm_network import timm_network
from trainables.portable.preparation import Preparation
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import Report, fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def last(config: TrialConfig, context: TrainingContext, folder: Path, workers: int = 0) -> Report:
    """The report of a training's last epoch."""
    return [epoch.report for epoch in fit(config, context, folder, workers=workers)][-1]


def test_auto_is_half_precision_on_a_gpu(small: TrialConfig) -> None:
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    assert Device.pick(small).target == GPU
    assert Device.pick(small).autocast_dtype is (torch.bfloat16 if native else torch.float16)
    assert Device.pick(small.replace(precision="fp32")).autocast_dtype is None


@pytest.fixture
def without_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card as those were that have no bf16: half precision is fp16, with a scaler."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_steps_are_those_of_a_cpu(
    precision: str,
    small: TrialConfig,
    task: TrainingContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """After one epoch of ten steps the mean loss is the same to a hundredth."""
    if precision == "fp16":
        request.getfixturevalue("without_bf16")
    asked = "fp32" if precision == "fp32" else "auto"
    config = small.replace(precision=asked, epochs=1, warmup_epochs=0, lr=1e-3)
    here = last(config, task, tmp_path / "gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    there = last(config, task, tmp_path / "cpu")
    assert here["metrics"]["train/loss"] == pytest.approx(there["metrics"]["train/loss"], rel=1e-2)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("augment_on", ["image", "batch"])
def test_it_goes_on_from_a_checkpoint(
    augment_on: str, workers: int, small: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    config = small.replace(augment_on=augment_on, mix="mixup", mix_alpha=0.2)
    epochs = fit(config, task, tmp_path / "whole", workers=workers)
    next(epochs)
    shutil.copytree(tmp_path / "whole", tmp_path / "again")
    whole = [epoch.report for epoch in epochs][-1]
    again = last(config, task, tmp_path / "again", workers)
    assert again["metrics"]["train/loss"] == pytest.approx(whole["metrics"]["train/loss"], rel=5e-2)
    assert again["epoch"] == whole["epoch"] == 2


@pytest.mark.usefixtures("without_bf16")
def test_it_goes_on_in_fp16(small: TrialConfig, task: TrainingContext, tmp_path: Path) -> None:
    """The scale of losses is part of a checkpoint."""
    assert Device.pick(small).scaler().is_enabled()
    epochs = fit(small, task, tmp_path / "whole", workers=0)
    next(epochs)
    shutil.copytree(tmp_path / "whole", tmp_path / "again")
    whole = [epoch.report for epoch in epochs][-1]
    again = last(small, task, tmp_path / "again")
    assert again["metrics"]["train/loss"] == pytest.approx(whole["metrics"]["train/loss"], rel=5e-2)


def test_predictions_of_a_trained_network_are_those_of_a_cpu(
    small: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    last(small, task, tmp_path)
    rows = task.folds.held_out(0)
    said = Predictions.read(tmp_path / "holdout.npz").heads[PROBABILITIES]
    model = load_trained(small, tmp_path, len(task.classes), timm_network)
    cpu = Device(target=CPU, autocast_dtype=None)
    found = predict(model, small, task.store, rows, cpu, task.task)[PROBABILITIES]
    assert isinstance(found, np.ndarray)
    assert np.abs(said - found).max() < 0.05


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "noise"])
def test_batches_are_augmented_as_on_a_cpu(name: str) -> None:
    """To one level of 255 in hardly any pixel; masks but for a pixel in a thousand."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (8, SIDE, SIDE, 3), dtype=np.uint8)
    masks = rng.integers(0, 5, (8, SIDE, SIDE), dtype=np.uint8)
    size = SQUARE if OPERATIONS[name].swaps_sides else SIZE
    drawing = Drawing(policy_of_one(name, 0.7), size, 5, SIDE, "black")
    views = [drawing.drawn(pictures[i], 2, i, masks[i]) for i in range(len(pictures))]
    seen = torch.from_numpy(np.stack([view["image"] for view, _ in views]))
    moved = torch.from_numpy(np.stack([view["mask"] for view, _ in views]))
    rounds = rounds_of([steps for _, steps in views])
    one = augmented(seen.clone(), moved.clone(), rounds, "black", CPU)
    two = augmented(seen.clone(), moved.clone(), rounds, "black", GPU)
    off = apart(one[0].numpy(), two[0].cpu().numpy())
    assert off.max() <= 1 or (off > 1).mean() <= 0.001
    assert (off > 0).mean() <= 0.01
    assert one[1] is not None
    assert two[1] is not None
    assert (one[1] != two[1].cpu()).float().mean() <= 0.001


def test_masks_are_learned_on_it(scenes: Contest, config: TrialConfig, tmp_path: Path) -> None:
    context = context_of(scenes, Preparation(side=64), tmp_path / "store")
    report = last(config, context, tmp_path / "trial")
    assert 0 <= report["metrics"]["val/mean_iou"] <= 1


def test_seconds_are_those_of_the_work(
    small: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    """Of an epoch's seconds none is missing in its parts, though a GPU works on its own."""
    config = small.replace(size=224, store_side=0, backbone="resnet50", epochs=1, warmup_epochs=0)
    seconds = last(config, task, tmp_path)["seconds"]
    parts = sum(seconds[name] for name in ("feed", "transfer", "compute", "evaluate"))
    assert parts == pytest.approx(seconds["total"], rel=0.1)
    assert seconds["compute"] > seconds["feed"]


def test_time_is_waited_for(small: TrialConfig, task: TrainingContext) -> None:
    larger = small.replace(backbone="resnet50", size=(224, 224), store_side=0)
    little = ms_per_image(small, 10, timm_network, 1)
    assert 0 < little < ms_per_image(larger, 10, timm_network, 1)


def test_memory_is_given_back(small: TrialConfig, task: TrainingContext, tmp_path: Path) -> None:
    """A training that does not fit ends as one that is out of memory; the next one has it all."""
    from search.execution.faults import fault_of

    config = small.replace(size=(224, 224), store_side=0, backbone="resnet50", batch=64)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.set_per_process_memory_fraction(2 * 2**30 / torch.cuda.mem_get_info()[1])
    try:
        with pytest.raises(torch.OutOfMemoryError) as caught:
            last(config, task, tmp_path / "large")
        assert fault_of(caught.value) == "memory"
        caught.value.__traceback__ = None
        del caught
        assert torch.cuda.memory_allocated() - before < 2**28
        last(config.replace(micro_batch=8, epochs=1, warmup_epochs=0), task, tmp_path / "small")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
