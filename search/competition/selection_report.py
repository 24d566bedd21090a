"""The final selection of a competition, by what its records say: printed and kept as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from results.leaderboard.entries import Submission
from results.metrics import Metric
from results.reporting.final_report import final_page, final_table
from results.stats.bootstrap import bootstrap_weights
from results.trust.final_selection import Finalist, in_play, select_final
from results.trust.trust import Trust
from results.trust.validation import PLAIN
from search.competition.assessment import assess_as_asked
from search.competition.standing import Standing, band_rule, open_standing
from search.options.analysis import FinalConfig
from search.options.exit_codes import OK
from search.promotion.ensemble_members import promotions
from spaces.csv_table import write_csv_table
from spaces.errors import InputError

STEP = 1.0
"""Points by which a mean of models may differ from its own out-of-fold score: standard error."""


@dataclass(frozen=True, kw_only=True)
class _Validated:
    """A submission's validation score in points and how many images it stands on."""

    points: float
    images: int
    merged: bool


@dataclass(frozen=True, kw_only=True)
class _TestImages:
    """How many test images stand behind public and private scores.

    Attributes:
        public: Behind public ones.
        private: Behind private ones.
        guessed: Whether as many private ones as public ones are only assumed.
    """

    public: int
    private: int
    guessed: bool

    @property
    def factor(self) -> float:
        """How much larger the noise of private scores is than that of public ones."""
        return float((self.public / self.private) ** 0.5)

    @property
    def words(self) -> str:
        """How many private ones there are."""
        if self.guessed:
            return (
                "as many private test images as public ones are assumed, "
                f"{self.private:,}; images= says"
            )
        return f"{self.private:,} private test images"


def select_submissions(config: FinalConfig) -> int:
    """Prints the selection, writes the table; returns the exit code."""
    standing = open_standing(config, rule=band_rule(config.band))
    leaderboard, metric = standing.leaderboard, standing.metric
    if len(leaderboard.scored()) < config.select:
        raise InputError(
            f"select={config.select}: {len(leaderboard.scored())} submissions have a public score; "
            "score more with python -m search.score"
        )
    offered, trust = assess_as_asked(standing, config)
    validation = next((v for v in offered.validations if v.name == trust.chosen), PLAIN)
    known = _validation_scores(standing, trust)
    competing = _competing(standing, known, config.select)
    finalists = {s.id: _finalist(standing, s, known[s.trial], trust.error) for s in competing}
    same = _duplicates(list(finalists.values()))
    competing = [s for s in competing if s.id not in same]
    if len(competing) < config.select:
        raise InputError(f"select={config.select}: only {len(competing)} submissions differ")
    images = _test_images(standing, competing, config.images)
    total = _total_error(standing, trust, validation.of(metric))
    shared = max(0.0, total**2 - trust.error**2) ** 0.5 * trust.public_error / trust.error
    final = select_final(
        [finalists[s.id] for s in competing],
        count=config.select,
        public_error=trust.public_error,
        private_error=trust.public_error * images.factor,
        # Skills are centred on public scores, whose shared luck is in them.
        shared_error=shared * float(np.hypot(1, images.factor)),
    )
    points = {trial: v.points for trial, v in known.items()}
    files = [standing.submission_file(leaderboard[i]) for i in final.chosen.ids]
    if trust.ranked_by is not None:
        print(trust.ranked_by.words)
    print(
        f"{standing.folder.name}: {len(competing)} submissions that compete; {images.words}\n\n"
        + "\n".join(final_page(final, competing, points, metric, files))
    )
    for name, other in same.items():
        print(f"{name} predicts the same as {other} and is left out.")
    path = standing.folder / "final.csv"
    write_csv_table(final_table(final, competing, points, metric), path)
    print(f"Table: {path}")
    if config.json:
        chosen = [str(file.resolve()) for file in files]
        print(json.dumps({"id": list(final.chosen.ids), "path": chosen}))
    return OK


