"""Typed configuration of the commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spaces.errors import InputError, unknown
from spaces.names import check_name

ACCEPTABLE = ("validation", "code")
"""Changes that go through only when they are accepted by name."""


def check_accept(names: list[str]) -> None:
    """Raises InputError for a name that stands for nothing."""
    for name in names:
        if name not in ACCEPTABLE:
            raise unknown("change", name, ACCEPTABLE, "accept")


def _demand(ok: bool, key: str, value: object, rule: str) -> None:
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
        _demand(self.folds >= 2, "holdout.folds", self.folds, "at least 2")
        _demand(self.seed >= 0, "holdout.seed", self.seed, "0 or more")


@dataclass(kw_only=True)
class ResourcesConfig:
    """What one trial gets."""

    cpu: float = 1
    gpu: float = -1
    memory: float = 0

    def __post_init__(self) -> None:
        _demand(self.cpu > 0, "resources.cpu", self.cpu, "above 0")
        _demand(self.gpu >= 0 or self.gpu == -1, "resources.gpu", self.gpu, "0 or more, or -1")
        _demand(self.memory >= 0, "resources.memory", self.memory, "0 or more (in GiB)")


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
        _demand(self.grace >= 0, "scheduler.grace", self.grace, "at least 1 epoch, or 0")
        _demand(self.reduction > 1, "scheduler.reduction", self.reduction, "above 1")


@dataclass(kw_only=True)
class StoreConfig:
    """Decoded images; side 0 is 1.3 times the largest size trained."""

    side: int = 0
    folder: str = ""
    local: str = ""

    def __post_init__(self) -> None:
        _demand(self.side >= 0, "store.side", self.side, "0 or more")


@dataclass(kw_only=True)
class PredictConfig:
    """Predictions after training."""

    test: bool = True


@dataclass(kw_only=True)
class WatchdogConfig:
    """When a trainer counts as hung."""

    seconds: float = 300

    def __post_init__(self) -> None:
        _demand(
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
        _demand(self.hours >= 0, "hours", self.hours, "above 0, or 0 for no limit")
        _demand(self.workers >= 0, "workers", self.workers, "0 or more")
        _demand(self.loader_workers >= -1, "loader_workers", self.loader_workers, "-1 or more")


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
        _demand(self.epochs >= 0, "epochs", self.epochs, "at least 1, or 0 for the data's own")
        _demand(
            self.keep in ("all", "none") or (self.keep.isdecimal() and int(self.keep) > 0),
            "keep",
            self.keep,
            "all, none, or a number of trials",
        )
        _demand(self.seed >= 0, "seed", self.seed, "0 or more")
        _demand(
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
        _demand(self.trials >= 1, "trials", self.trials, "at least 1")
        _demand(
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
        _demand(self.fold >= 0, "fold", self.fold, "0 or more")


@dataclass(kw_only=True)
class BandConfig:
    """How far behind the best a trial may be to compete with it: the larger of the two."""

    points: float = 3.0
    errors: float = 3.0

    def __post_init__(self) -> None:
        _demand(self.points > 0, "band.points", self.points, "above 0")
        _demand(self.errors >= 0, "band.errors", self.errors, "0 or more")


@dataclass(kw_only=True)
class RulesConfig:
    """What the contest's rules allow."""

    test_images: bool | None = None


@dataclass(kw_only=True)
class CompetitionConfig:
    """What commands on a competition's leaderboard have in common."""

    competition: str = ""
    runs: str = "runs"
    tracking: str = ""
    metric: str = ""
    json: bool = False


@dataclass(kw_only=True)
class SubmitConfig(CompetitionConfig):
    """``python -m search.submit``."""

    select: str = "best"
    file: str = ""
    validation: str = ""
    test: str = ""
    name: str = ""
    by: str = ""
    sample: str = "sample_submission.csv"
    model: str = ""
    band: BandConfig = field(default_factory=BandConfig)

    def __post_init__(self) -> None:
        if self.name:
            check_name(self.name, "name")
        for key in ("validation", "test", "name"):
            if getattr(self, key) and not self.file:
                raise InputError(f"{key}= belongs to a submission made elsewhere: give file= too")
        if self.test and not self.validation:
            raise InputError("test= is for blending: give validation=, out-of-fold, too")


@dataclass(kw_only=True)
class BlendConfig(CompetitionConfig):
    """``python -m search.blend``."""

    select: str = "all"
    recipe: str = ""
    views: list[str] = field(default_factory=list)
    model: str = ""


@dataclass(kw_only=True)
class ExportConfig(CompetitionConfig):
    """``python -m search.export``."""

    promotion: str = ""
    to: str = ""
    register: bool = True
    onnx: bool = False
    model: str = ""


