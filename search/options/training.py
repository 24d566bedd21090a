"""Options of the commands that train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from results.records.objective import METRIC, CostName, Objective, objectives
from search.options.embedded import CHOICES
from search.options.groups import (
    HOLDOUT,
    ClusterConfig,
    DataConfig,
    HoldoutConfig,
    PredictConfig,
    StoreConfig,
    WatchdogConfig,
)
from search.options.limit import LimitConfig
from search.options.modes import (
    INFERENCE,
    MODES,
    POPULATION,
    TRAINING,
    InferenceConfig,
    PopulationConfig,
)
from search.options.option import group, option
from search.options.resources import ResourcesConfig
from search.options.scheduler import ASHA, NONE, SchedulerConfig
from search.options.shared import (
    DROP,
    LOSS,
    MODEL,
    PARTS,
    PIPELINES,
    PREPARE,
    SAME_METRIC,
    BandConfig,
    RulesConfig,
    TrackedConfig,
    check_accept,
    check_seed,
    demand,
)
from spaces.errors import InputError, unknown
from spaces.names import check_name

TRIALS, LINEAGES = 16, 3
"""Sampled trials, and schedules of a population that are trained from the start, as is usual."""


@dataclass(kw_only=True)
class EngineConfig(TrackedConfig):
    """What all commands that train have in common."""

    name: str = option("", "name of the job; empty is date, time and kind", recorded=False)
    resume: str = option(
        "",
        "resume an interrupted job: its name, or latest; its options need not be repeated",
        recorded=False,
    )
    hypothesis: str = option(
        "", "what this is meant to find out; search.note adds the conclusion", recorded=False
    )
    hours: float = option(
        0,
        "end within so many hours, with a summary and the command that resumes; 0 is no limit",
        recorded=False,
    )
    parts: list[str] = option(list, PARTS, names_code=True)
    workers: int = option(0, "trials at once; 0 is as many as the resources allow")
    loader_workers: int = option(
        -1, "loader processes per trial; -1 is 0 on a CPU, and on a GPU one per core of the trial"
    )
    resources: ResourcesConfig = group(ResourcesConfig)
    cluster: ClusterConfig = group(ClusterConfig, recorded=False)
    store: StoreConfig = group(StoreConfig)
    watchdog: WatchdogConfig = group(WatchdogConfig, recorded=False)
    accept: list[str] = option(
        list,
        "what to let through: accept=[validation] a yardstick other than the frozen one, "
        "accept=[code] resuming, or taking over results, with other sources, "
        "accept=[duplicates] identical files on both sides of the split",
        recorded=False,
    )
    quiet: bool = option(False, "print only the result", recorded=False)
    json: bool = option(False, "last line of the output is JSON: id and path", recorded=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name:
            check_name(self.name, "name")
            if self.resume:
                raise InputError(f"name={self.name}: what is resumed has its name; leave it out")
        check_accept(self.accept)
        demand(self.hours >= 0, "hours", self.hours, "above 0, or 0 for no limit")
        demand(self.workers >= 0, "workers", self.workers, "0 or more")
        demand(self.loader_workers >= -1, "loader_workers", self.loader_workers, "-1 or more")


@dataclass(kw_only=True)
class JobConfig(EngineConfig):
    """What searches and single trainings have in common."""

    data: DataConfig = group(DataConfig, CHOICES)
    holdout: HoldoutConfig = group(HoldoutConfig, HOLDOUT)
    metric: str = option(
        "",
        "macro_f1 (default), accuracy, balanced_accuracy, log_loss, roc_auc, quadratic_kappa; of "
        "masks mean_iou (default), mean_iou_void, dice, dice_void, each with _images appended for "
        "the mean over images, boundary_f1, pixel_accuracy; or your own, module:function",
        names_code=True,
    )
    direction: str = option("", "maximize or minimize, for a metric of your own")
    epochs: int = option(0, "length of every training; 0 takes the data's own")
    seed: int = option(0, "seed of everything", decides=True)
    model: str = option("", MODEL, names_code=True)
    loss: str = option("", LOSS, names_code=True)
    prepare: str = option("", PREPARE, names_code=True)
    pipelines: list[str] = option(list, PIPELINES, names_code=True)
    pretrained: bool | None = option(None, "start from timm's weights, downloaded or cached")
    weights: str = option("", "start from a local safetensors file of the backbone")
    fix: dict[str, Any] = option(
        dict,
        "pin a parameter or set one that is not searched: fix.lr=1e-3 fix.backbone=resnet18",
        decides=True,
    )
    predict: PredictConfig = group(PredictConfig, decides=True)
    limit: LimitConfig = group(LimitConfig)
    rules: RulesConfig = group(RulesConfig, recorded=False)
    keep: str = option(
        "all",
        "final checkpoints to keep: all, none, or a number for those of the best trials and the "
        "baseline; predictions are always kept",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.epochs >= 0, "epochs", self.epochs, "at least 1, or 0 for the data's own")
        demand(
            self.keep in ("all", "none") or (self.keep.isdecimal() and int(self.keep) > 0),
            "keep",
            self.keep,
            "all, none, or a number of trials",
        )
        check_seed(self.seed)
        demand(
            self.direction in ("", "maximize", "minimize"),
            "direction",
            self.direction,
            "maximize or minimize",
        )


@dataclass(kw_only=True)
class RunConfig(JobConfig):
    """``python -m search.run``."""

    space: Any = option(
        "aug_policy",
        "ready space, several to join ('space=[aug_policy,schedule]'), or module:function; "
        "search.space shows what one searches",
        names_code=True,
    )
    narrow: dict[str, Any] = option(
        dict, "restrict a searched parameter: narrow.lr=[1e-4,1e-3], narrow.mix=[none,mixup]"
    )
    drop: list[str] = option(list, DROP)
    trials: int = option(0, "sampled trials; 0 is 16, and 3 with mode=population", may_change=True)
    confirm: int = option(
        3,
        "at most so many seeds for the confirmation against matched controls; it ends earlier if "
        "fewer settle it; 0 skips it",
        may_change=True,
    )
    history: list[str] = option(
        list,
        "earlier searches of this competition whose results feed the sampler: "
        "history=[a,b], or history=[mlflow] for everybody's in the tracking store",
        decides=True,
    )
    objective: Any = option(
        METRIC,
        "what the search optimises and the confirmation compares: metric on the hold-out, or "
        "stress, the metric on hold-out images under predict.stress=; "
        "objective=[metric,ms_per_image] weighs a network's cost against it, or parameters, or mb",
        decides=True,
    )
    mode: str = option(
        TRAINING,
        "what chooses the trials: training, the scores of earlier trials; inference, how well "
        "networks without augmentation predict held-out images under each policy of a space "
        "(density matching); population, trainings that take over weights and schedules from each "
        "other (population based training), for space=pba(points=4,held=True)",
        decides=True,
    )
    inference: InferenceConfig = group(InferenceConfig, decides=True)
    population: PopulationConfig = group(PopulationConfig, decides=True)
    scheduler: SchedulerConfig = group(SchedulerConfig, decides=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        two = self.second is not None
        demand(self.trials >= 0, "trials", self.trials, "at least 1, or 0 for the usual number")
        demand(
            self.confirm == 0 or self.confirm >= 2,
            "confirm",
            self.confirm,
            "0 to skip, or at least 2 seeds: one tells nothing about noise",
        )
        if self.mode not in MODES:
            raise unknown("mode", self.mode, MODES, f"mode={self.mode}")
        if two and self.scheduler.rule not in (ASHA, NONE):
            raise InputError(
                f"scheduler.rule={self.scheduler.rule} goes by one score; two objectives take "
                f"{ASHA}, among networks that cost no more, or {NONE}"
            )
        self.trials = self.trials or (LINEAGES if self.mode == POPULATION else TRIALS)
        if self.mode == TRAINING:
            return
        of_inference = "inference.policies", self.inference.policies
        of_population = "population.members", self.population.members
        name, most = of_inference if self.mode == INFERENCE else of_population
        rule = f"at most {name}={most} with mode={self.mode}"
        demand(self.trials <= most, "trials", self.trials, rule)
        if two or self.compared.name != METRIC:
            asked = [self.objective] if isinstance(self.objective, str) else self.objective
            raise InputError(f"objective={','.join(asked)}: mode={self.mode} compares by metric")
        if self.history:
            raise InputError(f"history= tells the sampler, which mode={self.mode} does without")

    @property
    def compared(self) -> Objective:
        """What trials are compared by."""
        return objectives(self.objective)[0]

    @property
    def second(self) -> CostName | None:
        """What of their networks is weighed against it; None for nothing."""
        return objectives(self.objective)[1]


@dataclass(kw_only=True)
class TrainConfig(JobConfig):
    """``python -m search.train``."""

    fold: int = option(0, "which fold to hold out", decides=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.fold >= 0, "fold", self.fold, "0 or more")


@dataclass(kw_only=True)
class PromoteConfig(EngineConfig):
    """``python -m search.promote``."""

    competition: str = option("", "name of the competition; empty is the one worked on last")
    select: str = option("best", "which trials: best, baseline, band:6, spread:4, or ids")
    folds: int = option(
        0, "how many of the search's folds to train; 0 is all of them", decides=True
    )
    seeds: int = option(1, "trainings per fold", decides=True)
    race: int = option(
        0,
        "so many of the best train folds 1 and 2 first; the leading one or two train the rest",
        decides=True,
    )
    epochs: int = option(0, "length of every training; 0 takes the search's own")
    force: str = option("", "why to go on although validation is not trusted; recorded")
    promote: dict[str, Any] = option(
        dict, "change the configuration: promote.backbone=resnet18 promote.size=96", decides=True
    )
    band: BandConfig = group(BandConfig)
    metric: str = option("", SAME_METRIC, names_code=True)
    model: str = option("", MODEL, names_code=True)
    loss: str = option("", LOSS, names_code=True)
    prepare: str = option("", PREPARE, names_code=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.folds >= 2 or self.folds == 0, "folds", self.folds, "at least 2, or 0 for all")
        demand(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        demand(self.race >= 2 or self.race == 0, "race", self.race, "at least 2 trials, or 0")
        demand(self.epochs >= 0, "epochs", self.epochs, "at least 1, or 0 for the search's own")
