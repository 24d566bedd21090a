"""Forecasts of test scores on constructed predictions whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.forecast.calibration import fitted_temperature, temperature_for, tempered
from results.forecast.forecast import FEWEST_SCORES, forecast
from results.forecast.leak import PROPOSED, Leak
from results.forecast.methods import (
    AGREEMENT,
    BEST_AGREEMENT,
    FEWEST,
    LINE,
    Estimates,
    Model,
    estimate,
)
from results.metrics import METRICS
from results.records.trials import Search
from results.reporting.forecast_report import forecast_page, level_words
from results.reporting.report import report, verdict
from results.stats.correlation import kendall
from tests.regenerate_docs import RECORDED

Array = np.ndarray[Any, Any]
ACCURACY, MACRO_F1 = METRICS["accuracy"], METRICS["macro_f1"]
CLASSES = 5
HOLDOUT, TEST = 600, 2000


def votes(
    rng: np.random.Generator, labels: Array, clear: Array, skill: float, sharpness: float = 1.0
) -> Array:
    """Probabilities of a model that knows how clear an image is, but overstates what it says."""
    sure = 1 / CLASSES + (1 - 1 / CLASSES) / (1 + np.exp(-skill - clear))
    right = rng.random(len(labels)) < sure
    told = np.where(right, labels, (labels + rng.integers(1, CLASSES, len(labels))) % CLASSES)
    found = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1)
    found[np.arange(len(labels)), told] = sure
    stated = found**sharpness
    return np.asarray(stated / stated.sum(axis=1, keepdims=True))


def contest(
    seed: int, shift: float, skills: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
) -> tuple[list[Model], dict[str, Array]]:
    """Models of different skill; test images are less clear by ``shift``.

    Returns:
        The models, and the test labels under ``labels``.
    """
    rng = np.random.default_rng(seed)
    here, there = rng.integers(0, CLASSES, HOLDOUT), rng.integers(0, CLASSES, TEST)
    easy, hard = rng.normal(0, 1.5, HOLDOUT), rng.normal(-2 * shift, 1.5, TEST)
    models = [
        Model(
            id=f"m{i}",
            fold=0,
            kin=f"k{i}",
            labels=here,
            holdout=votes(rng, here, easy, skill, sharpness=1.7),
            test=votes(rng, there, hard, skill, sharpness=1.7),
        )
        for i, skill in enumerate(skills)
    ]
    return models, {"labels": there}


def true_scores(models: list[Model], labels: Array, name: str = "accuracy") -> dict[str, float]:
    return {m.id: METRICS[name].score(labels, m.test) for m in models}


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_test_score_is_told_without_labels(shift: float, name: str) -> None:
    inside, off, naive = [], [], []
    for seed in range(5):
        models, truth = contest(seed, shift)
        found = forecast(METRICS[name], models)
        for i, true in true_scores(models, truth["labels"], name).items():
            e = found.models[i]
            inside.append(e.low <= true <= e.high)
            off.append(abs(e.score - true))
            naive.append(abs(e.holdout - true))
    assert np.mean(inside) >= 0.9
    assert np.mean(off) < 0.05
    if shift:
        assert np.mean(naive) > 3 * np.mean(off)


def test_held_out_groups_are_as_much_evidence_as_there_are_of_them() -> None:
    """Forty bursts of ten alike pictures say what forty pictures say, not four hundred."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, 40)
    told = votes(rng, labels, rng.normal(0, 1.5, 40), 1.0, sharpness=1.0)

    def model(repeats: int, units: Array | None) -> Model:
        holdout = np.repeat(told, repeats, axis=0)
        known = np.repeat(labels, repeats)
        return Model(id="m", fold=0, kin="k", labels=known, holdout=holdout, test=told, units=units)

    single, bursts = model(1, None), model(10, np.repeat(np.arange(40), 10))
    right = (single.accuracy * 40 + 2) / 44
    noise = (right * (1 - right) * 40 / 39 / 44) ** 0.5
    assert single.margin == pytest.approx(2.0227 * noise, rel=1e-4)
    assert bursts.margin == pytest.approx(single.margin)
    assert model(10, None).margin < single.margin / 3
    one = forecast(METRICS["accuracy"], [model(10, np.zeros(400))]).models["m"]
    assert one.low <= 1 / CLASSES + 0.05
    assert one.high >= 0.95
    wide, narrow = (
        forecast(METRICS["accuracy"], [m]).models["m"] for m in (bursts, model(10, None))
    )
    assert wide.low < narrow.low
    assert wide.high > narrow.high


