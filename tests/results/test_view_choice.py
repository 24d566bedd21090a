"""Views of test-time augmentation: taken where they pay, judged where they did not choose."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from results.ensemble.view_choice import ViewChoice, choose_views
from results.ensemble.view_costs import ViewCosts
from results.metrics import METRICS, Floats, Ints
from results.reporting.blend_report import view_choice_lines
from tests.results.test_blend import model, softmax, stack

LOSS = METRICS["log_loss"]
N = 600


def world(seed: int) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float32]]]:
    """Two views that err anew at other prices, one that errs alike, and one that knows nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, N)
    plain, anew, dear = (model(rng, labels, 1.5) for _ in range(3))
    alike = softmax(np.log(plain) + 0.01 * rng.normal(size=plain.shape))
    found = {"plain": plain, "anew": anew, "dear": dear, "alike": alike}
    found["upside"] = rng.dirichlet(np.ones(3), N)
    return labels, {name: p.astype(np.float32) for name, p in found.items()}


def chosen(seed: int, *names: str, **costs: float) -> ViewChoice:
    labels, found = world(seed)
    views = {name: found[name] for name in names}
    prices = ViewCosts(seconds=0.02, views={name: costs.get(name, 1.0) for name in names})
    return choose_views(LOSS, stack(labels, list(found.values())), found["plain"], views, prices)


@pytest.mark.parametrize("seed", range(3))
def test_what_errs_anew_is_taken_and_nothing_else(seed: int) -> None:
    choice = chosen(seed, "alike", "upside", "anew", "dear")
    assert choice.views
    assert set(choice.views) <= {"anew", "dear"}
    assert choice.gain > 3 * choice.noise > 0
    assert choice.alone["upside"][0] < 0 < choice.alone["anew"][0]


def test_the_largest_gain_for_its_time_comes_first() -> None:
    assert chosen(0, "anew", "dear", anew=1.0, dear=4.0).views[0] == "anew"
    assert chosen(0, "anew", "dear", anew=4.0, dear=1.0).views[0] == "dear"


def test_only_views_that_lead_are_resampled() -> None:
    labels, found = world(0)
    views = {name: found[name] for name in ("alike", "upside", "anew", "dear")}
    costs = ViewCosts(seconds=0.02, views=dict.fromkeys(views, 1.0))
    resampled: list[bool] = []

    def weighted(labels: Ints, predicted: Floats, weights: Floats) -> Floats:
        resampled.append(len(weights) > 1)
        return LOSS.weighted(labels, predicted, weights)

    metric = dataclasses.replace(LOSS, weighted=weighted)
    many = stack(labels, list(found.values()))
    choice = choose_views(metric, many, found["plain"], views, costs)
    assert choice == choose_views(LOSS, many, found["plain"], views, costs)
    # Of each view alone, of what was chosen, and in a round what was taken before and what leads.
    rounds = (1 + len(choice.found)) * (1 + len(set(many.folds.tolist())))
    assert sum(resampled) <= (1 + len(views)) + (1 + 2) + 2 * rounds


def test_what_only_choosing_flatters_is_not_taken() -> None:
    """Views that change nothing but noise: on the images that choose, some always seems to gain."""
    taken = found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 150)
        plain = model(rng, labels, 1.0).astype(np.float32)
        views = {
            f"v{i}": softmax(np.log(plain) + 0.3 * rng.normal(size=plain.shape)).astype(np.float32)
            for i in range(10)
        }
        costs = ViewCosts(seconds=0.02, views=dict.fromkeys(views, 1.0))
        choice = choose_views(METRICS["accuracy"], stack(labels, [plain]), plain, views, costs)
        found += bool(choice.found)
        taken += bool(choice.views)
    assert found >= 8
    assert taken <= 5


def test_the_page_says_what_is_taken_at_which_price() -> None:
    lines = view_choice_lines(chosen(0, "anew", "dear", "upside", dear=2.25))
    titles = "the mean with gain standard error ms per image more time per 100 %"
    assert " ".join(lines[0].split()) == titles
    assert lines[1].startswith("anew ")
    assert lines[3].startswith("upside ")
    assert " 65 " in lines[2]  # ms: 20 as it is, and 45 more
    assert "+225 %" in lines[2]
    assert lines[4].startswith("Taken: anew, dear, +")
    assert lines[4].endswith(" for 325 % more time.")
    (*_, none, _) = view_choice_lines(chosen(0, "upside"))
    assert none == "Taken: none; no view gains more than its standard error."
    flattered = ViewChoice(
        costs=ViewCosts(seconds=0.02, views={"a": 1.0}),
        alone={"a": (0.1, 0.05)},
        found=("a",),
        gain=-0.1,
        noise=0.2,
        flattery=0.3,
    )
    (*_, none, _) = view_choice_lines(flattered)
    assert none == (
        "Taken: none; a together are worth -0.10 points where they were not chosen "
        "(standard error 0.20)."
    )


def test_costs_of_several_models_add_up() -> None:
    quick = ViewCosts(seconds=0.01, views={"hflip": 1.0, "overlap_0.5": 2.0})
    slow = ViewCosts(seconds=0.03, views={"hflip": 1.0, "overlap_0.5": 4.0})
    found = ViewCosts.together([quick, slow])
    assert found.seconds == pytest.approx(0.04)
    assert found.views == pytest.approx({"hflip": 1.0, "overlap_0.5": 3.5})
