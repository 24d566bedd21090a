"""The events of a job's ledger as its readers rely on them: damage is refused where it is read."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    PositiveInt,
    TypeAdapter,
    model_validator,
)

from results.metrics import Direction
from results.records.record import Count, Event, Name, PathInside, Record
from results.stats.interval import Interval
from spaces.param import Value
from spaces.trial_config import TrialConfig

FORMAT: Final = 3
"""Of ledgers; another one is refused where it is read."""

Kind = Literal["search", "train", "promotion"]
Why = Literal["baseline", "sampled", "confirm", "single", "fold"]
Ended = Literal["finished", "stopped", "failed", "interrupted"]
Verdict = Literal["beats", "loses to", "indistinguishable from", "not ahead of"]


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
        train_images: Folder of the training images within it.
        test_images: Folder of the test images.
        digest: Of the decoded images.
        test: File beside the folds with the names of the test images; empty if there is none.
    """

    root: str
    train_images: str = ""
    test_images: str = ""
    digest: str
    test: PathInside = ""


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


class Digests(Record):
    """What else decides a training: the space, our sources, the team's own; empty for none."""

    space: str
    code: str
    own: str


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
        threads: CPU threads per trial.
        options: The command's options, for the command that resumes it.
        space: What is searched, in its JSON form; None if nothing is.
        digests: Of space and sources.
        warnings: What the user was told.
        hypothesis: What it is to find out.
        trials: Sampled trials.
        confirm: Seeds of a confirmation at most.
        history: Earlier trainings that tell the sampler.
        promotion: What is promoted; None unless it is a promotion.
    """

    event: Literal["opened"] = "opened"
    format: Literal[3]
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
    threads: Count = 1
    options: dict[str, Any] = Field(default_factory=dict)
    space: dict[str, Any] | None = None
    digests: Digests
    warnings: tuple[str, ...] = ()
    hypothesis: str = ""
    trials: Count = 1
    confirm: Count = 0
    history: tuple[Past, ...] = ()
    promotion: Promotion | None = None

    @model_validator(mode="after")
    def _check_promotion(self) -> Opened:
        if (self.kind == "promotion") != (self.promotion is not None):
            raise ValueError(f"a job of kind {self.kind!r} with promotion={self.promotion}")
        return self


class Resumed(Event):
    """A job goes on.

    Attributes:
        changes: What it goes on with of the options that may change.
        code: Digest of our sources as they are now.
    """

    event: Literal["resumed"] = "resumed"
    changes: dict[Literal["trials", "confirm"], Count]
    code: str = ""


class TrialStarted(Event):
    """A training begins.

    Attributes:
        trial: Global id, ``<search>-<number>``.
        number: Position in the job, from 0.
        why: What it is for.
        arm: Which side of a comparison it belongs to, or the trial that is promoted.
        params: What the search drew.
        config: The complete configuration.
        digest: Of the configuration.
        taken: Trial of another job that was this very training; empty if it is trained here.
    """

    event: Literal["trial_started"] = "trial_started"
    trial: Name
    number: Count
    why: Why
    arm: str
    params: dict[str, Any]
    config: Config
    digest: str = ""
    taken: PathInside = ""


class TrialResumed(Event):
    """A training goes on from its checkpoint."""

    event: Literal["trial_resumed"] = "trial_resumed"
    trial: str


class Seconds(Record):
    """What an epoch's time was spent on."""

    feed: float = 0.0
    compute: float = 0.0
    evaluate: float = 0.0
    total: float


class Report(Record):
    """A trainer's report of an epoch.

    Attributes:
        epoch: Which one, from 1.
        metrics: By name, with the part they are of: ``val/accuracy``.
        seconds: What its time was spent on.
        images: Images trained on.
    """

    epoch: Count
    metrics: dict[str, float]
    seconds: Seconds
    images: Count = 0


class EpochDone(Event):
    """A training reports an epoch."""

    event: Literal["epoch"] = "epoch"
    trial: str
    report: Report


class TrialNoted(Event):
    """Something about a trial that its owner should know."""

    event: Literal["note"] = "note"
    trial: str
    words: str


class TrialEnded(Event):
    """A training ends, for now if it was interrupted.

    Attributes:
        trial: Global id.
        state: How; ``stopped`` means early, by the scheduler.
        reason: Why it failed or was interrupted.
        traceback: Where it was.
        fault: What interrupted it, other than its driver; empty if nothing did.
        micro_batch: With which it goes on; None for the same.
    """

    event: Literal["trial_ended"] = "trial_ended"
    trial: str
    state: Ended
    reason: str
    traceback: str = ""
    fault: str = ""
    micro_batch: PositiveInt | None = None