@pytest.mark.parametrize("things", [6, 25])
@pytest.mark.parametrize("grouped", [True, False])
def test_intervals_hold_where_what_is_held_out_came_in_groups(grouped: bool, things: int) -> None:
    """Ten pictures of one thing are told alike: taken one by one, they promise too much."""
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        known = rng.integers(0, CLASSES, things)
        told = votes(rng, known, rng.normal(0, 1.5, things), 1.0, sharpness=1.7)
        there = rng.integers(0, CLASSES, 600)
        model = Model(
            id="m",
            fold=0,
            kin="k",
            labels=np.repeat(known, 10),
            holdout=np.repeat(told, 10, axis=0),
            test=votes(rng, there, rng.normal(0, 1.5, 600), 1.0, sharpness=1.7),
            units=np.repeat(np.arange(things), 10) if grouped else None,
        )
        found = forecast(METRICS["accuracy"], [model]).models["m"]
        inside.append(found.low <= METRICS["accuracy"].score(there, model.test) <= found.high)
    assert (np.mean(inside) >= 0.95) == grouped


def test_every_method_is_near_where_its_assumption_holds() -> None:
    models, truth = contest(0, 0.5)
    found = estimate(models)
    true = np.array(list(true_scores(models, truth["labels"]).values()))
    assert set(found.by_method) == {
        "confidence",
        "thresholded confidence",
        "best agreement",
        "agreement on the line (S)",
        "agreement on the line (D)",
    }
    for name in ("confidence", "agreement on the line (S)"):
        assert np.abs(found.by_method[name] - true).mean() < 0.06, name
    assert found.conditions == ()


def test_the_line_is_that_of_hand_made_agreements() -> None:
    """ALine-D on pairs whose accuracies are known: it solves for them exactly."""
    rng = np.random.default_rng(3)
    models, truth = contest(3, 0.6)
    found = estimate(models).by_method["agreement on the line (D)"]
    true = np.array(list(true_scores(models, truth["labels"]).values()))
    order = rng.permutation(len(models))
    again = estimate([models[i] for i in order]).by_method["agreement on the line (D)"]
    assert again == pytest.approx(found[order], abs=1e-6)
    assert (np.argsort(found) == np.argsort(true)).all()


def told(found: Estimates) -> Array:
    """Mean agreement."""
    return found.ranking[AGREEMENT]


def test_agreement_with_oneself_counts_for_nothing() -> None:
    """Seeds of one configuration agree for reasons of their own."""
    models, _ = contest(0, 0.5)
    twin = replace(models[0], id="twin")
    alone, both = estimate(models), estimate([*models, twin])
    assert told(both)[0] == pytest.approx(told(alone)[0])
    assert told(both)[1] == pytest.approx(told(alone)[1])  # the twin is the same voice
    other_fold = replace(twin, id="f", fold=1, kin="x")
    assert np.isnan(told(estimate([*models, other_fold]))[-1])


def relatives(majority: int, others: int) -> tuple[list[Model], Array]:
    """Models of one family that err alike, and better ones that have nothing in common."""
    rng = np.random.default_rng(3)
    here, there = rng.integers(0, CLASSES, HOLDOUT), rng.integers(0, CLASSES, TEST)

    def says(labels: Array, wrong: Array) -> Array:
        shown = np.where(wrong, (labels + rng.integers(1, CLASSES, len(labels))) % CLASSES, labels)
        return np.asarray(0.8 * np.eye(CLASSES)[shown] + 0.2 / CLASSES)

    shared = [(labels, says(labels, rng.random(len(labels)) < 0.4)) for labels in (here, there)]
    models = []
    for i in range(majority + others):
        by_part = []
        for labels, common in shared:
            own = says(labels, rng.random(len(labels)) < (0.9 if i < majority else 0.2))
            alone = rng.random(len(labels)) < 0.05 if i < majority else np.ones(len(labels), bool)
            by_part.append(np.where(alone[:, None], own, common))
        name = f"m{i}"
        models.append(
            Model(id=name, fold=0, kin=name, labels=here, holdout=by_part[0], test=by_part[1])
        )
    return models, there


