"""Limits of a network's cost, measured before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch

from search.options.groups import LimitConfig
from spaces.errors import InputError
from spaces.sections.model import Smp, Timm
from spaces.trial_config import TrialConfig
from trainables.inference.footprint import Footprint, ms_per_image
from trainables.networks.networks import BuildModel


def check_limits(
    limit: LimitConfig,
    configs: Iterable[TrialConfig],
    classes: int,
    build: BuildModel,
    threads: int,
    say: Callable[[str], None],
) -> None:
    """Measures the networks of a job.

    Args:
        limit: What they may cost.
        configs: One for every network and size that may be trained.
        classes: Number of classes.
        build: Builds a network.
        threads: CPU threads of a trial.
        say: Told what is measured.

    Raises:
        InputError: If one is above a limit, with all that are and how to leave them out.
    """
    if not any((limit.parameters, limit.mb, limit.ms_per_image)):
        return
    over: dict[str, dict[str, None]] = {}
    names: dict[str, None] = {}
    for config in configs:
        name = config.model.backbone if isinstance(config.model, Timm | Smp) else config.model.kind
        for rule, words in _above(limit, config, classes, build, threads, say):
            over.setdefault(rule, {})[f"{name} {words}"] = None
            names[name] = None
    if over:
        told = "; ".join(f"{rule}: {', '.join(found)}" for rule, found in over.items())
        raise InputError(f"{told}; drop=[{','.join(names)}] leaves out what a space has of them")


def _above(
    limit: LimitConfig,
    config: TrialConfig,
    classes: int,
    build: BuildModel,
    threads: int,
    say: Callable[[str], None],
) -> Iterator[tuple[str, str]]:
    """The limits that a network is above, and in words what it costs."""
    with torch.device("meta"):
        cost = Footprint.of(build(config.replace(pretrained=False, weights=""), classes))
    if limit.parameters and cost.parameters > limit.parameters:
        yield f"limit.parameters={limit.parameters:,.0f}", f"has {cost.parameters:,}"
    if limit.mb and cost.mb > limit.mb:
        yield f"limit.mb={limit.mb:g}", f"has {cost.mb:.1f}"
    if limit.ms_per_image:
        height, width = config.data.prediction_size
        plain = config.replace(pretrained=False, weights="")
        took = ms_per_image(plain, classes, build, threads)
        say(
            f"{config.flat().get('backbone', config.model.kind)} takes {took:.2f} ms per image "
            f"of {height} x {width} pixels"
        )
        if took > limit.ms_per_image:
            yield (
                f"limit.ms_per_image={limit.ms_per_image:g}",
                f"takes {took:.2f} at {height}x{width}",
            )
