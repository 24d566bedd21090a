"""The configuration of a training: validation, parameters by name, policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spaces.augmentation.operations import OPERATIONS, operation
from spaces.augmentation.policy import AugPolicy, Choice, Stage, trivial_augment
from spaces.errors import InputError
from spaces.trial_config import TrialConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", (4, 32)),
        ("store_side", 100),
        ("dropout", 1.0),
        ("lr", 0.0),
        ("beta2", 1.0),
        ("batch", 0),
        ("batch", 100),
        ("epochs", 0),
        ("warmup_epochs", 12),
        ("label_smoothing", -0.1),
        ("swa_epochs", 13),
        ("mix", "blend"),
        ("precision", "int8"),
        ("seed", -1),
    ],
)
def test_values_out_of_range_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        TrialConfig(**{field: value})


def test_mixing_needs_an_even_batch() -> None:
    with pytest.raises(InputError, match="micro_batch"):
        TrialConfig(mix="mixup", batch=33, micro_batch=64)


def test_parameters_set_fields_by_name() -> None:
    config = TrialConfig().with_params(
        {"lr": "1e-4", "size": "96x128", "optimizer": "sgd", "sgd.lr": 0.1, "lamb.lr": 3.0}
    )
    assert config.size == (96, 128)
    assert config.optimizer == "sgd"
    assert config.lr == 0.1  # sgd's own beats the plain one; lamb's is not looked at
    assert TrialConfig().with_params({"size": 48}).size == (48, 48)
    assert TrialConfig().with_params({"size": [32, 64]}).size == (32, 64)
    named = TrialConfig().with_params({"stage1.operation": "rotate"}).policy
    assert named.stages[0].choices[0].operation == "rotate"
    assert TrialConfig().with_params({"policy": "trivial_augment"}).policy == trivial_augment()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"learning_rate": 1}, "unknown parameter"),
        ({"lr": "fast"}, "a number"),
        ({"epochs": 2.5}, "whole number"),
        ({"pretrained": 1}, "true or false"),
        ({"size": "big"}, "height x width"),
        ({"mix": "mixpu"}, "did you mean mixup"),
        ({"policy": "randaugment"}, "unknown policy"),
        ({"stages": 1}, "needs stage1.operation"),
        ({"stages": "two"}, "stages=two: a number"),
        ({"stage1.operation": "rotate", "stage1.strength": "high"}, "a number is needed"),
        ({"sdg.lr": 0.1}, "unknown parameter"),
        ({"model": "my:net"}, "model=module:function"),
        ({"loss": "my:loss"}, "loss=module:function"),
        ({"fold": 1}, "fold 0"),
        ({"store_side": 64}, "store.side"),
        ({"warmup_epochs": float("inf")}, "whole number"),
        ({"stages": 1, "stage1.operation": "rotat"}, "did you mean rotate"),
        ({"stages": 1, "stage1.operation": "rotate", "stage1.strength": 2.0}, "within 0 to 1"),
    ],
)
def test_bad_parameters_are_explained(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrialConfig().with_params(params)


def test_settings_without_effect_do_not_make_trainings_different() -> None:
    assert TrialConfig(mix="none", mix_alpha=0.9) == TrialConfig()
    assert TrialConfig(warmup_epochs=0, warmup_start=0.5).digest == (
        TrialConfig(warmup_epochs=0).digest
    )
    assert TrialConfig(mix="mixup", mix_alpha=0.9) != TrialConfig(mix="mixup")


def test_the_digest_is_stable() -> None:
    """A changed digest would make old results look like those of other trainings."""
    assert TrialConfig().digest == "3bd7211d1e63d1d1"


def test_a_policy_checks_itself() -> None:
    crop = Stage(choices=(Choice(operation="crop", limit=0.5),))
    blur = Stage(choices=(Choice(operation="blur", limit=1.0),))
    assert AugPolicy(stages=(crop, blur))
    with pytest.raises(InputError, match="first stage"):
        AugPolicy(stages=(blur, crop))
    with pytest.raises(InputError, match="stage of its own"):
        Stage(choices=(crop.choices[0], blur.choices[0]))
    with pytest.raises(InputError, match="takes no limit"):
        Choice(operation="horizontal_flip", limit=1.0)
    with pytest.raises(InputError, match="within 0 to 8 px"):
        Choice(operation="blur", limit=9.0)
    with pytest.raises(InputError, match="within 0 to 1"):
        Stage(choices=blur.choices, probability=1.5)


def test_a_policy_from_parameters_crops_first_and_once() -> None:
    params: dict[str, Any] = {
        "stages": 3,
        "stage1.operation": "rotate",
        "stage2.operation": "crop",
        "stage2.strength": 1.0,
        "stage3.operation": "crop",
    }
    policy = AugPolicy.from_params(params)
    assert [s.choices[0].operation for s in policy.stages] == ["crop", "rotate"]
    assert policy.stages[0].choices[0].limit == operation("crop").searched


def test_trivial_augment_has_its_fourteen_operations() -> None:
    (stage,) = trivial_augment().stages
    assert len({c.operation for c in stage.choices}) == 13
    assert stage.probability == pytest.approx(13 / 14)  # the fourteenth is Identity
    assert AugPolicy.from_json(trivial_augment().to_json()) == trivial_augment()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_words(name: str) -> None:
    row = OPERATIONS[name]
    text = row.describe(row.at(1.0))
    assert "{}" not in text
    assert text


def test_digests_of_earlier_records_stay() -> None:
    """The record was written before ``swa_epochs`` was there."""
    lines = (Path(__file__).parent.parent / "assets/search/ledger.jsonl").read_text().splitlines()
    started = [e for e in map(json.loads, lines) if e["event"] == "trial_started"]
    assert started
    for event in started:
        config = TrialConfig.from_json(event["config"])
        assert config.digest == event["digest"]
        assert config.to_json() == event["config"]
    averaged = config.replace(swa_epochs=2)
    assert averaged.digest != config.digest
    assert TrialConfig.from_json(averaged.to_json()) == averaged
    with pytest.raises(InputError, match="one average of weights at a time"):
        averaged.replace(ema_decay=0.9)
