"""The ready spaces by name."""

from __future__ import annotations

from collections.abc import Callable

from spaces.aug_policy import aug_policy
from spaces.backbone import backbone
from spaces.optimizer import optimizer
from spaces.schedule import schedule
from spaces.space import SearchSpace

READY: dict[str, Callable[[], SearchSpace]] = {
    "aug_policy": aug_policy,
    "backbone": backbone,
    "optimizer": optimizer,
    "schedule": schedule,
}
