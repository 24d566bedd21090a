"""Typed configuration of the commands that train."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from search.options.tracking_uri import check_tracking
from spaces.errors import InputError, unknown
from spaces.names import check_name

ACCEPTABLE = ("validation", "code")
"""Changes that go through only when they are accepted by name."""


def check_accept(names: list[str]) -> None:
    """Raises InputError for a name that stands for nothing."""
    for name in names:
        if name not in ACCEPTABLE:
            raise unknown("change", name, ACCEPTABLE, "accept")


def demand(ok: bool, key: str, value: object, rule: str) -> None:
    """Raises InputError, naming option, value and rule, unless ``ok``."""
    if not ok:
        raise InputError(f"{key}={value}: must be {rule}")


@dataclass(kw_only=True)
class DataConfig:
    """Where a contest's data lies."""

    name: str = ""
    root: str = ""
    train: str = "train.csv"
    test: str = "test.csv"
    image: str = "image"
    label: str = "label"
    group: str = ""
    classes: list[str] = field(default_factory=list)
    baseline: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name:
            check_name(self.name, "data.name")


@dataclass(kw_only=True)
class DigitsConfig(DataConfig):
    """The embedded digits, with a baseline that a CPU trains in seconds."""

    name: str = "digits"
    baseline: dict[str, Any] = field(
        default_factory=lambda: {
            "backbone": "test_resnet",
            "size": 32,
            "lr": 5e-3,
            "batch": 32,
            "epochs": 12,
        }
    )


@dataclass(kw_only=True)
class HoldoutConfig:
    """Folds: the hold-out is fold 0."""

    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        demand(self.folds >= 2, "holdout.folds", self.folds, "at least 2")
        demand(self.seed >= 0, "holdout.seed", self.seed, "0 or more")


@dataclass(kw_only=True)
class ResourcesConfig:
    """What one trial gets."""

    cpu: float = 1
    gpu: float = -1
    memory: float = 0

    def __post_init__(self) -> None:
        demand(self.cpu > 0, "resources.cpu", self.cpu, "above 0")
        demand(self.gpu >= 0 or self.gpu == -1, "resources.gpu", self.gpu, "0 or more, or -1")
        demand(self.memory >= 0, "resources.memory", self.memory, "0 or more (in GiB)")


@dataclass(kw_only=True)
class ClusterConfig:
    """The Ray cluster; empty starts Ray on this machine."""

    address: str = ""

    def __post_init__(self) -> None:
        if self.address.startswith("ray://"):
            raise InputError(
                f"cluster.address={self.address}: the Ray client is not supported; start this "
                "command on a node of the cluster with cluster.address=auto, or by 'ray job submit'"
            )


@dataclass(kw_only=True)
class SchedulerConfig:
    """Early stopping (ASHA)."""

    grace: int = 0
    reduction: float = 3

    def __post_init__(self) -> None:
        demand(self.grace >= 0, "scheduler.grace", self.grace, "at least 1 epoch, or 0")
        demand(self.reduction > 1, "scheduler.reduction", self.reduction, "above 1")


@dataclass(kw_only=True)
class StoreConfig:
    """Decoded images; side 0 is 1.3 times the largest size trained."""

    side: int = 0
    folder: str = ""
    local: str = ""

    def __post_init__(self) -> None:
        demand(self.side >= 0, "store.side", self.side, "0 or more")


@dataclass(kw_only=True)
class PredictConfig:
    """Predictions after training."""

    test: bool = True


@dataclass(kw_only=True)
class WatchdogConfig:
    """When a trainer counts as hung."""

    seconds: float = 300

    def __post_init__(self) -> None:
        demand(
            self.seconds == 0 or self.seconds >= 2,
            "watchdog.seconds",
            self.seconds,
            "at least 2, or 0 to let trainers hang",
        )


