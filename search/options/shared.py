"""What options of several commands have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.options.option import option
from search.options.tracking_uri import check_tracking
from spaces.errors import InputError, unknown

SAME_METRIC = (
    "the metric; empty is the search's; needed if that is a function of your own, module:function"
)
"""What --help says of ``metric=`` where a search has one already."""

MODEL = "your own network, module:function(config, classes)"
"""What --help says of ``model=``."""

LOSS = (
    "cross_entropy, focal, binary or soft_f1; of masks also dice, jaccard, lovasz, tversky or "
    "boundary; a sum of them (fix.terms=); or your own, module:function(config), which returns a "
    "function of logits and targets"
)
"""What --help says of ``loss=``."""

PREPARE = (
    "your own function of decoded images, module:function(picture), from and to uint8 "
    "(height, width, 3) in RGB, before they are stored"
)
"""What --help says of ``prepare=``."""

PIPELINES = (
    "albumentations pipelines of your own, module:function or files of A.save, as policies by "
    "name: pipelines=[my_augs:heavy,flips.yaml] fix.policy=heavy, or space=policies"
)
"""What --help says of ``pipelines=``."""

PARTS = "modules of your own that register losses, optimizers, networks, …: parts=[my_parts]"
"""What --help says of ``parts=``."""

DROP = (
    "remove choices from the space, everywhere or from one parameter: drop=[cutmix,loss.focal]; "
    "parameters that depend on them alone go, too"
)
"""What --help says of ``drop=``."""

ACCEPTABLE = ("validation", "code", "duplicates")
"""What goes through only when it is accepted by name."""


def check_accept(names: list[str], acceptable: Sequence[str] = ACCEPTABLE) -> None:
    """Raises InputError for a name that stands for nothing that a command asks about."""
    for name in names:
        if name not in acceptable:
            raise unknown("word", name, acceptable, "accept")


def demand(ok: bool, key: str, value: object, rule: str) -> None:
    """Raises InputError, naming option, value and rule, unless ``ok``."""
    if not ok:
        raise InputError(f"{key}={value}: must be {rule}")


def check_seed(seed: int, key: str = "seed") -> None:
    """Raises InputError unless generators take the seed, and those that are counted up from it."""
    demand(0 <= seed < 2**31, key, seed, f"from 0 to {2**31 - 1}")


@dataclass(kw_only=True)
class RunsConfig:
    """Where everything is that runs write."""

    runs: str = option("runs", "folder for everything that is written", recorded=False)


@dataclass(kw_only=True)
class TrackedConfig(RunsConfig):
    """Where MLflow's copy of it is."""

    tracking: str = option("", "MLflow tracking URI; empty is mlflow.db beside the runs folder")

    def __post_init__(self) -> None:
        check_tracking(self.tracking)


@dataclass(kw_only=True)
class RulesConfig:
    """What the contest's rules allow."""

    test_images: bool | None = option(
        None, "false if the rules forbid looking at test images; remembered"
    )


@dataclass(kw_only=True)
class BandConfig:
    """How far behind the best a trial may be to compete with it: the larger of the two."""

    points: float = option(3.0, "trials this close to the best compete with it, in points")
    errors: float = option(
        3.0, "the same in standard errors of the paired difference; the larger counts"
    )

    def __post_init__(self) -> None:
        demand(self.points > 0, "band.points", self.points, "above 0")
        demand(self.errors >= 0, "band.errors", self.errors, "0 or more")
