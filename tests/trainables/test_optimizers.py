"""What may stand around an optimizer, on functions whose slopes are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import timm_network
from trainables.training.optimizers import build_optimizer, check_optimizer
from trainables.training.schedules import SCHEDULES
from trainables.training.sharpness_aware import sharpness_aware


def test_lookahead_goes_half_of_the_way_back() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    config = TrialConfig.of(optimizer="sgd", lr=1.0, momentum=0.0, weight_decay=0.0, lookahead=2)
    optimizer = build_optimizer(config, model)
    seen = []
    for _ in range(4):
        model.weight.grad = torch.ones_like(model.weight)
        optimizer.step()
        seen.append(model.weight.item())
    assert seen == [-1.0, -2.0, -3.0, -3.0]  # from -4 half of the way back to -2


def test_the_name_of_timm_s_lookahead_is_told_how_to_write() -> None:
    with pytest.raises(InputError, match="write optimizer=adamw and lookahead=6"):
        check_optimizer("lookahead_adamw")


def test_layers_far_from_the_head_learn_more_slowly() -> None:
    config = TrialConfig.of(backbone="test_vit", size=32, lr=1.0, layer_decay=0.5, epochs=2)
    model = timm_network(config, 3)
    optimizer = build_optimizer(config, model)
    SCHEDULES.of(config.schedule)(config, optimizer, 1).step_update(1)
    rates = {p: g["lr"] for g in optimizer.param_groups for p in g["params"]}
    named = dict(model.named_parameters())
    assert set(rates) == set(named.values())
    assert rates[named["head.weight"]] == max(rates.values()) == 1.0
    blocks = [rates[named[f"blocks.{i}.attn.qkv.weight"]] for i in range(6)]
    assert blocks == pytest.approx([blocks[-1] * 0.5 ** (5 - i) for i in range(6)])
    assert rates[named["patch_embed.proj.weight"]] == pytest.approx(blocks[0] / 2)


def differentiated(model: torch.nn.Module, measure: Any, radius: float) -> float:
    def backward(loss: torch.Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]

    loss, images = sharpness_aware(model, measure, backward, radius, lambda loss: 8 * loss)
    assert images == 4
    return loss.item()


def test_the_gradient_is_that_of_the_worst_place_nearby() -> None:
    """Of |w|², at (3, 4) with radius 1, that of (3.6, 4.8)."""
    model = torch.nn.Linear(2, 1, bias=False)
    model.weight.data = torch.tensor([[3.0, 4.0]])
    loss = differentiated(model, lambda: ((model.weight**2).sum(), 4), 1.0)
    assert loss == 25.0
    assert model.weight.tolist() == [[3.0, 4.0]]
    assert model.weight.grad is not None
    torch.testing.assert_close(model.weight.grad, torch.tensor([[7.2, 9.6]]))


def test_without_a_slope_the_weights_stay_where_they_are() -> None:
    model = torch.nn.Linear(2, 1)
    model.weight.data = torch.zeros(1, 2)
    differentiated(model, lambda: ((model.weight**2).sum(), 4), 1.0)
    assert model.weight.tolist() == [[0.0, 0.0]]


def test_both_looks_draw_alike_and_the_second_is_unknown_to_batch_normalisation() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout())
    inputs = torch.randn(4, 3)
    drawn = []

    def measure() -> tuple[torch.Tensor, int]:
        drawn.append((np.random.rand(), float(torch.rand(1))))
        return model(inputs).square().sum(), 4

    torch.manual_seed(0)
    differentiated(model, measure, 0.5)
    ours = {name: value.clone() for name, value in model[1].state_dict().items()}
    assert drawn[0] == drawn[1]
    model[1].reset_running_stats()  # type: ignore[operator]
    torch.manual_seed(0)
    measure()
    torch.testing.assert_close(model[1].running_mean, ours["running_mean"])
    torch.testing.assert_close(model[1].running_var, ours["running_var"])
