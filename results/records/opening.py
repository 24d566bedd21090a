"""How a job begins: its configuration, and digests of what decides its results."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from results.metrics import Direction
from results.records.network_cost import NetworkCost
from results.records.objective import CostName
from results.records.record import Count, Event, MaybeName, Name, Record
from spaces.trial_config import TrialConfig
from spaces.value import Value

FORMAT: Final = 4
"""Of ledgers; another one is refused where it is read."""

Kind = Literal["search", "train", "promotion"]


def _read_config(value: Any) -> TrialConfig:
    try:
        return value if isinstance(value, TrialConfig) else TrialConfig.from_json(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


Config = Annotated[
    TrialConfig, PlainValidator(_read_config), PlainSerializer(lambda config: config.to_json())
]
"""A configuration keeps its own JSON form: its digest is an identity."""


class Images(Record):
    """Numbers of a contest's images."""

    train: Count
    test: Count


class Data(Record):
    """A contest's images.

    Attributes:
        root: Its folder.
        train_images: Folders of the training images within it.
        test_images: Folders of the test images.
        digest: Of the decoded images.
        test: File beside the folds with the names of the test images; empty if there is none.
        extra_images: Folder of the labelled images from elsewhere.
        extra: File beside the folds with their names and labels; empty if there are none.
        truth: File beside the folds with the masks of training images; empty if there are none.
    """

    root: str
    train_images: tuple[str, ...] = ("",)
    test_images: tuple[str, ...] = ("",)
    digest: str
    test: MaybeName = ""
    extra_images: str = ""
    extra: MaybeName = ""
    truth: MaybeName = ""


class FoldsRecord(Record):
    """Which image is held out when.

    Attributes:
        file: The stored folds, beside the job.
        digest: Of them.
        count: Folds in all.
        sizes: Images that each holds out.
    """

    file: Name
    digest: str
    count: Count
    sizes: tuple[Count, ...] = Field(min_length=1)


class CorrectionsRecord(Record):
    """Labels that a person corrected; they act on training, never on scores.

    Attributes:
        digest: Of the stored table, ``corrections-<digest>.csv`` beside the folds.
        relabelled: Images with another label.
        left_out: Images that should not be used.
    """

    digest: Name
    relabelled: Count
    left_out: Count


class Digests(Record):
    """What else decides a training: the space, our sources, the team's own; empty for none.

    The stress decides what else is predicted.
    """

    space: str
    code: str
    own: str
    stress: str = ""


class Past(Record):
    """A training of an earlier search.

    Attributes:
        id: Global id of the trial.
        params: What this search would have drawn.
        scores: The contest's metric by epoch, from the first on.
        finished: Whether it ran to its end.
    """

    id: str
    params: dict[str, Value]
    scores: tuple[float, ...]
    finished: bool


class Promotion(Record):
    """What a promotion trains, and what the gate said.

    Attributes:
        arms: Promoted configurations by name.
        parents: The trial behind each.
        scores: Hold-out score of that trial.
        changes: Settings that the promotion changes, by flat name.
        optimism: By how many points the hold-out flatters the best; None if not known.
        folds: Folds to train.
        seeds: Trainings per fold.
        race: Folds that all arms train first; empty if there is no race.
        verdict: What trust said.
        force: Why it went on nevertheless; empty if it did not have to.
    """

    arms: dict[str, Config]
    parents: dict[str, str]
    scores: dict[str, float]
    changes: dict[str, Any]
    optimism: float | None
    folds: Count
    seeds: Count
    race: tuple[Count, ...]
    verdict: str
    force: str

    @model_validator(mode="after")
    def _check_names(self) -> Promotion:
        strangers = sorted(set(self.arms) ^ set(self.scores))
        if strangers:
            raise ValueError(f"{strangers[0]!r} is the name of no trial")
        return self


class Opened(Event):
    """A job begins: its configuration, and digests of what decides its results.

    Attributes:
        format: Of the ledger.
        kind: Of the job.
        search: Name of the job.
        competition: Name of the competition.
        task: What the targets are.
        metric: Name of the contest's metric.
        direction: Which way it is better.
        points: Its unit of reports.
        classes: Class names, in the order of probabilities.
        images: Numbers of images.
        baseline: The configuration that others are compared with.
        data: The images.
        folds: The folds.
        corrections: Of labels; None without any.
        teachers: Promotions whose models label test images, and files of what they say.
        threads: CPU threads per trial.
        options: The command's options, for the command that resumes it.
        space: What is searched, in its JSON form; None if nothing is.
        pipelines: The team's own by name, as albumentations writes them.
        digests: Of space and sources.
        warnings: What the user was told.
        hypothesis: What it is to find out.
        trials: Sampled trials.
        confirm: Seeds of a confirmation at most.
        objective: What its trials are compared by.
        second: What of their networks is weighed against it; None for nothing.
        costs: Of the networks that may be trained, by `TrialConfig.network`, where costs count.
        history: Earlier trainings that tell the sampler.
        promotion: What is promoted; None unless it is a promotion.
    """

    event: Literal["opened"] = "opened"
    format: Literal[4]
    kind: Kind
    search: Name
    competition: Name
    task: str
    metric: str
    direction: Direction
    points: float
    classes: tuple[str, ...]
    images: Images
    baseline: Config
    data: Data
    folds: FoldsRecord
    corrections: CorrectionsRecord | None = None
    teachers: dict[str, Name]
    threads: Count = 1
    options: dict[str, Any] = Field(default_factory=dict)
    space: dict[str, Any] | None = None
    pipelines: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    digests: Digests
    warnings: tuple[str, ...] = ()
    hypothesis: str = ""
    trials: Count = 1
    confirm: Count = 0
    objective: Literal["metric", "stress"] = "metric"
    second: CostName | None = None
    costs: dict[str, NetworkCost] = Field(default_factory=dict)
    history: tuple[Past, ...] = ()
    promotion: Promotion | None = None

    @model_validator(mode="after")
    def _check_promotion(self) -> Opened:
        if (self.kind == "promotion") != (self.promotion is not None):
            raise ValueError(f"a job of kind {self.kind!r} with promotion={self.promotion}")
        return self
