"""What the networks of a job cost, measured before anything is trained, and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

from results.records.network_cost import NetworkCost, cost_words
from search.execution.say import Say
from search.options.limit import LimitConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.inference.footprint import Footprint, ms_per_image
from trainables.networks.networks import BuildModel


def measured_costs(
    configs: Iterable[TrialConfig],
    classes: int,
    build: BuildModel,
    threads: int,
    *,
    timed: bool,
    say: Say,
) -> dict[str, NetworkCost]:
    """Measures networks where they predict.

    Args:
        configs: One for every network and size that may be trained.
        classes: Number of classes.
        build: Builds a network.
        threads: CPU threads of a trial.
        timed: Whether they also predict, which takes seconds each.
        say: Told what is measured.

    Returns:
        Costs by `TrialConfig.network`.
    """
    found: dict[str, NetworkCost] = {}
    for config in configs:
        if config.network in found:
            continue
        bare = config.replace(pretrained=False, weights="")
        with torch.device("meta"):
            counted = Footprint.of(build(bare, classes))
        took = ms_per_image(bare, classes, build, threads) if timed else None
        if took is not None:
            say(f"{config.network} takes {cost_words('ms_per_image', took)}")
        found[config.network] = NetworkCost(
            parameters=counted.parameters, mb=counted.mb, ms_per_image=took
        )
    return found


def check_limits(
    limit: LimitConfig,
    baseline: TrialConfig,
    costs: Mapping[str, NetworkCost],
    fewest: int,
    say: Say,
) -> None:
    """Checks networks against what they may cost; those above it are not drawn.

    Args:
        limit: What they may cost.
        baseline: The untuned configuration, which is trained in any case.
        costs: Of all that may be trained.
        fewest: How many of a network predict together at least in what is drawn.
        say: Told which are left out.

    Raises:
        InputError: If the baseline is above a limit, or all others are.
    """
    above = {
        name: words
        for name, cost in costs.items()
        if (words := _above(limit, cost.times(fewest), fewest))
    }
    members = baseline.members
    own = _above(limit, costs[baseline.network].times(members), members)
    if own:
        raise InputError(f"{own}: the baseline, {baseline.network}; fix.backbone= takes another")
    if not above:
        return
    told = "; ".join(f"{name} ({words})" for name, words in above.items())
    if len(costs) - len(above) < 2:
        raise InputError(f"nothing is left to be drawn beside the baseline: {told}")
    say(f"left out {len(above)} of {len(costs)} networks: {told}")


def _above(limit: LimitConfig, cost: NetworkCost, members: int) -> str:
    """In words what networks that predict together have above a limit; empty for nothing."""
    told = ", ".join(
        f"{cost_words(name, cost.of(name))}, above limit.{name}={getattr(limit, name):{form}}"
        for name in limit.above(cost)
        for form in [",.0f" if name == "parameters" else "g"]
    )
    return f"{told}, {members} epochs together" if told and members > 1 else told
