"""The space of everything: what it draws is valid, can be built, and can be trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import optuna
import pytest
import torch

from spaces.ready.full import full
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.training.context import TrainingContext
from trainables.training.state import TrainingState

BASELINE = TrialConfig.of(batch=4, micro_batch=4)


def draws(space: SearchSpace, count: int, seed: int) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [dict(space.suggest(study.ask())) for _ in range(count)]


@pytest.mark.slow
def test_ten_thousand_draws_are_valid() -> None:
    space = full()
    for params in draws(space, 10_000, 1):
        assert space.read(params) == params
        TrialConfig().with_params(params)


def steps(params: dict[str, Any], task: TrainingContext) -> None:
    """Builds what a draw says and takes a training step, with four images a batch."""
    small = {**params, "batch": 4, "frozen_epochs": 0}
    training = TrainingState(BASELINE.with_params(small), task, 0)
    training.freezing.begin(1)
    training.schedule.step_update(training.steps)
    before = [w.detach().clone() for w in training.model.parameters()]
    loss, images = training._differentiate(next(iter(training.batches(1))), 0)
    assert images == 4
    assert torch.isfinite(loss), params
    training._step(0)
    after = training.model.parameters()
    assert any((a != b).any() for a, b in zip(after, before, strict=True)), params


@pytest.mark.parametrize("number", range(8))
def test_draws_take_a_step_with_tiny_networks(number: int, task: TrainingContext) -> None:
    # Too small to grow.
    space = full().pin({"backbone": "resnet18", "size": "32x32", "first_share": 1.0})
    tiny = ("test_resnet", "test_vit", "test_efficientnet", "test_resnet+test_vit")
    (params,) = draws(space, 1, number)
    steps({**params, "backbone": tiny[number % len(tiny)], "size": 32}, task)


@pytest.mark.slow
def test_two_hundred_draws_take_a_step(task: TrainingContext) -> None:
    few = replace(task, predict_test=False)
    for params in draws(full(sizes=("96x96",)), 200, 2):
        steps(params, few)
