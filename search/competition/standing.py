"""Where a competition stands: its metric, hold-out, candidates and leaderboard, read together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path

from results.forecast.methods import FEWEST, Model
from results.leaderboard.entries import Submission
from results.leaderboard.leaderboard import Leaderboard
from results.leaderboard.site_names import SiteNames
from results.metrics import Metric, custom_metric
from results.predictions import Predictions, predictions_file
from results.records.labelled_images import LabelledImages
from results.records.trials import Search
from results.tasks.task import Known, Task
from results.trust.band import BandRule, Validated, as_good, competitive_band
from results.trust.unlabelled import Unlabelled, unlabelled_scores
from results.trust.validation import PLAIN, Validation
from search.competition.candidates import (
    Candidate,
    comparable_searches,
    competition_folder,
    finished_trials,
)
from search.competition.compared_models import compared_models
from search.competition.yardstick import in_force, unlabelled_in_force
from search.options.analysis import CompetitionConfig
from search.options.shared import BandConfig
from search.options.user_code import load_function
from spaces.errors import InputError

LOADED = 200
"""Candidates whose predictions are read, best first; scored ones always are."""


@dataclass(kw_only=True)
class Standing:
    """A competition as its records tell it.

    Attributes:
        folder: ``runs/<competition>``.
        leaderboard: Submissions and scores.
        search: The newest search, whose metric, images and folds count.
        searches: Those comparable with it, oldest first.
        metric: The contest's metric.
        labelled: Labels and groups of the hold-out.
        pool: Finished trials and imported models, best first by the score in force.
        twins: Trials that were the very training of one in the pool, by id.
        rule: How far behind the best a trial may be to compete with it.
    """

    folder: Path
    leaderboard: Leaderboard
    search: Search
    searches: list[Search]
    metric: Metric
    labelled: LabelledImages
    pool: list[Candidate]
    twins: dict[str, str]
    rule: BandRule

    @property
    def task(self) -> Task:
        """What the targets are."""
        return self.search.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of probabilities."""
        return self.search.opened.classes

    @property
    def root(self) -> Path:
        """The contest's folder of images."""
        return Path(self.search.opened.data.root)

    @property
    def test_images(self) -> tuple[str, ...]:
        """Names of the test images in the order of the contest's table; may be empty."""
        return self.search.tested.images

    @cached_property
    def known(self) -> Known:
        """What is known of the contest's images, for reading submissions and solutions."""
        said = [s.positive for s in self.leaderboard.submissions.values() if s.positive]
        return self.knowing(said[-1] if said else "")

    def knowing(self, positive: str) -> Known:
        """The same, where a single column of probabilities is of a class."""
        tested = self.search.tested
        names = SiteNames(images=tested.images, ids=tested.ids)
        return Known(self.classes, self.search.truth, tested.sizes, names, positive)

    def submitted(self, submission: Submission) -> Predictions:
        """What a submission's file says.

        Raises:
            InputError: If it holds something else than submissions do.
        """
        known = self.knowing(submission.positive)
        return self.task.read_submission(self.submission_file(submission), known)

    def submission_file(self, submission: Submission) -> Path:
        """A submission's file, also where the runs folder was moved."""
        return self.folder / "submissions" / Path(submission.file).name

    def candidate(self, name: str) -> Candidate | None:
        """A candidate by id."""
        return next((c for c in self.pool if c.id == name), None)

    def validated(
        self, wanted: Sequence[Candidate], validation: Validation = PLAIN
    ) -> list[Validated]:
        """Candidates with the hold-out predictions that a validation scores.

        Those without predictions under the stress are left out where it scores these.
        """
        files = {c.id: self.stressed(c) if validation.stressed else c.holdout for c in wanted}
        return [
            Validated(id=name, probabilities=self.labelled.judged(path))
            for name, path in files.items()
            if path is not None
        ]

    @property
    def stress(self) -> str:
        """Digest of the newest stress under which images were predicted; empty for none."""
        digests = [s.opened.digests.stress for s in self.searches]
        return next(filter(None, reversed(digests)), "")

    def stressed(self, candidate: Candidate) -> Path | None:
        """A candidate's predictions under that stress; None if it has none."""
        own = candidate.search.opened.digests.stress
        path = candidate.folder / predictions_file("stress")
        there = candidate.trial is not None and own and own == self.stress
        return path if there and path.exists() else None

    def looked_at(self) -> list[Candidate]:
        """The best candidates and those with a public score."""
        scored = {s.trial for s in self.leaderboard.scored()}
        return [c for i, c in enumerate(self.pool) if i < LOADED or c.id in scored]

    @cached_property
    def unlabelled(self) -> Unlabelled | None:
        """The score on unlabelled test images that is in force; None for none."""
        return unlabelled_in_force(self)

    @cached_property
    def unlabelled_scores(self) -> list[Unlabelled]:
        """All of these scores; none where too few models have predicted the test images."""
        models, _ = self.compared
        return unlabelled_scores(models) if len({m.kin for m in models}) >= FEWEST else []

    @cached_property
    def compared(self) -> tuple[list[Model], dict[str, str]]:
        """Models that such scores are of, and why some are lacking, by what they are."""
        scored = {s.trial for s in self.leaderboard.scored()}
        looked = [(c.search, c.trial) for c in self.looked_at() if c.trial is not None]
        return compared_models(self, looked, scored)

    @property
    def band(self) -> list[str]:
        """Ids of the competitive band, best first."""
        validation = in_force(self)
        head = self.pool[:LOADED]
        if self.unlabelled is not None:  # which ranks what competes on the hold-out
            head = sorted(head, key=_by_merit)
        wanted = self.validated(head, validation)
        metric, labelled = validation.of(self.metric), self.labelled
        band, _ = competitive_band(metric, labelled.labels, wanted, labelled.groups, self.rule)
        inside = {c.id for c in band}
        return [c.id for c in self.pool if c.id in inside]

    def as_good(self, candidates: Sequence[Candidate]) -> list[str]:
        """Ids of those that the hold-out does not tell from the best, best first."""
        validation, labelled = in_force(self), self.labelled
        seen = self.validated(candidates, validation)
        return as_good(validation.of(self.metric), labelled.labels, seen, labelled.groups)


