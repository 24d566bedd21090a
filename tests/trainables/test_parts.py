"""Registries: their two sides agree, and a team's own parts are taken or refused."""

from __future__ import annotations

import copy
import json
import math
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from results.metrics import METRICS
from results.tasks.tasks import TASKS
from search.options.user_code import load_parts
from spaces.augmentation.policy import AugPolicy
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.own_kinds import register_family
from spaces.sections.loss import Focal, Loss
from spaces.sections.optimizer import Optimizer
from spaces.trial_config import SECTIONS, TrialConfig
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.loader import TrainingLoader
from trainables.data.training_set import TrainingSet
from trainables.losses.losses import LOSSES
from trainables.parts import Parts
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.actions import ACTIONS
from trainables.training.context import TrainingContext
from trainables.training.mixings import MIXINGS
from trainables.training.registries import REGISTRIES, check_makers
from trainables.training.schedules import SCHEDULES


@pytest.mark.parametrize("parts", REGISTRIES, ids=lambda p: p.section)
def test_what_can_be_asked_for_can_be_made(parts: Iterable[str]) -> None:
    assert isinstance(parts, Parts)
    assert set(parts) == set(SECTIONS[parts.section])


def test_every_section_but_the_image_has_makers() -> None:
    assert {parts.section for parts in REGISTRIES} == set(SECTIONS) - {"data"}


def test_both_halves_of_a_task_are_there() -> None:
    assert set(TASKS) == set(TRAINING_TASKS)


OWN = {
    "model": "linear",
    "pixels": 6,
    "optimizer": "plain",
    "lr": 0.05,
    "schedule": "halved",
    "loss": "poly",
    "epsilon": 0.5,
    "sampling": "doubled",
    "averaging": "halfway",
    "mix": "mirrored",
    "overlay": 0.2,
    "policy": "blurred",
    "blurred.sigma": 2.0,
    "action": "noted",
}


def trained_with_own_parts(store: Path, folds: Path, classes: tuple[str, ...], to: Path) -> Any:
    """Registers the team's parts, and trains with one of each."""
    load_parts(["tests.own_parts"])
    context = TrainingContext(
        store=ImageStore(store),
        folds=Folds.read(folds),
        classes=classes,
        metric=METRICS["accuracy"],
    )
    plain = TrialConfig.of(size=32, store_side=44, batch=32, epochs=3, warmup_epochs=0)
    config = plain.with_params(OWN)
    assert TrialConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    reports = [epoch.report for epoch in ACTIONS.of(config.run)(config, context, to)]
    return config.to_json(), config.digest, reports, (to / "note.txt").read_text()


def test_one_of_each_from_a_team_s_module(task: TrainingContext, tmp_path: Path) -> None:
    """In a fork of this process, which does not get to know the parts."""
    given = (task.store.path, task.folds.write(tmp_path), task.classes, tmp_path / "trial")
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as fork:
        told, digest, reports, note = fork.submit(trained_with_own_parts, *given).result()
    assert note == digest
    images = 2 * len(task.folds.trained_on(0)) // 32 * 32
    assert [r["images"] for r in reports] == [images] * 3  # every image twice
    assert [r["metrics"]["train/lr"] for r in reports] == [0.05, 0.025, 0.025]
    # Here nothing is registered: the record can be read, but not trained.
    config = TrialConfig.from_json(told)
    assert config.digest == digest
    assert config.replace(micro_batch=16).flat()["micro_batch"] == 16
    assert config.flat()["overlay"] == 0.2
    with pytest.raises(InputError, match=r"is your own: say parts=<module that registers it>"):
        task.network(config)


def test_what_cannot_be_made_is_told_before_anything_starts() -> None:
    check_makers(TrialConfig(), {})
    with pytest.raises(
        InputError,
        match=r"unknown action 'zzz' .*choices: density_matching, mixmatch, segment, train",
    ):
        check_makers(TrialConfig.of(action="zzz"), {})
    with pytest.raises(InputError, match="did you mean adamw"):
        check_makers(TrialConfig.of(optimizer="adamww"), {})
    data = TrialConfig().to_json()
    data["loss"] = {"kind": "focal", "label_smoothing": 0.0, "gamma": 2.0, "later": 1}
    with pytest.raises(InputError, match="recorded with other settings than it has here: "):
        check_makers(TrialConfig.from_json(data), {})


