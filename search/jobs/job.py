"""A job: everything that its trials share, and what its record opens with."""

from __future__ import annotations

from dataclasses import dataclass

from results.metrics import Direction, Metric, custom_metric
from results.records.opening import Opened
from results.tasks.tasks import task_of
from search.options.user_code import load_function
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore


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
