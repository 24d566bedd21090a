"""Typed configuration of the commands that look at data before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from search.options.embedded import CHOICES
from search.options.groups import HOLDOUT, DataConfig, HoldoutConfig, StoreConfig
from search.options.option import group, option
from search.options.shared import (
    DROP,
    PARTS,
    PIPELINES,
    PREPARE,
    RulesConfig,
    RunsConfig,
    check_seed,
    demand,
)
from spaces.size import parse_size


@dataclass(kw_only=True)
class AuditConfig(RunsConfig):
    """What is audited."""

    data: DataConfig = group(DataConfig, CHOICES)
    holdout: HoldoutConfig = group(HoldoutConfig, HOLDOUT)
    rules: RulesConfig = group(RulesConfig)
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
        check_seed(self.seed)
        if self.size:
            parse_size(self.size)


@dataclass(kw_only=True)
class PreviewConfig(RunsConfig):
    """Which policies are shown on which images."""

    data: DataConfig = group(DataConfig, CHOICES)
    space: Any = option(
        "",
        "draws policies of a ready space, of several, or of module:function, and what else it "
        "does to pictures; empty shows the policy that fix. names",
    )
    fix: dict[str, Any] = option(dict, "pin a parameter: fix.policy=trivial_augment fix.size=128")
    narrow: dict[str, Any] = option(dict, "restrict a searched parameter: narrow.stages=[2,2]")
    drop: list[str] = option(list, DROP)
    pipelines: list[str] = option(list, PIPELINES)
    parts: list[str] = option(list, PARTS)
    prepare: str = option("", PREPARE)
    images: int = option(8, "images, spread over the classes")
    rows: int = option(6, "policies that are drawn, or epochs of the one that is named")
    seed: int = option(0, "seed of everything that is drawn")
    to: str = option("", "the picture to write (.png); empty is preview.png beside the searches")
    json: bool = option(False, "last line of the output is JSON: id and path")

    def __post_init__(self) -> None:
        for name, most in (("images", 32), ("rows", 32)):
            value = getattr(self, name)
            demand(1 <= value <= most, name, value, f"1 to {most}")
        check_seed(self.seed)
        demand(not self.to or self.to.endswith(".png"), "to", self.to, "the name of a .png")
