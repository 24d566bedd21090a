"""A job: everything that its trials share, checked before any training starts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution

from results.metrics import Direction, Metric, custom_metric, metric
from results.secrets import without_password
from search.config import DigitsConfig, EngineConfig, JobConfig, TrainConfig
from search.space import flatten
from search.user_code import load_function, source_digest
from spaces.errors import InputError
from spaces.names import check_name
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig, parse_size
from trainables.contest import Contest, load_contest
from trainables.digits import make_digits
from trainables.folds import Folds, make_folds
from trainables.store import ImageStore, build_store, store_side


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker needs to know to train any trial of a job; plain data.

    Attributes:
        competition: Competition name.
        name: Name of the job within the competition.
        folder: The job's folder.
        store: Path of the image store.
        local_store: Folder on a node's own disk for a copy of it; empty for none.
        folds: Path of the stored folds.
        classes: Class names.
        metric: Metric name or ``module:function``.
        direction: Which way it is better.
        model: ``module:function`` or empty.
        loss: ``module:function`` or empty.
        predict_test: Whether test images are predicted.
        threads: CPU threads per trial.
        loader_workers: Loader processes per trial.
    """

    competition: str
    name: str
    folder: str
    store: str
    local_store: str
    folds: str
    classes: tuple[str, ...]
    metric: str
    direction: Direction
    model: str
    loss: str
    predict_test: bool
    threads: int
    loader_workers: int

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A job ready to run, with what only the driver needs."""

    job: Job
    contest: Contest
    folds: Folds
    store: ImageStore
    metric: Metric
    baseline: TrialConfig
    opening: Mapping[str, Any]
    warnings: tuple[str, ...]


RESERVED = ("data", "store", "submissions", "imports", "blends", "predictions")
"""Folders beside the searches of a competition."""

DRAWS = 50
"""Draws with which a space is tried out before anything is trained."""


def resolve_metric(name: str, direction: str) -> Metric:
    """A named metric, or a team's own from ``module:function``.

    Raises:
        InputError: For an unknown name, or an own metric without a direction.
    """
    if ":" not in name:
        known = metric(name)
        if direction not in ("", known.direction):
            raise InputError(f"direction={direction}: {name} is to {known.direction}")
        return known
    function = load_function(name, "metric")
    return custom_metric(name.partition(":")[2], direction, function)  # type: ignore[arg-type]


def base_config(config: JobConfig, space: SearchSpace | None = None) -> TrialConfig:
    """The untuned configuration: defaults, the data's own, then the command line's.

    What is fixed of a policy whose rest is searched concerns sampled trials only.
    """
    base = TrialConfig().with_params(flatten(config.data.baseline))
    if config.epochs:  # a short trial run should not fail for the default's warm-up
        base = base.replace(
            epochs=config.epochs, warmup_epochs=min(base.warmup_epochs, config.epochs - 1)
        )
    changes: dict[str, Any] = {"model": config.model, "loss": config.loss or base.loss}
    changes["seed"] = config.seed
    changes["weights"] = config.weights or base.weights
    if config.pretrained is not None:
        changes["pretrained"] = config.pretrained
    fix = flatten(config.fix)
    if space is not None and any(p.name.startswith("stage") for p in space.params):
        fix = {name: value for name, value in fix.items() if not name.startswith("stage")}
    return base.replace(**changes).with_params(fix)


def prepare(
    config: JobConfig,
    label: str,
    space: SearchSpace | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Prepared:
    """Reads and checks data, folds, networks and options, and decodes the images.

    Nothing of the job itself is written yet.

    Args:
        config: The command's configuration.
        label: Second half of the default name.
        space: What will be searched; its choices of backbones and sizes are checked, too.
        say: Told what takes long.

    Raises:
        InputError: For anything wrong with them.
    """
    baseline = base_config(config, space)
    if isinstance(config, TrainConfig):
        if config.fold >= config.holdout.folds:
            raise InputError(
                f"fold={config.fold}: with holdout.folds={config.holdout.folds} folds run from 0 "
                f"to {config.holdout.folds - 1}"
            )
        baseline = baseline.replace(fold=config.fold)
    if space is not None:
        _check_values(space, baseline, flatten(config.fix))
    chosen = resolve_metric(config.metric, config.direction)
    runs = Path(config.runs)
    if runs.exists() and not runs.is_dir():
        raise InputError(f"runs={runs} is a file, not a folder")
    contest = _contest(config, runs)
    folder = runs / contest.name
    folds = make_folds(contest, config.holdout.folds, config.holdout.seed)
    _check_networks(config, baseline, space, len(contest.classes))

    name = config.resume or job_name(config, folder, label)
    largest = max(max(size) for size in _sizes(baseline, space))
    side = config.store.side or store_side(largest)
    if side < largest:
        raise InputError(f"store.side={side} is below the largest training size {largest}")
    store = build_store(
        contest,
        side,
        Path(config.store.folder) if config.store.folder else folder / "store",
        progress=every_second(say, "decoding images"),
    )
    notes = []
    duplicated = store.duplicates(folds.fold)
    if duplicated:
        notes.append(
            f"{duplicated} training images have an identical file in another fold: "
            "the hold-out will flatter"
        )
    return assemble(
        config,
        contest=contest,
        folds=folds,
        store=store,
        name=name,
        metric=chosen,
        metric_reference=config.metric,
        model=config.model,
        loss=config.loss,
        predict_test=config.predict.test,
        baseline=baseline.replace(store_side=side),
        space=space,
        warnings=tuple(notes),
    )


def assemble(
    config: EngineConfig,
    *,
    contest: Contest,
    folds: Folds,
    store: ImageStore,
    name: str,
    metric: Metric,
    metric_reference: str,
    model: str,
    loss: str,
    predict_test: bool,
    baseline: TrialConfig,
    space: SearchSpace | None = None,
    warnings: tuple[str, ...] = (),
) -> Prepared:
    """Puts together what workers need and what the ledger opens with; writes the folds.

    Args:
        config: Where to write, and with which resources.
        contest: Images, labels and classes.
        folds: Which image is held out when.
        store: Decoded images.
        name: Name of the job.
        metric: The contest's metric.
        metric_reference: Its name, or ``module:function``.
        model: ``module:function`` or empty.
        loss: ``module:function`` or empty.
        predict_test: Whether test images are predicted.
        baseline: The configuration that others are compared with.
        space: What is searched.
        warnings: What the user should know.
    """
    folder = Path(config.runs) / contest.name
    job = Job(
        competition=contest.name,
        name=name,
        folder=str((folder / name).resolve()),
        store=str(store.path.resolve()),
        local_store=config.store.local,
        folds=str(folds.write(folder).resolve()),
        classes=contest.classes,
        metric=metric_reference,
        direction=metric.direction,
        model=model,
        loss=loss,
        predict_test=predict_test,
        threads=max(1, int(config.resources.cpu)),
        loader_workers=max(0, config.loader_workers),
    )
    opening = {
        "search": name,
        "competition": contest.name,
        "task": contest.task,
        "metric": metric.name,
        "direction": metric.direction,
        "points": metric.points,
        "classes": list(contest.classes),
        "images": {"train": len(contest.train_images), "test": len(contest.test_images)},
        "baseline": baseline.to_json(),
        "data": {"root": str(contest.root), "digest": store.digest},
        "folds": {
            "file": Path(job.folds).name,
            "digest": folds.digest,
            "count": folds.count,
            "sizes": [len(folds.held_out(f)) for f in range(folds.count)],
        },
        "threads": job.threads,
        "options": recordable_options(config, contest.root),
        "space": space.to_json() if space is not None else None,
        "digests": {
            "space": space.digest if space is not None else "",
            "code": code_digest(),
            "own": source_digest([model, loss, metric_reference]),
        },
        "warnings": list(warnings),
    }
    if config.hypothesis:
        opening["hypothesis"] = config.hypothesis
    return Prepared(
        job=job,
        contest=contest,
        folds=folds,
        store=store,
        metric=metric,
        baseline=baseline,
        opening=opening,
        warnings=warnings,
    )


NOT_RECORDED = (
    "runs",
    "name",
    "resume",
    "hypothesis",
    "accept",
    "quiet",
    "json",
    "cluster",
    "hours",
    "watchdog",
)
"""Options that belong to one start of a job, not to the job."""


def recordable_options(config: EngineConfig, root: Path) -> dict[str, Any]:
    """A command's options, for the command that resumes it; without secrets.

    Args:
        config: The options.
        root: The contest's folder, as it was found.
    """
    options = {k: v for k, v in asdict(config).items() if k not in NOT_RECORDED}
    options["tracking"] = without_password(config.tracking)
    if isinstance(config, JobConfig):
        options["data"]["root"] = str(root.resolve())
    return options


def code_digest() -> str:
    """Digest of the sources that decide what a trial computes."""
    root = Path(__file__).parent.parent
    total = hashlib.sha256()
    for package in ("spaces", "trainables", "results", "search"):
        for path in sorted((root / package).rglob("*.py")):
            total.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:16]


def _contest(config: JobConfig, runs: Path) -> Contest:
    data = config.data
    if isinstance(data, DigitsConfig) and not data.root:
        _make_writable(runs)
        root = make_digits(runs / data.name / "data")
    elif not data.root:
        raise InputError("data.root is needed: the folder with the contest's tables and images")
    else:
        root = Path(data.root)
        _make_writable(runs)
    name = data.name or root.resolve().name
    check_name(name, "data.name")
    return load_contest(
        name=name,
        root=root,
        train=data.train,
        test=data.test,
        image=data.image,
        label=data.label,
        group=data.group,
        classes=data.classes,
    )


def _make_writable(runs: Path) -> None:
    try:
        runs.mkdir(parents=True, exist_ok=True)
        probe = runs / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"runs={runs}: cannot write there: {error.strerror}") from error


def job_name(config: EngineConfig, folder: Path, label: str) -> str:
    """The name that was asked for, or date, time and label.

    Raises:
        InputError: If it is taken, or no folder name.
    """
    default = f"{time.strftime('%Y%m%d-%H%M%S')}-{label}"
    check_name(default, "name")
    if config.name in RESERVED:
        raise InputError(f"name={config.name}: that is the name of a folder of ours")
    name = config.name or _free_name(folder, default)
    if (folder / name).exists():
        raise InputError(f"name={name}: {folder / name} exists already; choose another name")
    return name


def _free_name(folder: Path, name: str) -> str:
    """Appends a number when another search started within the same second."""
    candidates = (name if i == 1 else f"{name}-{i}" for i in range(1, 1000))
    return next(c for c in candidates if not (folder / c).exists())


def _check_values(space: SearchSpace, baseline: TrialConfig, fix: Mapping[str, Any]) -> None:
    """Checks that choices, both ends of ranges, and some draws make configurations.

    Raises:
        InputError: Naming the parameter.
    """
    for param in space.params:
        d = param.distribution
        if isinstance(d, CategoricalDistribution):
            values: list[Any] = list(d.choices)
        else:
            values = [getattr(d, "low", 0), getattr(d, "high", 0)]
        if param.name.startswith("stage"):
            continue  # the parts of a policy need one another: the draws below check them
        for value in values:
            baseline.with_params({**fix, param.name: value})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(DRAWS):
        baseline.with_params({**fix, **space.suggest(study.ask())})


def _choices(space: SearchSpace | None, name: str) -> list[Any]:
    if space is None or name not in space:
        return []
    distribution = space[name].distribution
    if not isinstance(distribution, CategoricalDistribution):
        raise InputError(f"parameter {name!r} of space {space.name!r} has to be categorical")
    return list(distribution.choices)


def _sizes(baseline: TrialConfig, space: SearchSpace | None) -> list[tuple[int, int]]:
    return [baseline.size, *(parse_size(v) for v in _choices(space, "size"))]


def _check_networks(
    config: JobConfig, baseline: TrialConfig, space: SearchSpace | None, classes: int
) -> None:
    """Checks user functions, backbones, weights and optimizers while it costs nothing."""
    if config.loss:
        load_function(config.loss, "loss")
    from trainables.model import build_model, check_backbone, check_optimizer

    for name in _choices(space, "optimizer") or [baseline.optimizer]:
        check_optimizer(name)
    if config.model:
        load_function(config.model, "model")
        return
    for name in _choices(space, "backbone") or [baseline.backbone]:
        check_backbone(name)
        if baseline.pretrained or baseline.weights:  # fetched once here, not by every worker
            build_model(baseline.replace(backbone=name), classes)


def every_second(say: Callable[[str], None], what: str) -> Callable[[int, int], None]:
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            say(f"{what}: {done:,} of {total:,}")

    return progress
