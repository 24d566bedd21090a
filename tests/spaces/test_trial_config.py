"""The configuration of a training: validation, parameters by name, policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from optuna import create_study
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import RandomSampler

from spaces.augmentation.families import describe_policy
from spaces.augmentation.operations import OPERATIONS, operation
from spaces.augmentation.policy import AugPolicy, Choice, Course, Stage
from spaces.augmentation.stages import staged
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.param import Param, When
from spaces.sections.loss import CrossEntropy, Focal
from spaces.sections.section import Foreign
from spaces.space import SearchSpace
from spaces.trial_config import SECTIONS, TrialConfig


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
        ("mix", "blend"),
        ("precision", "int8"),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_values_out_of_range_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        TrialConfig.of(**{field: value})


def test_mixing_needs_an_even_batch() -> None:
    with pytest.raises(InputError, match="micro_batch"):
        TrialConfig.of(mix="mixup", batch=33, micro_batch=64)


def test_parameters_set_fields_by_name() -> None:
    config = TrialConfig().with_params(
        {"lr": "1e-4", "size": "96x128", "optimizer": "sgd", "sgd.lr": 0.1, "lamb.lr": 3.0}
    )
    assert config.data.size == (96, 128)
    assert config.optimizer.kind == "sgd"
    assert config.optimizer.lr == 0.1  # sgd's own beats the plain one; lamb's is not looked at
    assert TrialConfig().with_params({"size": 48}).data.size == (48, 48)
    assert TrialConfig().with_params({"size": [32, 64]}).data.size == (32, 64)
    named = TrialConfig().with_params({"stage1.operation": "rotate"}).policy
    assert named.stages[0].choices[0] == Choice(operation="rotate", limit=15)
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
        ({"train.fold": 1}, "fold 0"),
        ({"resized.store_side": 64}, "store.side"),
        ({"adamw.momentum": 0.9}, "unknown parameter"),
        ({"timm.model": "timm"}, "unknown parameter"),
        ({"stages.abc": 1}, "unknown parameter"),
        ({"stages": None}, "a number is needed"),
        ({"lr": 10**400}, "a number is needed"),
        ({"clip_grad": float("inf")}, "a number is needed"),
        ({"size": float("inf")}, "height x width"),
        ({"policy": "none", "stage1.operation": "rotate"}, "two policies"),
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
    assert TrialConfig.of(mix="none", mix_alpha=0.9) == TrialConfig()
    assert TrialConfig.of(warmup_epochs=0, warmup_start=0.5).digest == (
        TrialConfig.of(warmup_epochs=0).digest
    )
    assert TrialConfig.of(mix="mixup", mix_alpha=0.9) != TrialConfig.of(mix="mixup")


def test_images_grow_to_their_size_in_three_quarters_of_the_epochs() -> None:
    data = TrialConfig.of(size="160x224", first_share=0.5).data
    sizes = [data.size_at(epoch / 8) for epoch in range(9)]
    assert sizes[0] == (96, 128)  # 80 and 112, to the next 32
    assert sizes[6:] == [(160, 224)] * 3
    assert sizes == sorted(sizes)
    assert {side % 32 for size in sizes for side in size} == {0}
    assert TrialConfig.of(size=100, first_share=0.5).data.size_at(0.0) == (52, 52)
    assert TrialConfig.of(size=100).data.size_at(0.0) == (100, 100)
    for refused in ({"size": 32, "first_share": 0.5}, {"size": 64, "first_share": 0.0}):
        with pytest.raises(InputError, match="first_share"):
            TrialConfig.of(**refused)


def test_the_digest_is_stable() -> None:
    """A changed digest would make old results look like those of other trainings."""
    assert TrialConfig().digest == "de978492d2777272"


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
    policy = staged(params)
    assert [stage.choices[0] for stage in policy.stages] == [
        Choice(operation="crop", limit=operation("crop").searched),
        Choice(operation="rotate", limit=15),
    ]


def test_trivial_augment_has_its_fourteen_operations() -> None:
    (stage,) = trivial_augment().stages
    assert len(set(stage.choices)) == 13
    assert stage.probability == pytest.approx(13 / 14)  # the fourteenth is Identity
    assert AugPolicy.from_json(trivial_augment().to_json()) == trivial_augment()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_words(name: str) -> None:
    row = OPERATIONS[name]
    text = row.describe(row.at(1.0))
    assert "{}" not in text
    assert text


def test_a_record_gives_the_configuration_back() -> None:
    lines = (Path(__file__).parent.parent / "assets/search/ledger.jsonl").read_text().splitlines()
    started = [e for e in map(json.loads, lines) if e["event"] == "trial_started"]
    assert started
    for event in started:
        config = TrialConfig.from_json(event["config"])
        assert config.digest == event["digest"]
        assert config.to_json() == event["config"]


def test_a_kind_keeps_what_it_shares_with_the_one_before() -> None:
    config = TrialConfig.of(lr=0.3, beta2=0.9, loss="focal", gamma=1.0, label_smoothing=0.1)
    sgd = config.replace(optimizer="sgd")
    assert (sgd.optimizer.kind, sgd.optimizer.lr) == ("sgd", 0.3)
    assert "beta2" not in sgd.flat()
    assert sgd.replace(optimizer="adamw").flat()["beta2"] == 0.999
    assert sgd.loss == config.loss
    assert sgd.replace(loss="cross_entropy").loss == CrossEntropy(label_smoothing=0.1)
    assert TrialConfig.of(momentum=0.5) == TrialConfig()  # no effect on AdamW


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"averaging": "swa", "swa_epochs": 13}, "swa_epochs must be within 1 to epochs=12"),
        ({"mix": "cutmix", "unmixed_epochs": 13}, "unmixed_epochs must be within 0 to epochs=12"),
        ({"mix": "cutmix", "mix_probability": 0}, "mix_probability must be above 0 and at most 1"),
        ({"fill": "white"}, "unknown fill 'white'"),
        ({"frozen_epochs": 13}, "frozen_epochs must be within 0 to epochs=12"),
        ({"backbone": "resnet18+"}, r"backbone must be a timm model name, or a\+b"),
        ({"averaging": "ensemble", "ensemble_epochs": 13}, "within 2 to epochs=12, got 13"),
        ({"averaging": "ensemble", "ensemble_epochs": 1}, "ensemble_epochs"),
        ({"averaging": "sway"}, "did you mean swa"),
        ({"averaging": "ema", "ema_decay": 1.0}, "ema_decay"),
        ({"loss": "focla"}, "did you mean focal"),
        ({"loss": "focal", "gamma": -1}, "gamma must be within 0 to 10"),
        ({"schedule": "step", "step_factor": 1}, "step_factor must be between 0 and 1"),
        ({"sampling": "balanced", "balance": 2.0}, "balance must be above 0 and at most 1"),
    ],
)
def test_kinds_and_their_settings_are_checked(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrialConfig().with_params(changes)


def test_a_space_searches_loss_network_and_the_rest_of_the_recipe() -> None:
    def choice(name: str, *values: str) -> Param:
        return Param(name=name, distribution=CategoricalDistribution(values))

    def only(name: str, low: float, high: float, kind: str, value: str) -> Param:
        when = (When(parameter=kind, values=(value,)),)
        return Param(name=name, distribution=FloatDistribution(low, high), when=when)

    space = SearchSpace(
        name="recipe",
        params=(
            choice("loss", "cross_entropy", "focal"),
            only("gamma", 0.5, 5, "loss", "focal"),
            choice("model", "timm"),
            choice("backbone", "resnet18", "convnext_atto"),
            choice("schedule", "cosine", "constant", "step"),
            choice("sampling", "uniform", "balanced"),
            only("balance", 0.1, 1, "sampling", "balanced"),
            choice("averaging", "none", "ema", "swa", "ensemble"),
            choice("policy", "none", "trivial_augment"),
        ),
    )
    study = create_study(sampler=RandomSampler(seed=0))
    seen = set()
    for _ in range(60):
        params = space.suggest(study.ask())
        config = TrialConfig().with_params(params)
        assert TrialConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
        assert isinstance(config.loss, Focal) == ("gamma" in params)
        if isinstance(config.loss, Focal):
            assert config.loss.gamma == params["gamma"]
        seen |= {s.kind for s in (config.loss, config.schedule, config.sampling, config.averaging)}
    assert len(seen) == 11


def test_flat_names_are_of_one_section() -> None:
    names = [name for kinds in SECTIONS.values() for name in kinds.names()]
    assert len(names) == len(set(names))
    flat = TrialConfig().flat()
    assert {"lr", "optimizer", "loss", "size", "seed"} <= set(flat)
    assert "data" not in flat  # the kind of a section that has one only
    again = TrialConfig.of(**flat)
    assert again == TrialConfig()


def test_a_kind_that_is_not_known_here_is_read_and_written_again() -> None:
    data = TrialConfig().to_json()
    data["loss"] = {"kind": "poly", "epsilon": 1.5}
    config = TrialConfig.from_json(data)
    assert config.to_json() == data
    assert isinstance(config.loss, Foreign)
    assert config.replace(seed=2).loss == config.loss
    assert config.flat()["epsilon"] == 1.5


def test_a_policy_of_sequences_weights_and_courses() -> None:
    rotate, blur = Choice(operation="rotate", limit=10), Choice(operation="blur", limit=2.0)
    rising = Choice(operation="noise", limit=Course(points=((0, 0.0), (0.5, 0.1), (1, 0.2))))
    sequence = AugPolicy(stages=(Stage(choices=(rotate,)), Stage(choices=(blur,), probability=0.5)))
    policy = AugPolicy(
        stages=(
            Stage(choices=(sequence, rising), weights=(3, 1)),
            Stage(choices=(rotate, blur, rising), count=2, probability=0.9),
        )
    )
    assert AugPolicy.from_json(json.loads(json.dumps(policy.to_json()))) == policy
    words = describe_policy(policy)
    assert "rotate by up to ±10°, then in 50% of images: blur" in words
    assert "(75%)" in words
    assert "2 of: " in words
    assert "add Gaussian noise of up to 0% → 10% → 20% of the range" in words
    assert policy.at(0.25).stages[0].choices[1] == Choice(operation="noise", limit=0.05)
    assert policy.at(1.0).at(0.0) == policy.at(1.0)
    for wrong, why in (
        ({"weights": (1.0,)}, "needs as many weights"),
        ({"count": 4}, "can apply 1 to 3"),
        ({"count": 2, "weights": (1.0, 1.0, 1.0)}, "have no sense"),
    ):
        with pytest.raises(InputError, match=why):
            Stage(choices=(rotate, blur, rising), **wrong)
    with pytest.raises(InputError, match="rise from share 0 to 1"):
        Course(points=((0, 0.1), (0.5, 0.2)))
    with pytest.raises(InputError, match=r"within 0 to 0\.5"):
        Choice(operation="noise", limit=Course(points=((0, 0.1), (1, 0.9))))
    crop = AugPolicy(stages=(Stage(choices=(Choice(operation="crop", limit=0.5),)),))
    with pytest.raises(InputError, match="stage of its own"):
        Stage(choices=(crop,))
