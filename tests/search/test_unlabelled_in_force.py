"""A score on unlabelled test images that is in force: what is promoted, submitted and selected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.forecast.methods import AGREEMENT, BEST_AGREEMENT, CONFIDENCE, RANKINGS
from results.leaderboard.entries import Assessed
from results.leaderboard.leaderboard import Leaderboard
from results.predictions import Predictions
from results.trust.band import BandRule
from search.competition.assessment import assess_standing
from search.competition.candidates import pick
from search.competition.selection_report import select_submissions
from search.competition.standing import Standing, open_standing
from search.competition.submissions import submit
from search.competition.validation_scores import find_validation_scores
from search.competition.yardstick import in_force
from search.options.analysis import FinalConfig, SubmitConfig, TrustConfig
from search.options.command_line import parse
from search.options.training import PromoteConfig
from search.promotion.gate import pass_gate
from spaces.errors import InputError
from tests.records import draft
from tests.search.test_stress_objective import N, Record, predicted

TEST = tuple(f"t{i}.png" for i in range(300))
TRIALS = 10
RULES = "the rules forbid it (rules.test_images=false)"


def told(wrong: int, seed: int) -> Predictions:
    """Predictions of the test images, all of class a, so many of which are wrong."""
    labels = np.zeros(len(TEST), np.int64)
    labels[np.random.default_rng(seed).permutation(len(TEST))[:wrong]] = 1
    return Predictions.of_classes(
        images=TEST, classes=("a", "b"), probabilities=(0.8 * np.eye(2)[labels] + 0.1).astype("f4")
    )


def contest(runs: Path) -> Record:
    """Trials of which the last is best on the test images, and worst on the hold-out; a blend."""
    record = Record(
        runs,
        data={"root": str(runs), "digest": "d1", "test": "test-t1.csv"},
        images={"train": 2 * N, "test": len(TEST)},
    )
    competition = record.competition
    pd.DataFrame({"image": TEST}).to_csv(competition / "test-t1.csv", index=False)
    for i in range(TRIALS):
        trial = record.trial(180 - i, None)
        told(100 - 10 * i, i).write(record.folder / "trials" / trial / "test.npz")
    record.ledger.commit()
    leaderboard = Leaderboard.read(competition)
    for i in range(TRIALS):
        _score(leaderboard, competition, f"s-{i:03d}", told(100 - 10 * i, i), 0.6 + 0.03 * i)
    return record


def _score(
    leaderboard: Leaderboard, competition: Path, trial: str, test: Predictions, public: float
) -> None:
    labels = np.array(test.classes)[test.probabilities.argmax(axis=1)]
    text = pd.DataFrame({"image": TEST, "label": labels}).to_csv(index=False)
    made = leaderboard.add_submission(trial, draft(competition, text))
    leaderboard.add_score(made.id, public=public, private=None, images=len(TEST))


def opened(runs: Path) -> tuple[TrustConfig, Standing]:
    config = parse(TrustConfig, [f"runs={runs}"])
    return config, open_standing(config, rule=BandRule(points=30))


def put_in_force(record: Record, name: str = AGREEMENT, **rest: Any) -> Leaderboard:
    leaderboard = Leaderboard.read(record.competition)
    fields = {"frozen": False, "verdict": "not enough evidence", "evidence": 1.0, "chance": 0.5}
    leaderboard.add_assessment(
        Assessed(
            validation=name, metric="accuracy", folds="f1", scored=TRIALS, **{**fields, **rest}
        )
    )
    return leaderboard


def test_the_tournament_is_won_and_trials_are_chosen_by_it(tmp_path: Path) -> None:
    record = contest(tmp_path)
    config, standing = opened(tmp_path)
    assert standing.pool[0].id == "s-000"
    offered = find_validation_scores(config, standing)
    assert [u.name for u in offered.unlabelled] == list(RANKINGS)
    trust = assess_standing(standing, offered)
    assert trust.chosen in RANKINGS
    assert trust.band[0] == "s-009"
    put_in_force(record, trust.chosen)
    _, after = opened(tmp_path)
    assert after.unlabelled is not None
    assert [c.id for c in after.pool[:2]] == ["s-009", "s-008"]
    assert after.band[0] == "s-009"
    assert [c.id for c in pick(after.pool, "best", len(after.band), {})] == ["s-009"]
    narrow = open_standing(config, rule=BandRule(points=1.2, errors=0))
    assert set(narrow.band) == {"s-000", "s-001", "s-002"}
    assert narrow.pool[0].id == "s-002"  # the best by it of those that compete on the hold-out
    assert narrow.pool[3].id == "s-003"


def test_the_gate_promotes_by_it_and_says_so(tmp_path: Path) -> None:
    put_in_force(contest(tmp_path))
    asked = parse(PromoteConfig, [f"runs={tmp_path}", "force=test", "band.points=30"])
    passage = pass_gate(asked, opened(tmp_path)[1])
    assert passage.chosen[0].id == "s-009"
    assert passage.optimism is None  # the hold-out did not choose it
    assert f"In force is {AGREEMENT} on unlabelled test images" in "\n".join(passage.words)
    assert "Agreement rewards conformity" in "\n".join(passage.words)


def test_a_submission_says_what_chooses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = contest(tmp_path)
    asked = parse(SubmitConfig, [f"runs={tmp_path}", "select=nothing"])
    for name, words in (("plain", ""), (CONFIDENCE, "Confidence rewards self-assurance")):
        put_in_force(record, name)
        with pytest.raises(InputError, match="nothing"):
            submit(asked)
        said = capsys.readouterr().out
        assert words in said
        assert bool(said) == bool(words)


def test_blends_go_by_their_out_of_fold_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaderboard = put_in_force(record := contest(tmp_path), frozen=True)
    made = record.competition / "made"
    made.mkdir()
    blend = leaderboard.add_blend(made, ("s-000",), "mean", 0.77)
    _score(leaderboard, record.competition, blend.id, told(5, 99), 0.9)
    assert select_submissions(parse(FinalConfig, [f"runs={tmp_path}", "band.points=30"])) == 0
    page = capsys.readouterr().out
    assert f"In force is {AGREEMENT} on unlabelled test images" in page
    table = pd.read_csv(record.competition / "final.csv").set_index("of")
    assert table.loc[blend.id, "validation"] == pytest.approx(0.77)
    trials = table.drop(blend.id)["validation"]
    assert trials.idxmax() == "s-009"
    assert trials.mean() == pytest.approx((180 - (TRIALS - 1) / 2) / N)


def test_rules_forbid_it_and_a_frozen_one_is_asked_for(tmp_path: Path) -> None:
    record = contest(tmp_path)
    leaderboard = put_in_force(record, CONFIDENCE, frozen=True, verdict="trusted")
    config, standing = opened(tmp_path)
    assert standing.unlabelled is not None
    leaderboard.set_rules(test_images=False)
    config, standing = opened(tmp_path)
    assert standing.unlabelled is None
    assert in_force(standing).name == "plain"
    assert standing.pool[0].id == "s-000"
    offered = find_validation_scores(config, standing)
    assert offered.unlabelled == []
    assert offered.absent["agreement"] == RULES
    with pytest.raises(InputError, match=r"trusted as 'confidence'.*rules\.test_images=false"):
        assess_standing(standing, offered)
    assert assess_standing(standing, offered, accepted=True).chosen == "plain"


def test_models_made_elsewhere_have_them_by_the_predictions_they_came_with(tmp_path: Path) -> None:
    record = contest(tmp_path)
    leaderboard = Leaderboard.read(record.competition)
    unlike = told(40, 77)
    brought = {
        "anna": (predicted(170), unlike),
        "labels": (predicted(160).as_labels(), told(60, 78).as_labels()),
        "twin": (predicted(180), told(100, 0)),  # the first trial once more
        "old": (predicted(150), None),
        "bare": (None, None),
    }
    for name, (holdout, test) in brought.items():
        files = {}
        for part, stored in (("holdout", holdout), ("test", test)):
            if stored is not None:
                files[part] = record.competition / f"{part}.npz"
                stored.write(files[part])
        leaderboard.add_submission(
            name, draft(record.competition), source="import", predictions=files
        )
    config, standing = opened(tmp_path)
    offered = find_validation_scores(config, standing)
    values = {u.name: u.values for u in offered.unlabelled}
    trained = {f"s-{i:03d}" for i in range(TRIALS)}
    assert set(values[CONFIDENCE]) == trained | {"anna"}
    assert set(values[AGREEMENT]) == trained | {"anna", "labels"}
    with_others = [
        np.mean(unlike.probabilities.argmax(axis=1) == other.probabilities.argmax(axis=1))
        for other in (*(told(100 - 10 * i, i) for i in range(TRIALS)), told(60, 78))
    ]
    assert values[BEST_AGREEMENT]["anna"] == pytest.approx(max(with_others))
    lacking = {
        "confidence of labels": "it gave labels, not probabilities",
        "scores of twin on unlabelled test images": (
            "it tells every image as s-000 does, and would agree with itself"
        ),
        "scores of old on unlabelled test images": (
            "its predictions of the test images were not kept"
        ),
        "scores of bare on unlabelled test images": (
            "its predictions of this hold-out are not known (validation=)"
        ),
    }
    assert lacking.items() <= offered.absent.items()