@dataclass(kw_only=True)
class PredictImagesConfig(CompetitionConfig):
    """``python -m search.predict``."""

    promotion: str = ""
    images: str = ""
    to: str = ""
    quiet: bool = False
    model: str = ""


@dataclass(kw_only=True)
class ScoreConfig(CompetitionConfig):
    """``python -m search.score``."""

    submission: str = ""
    public: float | None = None
    private: float | None = None
    solution: str = ""
    import_: str = ""
    share: float = 1.0
    quota: str = ""
    reset: int = 0
    ends: str = ""
    reserve: float = 0.3

    def __post_init__(self) -> None:
        _demand(0 < self.share <= 1, "share", self.share, "above 0 and at most 1")
        if self.ends and not self.quota:
            raise InputError(f"ends={self.ends} belongs to a quota: give quota=5/day, too")


@dataclass(kw_only=True)
class TrustConfig(CompetitionConfig):
    """``python -m search.trust``."""

    band: BandConfig = field(default_factory=BandConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    backbone: str = ""
    weights: str = ""
    pretrained: bool = False
    model: str = ""
    accept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_accept(self.accept)
        if (self.weights or self.pretrained) and not self.backbone:
            raise InputError("weights= and pretrained= say how to load backbone=: give it, too")


@dataclass(kw_only=True)
class FinalConfig(CompetitionConfig):
    """``python -m search.final``."""

    select: int = 2
    images: int = 0
    band: BandConfig = field(default_factory=BandConfig)
    model: str = ""

    def __post_init__(self) -> None:
        _demand(1 <= self.select <= 3, "select", self.select, "1, 2 or 3")
        _demand(self.images >= 0, "images", self.images, "0 or more private test images")


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
        _demand(self.folds >= 2 or self.folds == 0, "folds", self.folds, "at least 2, or 0 for all")
        _demand(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        _demand(self.race >= 2 or self.race == 0, "race", self.race, "at least 2 trials, or 0")
        _demand(self.epochs >= 0, "epochs", self.epochs, "at least 1, or 0 for the search's own")


@dataclass(kw_only=True)
class ShowConfig:
    """``python -m search.show``."""

    select: str = ""
    runs: str = "runs"
    json: bool = False


@dataclass(kw_only=True)
class NoteConfig:
    """``python -m search.note``."""

    select: str = ""
    hypothesis: str = ""
    conclusion: str = ""
    by: str = ""
    runs: str = "runs"
    tracking: str = ""


@dataclass(kw_only=True)
class SyncConfig:
    """``python -m search.sync``."""

    select: str = ""
    runs: str = "runs"
    tracking: str = ""


@dataclass(kw_only=True)
class UiConfig:
    """``python -m search.ui``."""

    runs: str = "runs"
    tracking: str = ""
    host: str = "127.0.0.1"
    port: int = 5000

    def __post_init__(self) -> None:
        _demand(0 < self.port < 65536, "port", self.port, "between 1 and 65535")


HELP: dict[str, str] = {
    "space": "ready space, several to join ('space=[aug_policy,schedule]'), or module:function",
    "narrow.": "restrict a searched parameter: narrow.lr=[1e-4,1e-3], narrow.mix=[none,mixup]",
    "fix.": "pin a parameter or set one that is not searched: fix.lr=1e-3 fix.backbone=resnet18",
    "trials": "sampled trials",
    "confirm": "seeds of the confirmation against matched controls; 0 skips it",
    "scheduler.grace": "epochs before early stopping (ASHA); 0 is a quarter of the training",
    "scheduler.reduction": "one in so many trials goes on at each rung",
    "data": "digits (embedded), csv, or <file> of --config-dir's data/ folder",
    "data.name": "competition name; the folder's name when empty",
    "data.root": "folder of the contest (for data=csv)",
    "data.train": "training table in the folder",
    "data.test": "test table in the folder; empty for none",
    "data.image": "column of image paths",
    "data.label": "column of labels",
    "data.group": "column of groups that must not stand on both sides of a split",
    "data.classes": "class names in the order wanted; sorted labels when empty",
    "data.baseline.": "the data's own untuned configuration: data.baseline.backbone=resnet18",
    "holdout.folds": "number of folds; the hold-out is fold 0",
    "holdout.seed": "seed of the folds",
    "metric": "macro_f1, accuracy, balanced_accuracy, log_loss, roc_auc, quadratic_kappa, or "
    "module:function; leaderboard commands know it unless it is your own",
    "direction": "maximize or minimize, for a metric of your own",
    "epochs": "length of every training; 0 takes the data's own",
    "seed": "seed of everything",
    "model": "your own network, module:function(config, classes)",
    "loss": "your own loss, module:function(config) -> function(logits, targets)",
    "pretrained": "start from timm's downloaded weights",
    "weights": "start from a local safetensors file",
    "runs": "folder for everything a run writes",
    "tracking": "MLflow tracking URI; empty is mlflow.db beside the runs folder",
    "name": "name of the search, or of a model made elsewhere; empty makes one up",
    "resume": "go on with a job that was interrupted: its name, or latest; its options are known",
    "history": "earlier searches of this competition that tell the sampler what they found: "
    "history=[a,b], or history=[mlflow] for everybody's in the tracking store",
    "hypothesis": "what this is to find out; search.note adds what came of it",
    "conclusion": "what came of it",
    "hours": "stop in time, with a summary and the command that goes on; 0 is no limit",
    "accept": "changes to let through: accept=[validation] for another yardstick than the frozen, "
    "accept=[code] to resume with other sources",
    "workers": "trials at once; 0 is as many as the resources allow",
    "loader_workers": "loader processes per trial; -1 is 0 on a CPU and resources.cpu on a GPU",
    "resources.cpu": "CPU cores per trial",
    "resources.gpu": "GPUs per trial, such as 0.5; -1 is one if there is any",
    "resources.memory": "memory per trial in GiB; 0 reserves none",
    "watchdog.seconds": "a trainer that gives no sign of life for so long is killed and tried once "
    "more; 0 is never",
    "cluster.address": "'auto' joins the Ray cluster of this node; empty starts Ray here",
    "fold": "which fold to hold out",
    "keep": "final checkpoints that stay: all, none, or those of so many of the best trials and of "
    "the baseline; predictions always stay",
    "store.side": "side in pixels of stored images; 0 is 1.3 times the largest training size",
    "store.folder": "where decoded images are kept; empty is inside the runs folder",
    "store.local": "folder on every node's own disk to copy decoded images to, once per node",
    "predict.test": "predict the test images after the last epoch",
    "folds": "how many of the search's folds to train; 0 is all of them",
    "seeds": "trainings per fold",
    "race": "so many of the best run folds 1 and 2 first; the one or two ahead get the rest",
    "force": "go on although validation is not trusted, and why; recorded",
    "promote.": "change the configuration: promote.backbone=resnet18 promote.size=96",
    "quiet": "print only the result",
    "json": "last line of the output is JSON: id and path",
    "select": "which ones: a search or a trial; best, baseline, band:6, spread:4 or ids; to "
    "submit, also promotion:<id> and blend:<id>; to blend, promotions and imports, or all; "
    "for search.final, how many",
    "competition": "name of the competition; empty is the one worked on last",
    "file": "a submission made elsewhere, to take part in everything",
    "validation": "its hold-out or out-of-fold predictions: image and label, or a column per class",
    "test": "its test predictions with a column per class, where file= holds labels only",
    "promotion": "id of a promotion; empty is the newest",
    "images": "folder of images to predict; for search.final, how many private test images",
    "to": "folder to export to; table to write predictions to, in the runs folder when empty",
    "register": "put the exported models into MLflow's registry",
    "onnx": "write ONNX files, too; needs pip install 'holdfold[onnx]'",
    "views": "test-time augmentation, such as views=[hflip,rotate+5,rotate-5]: hflip, vflip, "
    "rotate+5, rotate-5, rotate+10, rotate-10, left, right, up, down, zoom, wide",
    "recipe": "how to blend: best single, mean, geometric, rank, vote, weighted, mean + biases, "
    "weighted + biases; empty takes the best if it beats the mean beyond noise",
    "by": "who made it; empty is you",
    "band.points": "trials this close to the best compete with it, in points",
    "band.errors": "the same in standard errors of the paired difference; the larger counts",
    "rules.test_images": "false where the rules forbid to look at test images; remembered",
    "backbone": "network whose embeddings tell test from hold-out; empty is the baseline's own",
    "sample": "sample submission in the contest's folder",
    "submission": "id of a submission, such as s001; empty with solution= means all",
    "public": "score on the public leaderboard",
    "private": "score on the private leaderboard",
    "solution": "table of true test labels, all or the public part, to score with",
    "import": "table of scores that the contest's site exports, matched by file name",
    "quota": "submissions allowed: 5/day, or 100 for the whole contest; remembered",
    "reset": "hour (UTC) at which a day of the quota begins",
    "ends": "last day of the contest, such as 2026-12-01",
    "reserve": "share of all submissions that is kept for the last days",
    "share": "share of the test images behind the public score, or in a solution of a part",
    "host": "address to listen on",
    "port": "port to listen on",
}
"""One line per option; a key that ends in a dot takes names of your choice behind it."""
