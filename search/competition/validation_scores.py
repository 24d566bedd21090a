"""The validation scores that compete for a contest, and why others do not."""

from __future__ import annotations

from dataclasses import dataclass, field

from results.forecast.methods import FEWEST, RANKINGS
from results.predictions import Predictions, predictions_file
from results.trust.image_weights import ImageWeights, weigh_images
from results.trust.unlabelled import Unlabelled
from results.trust.validation import (
    PLAIN,
    STRESS,
    Validation,
    class_balanced,
    weighted_to_test,
    worst_group,
)
from search.competition.images import open_pictures
from search.competition.standing import Standing
from search.options.analysis import TrustConfig
from search.options.user_code import network_builder, preparation_of
from spaces.digest import digest
from spaces.errors import InputError

UNLABELLED = "agreement"
"""Under which is said why there are no scores on test images without labels."""

FORBIDDEN = "the rules forbid it (rules.test_images=false)"
"""Why there is nothing that looks at test images."""


@dataclass(kw_only=True)
class ValidationScores:
    """Validation scores and their circumstances.

    Attributes:
        validations: On the hold-out, the plain one first.
        unlabelled: On test images without labels.
        absent: Why others do not compete, by name.
        watched: Scores that not all trials have, by name and trial.
        weighting: How much each hold-out image counts towards the test; None where nobody looked.
        weights: File of that, relative to the competition's folder.
    """

    validations: list[Validation] = field(default_factory=lambda: [PLAIN])
    unlabelled: list[Unlabelled] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    watched: dict[str, dict[str, float]] = field(default_factory=dict)
    weighting: ImageWeights | None = None
    weights: str = ""

    @property
    def names(self) -> list[str]:
        """Of all that compete."""
        return [v.name for v in self.validations] + [u.name for u in self.unlabelled]

    def why_not(self, name: str) -> str:
        """Why one does not compete."""
        few = f"fewer than {FEWEST} configurations on one fold"
        return self.absent.get(UNLABELLED if name in RANKINGS else name, few)


def find_validation_scores(config: TrustConfig, standing: Standing) -> ValidationScores:
    """Sets up the tournament.

    Raises:
        InputError: If what was asked for by name (a backbone, its weights) is not there.
    """
    found = ValidationScores()
    if standing.metric.fractional:
        found.validations.append(class_balanced(standing.labelled.labels))
    else:
        found.absent["class-balanced"] = "your own metric takes no weights"
    worst = worst_group(standing.labelled.groups)
    if worst is not None:
        found.validations.append(worst)
    else:
        found.absent["worst group"] = "the hold-out has fewer than two groups of 10 images"
    _add_stress(standing, found)
    _add_unlabelled(standing, found)
    reason = _add_weighted(config, standing, found)
    if reason:
        found.absent["test-weighted"] = reason
    return found


def _add_stress(standing: Standing, found: ValidationScores) -> None:
    """Adds the score under the stress; where only some trials have one, it is watched."""
    if not standing.leaderboard.test_images:
        found.absent[STRESS.name] = FORBIDDEN
        return
    looked = standing.looked_at()
    seen = standing.validated(looked, STRESS)
    if not seen:
        found.absent[STRESS.name] = "no trial has predicted under one (predict.stress=)"
    elif len(seen) < len(looked):
        found.absent[STRESS.name] = (
            f"{len(looked) - len(seen)} of {len(looked)} trials have not predicted under it; "
            "compared with the leaderboard on those that have"
        )
        metric, labels = standing.metric, standing.labelled.labels
        found.watched[STRESS.name] = {
            v.id: metric.sign * metric.score(labels, v.probabilities) for v in seen
        }
    else:
        found.validations.append(STRESS)


def _add_unlabelled(standing: Standing, found: ValidationScores) -> None:
    """Adds what unlabelled test images say of models by themselves and together, where allowed."""
    if not standing.leaderboard.test_images:
        found.absent[UNLABELLED] = FORBIDDEN
        return
    found.unlabelled = standing.unlabelled_scores
    if found.unlabelled:
        found.absent |= standing.compared[1]
    else:
        found.absent[UNLABELLED] = f"fewer than {FEWEST} models have predicted the test images"


def _add_weighted(config: TrustConfig, standing: Standing, found: ValidationScores) -> str:
    """Adds the test-weighted score, or says why there is none."""
    if not standing.leaderboard.test_images:
        return FORBIDDEN
    if not standing.metric.fractional:
        return "your own metric takes no weights"
    try:
        name, weighting = _weighting(config, standing)
    except (InputError, OSError, ValueError) as error:
        if config.backbone:
            raise
        return str(error)
    found.weighting = weighting
    if weighting.refusal:
        return weighting.refusal
    found.weights = name
    found.validations.append(weighted_to_test(weighting.weights))
    return ""


def _weighting(config: TrustConfig, standing: Standing) -> tuple[str, ImageWeights]:
    """The weights file and its contents, computed once per hold-out, test set and network."""
    opened = standing.search.opened
    source = f"{config.backbone}|{config.weights}|{config.pretrained}"
    folds, data = opened.folds.digest, opened.data.digest
    name = f"shift-{digest([folds, data, source])}.json"
    path = standing.folder / name
    if path.exists():
        return name, ImageWeights.read(path)
    own = [
        c
        for c in sorted(standing.pool, key=lambda c: c.ended)
        if c.trial is not None and (c.folder / predictions_file("test")).exists()
    ]
    baselines = [c for c in own if c.untuned]
    if not own:
        raise InputError("no trial has test predictions")
    candidate = (baselines or own)[0]
    assert candidate.trial is not None
    from trainables.inference.embed import embed
    from trainables.inference.predict import load_trained
    from trainables.networks.timm_network import timm_network

    trial = candidate.trial.config
    preparation = preparation_of(trial, config.prepare, candidate.id)
    if config.backbone:
        trial = trial.replace(
            predict_size=0,
            model="timm",
            backbone=config.backbone,
            weights=config.weights,
            pretrained=config.pretrained,
        )
        model = timm_network(trial, len(standing.classes))
    elif trial.model.own and trial.model.kind != config.model:
        raise InputError(f"{candidate.id} needs model={trial.model.kind} on the command line")
    else:
        build = network_builder(standing.search, candidate.trial, config.model)
        model = load_trained(trial, candidate.folder, len(standing.classes), build)
    test = Predictions.read(candidate.folder / predictions_file("test")).images
    print(f"embedding {len(standing.labelled.images) + len(test):,} images, once", flush=True)
    _, store = open_pictures(standing, preparation, trial.data.boxes, print)
    row_of = {image: row for row, image in enumerate(store.images)}
    wanted = (*standing.labelled.images, *test)
    features = embed(model, trial, store, [row_of[image] for image in wanted])
    n = len(standing.labelled.images)
    weighting = weigh_images(features[:n], features[n:], standing.labelled.groups)
    weighting.write(path)
    return name, weighting
