"""Typed configuration of the commands that look at data before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.embedded import CHOICES
from search.options.groups import HOLDOUT, DataConfig, HoldoutConfig, StoreConfig
from search.options.option import group, option
from search.options.shared import RunsConfig, demand
from spaces.size import parse_size


@dataclass(kw_only=True)
class AuditConfig(RunsConfig):
    """What is audited."""

    data: DataConfig = group(DataConfig, CHOICES)
    holdout: HoldoutConfig = group(HoldoutConfig, HOLDOUT)
    json: bool = option(False, "last line of the output is JSON: id and path")


@dataclass(kw_only=True)
class StressConfig(RunsConfig):
    """What a stress is fitted to."""

    data: DataConfig = group(DataConfig, CHOICES)
    store: StoreConfig = group(StoreConfig)
    size: str = option("", "size at which networks are trained, in pixels; the data's own if empty")
    seed: int = option(0, "seed of which images are looked at")
    json: bool = option(False, "last line of the output is JSON: id and path")

    def __post_init__(self) -> None:
        demand(self.seed >= 0, "seed", self.seed, "0 or more")
        if self.size:
            parse_size(self.size)