def test_an_own_action_is_read_where_it_is_not_known() -> None:
    data = TrialConfig.of(mix="mixup").to_json()
    data["run"] |= {"kind": "mine", "extra": 1}
    config = TrialConfig.from_json(data)
    assert config.to_json() == data
    assert (config.run.epochs, config.run.kind) == (12, "mine")
    again = copy.deepcopy(config)
    assert again == config
    assert hash(config.run) == hash(again.run)


@dataclass(frozen=True, kw_only=True)
class Fine(Loss):
    kind: str = "fine"


@dataclass(kw_only=True)
class Loose:
    kind: str = "loose"


@dataclass(frozen=True, kw_only=True)
class Unset(Loss):
    kind: str = "unset"
    power: float


@dataclass(frozen=True, kw_only=True)
class Listed(Loss):
    kind: str = "listed"
    powers: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Circular(Loss):
    kind: str = "circular"
    loss: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Greedy(Loss):
    kind: str = "greedy"
    lr: float = 1.0


def make(config: TrialConfig) -> Any:
    return None


@pytest.mark.parametrize(
    ("kind", "settings", "maker", "words"),
    [
        ("focal", Fine, make, "loss=focal: the name is taken"),
        ("Fine Loss", Fine, make, "a name like focal"),
        ("fine", Loose, make, "must derive from Loss"),
        ("fine", Optimizer, make, "must derive from Loss"),
        ("fine", type("Fine2", (Loss,), {}), make, "must be a frozen dataclass"),
        ("fine", Greedy, make, "the parameter 'lr' is there already"),
        ("fine", Circular, make, "the parameter 'loss' is there already"),
        ("fine", Unset, make, "its setting 'power' needs a default"),
        ("fine", Listed, make, "its setting 'powers' is tuple"),
        ("trivial_augment", Fine, make, "a policy has this name"),
        ("fine", Fine, "make", "str cannot be called"),
    ],
)
def test_a_part_that_is_registered_wrongly_is_refused(
    kind: str, settings: Any, maker: Any, words: str
) -> None:
    names = set(LOSSES)
    with pytest.raises(InputError, match=words):
        LOSSES.register(kind, settings, maker)
    assert set(LOSSES) == names == set(SECTIONS["loss"])


def test_a_policy_that_is_registered_wrongly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="policy=none: the name is taken"):
        register_family("none", lambda params: None)  # type: ignore[arg-type, return-value]
    for taken in ("sgd", "lr", "optimizer"):
        with pytest.raises(InputError, match="the name is taken"):
            register_family(taken, lambda params: AugPolicy())
    with pytest.raises(InputError, match="a name like rand_augment"):
        register_family("Rand-Augment", lambda params: AugPolicy())
    with pytest.raises(InputError, match="parts=no_such_module: cannot import"):
        load_parts(["no_such_module"])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_loss_has_a_slope_where_an_image_is_certain(gamma: float) -> None:
    config = TrialConfig.of(loss="focal", gamma=gamma)
    logits = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    loss = LOSSES.of(config.loss)(config)(logits, torch.eye(3)[[0]])
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_focal_loss_counts_easy_images_less() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.5]], requires_grad=True)
    targets = torch.eye(3)[[0, 2]]
    plain = LOSSES.of(TrialConfig().loss)(TrialConfig())
    config = TrialConfig.of(loss="focal", gamma=0.0)
    assert torch.allclose(LOSSES.of(config.loss)(config)(logits, targets), plain(logits, targets))
    smooth = TrialConfig.of(label_smoothing=0.1)
    same = smooth.replace(loss="focal", gamma=0.0)
    expected = LOSSES.of(smooth.loss)(smooth)(logits, targets)
    assert torch.allclose(LOSSES.of(same.loss)(same)(logits, targets), expected)
    config = config.replace(gamma=2.0)
    assert isinstance(config.loss, Focal)
    chances = torch.softmax(logits, 1)[[0, 1], [0, 2]]
    by_hand = (-((1 - chances) ** 2) * chances.log()).mean()
    assert torch.allclose(LOSSES.of(config.loss)(config)(logits, targets), by_hand)


