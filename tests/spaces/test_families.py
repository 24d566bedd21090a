"""The policy families: what each makes of its parameters, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from spaces.augmentation.families import FAMILIES, policy_of
from spaces.augmentation.operations import OPERATIONS
from spaces.augmentation.policy import AugPolicy, Choice
from spaces.augmentation.subset import COMMON
from spaces.errors import InputError
from spaces.ready import ready_space
from spaces.trial_config import TrialConfig


def operations(policy: AugPolicy) -> list[set[str]]:
    """Names of the operations of each stage."""
    return [AugPolicy(stages=(stage,)).operations() for stage in policy.stages]


def test_rand_augment_draws_count_times_from_fourteen() -> None:
    policy = policy_of(
        {"policy": "rand_augment", "rand_augment.count": 3, "rand_augment.magnitude": 1.0}
    )
    assert len(policy.stages) == 3
    assert all(len(names) == 13 for names in operations(policy))  # identity is the fourteenth
    assert policy.stages[0].probability == pytest.approx(13 / 14)
    limits = {c.operation: c.limit for c in policy.stages[0].choices if isinstance(c, Choice)}
    assert limits["rotate"] == 30
    assert limits["shear_x"] == pytest.approx(16.7, abs=0.01)  # atan 0.3
    assert limits["translate_x"] == 0.45
    assert limits["brightness"] == 0.9
    half = policy_of({"policy": "rand_augment", "rand_augment.magnitude": 0.5})
    assert half.stages[0].choices[0] == Choice(operation="rotate", limit=15)
    still = policy_of({"policy": "rand_augment", "rand_augment.magnitude": 0})
    assert len(still.stages) == 2


def test_fast_autoaugment_has_one_sub_policy_per_image() -> None:
    params = {
        "policy": "fast_autoaugment",
        "fast_autoaugment.sub1.operation1": "rotate",
        "fast_autoaugment.sub1.probability1": 0.2,
        "fast_autoaugment.sub1.strength1": 1.0,
        "fast_autoaugment.sub1.operation2": "blur",
        "fast_autoaugment.sub4.operation1": "equalize",
    }
    policy = policy_of(params)
    (stage,) = policy.stages
    assert stage.count == 1
    first, second = stage.choices
    assert isinstance(first, AugPolicy)
    assert isinstance(second, AugPolicy)
    assert [s.choices[0] for s in first.stages] == [
        Choice(operation="rotate", limit=30),
        Choice(operation="blur", limit=1.0),
    ]
    assert [s.probability for s in first.stages] == [0.2, 0.5]
    assert operations(second) == [{"equalize"}]
    assert policy_of({"policy": "fast_autoaugment"}) == AugPolicy()


def test_subset_switches_on_what_is_named() -> None:
    assert operations(policy_of({"policy": "subset"})) == [
        {name} for name in OPERATIONS if name in COMMON
    ]
    two = policy_of({"policy": "subset", "subset.blur": True, "subset.crop": True})
    assert operations(two) == [{"crop"}, {"blur"}]
    none = policy_of({"policy": "subset", "subset.blur": False})
    assert none == AugPolicy()
    strong = policy_of({"policy": "subset", "subset.rotate": True, "subset.strength": 1.0})
    assert strong.stages[0].choices == (Choice(operation="rotate", limit=30),)


def test_magnitude_has_a_knob_per_group() -> None:
    policy = policy_of({"policy": "magnitude", "magnitude.geometry": 0.5, "magnitude.flip": 0.5})
    assert operations(policy)[0] == {"horizontal_flip"}
    assert Choice(operation="rotate", limit=15) in policy.stages[1].choices
    assert policy_of({"policy": "magnitude", "magnitude.colour": 0.0}) == AugPolicy()


def test_pba_has_strengths_over_the_epochs() -> None:
    params = {
        "policy": "pba",
        "pba.geometry1": 0.0,
        "pba.geometry2": 1.0,
        "pba.geometry3": 0.5,
        "pba.blur1": 0.5,
        "pba.colour1": 0.0,
        "pba.flip": 0.5,
        "pba.probability": 0.4,
    }
    policy = policy_of(params)
    assert [len(names) for names in operations(policy)] == [1, 6, 1]  # nothing of the colours
    flip, geometry, blur = policy.stages
    assert flip.probability == 0.5
    assert geometry.probability == blur.probability == 0.4
    assert blur.choices == (Choice(operation="blur", limit=1.0),)
    rotations = [policy.at(share).stages[1].choices[0] for share in (0, 0.25, 0.5, 0.75, 1)]
    assert rotations == [Choice(operation="rotate", limit=x) for x in (0, 15, 30, 22.5, 15)]
    assert "rotate by up to ±0° → 30° → 15° or shear sideways by up to ±0°" in geometry.describe()
    (steady,) = policy_of({"policy": "pba", "pba.blur1": 0.5, "pba.blur2": 0.5}).stages
    assert "→" not in steady.describe()
    again = TrialConfig.from_json(TrialConfig().with_params(params).to_json())
    assert again.policy == policy
    crops = policy_of({"policy": "pba", "pba.geometry1": 0.5, "pba.crop1": 0.2, "pba.crop2": 1.0})
    assert [stage.crops for stage in crops.stages] == [True, False]
    assert policy_of({"policy": "pba"}) == AugPolicy()
    group = policy_of({"policy": "pba", "pba.erasing1": 0.5})  # an operation has its name, too
    assert operations(group) == [{"cutout", "grid_mask"}]


@pytest.mark.parametrize(("intervals", "every"), [(2, 1), (3, 4), (7, 3), (12, 1), (12, 25)])
def test_strengths_that_are_held_change_between_epochs(intervals: int, every: int) -> None:
    strengths = [i / intervals for i in range(intervals)]
    points = {f"pba.geometry{i}": s for i, s in enumerate(strengths, start=1)}
    policy = policy_of({"policy": "pba", "pba.held": True, **points})
    epochs = intervals * every
    rotations = [policy.at(e / (epochs - 1)).stages[0].choices[0] for e in range(epochs)]
    wanted = [strengths[e // every] for e in range(epochs)]
    assert rotations == [Choice(operation="rotate", limit=30 * s) for s in wanted]
    again = TrialConfig.from_json(TrialConfig(policy=policy).to_json())
    assert again.policy == policy
    assert policy.describe().count("°") == 3 * intervals  # of rotation and two shears


def test_the_ready_space_of_schedules() -> None:
    space = ready_space("pba")
    assert len(space.params) == 8
    longer = ready_space("pba(points=3, groups=['quality'])")
    assert "pba.quality3" in longer
    assert ready_space("pba(points=12,held=True)")["pba.held"].categories == (True,)
    for name, words in (
        ("pba(points=1)", "space=magnitude has one"),
        ("pba(points=61)", "from 2 to 60"),
        ("pba(groups=['color'])", "did you mean colour"),
    ):
        with pytest.raises(InputError, match=words):
            ready_space(name)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"rand_augment.count": 9}, "whole number from 1 to 4"),
        ({"rand_augment.magnitude": 2}, "within 0 to 1"),
        ({"rand_augment.magnitudes": 1}, "did you mean rand_augment.magnitude"),
        ({"rand_augment.probability": "often"}, "a number is needed"),
        ({"fast_autoaugment.sub1.strength1": 0.5}, "needs fast_autoaugment.sub1.operation1"),
        ({"fast_autoaugment.sub6.operation1": "blur"}, "fast_autoaugment.sub"),
        ({"fast_autoaugment.sub1.operation1": "blurr"}, "did you mean blur"),
        ({"subset.rotat": True}, "did you mean subset.rotate"),
        ({"subset.rotate": 1}, "true or false"),
        ({"magnitude.geometry": 1.5}, "within 0 to 1"),
        ({"magnitude.noise": 0.5}, "magnitude.geometry"),
        ({"pba.geometry2": 0.5}, r"pba\.geometry2=0\.5 needs pba\.geometry1"),
        ({"pba.geometry1": 0.5, "pba.geometry3": 0.5}, r"geometry3=0\.5 needs pba\.geometry2"),
        ({"pba.geometry1": 1.5}, "within 0 to 1"),
        ({"pba.held": 1}, "true or false"),
        ({"pba.geometrie1": 0.5}, r"did you mean pba\.geometry1"),
        ({"pba.rotate901": 0.5}, "unknown parameter"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(params: dict[str, Any], words: str) -> None:
    family = next(iter(params)).partition(".")[0]
    with pytest.raises(InputError, match=words):
        policy_of({"policy": family, **params})


def test_operations_that_swap_sides_need_square_images() -> None:
    params = {"policy": "subset", "subset.rotate90": True}
    assert TrialConfig.of(size=(32, 32)).with_params(params).policy.stages
    with pytest.raises(InputError, match="rotate90' needs square images, got size=32×48"):
        TrialConfig.of(size=(32, 48)).with_params(params)


def test_every_family_is_one_command() -> None:
    for name in FAMILIES:
        if name != "stages":
            assert isinstance(TrialConfig().with_params({"policy": name}).policy, AugPolicy)
