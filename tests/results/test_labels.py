"""Suspicious labels on constructed predictions whose truth is known, and the page of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from results.labels.labels_page import LABELS, SHOWN, Shown, ShownSuspect
from results.labels.suspects import find_suspects
from results.labels.suspects_page import suspects_page

Array = np.ndarray[Any, Any]
CLASSES, IMAGES = 6, 1200


def world(seed: int, wrong: float, right: float = 0.95) -> tuple[Array, Array, Array]:
    """Predictions of models that are right so often, and sure of it to different degrees.

    Returns:
        Labels as given, of which a share is wrong, true labels, and probabilities.
    """
    rng = np.random.default_rng(seed)
    true = rng.integers(0, CLASSES, IMAGES)
    told = np.where(rng.random(IMAGES) < right, true, rng.integers(0, CLASSES, IMAGES))
    sharp = np.where(told == true, rng.uniform(2, 6, IMAGES), rng.uniform(0.2, 2, IMAGES))
    logits = rng.normal(0, 0.5, (IMAGES, CLASSES))
    logits[np.arange(IMAGES), told] += sharp
    shares = np.exp(logits)
    given = true.copy()
    rows = rng.choice(IMAGES, round(wrong * IMAGES), replace=False)
    given[rows] = (given[rows] + rng.integers(1, CLASSES, len(rows))) % CLASSES
    probabilities = shares / shares.sum(axis=1, keepdims=True)
    return given, true, probabilities.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_planted_errors_are_found_with_what_they_are(seed: int) -> None:
    given, true, probabilities = world(seed, wrong=0.05)
    found = find_suspects(given, probabilities)
    wrong = given != true
    assert wrong[found.rows].sum() >= 0.7 * wrong.sum()
    assert wrong[found.rows].mean() >= 0.7
    hits = wrong[found.rows]
    assert (found.proposed == true[found.rows])[hits].mean() >= 0.95
    assert wrong[found.rows[:20]].mean() >= 0.95  # the most suspicious first
    assert (np.diff(found.score) >= 0).all()
    assert found.score == pytest.approx(probabilities[found.rows, given[found.rows]], abs=1e-6)
    assert (found.proposed != given[found.rows]).all()


def test_clean_labels_give_few() -> None:
    given, _, probabilities = world(3, wrong=0.0)
    assert len(find_suspects(given, probabilities).rows) <= 0.03 * IMAGES


def test_certain_and_right_predictions_give_none() -> None:
    labels = np.arange(60) % 3
    assert len(find_suspects(labels, np.eye(3, dtype=np.float32)[labels]).rows) == 0


def test_rows_of_a_part_are_those_of_the_whole() -> None:
    given, _, probabilities = world(4, wrong=0.05)
    part = np.arange(0, IMAGES, 2)
    found = find_suspects(given[part], probabilities[part])
    whole = found.of_rows(part)
    assert (whole.rows % 2 == 0).all()
    assert (given[whole.rows] == given[part][found.rows]).all()


def suspect(**rest: Any) -> ShownSuspect:
    near = (Shown(image="n.png", row=3, given="b<i>", picture="data:image/jpeg;base64,QQ=="),)
    told: dict[str, Any] = {"image": "x.png", "row": 2, "given": "a", "fold": 1, "proposed": "b<i>"}
    told |= {"picture": "data:image/jpeg;base64,QQ==", "sureness": 0.97, "score": 0.0012}
    return ShownSuspect(**{**told, "near": near, **rest})


def page(*suspects: ShownSuspect, count: int = 1) -> str:
    return suspects_page(
        LABELS,
        name="c<script>alert(1)</script>",
        headline="1 of 9 labels are suspicious",
        source="p1",
        command="python -m search.run 'data.corrections=a & b.csv'",
        confusions=[("a", "b<i>", 1)],
        suspects=suspects,
        count=count,
    )


def test_everything_from_a_contest_is_escaped_and_nothing_requested() -> None:
    text = page(suspect(image='"><img src=x onerror=alert(1)>.png', given="<script>a</script>"))
    assert "<script" not in text
    assert "onerror=alert(1)&gt;.png" in text
    assert "b&lt;i&gt;" in text
    assert "a &amp; b.csv" in text
    assert set(re.findall(r'(?:src|href)="(.{5})', text)) == {"data:"}
    assert "97 %" in text
    assert "0.0012" in text
    assert "row 2, fold 1" in text
    assert 'class="same"' in text  # the neighbour has the label that is proposed


def test_what_does_not_fit_on_the_page_is_counted() -> None:
    assert "and 7 more, all in suspects.csv" in page(suspect(), count=8)
    assert "more, all in" not in page(suspect())
    assert SHOWN >= 100
