"""Networks of several epochs that predict together: in training, resumed, loaded and exported."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from results.predictions import Predictions
from spaces.trial_config import TrialConfig
from tests.trainables.test_fit import copied, numbers, reports_of
from trainables.inference.activation_maps import activation_maps
from trainables.inference.embed import embed
from trainables.inference.export import Trained, write_export
from trainables.inference.predict import load_trained, predict
from trainables.networks.timm_network import timm_network
from trainables.portable.activations import ACTIVATIONS, MEANS
from trainables.portable.committee import Committee, last_of
from trainables.portable.images import resize
from trainables.portable.predictor import Predictor
from trainables.training.checkpoint import Checkpoint
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import fit


@pytest.fixture(scope="module")
def together(small: TrialConfig) -> TrialConfig:
    return small.replace(
        epochs=3, warmup_epochs=0, size=16, averaging="ensemble", ensemble_epochs=2
    )


@pytest.fixture(scope="module")
def trained(
    together: TrialConfig, task: TrainingContext, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder of each epoch; the last is of the whole training."""
    folder = tmp_path_factory.mktemp("together")
    copied(fit(together, task, folder / "0"), folder)
    return folder


@pytest.mark.parametrize("activation", list(MEANS))
@pytest.mark.parametrize("size", [1.0, 60.0])
def test_outputs_are_those_of_the_mean_prediction(activation: str, size: float) -> None:
    """Also of outputs whose probabilities are nearly 0 or 1."""
    generator = torch.Generator().manual_seed(0)
    outputs = [size * torch.randn(4, 3, 2, 2, generator=generator) for _ in range(3)]
    activate = ACTIVATIONS[activation]
    mean = torch.stack([activate(one) for one in outputs]).mean(dim=0)
    torch.testing.assert_close(activate(MEANS[activation](outputs)), mean, atol=1e-6, rtol=1e-5)
    same = activate(MEANS[activation](outputs[:1] * 2))
    torch.testing.assert_close(same, activate(outputs[0]), atol=1e-6, rtol=1e-5)


def test_what_auxiliary_heads_say_is_averaged_too() -> None:
    class Said(torch.nn.Module):
        def __init__(self, value: float) -> None:
            super().__init__()
            self.value = value

        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return images, torch.full((len(images), 3), self.value)

    said = Committee([Said(-2.0), Said(1.0)], "softmax")(torch.zeros(2, 3, 4, 4))
    expected = (torch.sigmoid(torch.tensor(-2.0)) + torch.sigmoid(torch.tensor(1.0))) / 2
    torch.testing.assert_close(torch.sigmoid(said[1]), expected.expand(2, 3))


def test_predictions_are_the_mean_of_what_the_last_epochs_predict(
    together: TrialConfig, task: TrainingContext, trained: Path
) -> None:
    rows = task.folds.held_out(0)
    alone: list[NDArray[np.float32]] = []
    for done in ("2", "3"):
        checkpoint, _ = Checkpoint.newest(trained / done, together)
        assert checkpoint is not None
        model = timm_network(together, 10)
        model.load_state_dict(checkpoint.states["model"])
        device = Device.pick(together)
        found = predict(device.placed(model), together, task.store, rows, device, task.task)
        alone.append(np.asarray(found[task.task.head], np.float32))
    stored = Predictions.read(trained / "0" / "holdout.npz").probabilities
    np.testing.assert_allclose(stored, np.mean(alone, axis=0), atol=1e-5)
    assert np.abs(alone[0] - alone[1]).max() > 1e-3


@pytest.mark.parametrize("done", ["1", "2"])
def test_an_interrupted_training_ends_alike(
    done: str, together: TrialConfig, task: TrainingContext, trained: Path, tmp_path: Path
) -> None:
    """Before the first of the epochs that count, and between them."""
    shutil.copytree(trained / done, tmp_path / done)
    whole = reports_of(fit(together, task, trained / "0"))
    rest = reports_of(fit(together, task, tmp_path / done))
    assert numbers(rest)[-1] == numbers(whole)[-1]


def test_a_training_that_has_not_come_so_far_is_its_network(
    together: TrialConfig, trained: Path, task: TrainingContext, tmp_path: Path
) -> None:
    longer = together.replace(epochs=5)
    for _ in fit(longer, task, tmp_path):
        break
    model = load_trained(longer, tmp_path, 10, timm_network)
    assert not isinstance(model, Committee)
    whole = load_trained(together, trained / "0", 10, timm_network)
    assert isinstance(whole, Committee)
    assert len(whole.members) == 2


def test_its_last_network_is_looked_into(
    together: TrialConfig, task: TrainingContext, trained: Path
) -> None:
    model = load_trained(together, trained / "0", 10, timm_network)
    last = last_of(model)
    features = embed(model, together, task.store, [0, 1, 2])
    np.testing.assert_array_equal(features, embed(last, together, task.store, [0, 1, 2]))
    pictures = torch.from_numpy(np.array(task.store.pixels[:2]))
    device, labels = Device.pick(together), np.array([0, 1])
    maps = activation_maps(model, pictures, labels, device)
    np.testing.assert_array_equal(maps, activation_maps(last, pictures, labels, device))


def test_an_export_tells_what_was_stored(
    together: TrialConfig, task: TrainingContext, trained: Path, tmp_path: Path
) -> None:
    write_export(
        tmp_path / "model",
        [Trained(config=together, folder=trained / "0", arm="x")],
        classes=task.classes,
        task=task.task,
        numbers=(),
        about={},
        threads=1,
        build=functools.partial(task.task.network, own={}),
    )
    predictor = Predictor(tmp_path / "model", threads=1, cpu=True)
    ((member, model),) = predictor.members
    assert isinstance(model, Committee)
    rows = task.folds.held_out(0)
    config, device = together, Device.pick(together)
    loaded = device.placed(load_trained(config, trained / "0", 10, timm_network))
    found = predict(loaded, config, task.store, rows, device, task.task)[task.task.head]
    np.testing.assert_array_equal(found, Predictions.read(trained / "0/holdout.npz").probabilities)
    pictures = np.stack([resize(task.store.pixels[row], 16, 16) for row in rows[:8]])
    again = predictor.forward(member, model, pictures)
    np.testing.assert_allclose(again, found[:8], atol=1e-6)
