"""How a job ends: what came out, and what it cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from results.records.front import Front
from results.records.population import PopulationFound
from results.records.record import Count, Event, Record
from results.stats.interval import Interval

Verdict = Literal["beats", "loses to", "indistinguishable from", "not ahead of"]


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
        corrected: Points by which the candidate leads on labels as corrected; None without
            corrections.
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
    corrected: float | None = None


class Watched(Record):
    """A further score of one side of a confirmation.

    Attributes:
        what: What is scored, in words.
        arm: The side.
        score: Mean over its seeds.
        low: Lower end of the interval, which covers 95 %.
        high: Its upper end.
        seeds: Trainings.
        images: Images that have a say in it.
    """

    what: str
    arm: str
    score: float
    low: float
    high: float
    seeds: Count
    images: Count


class ExpectedScore(Record):
    """A score that is expected on the test images, with its interval."""

    score: float
    low: float
    high: float


class ForecastRecord(Record):
    """What test scores will be.

    Attributes:
        models: Trainings that it is made of.
        images: Unlabelled test images.
        gap: Points by which test scores are expected to be worse than the hold-out's, or than that
            of a promotion out of fold.
        held_out: That of a promotion; None of a search, whose page has its winner's.
        winner: Of the winner, or of what a promotion predicts; None if it was not forecast.
    """

    models: Count
    images: Count
    gap: float
    held_out: float | None = None
    winner: ExpectedScore | None

    @property
    def words(self) -> str:
        """What is expected of the winner, behind its score; empty if nothing is."""
        score = self.winner
        if score is None:
            return ""
        return f", expected on the test {score.score:.4f} ({score.low:.4f} to {score.high:.4f})"


class Importance(Record):
    """How unlike all others the better half of the trials draws a parameter.

    Attributes:
        parameter: Its name.
        value: Pearson divergence of its values in the better half from those among all.
        chance: What shuffled scores stay below; above it the parameter mattered.
        trials: Trials that have the parameter.
    """

    parameter: str
    value: float
    chance: float
    trials: Count

    @property
    def mattered(self) -> bool:
        """Whether it stands out from chance."""
        return self.value > self.chance


class Effect(Record):
    """What trials with something score more than those without, whatever else they differ in.

    Attributes:
        name: Of what they have.
        gain: In points; positive is better.
        margin: Half width of the interval, in points.
        trials: How many have it.
    """

    name: str
    gain: float
    margin: float
    trials: Count


class EarlyRanks(Record):
    """How well scores after some epochs rank trainings.

    Attributes:
        epoch: After how many.
        tau: Kendall's tau with the last score.
        trials: Trainings behind it, which ran to their end.
    """

    epoch: Count
    tau: Interval
    trials: Count


class WhatMattered(Record):
    """What a search's trials tell of its parameters and of its early stopping.

    Attributes:
        epoch: The last one that all sampled trials reached; their scores after it are compared.
        trials: Sampled trials.
        importances: Of parameters, those that stand out most first.
        operations: Of a searched augmentation policy, the largest gain first.
        early: Of the rungs of early stopping.
        grace: A better first rung where early ranks are worth little; 0 otherwise.
    """

    epoch: Count
    trials: Count
    importances: tuple[Importance, ...]
    operations: tuple[Effect, ...]
    early: tuple[EarlyRanks, ...]
    grace: Count


class Matching(Record):
    """What scoring policies by inference cost, and was worth.

    Attributes:
        policies: How many were scored.
        models: Networks that scored them.
        trainings: Full trainings of a sampled trial that took as long; None if none ran to its end.
        tau: Kendall's tau of their scores with those after training; None with too few, or where
            either are all the same.
        trials: Trials behind it, which ran to their end.
    """

    policies: Count
    models: Count
    trainings: float | None
    tau: Interval | None
    trials: Count


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
        watched: What else is told of the confirmation's sides, such as of rare classes.
        forecast: Of test scores; None where nobody predicted test images.
        cost: Seconds ``wall``, ``tracking``, by part of an epoch (``trials/…``, as `Seconds` has
            them), of trials but of none of their epochs (``trials/beside``), and by purpose
            (``why/…``); numbers of ``images`` and ``epochs``.
        mattered: What a search tells of its parameters; None with too few trials.
        matching: Of density matching; None where trainings chose the trials.
        population: Of a population of trainings; None without one.
        front: What no other trial beats in both objectives; None with one.
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
    watched: tuple[Watched, ...]
    forecast: ForecastRecord | None
    cost: Annotated[dict[str, int | float], AfterValidator(_whole_cost)]
    mattered: WhatMattered | None = None
    matching: Matching | None = None
    population: PopulationFound | None = None
    front: Front | None = None
    arms: dict[str, Headline] = Field(default_factory=dict)
    proxies: tuple[Proxy, ...] = ()
    light_to_heavy: tuple[LightToHeavy, ...] = ()