def test_a_family_in_the_majority_does_not_outvote_better_models() -> None:
    """Relatives count less; by the best agreement they praise each other all the same."""
    models, truth = relatives(8, 6)
    right = np.array([(m.test.argmax(axis=1) == truth).mean() for m in models])
    assert right[:8].max() < right[8:].min()
    ranking = estimate(models).ranking
    assert ranking[AGREEMENT][:8].max() < ranking[AGREEMENT][8:].min()
    agreeing = np.array(
        [[(a.test.argmax(1) == b.test.argmax(1)).mean() for a in models] for b in models]
    )
    np.fill_diagonal(agreeing, np.nan)
    assert np.nanmean(agreeing[:8], axis=1).min() > np.nanmean(agreeing[8:], axis=1).max()
    assert ranking[BEST_AGREEMENT][:8].min() > ranking[BEST_AGREEMENT][8:].max()


def test_models_are_ranked_without_labels_and_without_a_line() -> None:
    models, truth = contest(2, 0.8)
    true = list(true_scores(models, truth["labels"]).values())
    found = estimate(models)
    assert set(found.ranking) == {"confidence", AGREEMENT, BEST_AGREEMENT, LINE}
    for name in (AGREEMENT, LINE):
        assert kendall(found.ranking[name], true) > 0.8
    few = estimate(models[: FEWEST - 1])
    assert set(few.ranking) == {"confidence", AGREEMENT}


def test_few_models_and_crooked_lines_are_told() -> None:
    models, _ = contest(0, 0.5)
    few = estimate(models[: FEWEST - 1])
    assert any("fewer than" in c for c in few.conditions)
    assert set(few.by_method) == {"confidence", "thresholded confidence"}
    scattered = estimate([replace(m, fold=i) for i, m in enumerate(models)])
    assert scattered.conditions == few.conditions  # nobody to agree with, however many there are
    rng = np.random.default_rng(0)
    strangers = [
        replace(m, test=votes(rng, rng.integers(0, CLASSES, TEST), np.zeros(TEST), s))
        for m, s in zip(models, (3.0, 0.1, 2.0, 0.3, 0.5, 0.2), strict=True)
    ]
    crooked = estimate(strangers)
    assert any("lie on no line" in c for c in crooked.conditions)
    assert "agreement on the line (S)" not in crooked.by_method
    assert LINE not in crooked.by_method
    assert LINE in crooked.ranking  # an order needs no level
    found = forecast(ACCURACY, models[:1])  # one model: what it says of itself
    assert set(found.models["m0"].accuracies) == {"confidence", "thresholded confidence"}
    with pytest.raises(ValueError, match="needs a model"):
        forecast(ACCURACY, [])


def test_a_short_cut_that_all_models_take_is_not_seen() -> None:
    """The world in which agreement fails: all err alike, and none doubts."""
    models, _ = contest(0, 0.0)
    rng = np.random.default_rng(9)
    fooled = rng.random(TEST) < 0.4
    labels = models[0].test.argmax(axis=1)
    truth = np.where(fooled, (labels + 1) % CLASSES, labels)
    shared = [replace(m, test=votes(rng, labels, np.full(TEST, 3.0), 2.5)) for m in models]
    found = forecast(ACCURACY, shared)
    assert np.mean([e.score for e in found.models.values()]) > 0.2 + np.mean(
        [ACCURACY.score(truth, m.test) for m in shared]
    )


def test_public_scores_correct_the_forecast_and_judge_the_methods() -> None:
    models, truth = contest(1, 0.5)
    true = true_scores(models, truth["labels"])
    lower = {i: s - 0.1 for i, s in true.items()}  # the public part is harder
    known = {i: lower[i] for i in list(lower)[:FEWEST_SCORES]}
    plain, corrected = forecast(ACCURACY, models), forecast(ACCURACY, models, known)
    assert corrected.offset == pytest.approx(-10, abs=4)
    assert corrected.scored == FEWEST_SCORES
    rest = [i for i in lower if i not in known]
    before = np.mean([abs(plain.models[i].score - lower[i]) for i in rest])
    after = np.mean([abs(corrected.models[i].score - lower[i]) for i in rest])
    assert after < before / 2
    assert corrected.errors is not None
    assert {"hold-out", "confidence"} <= set(corrected.errors)
    fewer = forecast(ACCURACY, models, dict(list(known.items())[:1]))
    assert fewer.offset == 0
    assert fewer.errors is not None


def test_temperatures_make_confidence_mean_accuracy() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, 4000)
    calibrated = votes(
        rng, labels, rng.normal(0, 1.5, 4000), 1.0
    )  # sure of exactly as much as is right
    assert fitted_temperature(labels, tempered(calibrated, 0.5)) == pytest.approx(2.0, rel=0.1)
    for wanted in (0.3, 0.6, 0.95):
        found = tempered(calibrated, temperature_for(calibrated, wanted))
        assert found.max(axis=1).mean() == pytest.approx(wanted, abs=0.01)
    assert tempered(calibrated, 1.0) == pytest.approx(calibrated, abs=1e-6)