@dataclass(kw_only=True)
class EngineConfig:
    """What all commands that train have in common."""

    runs: str = "runs"
    tracking: str = ""
    name: str = ""
    resume: str = ""
    hypothesis: str = ""
    hours: float = 0
    workers: int = 0
    loader_workers: int = -1
    resources: ResourcesConfig = field(default_factory=ResourcesConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    watchdog: WatchdogConfig = field(default_factory=WatchdogConfig)
    accept: list[str] = field(default_factory=list)
    quiet: bool = False
    json: bool = False

    def __post_init__(self) -> None:
        if self.name:
            check_name(self.name, "name")
            if self.resume:
                raise InputError(f"name={self.name}: what is resumed has its name; leave it out")
        check_accept(self.accept)
        check_tracking(self.tracking)
        demand(self.hours >= 0, "hours", self.hours, "above 0, or 0 for no limit")
        demand(self.workers >= 0, "workers", self.workers, "0 or more")
        demand(self.loader_workers >= -1, "loader_workers", self.loader_workers, "-1 or more")


@dataclass(kw_only=True)
class JobConfig(EngineConfig):
    """What searches and single trainings have in common."""

    data: DataConfig = field(default_factory=DataConfig)
    holdout: HoldoutConfig = field(default_factory=HoldoutConfig)
    metric: str = "macro_f1"
    direction: str = ""
    epochs: int = 0
    seed: int = 0
    model: str = ""
    loss: str = ""
    pretrained: bool | None = None
    weights: str = ""
    fix: dict[str, Any] = field(default_factory=dict)
    predict: PredictConfig = field(default_factory=PredictConfig)
    keep: str = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.epochs >= 0, "epochs", self.epochs, "at least 1, or 0 for the data's own")
        demand(
            self.keep in ("all", "none") or (self.keep.isdecimal() and int(self.keep) > 0),
            "keep",
            self.keep,
            "all, none, or a number of trials",
        )
        demand(self.seed >= 0, "seed", self.seed, "0 or more")
        demand(
            self.direction in ("", "maximize", "minimize"),
            "direction",
            self.direction,
            "maximize or minimize",
        )


@dataclass(kw_only=True)
class RunConfig(JobConfig):
    """``python -m search.run``."""

    space: Any = "aug_policy"
    narrow: dict[str, Any] = field(default_factory=dict)
    trials: int = 16
    confirm: int = 3
    history: list[str] = field(default_factory=list)
    scheduler: SchedulerConfig = field(default_factory=SchedulerConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.trials >= 1, "trials", self.trials, "at least 1")
        demand(
            self.confirm == 0 or self.confirm >= 2,
            "confirm",
            self.confirm,
            "0 to skip, or at least 2 seeds: one tells nothing about noise",
        )


@dataclass(kw_only=True)
class TrainConfig(JobConfig):
    """``python -m search.train``."""

    fold: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.fold >= 0, "fold", self.fold, "0 or more")


@dataclass(kw_only=True)
class BandConfig:
    """How far behind the best a trial may be to compete with it: the larger of the two."""

    points: float = 3.0
    errors: float = 3.0

    def __post_init__(self) -> None:
        demand(self.points > 0, "band.points", self.points, "above 0")
        demand(self.errors >= 0, "band.errors", self.errors, "0 or more")


@dataclass(kw_only=True)
class PromoteConfig(EngineConfig):
    """``python -m search.promote``."""

    competition: str = ""
    select: str = "best"
    folds: int = 0
    seeds: int = 1
    race: int = 0
    epochs: int = 0
    force: str = ""
    promote: dict[str, Any] = field(default_factory=dict)
    band: BandConfig = field(default_factory=BandConfig)
    metric: str = ""
    model: str = ""
    loss: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.folds >= 2 or self.folds == 0, "folds", self.folds, "at least 2, or 0 for all")
        demand(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        demand(self.race >= 2 or self.race == 0, "race", self.race, "at least 2 trials, or 0")
        demand(self.epochs >= 0, "epochs", self.epochs, "at least 1, or 0 for the search's own")
