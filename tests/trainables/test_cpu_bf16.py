"""bf16 on a CPU: where a measurement says so, of gradients that are right, and kept to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from torch import nn

from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import timm_network
from trainables.training import cpu_bf16, state
from trainables.training.context import TrainingContext
from trainables.training.cpu_bf16 import bf16_pays
from trainables.training.fit import fit

SIZE = (8, 8)


class Slow(nn.Module):
    """A layer that takes its time in one of the two, as processors do."""

    def __init__(self, *, half: float, full: float, error: float = 0.0) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 64, 4)
        self._half, self._full, self._error = half, full, error

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        half = torch.is_autocast_enabled("cpu")
        until = time.process_time() + (self._half if half else self._full)
        while time.process_time() < until:
            pass
        outputs: torch.Tensor = self.layer(pictures.flatten(1))
        return outputs * (1 + self._error) if half else outputs


@pytest.mark.parametrize(
    ("half", "full", "error", "pays"),
    [
        (0.0, 0.02, 0.0, True),
        (0.02, 0.0, 0.0, False),
        (0.0, 0.02, 0.5, True),
        (0.0, 0.02, 2.0, False),
        (0.0, 0.02, float("nan"), False),
        (0.0, 0.02, -1.0, False),
    ],
)
def test_it_pays_where_it_is_faster_and_right(
    half: float, full: float, error: float, pays: bool
) -> None:
    model = Slow(half=half, full=full, error=error)
    assert bf16_pays(model, 4, SIZE, SIZE) is pays
    assert all(weight.grad is None for weight in model.parameters())


def test_every_step_is_a_sign_of_life_and_none_is_repeated_in_vain() -> None:
    beats: list[float] = []
    for half, full, steps in ((0.0, 0.01, 2 * (1 + cpu_bf16.TIMES)), (0.05, 0.0, 4)):
        beats.clear()
        model = Slow(half=half, full=full)
        bf16_pays(model, 4, SIZE, SIZE, lambda: beats.append(time.monotonic()))
        assert len(beats) == steps


def test_a_network_is_left_as_it_is() -> None:
    """Statistics of batch normalisation, gradients, and what is drawn next."""
    config = TrialConfig.of(backbone="test_resnet", size=64)
    model = timm_network(config, 10)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(7)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    bf16_pays(model, 2, (64, 64), (64, 64))
    assert torch.equal(torch.rand(3), drawn)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize(("first", "pays"), [(64, True), (32, False)])
def test_convolutions_of_a_single_pixel_are_left_out(
    first: int, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 32 pixels test_resnet's last layers have one left, where gradients are not computed."""
    monkeypatch.setattr(cpu_bf16, "FASTER", 0.0)
    model = timm_network(TrialConfig.of(backbone="test_resnet", size=64), 10)
    assert bf16_pays(model, 4, (64, 64), (first, first)) is pays


def test_a_training_asks_once_and_keeps_to_the_answer(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it goes on from a checkpoint, whatever the moment would say."""
    asked: list[tuple[int, tuple[int, int]]] = []

    def measured(model: nn.Module, images: int, size: tuple[int, int], *rest: object) -> bool:
        asked.append((images, size))
        return True

    monkeypatch.setattr(state, "bf16_pays", measured)
    monkeypatch.setattr(state, "WORTH", 1)
    config = small.replace(size=(40, 40), epochs=2)
    whole = list(fit(config, task, tmp_path / "whole"))
    assert asked == [(config.run.images_at_once, (40, 40))]
    assert [e.report["metrics"]["train/bf16"] for e in whole] == [1, 1]
    parted = fit(config, task, tmp_path / "parted")
    next(parted)
    del parted
    monkeypatch.setattr(state, "bf16_pays", lambda *rest: pytest.fail("it is known"))
    *_, last = fit(config, task, tmp_path / "parted")
    assert last.report["metrics"] == whole[-1].report["metrics"]
    plain = list(fit(config.replace(precision="fp32"), task, tmp_path / "plain"))
    assert "train/bf16" not in plain[-1].report["metrics"]
    assert plain[-1].report["metrics"]["train/loss"] != last.report["metrics"]["train/loss"]


def test_short_trainings_are_not_worth_a_measurement(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "bf16_pays", lambda *rest: pytest.fail("too short"))
    assert small.run.epochs * len(task.folds.labels) < cpu_bf16.WORTH * small.run.batch
    assert next(fit(small, task, tmp_path)).report["epoch"] == 1