class Comparison(Record):
    """A candidate against one control, on the same images.

    Attributes:
        control: Name of the control.
        gain: Mean over seeds of how much better the candidate is, in points.
        margin: Half width of the interval around ``gain``, in points; None after one seed, which
            does not tell how much seeds vary.
        seeds: Trainings of each side that were compared.
        candidate_score: Mean score of the candidate.
        control_score: Mean score of the control.
        verdict: What the interval allows to say; *not ahead of* after one seed.
        open: Whether further seeds may settle it.
        forecast: Points by which the candidate is expected to lead on the test images; None if
            nobody knows.
    """

    control: str
    gain: float
    margin: float | None
    seeds: Count
    candidate_score: float
    control_score: float
    verdict: Verdict
    open: bool
    forecast: float | None = None


class ExpectedScore(Record):
    """A score that is expected on the test images, with its interval."""

    score: float
    low: float
    high: float


class ForecastRecord(Record):
    """What test scores will be.

    Attributes:
        models: Models whose agreement tells.
        images: Unlabelled test images.
        gap: Points by which they are expected below the hold-out's.
        winner: Of the winner; None if it was not forecast.
    """

    models: Count
    images: Count
    gap: float
    winner: ExpectedScore | None


class Headline(Record):
    """What a promotion is worth, as far as can be told.

    Attributes:
        score: The metric, pooled over the images of all folds that chose nothing: not fold 0,
            which chose the trial, nor those of a race.
        interval: Around it, for models trained anew; None with fewer than two such folds.
        given_models: Around it, for these very models on other images (groups) alone.
        folds: The metric on each trained fold, fold 0 included if it is one of them; None where
            it is undefined.
        chosen: The metric on fold 0; None if it was not trained.
        optimism: By how many points fold 0 flatters; None if it was not trained.
        images: Images behind the score.
    """

    score: float
    interval: Interval | None
    given_models: Interval
    folds: dict[int, float | None]
    chosen: float | None
    optimism: float | None
    images: Count


class Proxy(Record):
    """Hold-out score of a promoted trial, and its score on folds that did not choose it."""

    trial: str
    holdout: float
    full: float


class LightToHeavy(Record):
    """Score of a trial before and after the change that a promotion made."""

    trial: str
    light: float
    heavy: float


def _whole_cost(cost: dict[str, int | float]) -> dict[str, int | float]:
    lacking = {"wall", "tracking", "trials/total", "images", "epochs"} - cost.keys()
    if lacking or not cost["wall"] > 0:
        raise ValueError(f"{min(lacking)} is missing" if lacking else f"wall={cost['wall']}")
    return cost


class Closed(Event):
    """A job ends, for now if it was interrupted.

    Attributes:
        state: Whether it ran to its end.
        reason: Why it was stopped.
        counts: Trials by state.
        winner: The best sampled trial, or the best arm; None if there is none.
        baseline: The baseline's trial; None if it did not run to its end.
        optimism: Points by which the winner's hold-out score flatters it; None if not known.
        comparisons: The winner against its controls.
        forecast: Of test scores; None where nobody predicted test images.
        cost: Seconds ``wall``, ``tracking``, by part of an epoch (``trials/…``) and by purpose
            (``why/…``); numbers of ``images`` and ``epochs``.
        arms: Headlines of a promotion's complete arms.
        proxies: Hold-out against full scores of all promoted trials.
        light_to_heavy: Scores before and after the change.
    """

    event: Literal["closed"] = "closed"
    state: Literal["finished", "interrupted"]
    reason: str = ""
    counts: dict[str, Count]
    winner: str | None
    baseline: str | None
    optimism: float | None
    comparisons: tuple[Comparison, ...]
    forecast: ForecastRecord | None
    cost: Annotated[dict[str, int | float], AfterValidator(_whole_cost)]
    arms: dict[str, Headline] = Field(default_factory=dict)
    proxies: tuple[Proxy, ...] = ()
    light_to_heavy: tuple[LightToHeavy, ...] = ()


EVENTS: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        Opened
        | Resumed
        | TrialStarted
        | TrialResumed
        | EpochDone
        | TrialNoted
        | TrialEnded
        | Closed,
        Field(discriminator="event"),
    ]
)
"""What a job's ledger is made of."""