def test_the_page_begins_with_the_level() -> None:
    models, truth = contest(0, 1.0)
    found = forecast(MACRO_F1, models)
    page = forecast_page(found, "cats", MACRO_F1, {})
    assert page[2].startswith("The hold-out flatters: the test is expected to be")
    assert "without a label" in " ".join(page[2:5])
    same, _ = contest(0, 0.0)
    assert level_words(forecast(MACRO_F1, same), MACRO_F1).startswith("The hold-out's level holds")
    harder, _ = contest(0, -1.0)
    assert "points better" in level_words(forecast(MACRO_F1, harder), MACRO_F1)
    true = true_scores(models, truth["labels"], "macro_f1")
    scored = "\n".join(forecast_page(forecast(MACRO_F1, models, true), "cats", MACRO_F1, true))
    assert "corrected by 6 public scores" in scored
    assert "(the hold-out's score itself)" in scored


def test_a_sentence_that_the_test_images_contradict_says_so() -> None:
    search = Search.read(RECORDED)
    assert search.summary is not None
    closed = search.summary
    lead = {"verdict": "beats", "gain": 3.0, "margin": 1.0, "seeds": 2}
    for expected, doubted in ((-2.0, True), (1.0, False), (None, False)):
        won = closed.comparisons[0].model_copy(update={**lead, "forecast": expected})
        search.summary = closed.model_copy(update={"comparisons": (won,)})
        assert ("is expected to be ahead of it" in verdict(search)) == doubted
    page = "\n".join(report(search))
    assert "unlabelled test images macro_f1 is expected" in page
    search.summary = closed.model_copy(update={"forecast": None})
    assert "unlabelled" not in "\n".join(report(search))


def test_a_metric_that_drawn_labels_leave_undefined_has_no_forecast() -> None:
    """ROC AUC needs an image of every class, which two test images are not."""
    models, _ = contest(0, 0.0)
    few = [replace(m, test=m.test[:2]) for m in models]
    found = forecast(METRICS["roc_auc"], few)
    assert np.isnan(found.gap)
    page = "\n".join(forecast_page(found, "cats", METRICS["roc_auc"], {}))
    assert "no forecast is possible" in page


def test_a_leak_is_counted_and_said_first(tmp_path: Path) -> None:
    """Of three held-out images one has another of its group among the training images."""
    folds = tmp_path / "folds-0.csv"
    folds.write_text("image,label,fold\na,0,0\nb,1,0\nc,0,0\nd,0,1\ne,1,1\nnew,1,0\n")
    file = tmp_path / PROPOSED
    leak = Leak.of_fold({"a": "x", "b": "y", "c": "y", "d": "x", "e": "z"}, file, folds, 0)
    assert leak == Leak(held_out=3, alike=1, groups=file)
    metric = METRICS["accuracy"]
    found = forecast(metric, contest(0, 0.0)[0])
    words = " ".join(forecast_page(found, "c", metric, {}, leak))
    assert "similar training images for 1 of 3 held-out images" in words
    assert f"data.group={file}" in words.replace("- ", "-")
    assert words.index("Do not believe") < words.index("thresholded confidence")
    unknown = " ".join(forecast_page(found, "c", metric, {}, None, audited=False))
    assert "resemble training images: python -m search.audit" in unknown
    foreign = Leak.of_fold({"another": "x"}, file, folds, 0)
    for harmless in (None, replace(leak, held_out=30), foreign):
        assert "believe" not in " ".join(forecast_page(found, "c", metric, {}, harmless))


def test_seeds_of_one_configuration_are_compared_with_each_other_alone() -> None:
    """By hand: of four test images two trainings agree on three; a third is of another fold."""

    def model(name: str, kin: str, fold: int, told: list[int]) -> Model:
        shares = np.eye(CLASSES)[told] * 0.8 + 0.04
        return Model(
            id=name, fold=fold, kin=kin, labels=np.array(told), holdout=shares, test=shares
        )

    models = [
        model("a0", "a", 0, [0, 1, 2, 3]),
        model("a1", "a", 0, [0, 1, 2, 4]),
        model("a2", "a", 1, [4, 4, 4, 4]),
        model("b0", "b", 0, [0, 0, 0, 0]),
    ]
    found = estimate(models).by_method["agreement of seeds"]
    assert found[:2].tolist() == [0.75, 0.75]
    assert np.isnan(found[2:]).all()
    assert "agreement of seeds" not in estimate([models[0], models[3]]).by_method
