"""What is pinned beside a space: parts of policies, windows, and what no configuration can have."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from search.jobs.baseline import base_config
from search.jobs.preparation import prepare
from search.jobs.searched_choices import categories, check_effect, check_pins, check_values
from search.options.command_line import parse
from search.options.parameters import flatten
from search.options.search_space import resolve_space
from search.options.training import RunConfig, TrainConfig
from spaces.errors import InputError
from spaces.sections.data import Windows
from spaces.trial_config import TrialConfig
from tests.commands import run_process


@pytest.mark.parametrize(
    "pin",
    [
        "fix.stages=2",
        "fix.stage1.strength=0.5",
        "fix.stage1.probability=0.5",
        "fix.stage2.operation=rotate",
        "fix.stage1.operation=clahe",
    ],
)
def test_parts_of_a_policy_are_pinned_while_the_rest_is_searched(pin: str) -> None:
    config = parse(RunConfig, ["space=aug_policy", pin])
    fix = flatten(config.fix)
    space = resolve_space(config.space, fix)
    check_pins(space, fix)
    check_values(space, base_config(config, space), fix)
    assert not set(fix) & {param.name for param in space.params}


@pytest.mark.parametrize(
    ("operation", "searched"), [("clahe", True), ("rotate", True), ("equalize", False)]
)
def test_a_pinned_operation_keeps_the_strength_that_it_has(operation: str, searched: bool) -> None:
    """Also one that the space does not draw."""
    space = resolve_space("aug_policy", {"stage1.operation": operation})
    assert ("stage1.strength" in space) == searched
    assert "stage2.strength" in space


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        ({"polcy": "none"}, "fix: unknown parameter 'polcy'"),
        ({"stage1.operation": "clahee"}, "unknown operation 'clahee': did you mean clahe"),
        ({"stage1.strength": 3}, "must be within 0 to 1, got 3"),
        ({"stages": 3}, r"stages=3 needs stage\d\.operation"),
        ({"lr": -1}, "^fix.lr must be above 0"),
        ({"lr": "abc"}, "^fix.lr='abc': a number is needed"),
    ],
)
def test_what_no_configuration_can_have_is_told(fix: dict[str, object], words: str) -> None:
    space = resolve_space("aug_policy", fix)
    with pytest.raises(InputError, match=words):
        check_pins(space, fix)


def test_windows_are_set_beside_images_of_their_own_size() -> None:
    words = ["fix.window_scale=0.5", "fix.window_overlap=0.5", "fix.window_crop=present"]
    config = parse(TrainConfig, ["data=shapes", "data.shape=native", *words])
    baseline = base_config(config)
    check_effect(flatten(config.fix), baseline, categories(None), "fix")
    framing = baseline.data
    assert isinstance(framing, Windows)
    assert (framing.window_scale, framing.window_overlap) == (0.5, 0.5)
    assert framing.window_crop == "present"
    resized = parse(TrainConfig, ["data=shapes", *words])
    with pytest.raises(InputError, match="has no effect"):
        check_effect(flatten(resized.fix), base_config(resized), {}, "fix")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the drawn scenes lie once they are asked for."""
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize(
    "words", [["fix.backbone=vit_tiny_patch16_224"], ["fix.decoder=unet", "fix.backbone=vit_tiny"]]
)
def test_a_backbone_that_no_decoder_can_use_is_refused_at_once(
    words: list[str], runs: Path
) -> None:
    config = parse(TrainConfig, [f"runs={runs}", "data=shapes", *words])
    with pytest.raises(InputError, match="vit_tiny"):
        prepare(config, "train", None)
    assert not list(runs.glob("shapes/*/ledger.jsonl"))


def test_all_decoders_are_tried_out_before_a_search(runs: Path) -> None:
    words = [f"runs={runs}", "data=shapes", "space=segmentation", "fix.backbone=resnet10t"]
    config = parse(RunConfig, words)
    fix = flatten(config.fix)
    assert prepare(config, "label", resolve_space(config.space, fix)).metric.name == "mean_iou"


def test_what_two_spaces_search_differently_is_pinned_before_they_are_joined() -> None:
    both = ["aug_policy", "mixing"]
    with pytest.raises(InputError, match=r"search 'mix' differently.*pin it with fix\.mix="):
        resolve_space(both)
    with pytest.raises(InputError, match=r"search 'mix_alpha' differently"):
        resolve_space(both, {"mix": "cutmix"})
    space = resolve_space(both, {"mix": "cutmix", "mix_alpha": 1.0})
    assert {"stage1.operation", "mix_probability"} <= {param.name for param in space.params}


def test_a_space_is_shown_and_nothing_else_is_said(tmp_path: Path) -> None:
    done = run_process(tmp_path, "space", "space=[aug_policy,schedule]", "fix.mix=none")
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("params", "searched", "words"),
    [
        ({"ema_decay": 0.9}, {}, "fix.ema_decay=0.9 has no effect with averaging=none; add "),
        ({"momentum": 0.9}, {}, "with optimizer=adamw; add fix.optimizer=sgd"),
        ({"sgd.lr": 0.9}, {"optimizer": ["adamw", "lamb"]}, "with optimizer=adamw or lamb; add"),
        ({"momentum": 0.9}, {"optimizer": ["adamw", "sgd"]}, ""),
        ({"mix_alpha": 0.9}, {"mix": ["none", "cutmix"]}, ""),
        ({"lr": 1, "policy": "none", "averaging": "ema"}, {}, ""),
    ],
)
def test_a_setting_that_nothing_uses_is_told(
    params: dict[str, Any], searched: dict[str, list[Any]], words: str
) -> None:
    with pytest.raises(InputError, match=words) if words else nullcontext():
        check_effect(params, TrialConfig(), searched, "fix")
