"""Typed configuration of ``python -m search.audit``."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.embedded import CHOICES
from search.options.groups import DataConfig, HoldoutConfig
from search.options.option import group, option
from search.options.shared import RunsConfig


@dataclass(kw_only=True)
class AuditConfig(RunsConfig):
    """What is audited."""

    data: DataConfig = group(DataConfig, CHOICES)
    holdout: HoldoutConfig = group(HoldoutConfig)
    json: bool = option(False, "last line of the output is JSON: id and path")