def open_standing(
    config: CompetitionConfig, like: Search | None = None, rule: BandRule | None = None
) -> Standing:
    """Reads a competition's records.

    Args:
        config: Which one.
        like: A job whose metric, images and folds count instead of those of the newest search.
        rule: How far behind the best a trial may be to compete with it.

    Raises:
        InputError: If there are none, or the metric is a team's own and not given.
    """
    folder = competition_folder(Path(config.runs), config.competition)
    leaderboard = Leaderboard.read(folder)
    found = comparable_searches(folder, like)
    search = found[-1]
    metric = _metric(search, config.metric)
    pool, twins = _without_twins(finished_trials(found), leaderboard)
    standing = Standing(
        folder=folder,
        leaderboard=leaderboard,
        search=search,
        searches=found,
        metric=metric,
        labelled=LabelledImages.of_fold(search.folds_file, 0),
        pool=pool,
        twins=twins,
        rule=rule or BandRule(),
    )
    standing.pool += _imports(standing)
    standing.pool.sort(key=_by_merit)
    validation = in_force(standing)
    if validation.name != PLAIN.name:
        by, sign = validation.of(metric), metric.sign
        head = standing.pool[:LOADED]
        merit = {
            v.id: sign * by.score(standing.labelled.labels, v.probabilities)
            for v in standing.validated(head, validation)
        }
        standing.pool[:LOADED] = sorted(head, key=lambda c: (-merit.get(c.id, -inf), c.id))
    if standing.unlabelled is not None:
        band = set(standing.band)
        own = standing.unlabelled.points({c.id: c.merit for c in standing.pool}, band)
        standing.pool.sort(key=lambda c: (c.id not in band, -own[c.id], c.id))
    return standing


def band_rule(config: BandConfig) -> BandRule:
    """The band that the options ask for."""
    return BandRule(points=config.points, errors=config.errors)


def _by_merit(candidate: Candidate) -> tuple[float, str]:
    return -candidate.merit, candidate.id


def _without_twins(
    trials: list[Candidate], leaderboard: Leaderboard
) -> tuple[list[Candidate], dict[str, str]]:
    """Keeps one of several trainings with the same configuration: the submitted, or the first."""
    kept: dict[str, Candidate] = {}
    twins = {}
    for c in sorted(trials, key=lambda c: leaderboard.of_trial(c.id) is None):
        assert c.trial is not None
        digest = c.trial.config.digest
        if digest in kept:
            twins[c.id] = kept[digest].id
        else:
            kept[digest] = c
    return list(kept.values()), twins


def _metric(search: Search, given: str) -> Metric:
    name = given.partition(":")[2] or given
    if search.metric in search.task.metrics:
        if given and given != search.metric:
            raise InputError(f"metric={given}: {search.id} was scored with {search.metric}")
        return search.task.metric(search.metric)
    if ":" not in given:
        raise InputError(
            f"{search.id} was scored with the team's own metric {search.metric!r}: give it as "
            f"metric=module:{search.metric}, since nothing is imported because a file says so"
        )
    if name != search.metric:
        raise InputError(f"metric={given}: {search.id} was scored with {search.metric!r}")
    return custom_metric(name, search.direction, load_function(given, "metric"))


def _imports(standing: Standing) -> list[Candidate]:
    """Models made elsewhere whose hold-out predictions are of this very hold-out."""
    made = []
    for submission in standing.leaderboard.submissions.values():
        if not submission.holdout:
            continue
        path = standing.folder / submission.holdout
        predictions = Predictions.read(path)
        if (
            predictions.images == standing.labelled.images
            and predictions.classes == standing.classes
        ):
            score = standing.metric.score(standing.labelled.labels, predictions.judged)
            made.append(
                Candidate(
                    id=submission.trial,
                    search=standing.search,
                    trial=None,
                    score=score,
                    holdout=path,
                    ended=submission.at,
                )
            )
    return made
