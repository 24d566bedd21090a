"""Limits of a network's cost: told before anything is trained, with what is above them."""

from __future__ import annotations

import pytest
import torch

from search.jobs.limits import check_limits
from search.jobs.network_checks import _networks
from search.options.groups import LimitConfig
from spaces.errors import InputError
from spaces.ready import ready_space
from spaces.trial_config import TrialConfig
from trainables.inference.footprint import Footprint
from trainables.networks.timm_network import timm_network

TINY = TrialConfig.of(backbone="test_resnet", size=32)
PAIR = TINY.replace(backbone="test_resnet+test_vit")


def check(limit: dict[str, float], *configs: TrialConfig) -> list[str]:
    said: list[str] = []
    check_limits(LimitConfig(**limit), configs, 3, timm_network, 1, said.append)
    return said


def test_parameters_and_size_are_counted() -> None:
    model = timm_network(TINY, 3)
    found = Footprint.of(model)
    assert found.parameters == sum(weight.numel() for weight in model.parameters())
    with torch.device("meta"):
        assert Footprint.of(timm_network(TINY, 3)) == found
    check({"parameters": found.parameters, "mb": found.mb}, TINY)
    with pytest.raises(InputError, match=r"limit.parameters=.*: test_resnet has .*; drop=\[test_"):
        check({"parameters": found.parameters - 1}, TINY)
    with pytest.raises(InputError, match=r"limit.mb=0.01: test_resnet has .*, test_resnet\+test_v"):
        check({"mb": 0.01}, TINY, PAIR)
    assert check({}, PAIR) == []


def test_time_per_image_is_measured_at_the_size_of_predictions() -> None:
    config = TINY.replace(predict_size=48)
    (said,) = check({"ms_per_image": 1e6}, config)
    assert said.startswith("test_resnet takes ")
    assert said.endswith("ms per image of 48 x 48 pixels")
    with pytest.raises(InputError, match=r"limit.ms_per_image=1e-06: .* at 48x48"):
        check({"ms_per_image": 1e-6}, config)


def test_every_pair_that_may_be_drawn_is_measured() -> None:
    space = ready_space("backbone(names=['test_vit','test_resnet'],sizes=['32x32','48x48'])")
    found = [(c.flat()["backbone"], c.data.size) for c in _networks(TINY, space)]
    assert found[0] == ("test_resnet", (32, 32))
    assert set(found[1:]) == {
        (name, size) for name in ("test_vit", "test_resnet") for size in ((32, 32), (48, 48))
    }
    everything = ready_space("full(families=['vit'])").pin({"size": 32})
    assert {c.flat()["drop_path"] for c in _networks(TINY, everything) if c != TINY} == {0.3}


def test_a_limit_below_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"limit.mb=-1: must be above 0, or 0 for no limit"):
        LimitConfig(mb=-1)