@pytest.mark.parametrize(
    ("changes", "rates"),
    [
        ({}, [(1 + math.cos(math.pi * i / 8)) / 2 for i in range(8)]),
        ({"schedule": "constant"}, [1.0] * 8),
        ({"schedule": "step", "step_epochs": 2, "step_factor": 0.5}, [1.0] * 4 + [0.5] * 4),
        (
            {"schedule": "restarts", "cycles": 2, "cycle_factor": 0.5},
            [s * (1 + math.cos(math.pi * i / 4)) / 2 for s in (1, 0.5) for i in range(4)],
        ),
        (
            {"schedule": "exponential", "final_share": 0.01},
            [0.01 ** (i / 8) for i in range(8)],
        ),
        ({"schedule": "polynomial", "decay_power": 2.0}, [(1 - i / 8) ** 2 for i in range(8)]),
    ],
)
def test_schedules_warm_up_and_fall(changes: dict[str, Any], rates: list[float]) -> None:
    """Five epochs of two steps, the first epoch a warm-up from a hundredth."""
    config = TrialConfig.of(lr=1.0, epochs=5, warmup_epochs=1, **changes)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    schedule = SCHEDULES.of(config.schedule)(config, optimizer, 2)
    found = []
    for step in range(10):
        schedule.step_update(step)
        found.append(optimizer.param_groups[0]["lr"])
    assert found == pytest.approx([0.01, 0.505, *rates])


def test_one_cycle_rises_and_falls_and_the_momentum_against_it() -> None:
    """Ten steps, four of them up."""
    changes = {"rise": 0.4, "warmup_start": 0.1, "low_momentum": 0.8, "warmup_epochs": 3}
    config = TrialConfig.of(lr=2.0, epochs=5, schedule="one_cycle", **changes)
    assert config.schedule.warmup_epochs == 0
    up = [(1 - math.cos(math.pi * i / 4)) / 2 for i in range(4)]
    down = [(1 + math.cos(math.pi * i / 6)) / 2 for i in range(6)]
    parameter = torch.nn.Parameter(torch.zeros(1))
    adam = torch.optim.AdamW([parameter], lr=2.0, betas=(0.9, 0.99))
    sgd = torch.optim.SGD([parameter], lr=2.0, momentum=0.7)
    for optimizer in (adam, sgd):
        schedule = SCHEDULES.of(config.schedule)(config, optimizer, 2)
        rates, momenta = [], []
        for step in (3, *range(10)):  # what it says of a step depends on no step before
            schedule.step_update(step)
            group = optimizer.param_groups[0]
            rates.append(group["lr"])
            momenta.append(group["betas"][0] if optimizer is adam else group["momentum"])
        assert rates[1:] == pytest.approx([*(0.2 + 1.8 * u for u in up), *(2 * d for d in down)])
        assert rates[0] == rates[4]
        swing = [*up, *down]
        expected = [0.9 - 0.1 * s for s in swing] if optimizer is adam else [0.7] * 10
        assert momenta[1:] == pytest.approx(expected)
    assert adam.param_groups[0]["betas"][1] == 0.99


def test_a_plateau_of_the_training_loss_lowers_the_rate() -> None:
    """Told of the same losses again, as after a restart, it says the same."""
    changes = {"plateau_epochs": 2, "plateau_factor": 0.5, "warmup_epochs": 1}
    config = TrialConfig.of(lr=1.0, epochs=9, schedule="plateau", **changes)
    losses = [9.0, 2.0, 1.0, 1.0, 1.0, 0.5, 0.6, 0.49999, 0.4]
    rates = []
    for begun in range(len(losses)):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = SCHEDULES.of(config.schedule)(config, optimizer, 2)
        for epoch, loss in enumerate(losses[:begun], start=1):
            schedule.step(epoch, loss)
        schedule.step_update(2 * begun + 1)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.505, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25])


def test_binary_cross_entropy_sums_over_classes() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 0.0]])
    targets = torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    config = TrialConfig.of(loss="binary")
    p = torch.sigmoid(logits)
    by_hand = -(targets * p.log() + (1 - targets) * (1 - p).log()).sum(1).mean()
    assert torch.allclose(LOSSES.of(config.loss)(config)(logits, targets), by_hand)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["cross_entropy", "focal", "binary", "soft_f1", "sum"])
