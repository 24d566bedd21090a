"""What networks cost: measured before anything is trained, with limits that leave some out."""

from __future__ import annotations

import pytest
import torch
from optuna.distributions import FloatDistribution

from results.records.network_cost import NetworkCost
from search.jobs.measured_costs import check_limits, measured_costs
from search.jobs.network_checks import SIZES, _costly, _fewest_members, _networks
from search.options.limit import LimitConfig
from spaces.errors import InputError
from spaces.param import Param
from spaces.ready import ready_space
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.inference.footprint import Footprint
from trainables.networks.timm_network import timm_network

TINY = TrialConfig.of(backbone="test_resnet", size=32)
PAIR = TINY.replace(backbone="test_resnet+test_vit")


def measure(*configs: TrialConfig, timed: bool = False) -> tuple[dict[str, NetworkCost], list[str]]:
    said: list[str] = []
    found = measured_costs(configs, 3, timm_network, 1, timed=timed, say=said.append)
    return found, said


def check(
    limit: dict[str, float],
    costs: dict[str, NetworkCost],
    baseline: TrialConfig = TINY,
    fewest: int = 1,
) -> list[str]:
    said: list[str] = []
    check_limits(LimitConfig(**limit), baseline, costs, fewest, said.append)
    return said


def test_parameters_and_size_are_counted() -> None:
    model = timm_network(TINY, 3)
    found = Footprint.of(model)
    assert found.parameters == sum(weight.numel() for weight in model.parameters())
    with torch.device("meta"):
        assert Footprint.of(timm_network(TINY, 3)) == found
    costs, said = measure(TINY, PAIR, TINY.replace(dropout=0.5))
    assert costs.keys() == {"test_resnet at 32x32", "test_resnet+test_vit at 32x32"}
    cost = costs[TINY.network]
    assert (cost.parameters, cost.mb, cost.ms_per_image) == (found.parameters, found.mb, None)
    assert not said


def test_time_per_image_is_measured_at_the_size_of_predictions() -> None:
    config = TINY.replace(predict_size=48)
    costs, (said,) = measure(config, timed=True)
    assert costs["test_resnet at 48x48"].of("ms_per_image") > 0
    assert said.startswith("test_resnet at 48x48 takes ")
    assert said.endswith(" ms per image")


def test_what_is_above_a_limit_is_left_out_and_named() -> None:
    small, large = (NetworkCost(parameters=n, mb=n / 1e6, ms_per_image=None) for n in (1000, 9000))
    costs = {TINY.network: small, "b at 32x32": small, "c at 32x32": large}
    assert check({"parameters": 9000}, costs) == []
    (said,) = check({"parameters": 8000, "mb": 0.0085}, costs)
    assert said == (
        "left out 1 of 3 networks: c at 32x32 (9,000 parameters, above limit.parameters=8,000, "
        "0.009 MiB of weights, above limit.mb=0.0085)"
    )
    with pytest.raises(InputError, match=r"^1,000 parameters, above limit.parameters=500: the"):
        check({"parameters": 500}, costs)
    together = TINY.replace(averaging="ensemble", ensemble_epochs=2)
    two = r"^2,000 parameters, above limit.parameters=1,500, 2 epochs together: the"
    with pytest.raises(InputError, match=two):
        check({"parameters": 1500}, costs, together)
    (said,) = check({"parameters": 15000}, costs, together, fewest=2)
    assert "(18,000 parameters, above limit.parameters=15,000, 2 epochs together)" in said
    with pytest.raises(InputError, match=r"nothing is left to be drawn beside the baseline: c at"):
        check({"parameters": 8000}, {TINY.network: small, "c at 32x32": large})


def test_the_fewest_that_predict_together_count_against_a_limit() -> None:
    """Whatever a space may draw, or what is pinned; the baseline has a check of its own."""
    three = TINY.replace(averaging="ensemble", ensemble_epochs=3)
    backbones, averages = ready_space("backbone"), ready_space("averaging(longest=5)")
    assert _fewest_members(three, backbones) == 3
    assert _fewest_members(TINY, backbones) == _fewest_members(three, averages) == 1
    alone = averages.drop(["none", "ema", "swa"])
    assert _fewest_members(TINY, alone) == 2
    assert _fewest_members(TINY, alone.pin({"ensemble_epochs": 4})) == 2
    assert _fewest_members(three, alone.pin({"ensemble_epochs": 3})) == 3


def test_every_pair_that_may_be_drawn_is_measured() -> None:
    names = {"backbone", *SIZES}
    space = ready_space("backbone(names=['test_vit','test_resnet'],sizes=['32x32','48x48'])")
    found = [(c.flat()["backbone"], c.data.size) for c in _networks(TINY, space, names)]
    assert found[0] == ("test_resnet", (32, 32))
    assert set(found[1:]) == {
        (name, size) for name in ("test_vit", "test_resnet") for size in ((32, 32), (48, 48))
    }
    everything = ready_space("full(families=['vit'])").pin({"size": 32})
    rates = {c.flat()["drop_path"] for c in _networks(TINY, everything, names) if c != TINY}
    assert rates == {0.3}


def test_what_decides_a_cost_has_to_be_choices() -> None:
    space = ready_space("segmentation")
    assert _costly(space) == {"decoder", "decoder_width"}
    rate = Param(name="timm.dropout", distribution=FloatDistribution(0.0, 0.5))
    assert _costly(SearchSpace(name="own", params=(rate,))) == set()
    masks = TrialConfig.of(model="smp", backbone="test_resnet", size=32)
    with pytest.raises(InputError, match=r"'decoder_width' of space 'segmentation' has to be cat"):
        list(_networks(masks, space, _costly(space)))
    pinned = space.pin({"decoder_width": 0.5})
    networks = {c.network for c in _networks(masks.replace(decoder_width=0.5), pinned, {"decoder"})}
    assert "test_resnet decoder=fpn decoder_width=0.5 at 32x32" in networks
    assert len(networks) == 6


def test_a_limit_below_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"limit.mb=-1: must be above 0, or 0 for no limit"):
        LimitConfig(mb=-1)