def _competing(standing: Standing, known: Mapping[str, _Validated], count: int) -> list[Submission]:
    """Scored submissions that are broken by neither score, or all if these are too few.

    Raises:
        InputError: If there are not as many as are to be selected.
    """
    scored = [s for s in standing.leaderboard.scored() if s.trial in known]
    if len(scored) < count:
        raise InputError(
            f"select={count}: {len(scored)} scored submissions have a validation score"
        )
    unit = standing.metric.sign / standing.metric.points
    public = [unit * (s.public or 0.0) for s in scored]
    kept = in_play([known[s.trial].points for s in scored], public, standing.rule)
    near = [s for s, keep in zip(scored, kept, strict=True) if keep]
    return near if len(near) >= count else scored


def _test_images(standing: Standing, competing: list[Submission], private: int) -> _TestImages:
    """Where nobody says how many private ones there are, all that are not public."""
    tests = len(standing.test_images)
    public = int(np.median([s.images or tests for s in competing]))
    private = private or max(tests - public, 0)
    return _TestImages(public=public, private=private or public, guessed=not private)


def _validation_scores(standing: Standing, trust: Trust) -> dict[str, _Validated]:
    """Validation scores, in points, of trials, imports, promotions and blends, by name.

    Out-of-fold scores are of the plain metric: they are moved by what the chosen score on the
    hold-out makes of trials on average. One on unlabelled test images is on the plain one's scale.
    """
    metric, images = standing.metric, len(standing.labelled.labels)
    sign = metric.sign
    found, moved = {}, []
    for trial in trust.scored:
        points, candidate = trust.validation[trial], standing.candidate(trial)
        assert candidate is not None
        found[trial] = _Validated(points=points, images=images, merged=False)
        moved.append(sign * points * metric.points - candidate.score)
    shift = float(np.mean(moved)) if moved and trust.ranked_by is None else 0.0
    merged: dict[str, tuple[float, int]] = {}
    for name, search in promotions(standing).items():
        if search.arms:
            best = max(search.arms.values(), key=lambda arm: sign * arm.score)
            merged[name] = (best.score, best.images)
    images = sum(standing.search.opened.folds.sizes[1:])
    merged |= {b.id: (b.score, images) for b in standing.leaderboard.blends.values()}
    for name, (score, count) in merged.items():
        found[name] = _Validated(
            points=sign * (score + shift) / metric.points, images=count, merged=True
        )
    return found


def _finalist(
    standing: Standing, submission: Submission, known: _Validated, error: float
) -> Finalist:
    metric = standing.metric
    sign = metric.sign
    assert submission.public is not None
    own = error * (len(standing.labelled.labels) / known.images) ** 0.5
    predictions = standing.submitted(submission)
    return Finalist(
        id=submission.id,
        validation=known.points,
        validation_error=float(np.hypot(own, STEP if known.merged else 0.0)),
        public=sign * submission.public / metric.points,
        labels=standing.task.probabilities(predictions.of(standing.test_images)).argmax(axis=1),
    )


def _duplicates(finalists: list[Finalist]) -> dict[str, str]:
    """Submissions with the very labels of an earlier one, which is no second chance."""
    first: dict[bytes, str] = {}
    found = {}
    for finalist in finalists:
        key = finalist.labels.tobytes()
        if key in first:
            found[finalist.id] = first[key]
        else:
            first[key] = finalist.id
    return found


def _total_error(standing: Standing, trust: Trust, metric: Metric) -> float:
    """Standard error in points of the best trial's score, shared part included."""
    labelled = standing.labelled
    best = next(c for c in standing.pool if c.id == trust.band[0])
    weights = bootstrap_weights(len(labelled.labels), 200, labelled.groups)
    p = labelled.judged(best.holdout).astype(np.float64)
    return float(np.nanstd(metric.weighted(labelled.labels, p, weights))) / standing.metric.points