def test_losses_take_weighted_images(kind: str, smoothing: float) -> None:
    """An image of weight 0 is as good as absent, one of weight 2 is there twice."""
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.5], [0.3, 0.2, 0.1]])
    targets = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0]])
    config = TrialConfig.of(loss=kind, label_smoothing=smoothing)
    loss = LOSSES.of(config.loss)(config)
    weighted = loss(logits, targets * torch.tensor([[2.0], [1.0], [0.0]]))
    repeated = loss(logits[[0, 0, 1]], targets[[0, 0, 1]])
    assert torch.allclose(weighted, repeated)


def test_soft_f1_is_macro_f1_where_models_are_certain() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    told = np.array([0, 0, 1, 1, 2, 2])
    logits = torch.tensor(np.eye(4)[told] * 100.0)  # a fourth class that the batch does not hold
    targets = torch.tensor(np.eye(4)[labels])
    config = TrialConfig.of(loss="soft_f1", f1_share=1.0)
    found = LOSSES.of(config.loss)(config)(logits, targets)
    expected = f1_score(labels, told, average="macro")
    assert float(found) == pytest.approx(1 - expected, abs=1e-6)
    half = config.replace(f1_share=0.0)
    plain = TrialConfig()
    logits = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    entropy = LOSSES.of(plain.loss)(plain)(logits, targets)
    assert torch.allclose(LOSSES.of(half.loss)(half)(logits, targets), entropy)
    LOSSES.of(config.loss)(config)(logits, targets).backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(logits.grad).all()  # type: ignore[arg-type]


def test_a_repeated_image_is_augmented_anew(store: ImageStore, folds: Folds) -> None:
    """Two images in an epoch of many: rare classes get more views, not the same one again."""
    config = TrialConfig.of(size=32, store_side=44, batch=32, policy=trivial_augment())
    rows = folds.trained_on(0)[:2]
    targets = np.eye(10, dtype=np.float32)[folds.labels]
    learned = TrainingSet(rows=rows, targets=targets, strata=folds.labels)
    loader = TrainingLoader(config, store, learned, 0)
    pictures = next(iter(loader.epoch(1))).pictures
    assert len({picture.numpy().tobytes() for picture in pictures}) > 20


def test_mixing_mixes_any_target_in_the_shares_of_the_images() -> None:
    network = torch.nn.Identity()
    config = TrialConfig.of(mix="mixup", mix_alpha=1.0, batch=4)
    images = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 2, 2)
    soft = torch.rand(4, 5, generator=torch.Generator().manual_seed(0))
    np.random.seed(1)
    mixed, targets = MIXINGS.of(config.mix)(config, network)(images.clone(), soft, None)
    share = float((mixed[1, 0, 0, 0] - 2.0) / (1.0 - 2.0))  # of image 1, mixed with image 2
    assert 0 < share < 1
    assert torch.allclose(targets[1], share * soft[1] + (1 - share) * soft[2], atol=1e-6)
    planes = torch.rand(4, 2, 2, 2)
    np.random.seed(1)
    _, moved = MIXINGS.of(config.mix)(config, network)(images.clone(), planes, None)
    assert torch.allclose(moved[1], share * planes[1] + (1 - share) * planes[2], atol=1e-6)
    either = config.replace(mix="mixup_or_cutmix")
    mix = MIXINGS.of(either.mix)(either, network)
    moves = [mix(images.clone(), soft, None)[0][:, 0].reshape(4, 4) for _ in range(20)]
    whole = [bool((m == m[:, :1]).all()) for m in moves]  # CutMix leaves part of the image alone
    assert 0 < sum(whole) < 20
    rare = config.replace(mix_probability=0.3)
    mix = MIXINGS.of(rare.mix)(rare, network)
    changed = [bool((mix(images.clone(), soft, None)[0] != images).any()) for _ in range(40)]
    assert 0 < sum(changed) < 30
    none = replace(config, mix=TrialConfig().mix)
    assert MIXINGS.of(none.mix)(none, network)(images, soft, None)[1] is soft
