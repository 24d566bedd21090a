"""Pseudo-labels from a promotion: what is looked up in its record, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.leaderboard.leaderboard import Leaderboard
from results.predictions import Predictions
from results.records.confirmation import confirmation_arms
from results.records.ledger import Ledger
from search.competition.teachers import check_rules, find_teachers
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import ended as ended_event
from tests.records import job_event, opening_event, started
from trainables.data.contest import Contest
from trainables.data.folds import Folds, make_folds
from trainables.data.teachers import Teachers

CONFIG = TrialConfig.of(pseudo="soft", teachers="p")


class Promotion:
    """A promotion of two arms on two folds, with predictions of its own making."""

    def __init__(self, competition: Path, contest: Contest, folds: Folds, ended: bool = True):
        self.folder, self.contest, self.folds = competition / "p", contest, folds
        ledger = Ledger(self.folder / "ledger.jsonl")
        nothing: dict[str, Any] = {
            "parents": {},
            "changes": {},
            "optimism": None,
            "folds": 2,
            "seeds": 1,
        }
        nothing |= {"race": [], "verdict": "", "force": ""}
        arms = {"a": TrialConfig().to_json(), "b": TrialConfig().to_json()}
        asked = {"arms": arms, "scores": {"a": 0.9, "b": 0.8}, **nothing}
        split = {"file": "f.csv", "digest": folds.digest, "count": folds.count, "sizes": [1]}
        classes = list(contest.classes)
        ledger.add(
            opening_event("p", kind="promotion", promotion=asked, folds=split, classes=classes)
        )
        for number, (arm, fold) in enumerate([("a", 0), ("b", 0), ("a", 1), ("b", 1), ("c", 1)]):
            name = f"p-{number:03d}"
            ledger.add(started(name, TrialConfig.of(fold=fold), why="fold", arm=arm))
            ledger.add(ended_event(name))
            self.predict(name, "test", contest.test_images, number)
            held_out = tuple(folds.images[row] for row in folds.held_out(fold))
            self.predict(name, "holdout", held_out, number)
        if ended:
            told: dict[str, Any] = {"score": 0.9, "images": 9, "folds": {}, "interval": None}
            told |= {
                "given_models": {"value": 0.9, "low": 0.8, "high": 1.0},
                "chosen": None,
                "optimism": None,
            }
            cost = {"wall": 1.0, "tracking": 0.0, "images": 9, "epochs": 1}
            cost |= {"trials/total": 1.0, "trials/beside": 0.0}
            closed: dict[str, Any] = {"state": "finished", "counts": {}, "winner": "a"}
            closed |= dict.fromkeys(("baseline", "optimism", "forecast"))
            closed |= {"comparisons": [], "watched": [], "arms": {"a": told, "b": told}}
            ledger.add(job_event("closed", cost=cost, **closed))
        ledger.close()

    def predict(self, trial: str, part: str, images: tuple[str, ...], number: int) -> None:
        """Class ``number`` with a probability of 0.82."""
        probabilities = np.full((len(images), 10), 0.02, np.float32)
        probabilities[:, number] = 0.82
        Predictions.of_classes(
            images=images, classes=self.contest.classes, probabilities=probabilities
        ).write(self.folder / "trials" / trial / f"{part}.npz")


@pytest.fixture
def competition(tmp_path: Path, contest: Contest, folds: Folds) -> Path:
    folder = tmp_path / "digits"
    Promotion(folder, contest, folds)
    return folder


def test_teachers_of_a_fold_are_all_its_complete_arms(
    competition: Path, contest: Contest, folds: Folds
) -> None:
    found = find_teachers([TrialConfig(), CONFIG], competition, contest, folds)["p"]
    assert isinstance(found, Teachers)
    assert found.folds.tolist() == [0, 1]
    assert found.test[0, :, :4] == pytest.approx(np.tile([0.42, 0.42, 0.02, 0.02], (719, 1)))
    assert found.test[1, :, :5] == pytest.approx(np.tile([0.02, 0.02, 0.42, 0.42, 0.02], (719, 1)))
    assert found.held_out[folds.held_out(1)].argmax(axis=1) == pytest.approx(2)
    assert (found.held_out[folds.held_out(3)] == 0).all()
    assert find_teachers([TrialConfig()], competition, contest, folds) == {}


def test_what_does_not_fit_is_refused(competition: Path, contest: Contest, folds: Folds) -> None:
    def refused(words: str, config: TrialConfig = CONFIG, split: Folds = folds) -> None:
        with pytest.raises(InputError, match=words):
            find_teachers([config], competition, contest, split)

    refused(r"pseudo=soft needs the models of a promotion: fix.teachers=<its name>; choices: p",
            CONFIG.replace(teachers=""))  # fmt: skip
    refused("unknown promotion 'pp'.*did you mean p", CONFIG.replace(teachers="pp"))
    refused("teachers=p has other folds", split=make_folds(contest, 5, seed=1))
    (competition / "p/trials/p-002/test.npz").unlink()
    refused("teachers=p: p-002 lacks predictions")


def test_the_rules_close_test_images_to_whatever_learns_from_them(tmp_path: Path) -> None:
    mixing = TrialConfig.of(action="mixmatch")
    check_rules([CONFIG, mixing], tmp_path)
    Leaderboard.read(tmp_path).set_rules(test_images=False)
    check_rules([TrialConfig()], tmp_path)
    for config, words in ((CONFIG, "pseudo=soft"), (mixing, "action=mixmatch")):
        with pytest.raises(InputError, match=f"{words}: the rules forbid looking at test images"):
            check_rules([TrialConfig(), config], tmp_path)


def test_a_promotion_that_has_not_ended_teaches_nothing(
    tmp_path: Path, contest: Contest, folds: Folds
) -> None:
    Promotion(tmp_path / "digits", contest, folds, ended=False)
    with pytest.raises(InputError, match="no trial with all of its folds; resume=p goes on"):
        find_teachers([CONFIG], tmp_path / "digits", contest, folds)


def test_the_matched_control_learns_from_labelled_images_only() -> None:
    base = TrialConfig()
    winner = base.replace(pseudo="soft", teachers="p", lr=5e-3)
    arms = confirmation_arms(winner, base)
    assert arms["without pseudo-labels"] == winner.replace(pseudo="none")
    assert "without pseudo-labels" not in confirmation_arms(base.replace(lr=5e-3), base)
