"""What a job is made of, and how workers' part and the opening of its record are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from results.metrics import Metric
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
from search.jobs.code_digest import code_digest
from search.jobs.job import Job, Prepared
from search.jobs.tested_images import write_test_images
from search.options.option import about
from search.options.training import EngineConfig, JobConfig, PromoteConfig
from search.options.user_code import source_digest
from spaces.augmentation.pipeline import Pipeline
from spaces.augmentation.stress import Stress
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.data.boxes import boxes_file, write_boxes
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore, data_digest
from trainables.data.mask_teachers import MaskTeachers
from trainables.data.teachers import Teachers


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What a job is made of, read and checked.

    Attributes:
        name: Name of the job.
        contest: Images, labels and classes.
        folds: Which image is held out when.
        store: Decoded images.
        resized: The same by every interpolation that is searched.
        metric: The contest's metric.
        metric_reference: Its name, or ``module:function``.
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

    name: str
    contest: Contest
    folds: Folds
    store: ImageStore
    resized: Mapping[str, ImageStore] = field(default_factory=dict)
    metric: Metric
    metric_reference: str
    predict_test: bool
    baseline: TrialConfig
    teachers: Mapping[str, Teachers | MaskTeachers]
    space: SearchSpace | None = None
    promotion: Promotion | None = None
    stress: Stress | None = None
    pipelines: tuple[Pipeline, ...] = ()
    objective: str = METRIC
    costs: Mapping[str, NetworkCost] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def assemble(config: JobConfig | PromoteConfig, made_of: Materials) -> Prepared:
    """Puts a job together; writes what its trials read beside those of its contest.

    Args:
        config: Where to write, with which resources and own functions.
        made_of: What there is.
    """
    job = _written(config, made_of)
    return Prepared(
        job=job,
        contest=made_of.contest,
        folds=made_of.folds,
        store=made_of.store,
        metric=made_of.metric,
        baseline=made_of.baseline,
        opening=_opening(config, made_of, job),
        warnings=made_of.warnings,
    )


def _written(config: JobConfig | PromoteConfig, made_of: Materials) -> Job:
    """What workers need to know, once its larger parts lie in files."""
    contest = made_of.contest
    folder = Path(config.runs) / contest.name
    for boxes in (contest.boxes, contest.focus):
        write_boxes(boxes, folder)

    def path(part: Any) -> str:
        return str(part.write(folder).resolve()) if part is not None else ""

    return Job(
        competition=contest.name,
        name=made_of.name,
        folder=str((folder / made_of.name).resolve()),
        store=str(made_of.store.path.resolve()),
        local_store=config.store.local and str(Path(config.store.local).resolve()),
        folds=path(made_of.folds),
        corrections=path(contest.corrections),
        focus=boxes_file(contest.focus),
        extra=path(contest.extra),
        teachers=tuple((name, path(said)) for name, said in sorted(made_of.teachers.items())),
        classes=contest.classes,
        metric=made_of.metric_reference,
        direction=made_of.metric.direction,
        task=contest.task,
        model=config.model,
        loss=config.loss,
        parts=tuple(config.parts),
        predict_test=made_of.predict_test,
        stress=path(made_of.stress),
        truth=path(contest.truth),
        objective=made_of.objective,
        threads=config.resources.threads,
        loader_workers=-(-max(0, config.loader_workers) // config.resources.ranks),
        processes=config.resources.ranks,
        resized=tuple((how, str(s.path.resolve())) for how, s in made_of.resized.items()),
    )


def _opening(config: JobConfig | PromoteConfig, made_of: Materials, job: Job) -> Opened:
    """What the ledger opens with."""
    contest, folds, metric, space = made_of.contest, made_of.folds, made_of.metric, made_of.space
    promotion, stress = made_of.promotion, made_of.stress
    folder, corrected = Path(config.runs) / contest.name, contest.corrections
    said: dict[str, Any] = {
        "hypothesis": config.hypothesis,
        "promotion": promotion,
        "costs": made_of.costs,
    }
    own = [job.model, job.loss, job.metric, config.prepare, *(f"{p}:" for p in config.parts)]
    return Opened(
        format=FORMAT,
        kind="promotion" if promotion else "train" if space is None else "search",
        search=job.name,
        competition=contest.name,
        task=contest.task,
        metric=metric.name,
        direction=metric.direction,
        points=metric.points,
        classes=contest.classes,
        images=Images(train=len(contest.train_images), test=len(contest.test_images)),
        baseline=made_of.baseline,
        data=Data(
            root=str(contest.files.root),
            train_images=contest.files.train,
            test_images=contest.files.test,
            extra_images=contest.files.extra,
            extra=Path(job.extra).name,
            truth=Path(job.truth).name,
            digest=data_digest(contest, made_of.store),
            test=write_test_images(contest, made_of.store, folder),
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
        pipelines={p.name: p.transform for p in made_of.pipelines},
        digests=Digests(
            space=space.digest if space is not None else "",
            code=code_digest(),
            own=source_digest(own),
            stress=stress.digest if stress is not None else "",
        ),
        warnings=made_of.warnings,
        **{name: value for name, value in said.items() if value},
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
