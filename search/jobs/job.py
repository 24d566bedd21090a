"""A job: everything that its trials share, and what its record opens with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from results.metrics import Direction, Metric, custom_metric
from results.records.network_cost import NetworkCost
from results.records.objective import METRIC
from results.records.opening import (
    FORMAT,
    CorrectionsRecord,
    Data,
    Digests,
    FoldsRecord,
    Images,
    Opened,
    Promotion,
)
from results.records.secrets import without_password
from results.tasks.tasks import task_of
from search.jobs.code_digest import code_digest
from search.jobs.tested_images import write_test_images
from search.options.option import about
from search.options.training import EngineConfig, JobConfig
from search.options.user_code import load_function, source_digest
from spaces.augmentation.pipeline import Pipeline
from spaces.augmentation.stress import Stress
from spaces.errors import InputError
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.data.boxes import boxes_file, write_boxes
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore, data_digest
from trainables.data.mask_teachers import MaskTeachers
from trainables.data.teachers import Teachers


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
        corrections: Path of the stored corrections of labels; empty for none.
        focus: Name of the file of boxes that mixing keeps to, beside the folds; empty for none.
        extra: Path of the stored table of labelled images from elsewhere; empty for none.
        teachers: Names of promotions whose models label test images, and files of what they say.
        classes: Class names.
        metric: Metric name or ``module:function``.
        direction: Which way it is better.
        task: What the targets are.
        model: ``module:function`` or empty.
        loss: ``module:function`` or empty.
        parts: Modules that register parts of the team's own.
        candidates: Path of the policies to score by inference; empty for none.
        predict_test: Whether test images are predicted.
        stress: Path of the stored stress under which held-out images are predicted; empty for none.
        truth: Path of the stored masks of training images; empty without masks.
        objective: What trials are compared by.
        threads: CPU threads of a process that trains.
        loader_workers: Loader processes of each.
        processes: Processes that share a trial's batches.
        resized: Interpolations that are searched, and paths of stores of the same images, resized
            so; empty where none are.
    """

    competition: str
    name: str
    folder: str
    store: str
    local_store: str
    folds: str
    corrections: str
    focus: str
    extra: str
    teachers: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]
    metric: str
    direction: Direction
    task: str
    model: str
    loss: str
    parts: tuple[str, ...]
    predict_test: bool
    stress: str
    truth: str
    objective: str
    threads: int
    loader_workers: int
    candidates: str = ""
    processes: int = 1
    resized: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A job ready to run, with what only the driver needs."""

    job: Job
    contest: Contest
    folds: Folds
    store: ImageStore
    metric: Metric
    baseline: TrialConfig
    opening: Opened
    warnings: tuple[str, ...]


def resolve_metric(name: str, direction: str, task: str, option: str = "metric") -> Metric:
    """A named metric, or a team's own from ``module:function``.

    Args:
        name: The metric's, or where the function is.
        direction: Of a metric of one's own.
        task: What the metric is of.
        option: Which option named it.

    Raises:
        InputError: For an unknown name, or an own metric without a direction.
    """
    if ":" not in name:
        known = task_of(task).metric(name, option)
        if direction not in ("", known.direction):
            raise InputError(f"direction={direction}: {name} is to {known.direction}")
        return known
    function = load_function(name, "metric")
    return custom_metric(name.partition(":")[2], direction, function)  # type: ignore[arg-type]


def assemble(
    config: EngineConfig,
    *,
    contest: Contest,
    folds: Folds,
    store: ImageStore,
    resized: Mapping[str, ImageStore] | None = None,
    name: str,
    metric: Metric,
    metric_reference: str,
    model: str,
    loss: str,
    prepare: str,
    predict_test: bool,
    baseline: TrialConfig,
    teachers: Mapping[str, Teachers | MaskTeachers],
    space: SearchSpace | None = None,
    promotion: Promotion | None = None,
    stress: Stress | None = None,
    pipelines: Sequence[Pipeline] = (),
    objective: str = METRIC,
    costs: Mapping[str, NetworkCost] | None = None,
    warnings: tuple[str, ...] = (),
) -> Prepared:
    """Puts together what workers need and what the ledger opens with; writes folds and boxes.

    Args:
        config: Where to write, and with which resources.
        contest: Images, labels and classes.
        folds: Which image is held out when.
        store: Decoded images.
        resized: The same by every interpolation that is searched; None where none are.
        name: Name of the job.
        metric: The contest's metric.
        metric_reference: Its name, or ``module:function``.
        model: ``module:function`` or empty.
        loss: ``module:function`` or empty.
        prepare: ``module:function`` or empty.
        predict_test: Whether test images are predicted.
        baseline: The configuration that others are compared with.
        teachers: What models of earlier promotions say, by the promotion's name.
        space: What is searched.
        promotion: What is promoted.
        stress: Under which held-out images are predicted.
        pipelines: The team's own, which policies may name.
        objective: What trials are compared by.
        costs: Of the networks, by `TrialConfig.network`, where they count.
        warnings: What the user should know.
    """
    folder, corrected = Path(config.runs) / contest.name, contest.corrections
    for boxes in (contest.boxes, contest.focus):
        write_boxes(boxes, folder)
    job = Job(
        competition=contest.name,
        name=name,
        folder=str((folder / name).resolve()),
        store=str(store.path.resolve()),
        local_store=config.store.local and str(Path(config.store.local).resolve()),
        folds=str(folds.write(folder).resolve()),
        corrections=str(corrected.write(folder).resolve()) if corrected is not None else "",
        focus=boxes_file(contest.focus),
        extra=str(contest.extra.write(folder).resolve()) if contest.extra is not None else "",
        teachers=tuple((n, str(t.write(folder).resolve())) for n, t in sorted(teachers.items())),
        classes=contest.classes,
        metric=metric_reference,
        direction=metric.direction,
        task=contest.task,
        model=model,
        loss=loss,
        parts=tuple(config.parts),
        predict_test=predict_test,
        stress=str(stress.write(folder).resolve()) if stress is not None else "",
        truth=str(contest.truth.write(folder).resolve()) if contest.truth is not None else "",
        objective=objective,
        threads=config.resources.threads,
        loader_workers=-(-max(0, config.loader_workers) // config.resources.ranks),
        processes=config.resources.ranks,
        resized=tuple((how, str(s.path.resolve())) for how, s in (resized or {}).items()),
    )
    said: dict[str, Any] = {"hypothesis": config.hypothesis, "promotion": promotion, "costs": costs}
    opening = Opened(
        format=FORMAT,
        kind="promotion" if promotion else "train" if space is None else "search",
        search=name,
        competition=contest.name,
        task=contest.task,
        metric=metric.name,
        direction=metric.direction,
        points=metric.points,
        classes=contest.classes,
        images=Images(train=len(contest.train_images), test=len(contest.test_images)),
        baseline=baseline,
        data=Data(
            root=str(contest.files.root),
            train_images=contest.files.train,
            test_images=contest.files.test,
            extra_images=contest.files.extra,
            extra=Path(job.extra).name,
            truth=Path(job.truth).name,
            digest=data_digest(contest, store),
            test=write_test_images(contest, store, folder),
        ),
        folds=FoldsRecord(
            file=Path(job.folds).name,
            digest=folds.digest,
            count=folds.count,
            sizes=tuple(len(folds.held_out(f)) for f in range(folds.count)),
        ),
        corrections=CorrectionsRecord(**corrected.summary) if corrected is not None else None,
        teachers={name: Path(path).name for name, path in job.teachers},
        threads=job.threads,
        options=recordable_options(config, contest.files.root, job.stress),
        space=space.to_json() if space is not None else None,
        pipelines={p.name: p.transform for p in pipelines},
        digests=Digests(
            space=space.digest if space is not None else "",
            code=code_digest(),
            own=source_digest(
                [model, loss, metric_reference, prepare, *(f"{p}:" for p in config.parts)]
            ),
            stress=stress.digest if stress is not None else "",
        ),
        warnings=warnings,
        **{field: value for field, value in said.items() if value},
    )
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


def recordable_options(config: EngineConfig, root: Path, stress: str = "") -> dict[str, Any]:
    """A command's options, for the command that resumes it; without secrets.

    Args:
        config: The options.
        root: The contest's folder, as it was found.
        stress: Path of the stress, as it was found.
    """
    told = about(type(config))
    options = {name: value for name, value in asdict(config).items() if told[name].recorded}
    options["tracking"] = without_password(config.tracking)
    if isinstance(config, JobConfig):
        options["data"]["root"] = str(root.resolve())
        options["predict"]["stress"] = Path(stress).name
    return options
