"""The final selection: whom to select, and whether what it expects comes true."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from results.trust.band import BandRule
from results.trust.final_selection import Final, Finalist, in_play, luck_covariance, select_final


def finalist(
    name: str, public: float, labels: NDArray[np.int64], validation: float | None = None
) -> Finalist:
    return Finalist(
        id=name,
        validation=public if validation is None else validation,
        validation_error=1.0,
        public=public,
        labels=labels,
    )


def selected(finalists: list[Finalist], count: int = 2) -> Final:
    return select_final(
        finalists, count=count, public_error=1.0, private_error=1.0, shared_error=0.5
    )


def test_luck_follows_the_images_on_which_predictions_differ() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 5, 1000)
    near, far = first.copy(), first.copy()
    near[:20] = (near[:20] + 1) % 5
    far[300:700] = (far[300:700] + 1) % 5
    covariance = luck_covariance([first, near, far])
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    assert np.trace(covariance) == pytest.approx(2)

    def difference(i: int, j: int) -> float:
        return float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])

    assert difference(0, 2) / difference(0, 1) == pytest.approx(20)
    assert not luck_covariance([first, first]).any()


def test_of_equals_the_pair_that_errs_apart_is_chosen() -> None:
    """Three submissions of one score: two are nearly the same, the third errs elsewhere."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 5, 1000)
    near, far = labels.copy(), labels.copy()
    near[:10] = (near[:10] + 1) % 5
    far[300:600] = (far[300:600] + 1) % 5
    final = selected(
        [finalist("a", 80, labels), finalist("near", 80, near), finalist("far", 80, far)]
    )
    assert "far" in final.chosen.ids
    assert final.alike < 0
    assert final.chosen.best.value > final.private["a"].value


def test_a_leader_by_luck_is_expected_to_fall() -> None:
    rng = np.random.default_rng(2)
    several = [rng.integers(0, 5, 500) for _ in range(8)]
    public = [80.0, 80.2, 79.9, 80.1, 80.0, 79.8, 80.1, 83.0]
    final = selected(
        [
            finalist(f"s{i}", p, x, 80.0)
            for i, (p, x) in enumerate(zip(public, several, strict=True))
        ]
    )
    assert final.fall.value < -1
    assert final.naive["best public"].ids[0] == "s7"
    assert sum(final.chance.values()) == pytest.approx(1)


def test_what_is_expected_comes_true_and_beats_the_naive_choices() -> None:
    """60 contests of 12 submissions whose validation and public scores are equally noisy."""
    off, gains = [], {"best public": [], "best validation": []}  # type: ignore[var-annotated]
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        skill = 80 + 1.5 * rng.normal(size=12)
        labels = [rng.integers(0, 3, 400) for _ in skill]
        finalists = [
            finalist(f"s{i}", s + rng.normal(), x, s + rng.normal())
            for i, (s, x) in enumerate(zip(skill, labels, strict=True))
        ]
        final = selected(finalists)
        private = dict(zip((f.id for f in finalists), skill + rng.normal(size=12), strict=True))

        def best(ids: tuple[str, ...], private: dict[str, float] = private) -> float:
            return max(private[i] for i in ids)

        off.append(best(final.chosen.ids) - final.chosen.best.value)
        inside.append(final.chosen.best.low <= best(final.chosen.ids) <= final.chosen.best.high)
        for name, found in gains.items():
            found.append(best(final.chosen.ids) - best(final.naive[name].ids))
    assert abs(np.mean(off)) < 3 * np.std(off) / len(off) ** 0.5
    assert np.mean(inside) > 0.85
    for name, found in gains.items():
        assert np.mean(found) > 0, name


def test_one_alone_and_one_of_each() -> None:
    rng = np.random.default_rng(3)
    labels = [rng.integers(0, 3, 100) for _ in range(3)]
    three = [
        finalist("a", 82, labels[0], 78),
        finalist("b", 80, labels[1], 82),
        finalist("c", 79, labels[2], 79),
    ]
    one = selected(three, count=1)
    assert len(one.chosen.ids) == 1
    assert np.isnan(one.alike)
    assert "one of each" not in one.naive
    assert selected(three).naive["one of each"].ids == ("a", "b")


def test_a_family_that_only_the_leaderboard_likes_stays_in_play() -> None:
    """Left out for its validation it cost 1.9 points against the two best public scores."""
    chosen, naive, banded = [], [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 5, (18, 800))
        skill = np.concatenate([80 + rng.normal(0, 1, 14), 84 + rng.normal(0, 1, 4)])
        validation = np.concatenate([skill[:14] + 10, skill[14:] - 2]) + rng.normal(0, 0.5, 18)
        public = skill + rng.normal(0, 1.0, 18)
        every = [finalist(str(i), public[i], labels[i], validation[i]) for i in range(18)]
        kept = in_play(validation, public, BandRule())
        final = selected([f for f, keep in zip(every, kept, strict=True) if keep])
        chosen.append(max(skill[int(i)] for i in final.chosen.ids))
        naive.append(max(skill[i] for i in np.argsort(-public)[:2]))
        near = [f for f in every if validation.max() - f.validation <= 3]
        banded.append(max(skill[int(i)] for i in selected(near).chosen.ids))
    assert np.mean(chosen) > np.mean(naive) - 0.3
    assert np.mean(banded) < np.mean(naive) - 1.5


def test_what_is_far_behind_on_both_sides_is_out_of_play() -> None:
    kept = in_play([90, 70, 90, 70], [80, 60, 60, 80], BandRule())
    assert kept.tolist() == [True, False, True, True]
