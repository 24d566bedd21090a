"""What is checked before anything is written or trained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from results.ledger import Ledger
from search.cli import parse
from search.config import ResourcesConfig, RunConfig, TrainConfig
from search.engine import GIB, trial_slots
from search.job import recordable_options, resolve_metric
from search.preparation import base_config, prepare
from search.resume import check_owner, recorded_options
from search.space import flatten, resolve_space
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import opening
from trainables.folds import Folds


def prepared(runs: Path, *arguments: str) -> Any:
    config = parse(RunConfig, [f"runs={runs}", *arguments])
    space = resolve_space(config.space, flatten(config.fix), flatten(config.narrow))
    return prepare(config, "label", space)


def test_a_job_is_ready_to_run(tmp_path: Path) -> None:
    ready = prepared(tmp_path / "runs", "epochs=3", "fix.lr=0.01", "seed=5")
    assert ready.baseline.epochs == 3
    assert ready.baseline.lr == 0.01
    assert ready.baseline.seed == 5
    assert ready.baseline.store_side == 44
    assert Folds.read(Path(ready.job.folds)).digest == ready.folds.digest
    assert not Path(ready.job.folder).exists()  # nothing of the job itself yet


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fix.backbone=resnet_18"], "did you mean resnet18"),
        (["fix.optimizer=adamm"], "did you mean"),
        (["fix.learning_rate=1"], "unknown parameter 'learning_rate'"),
        (["fix.policy=rand"], "unknown policy"),
        (["metric=f1"], "did you mean macro_f1"),
        (["metric=math:floor"], "direction=maximize"),
        (["metric=accuracy", "direction=minimize"], "accuracy is to maximize"),
        (["model=no.module:net"], "cannot import"),
        (["loss=math:nothing"], "unknown function"),
        (["weights=/no/file.safetensors"], "no such file"),
        (["holdout.folds=500"], "has only"),
        (["store.side=16"], "below the largest training size"),
        (["data=csv"], "data.root is needed"),
        (["data=csv", "data.root=/no/such/folder"], "no such folder"),
        (["space=schedule", "epochs=2"], "warmup_epochs"),
        (["fix.epochs=0"], "epochs must be at least 1"),
        (["fix.model=my:net"], "model=module:function"),
        (["fix.fold=1"], "fold 0"),
        (["fix.stages=two"], "a number is needed"),
        (["fix.stage1.operation=rotat"], "did you mean rotate"),
        (["space=schedule", "fix.lr=fast"], "a number is needed"),
        (["name=store"], "folder of ours"),
        (["store.folder=/proc/no"], "cannot write"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        prepared(tmp_path / "runs", *arguments)
    assert not list(tmp_path.glob("runs/digits/*/ledger.jsonl"))


def test_names_are_not_used_twice(tmp_path: Path) -> None:
    ready = prepared(tmp_path, "name=mine")
    Path(ready.job.folder).mkdir()
    with pytest.raises(InputError, match="exists already"):
        prepared(tmp_path, "name=mine")


def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(InputError, match="cannot write"):
        prepared(Path("/proc/no/runs"))  # not even for root


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(InputError, match="is a file"):
        prepared(tmp_path / "runs")


def test_parts_of_a_policy_can_be_fixed(tmp_path: Path) -> None:
    ready = prepared(tmp_path, "fix.stages=1", "fix.stage1.operation=rotate")
    assert not ready.baseline.policy.stages  # the rest is searched, so this is for sampled trials
    everything = prepared(tmp_path, "space=schedule", "fix.stage1.operation=rotate")
    assert everything.baseline.policy.stages


def test_own_metric_from_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "team_metric.py").write_text(
        "def hits(labels, probabilities):\n"
        "    return float((probabilities.argmax(1) == labels).mean())\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = resolve_metric("team_metric:hits", "maximize")
    assert (found.name, found.direction) == ("hits", "maximize")


def test_the_data_s_own_baseline_gives_way_to_the_command_line() -> None:
    config = parse(RunConfig, ["data.baseline.lr=0.5", "epochs=1", "fix.batch=16"])
    base = base_config(config)
    assert (base.lr, base.epochs, base.warmup_epochs, base.batch) == (0.5, 1, 0, 16)
    assert base.backbone == "test_resnet"


@pytest.mark.parametrize(
    ("resources", "available", "workers", "expected"),
    [
        (ResourcesConfig(), [{"CPU": 2.0}], 0, ({"CPU": 1}, 2)),
        (ResourcesConfig(), [{"CPU": 8.0, "GPU": 1.0}], 0, ({"CPU": 1, "GPU": 1.0}, 1)),
        (ResourcesConfig(gpu=0.5), [{"CPU": 8.0, "GPU": 1.0}], 0, ({"CPU": 1, "GPU": 0.5}, 2)),
        (ResourcesConfig(gpu=0.1), [{"CPU": 99.0, "GPU": 1.0}], 0, ({"CPU": 1, "GPU": 0.1}, 10)),
        (ResourcesConfig(gpu=0), [{"CPU": 8.0, "GPU": 1.0}], 3, ({"CPU": 1}, 3)),
        (ResourcesConfig(cpu=4), [{"CPU": 8.0}], 5, ({"CPU": 4}, 2)),
        (ResourcesConfig(cpu=5), [{"CPU": 8.0}, {"CPU": 7.0}, {"CPU": 4.0}], 0, ({"CPU": 5}, 2)),
        (ResourcesConfig(gpu=0.6), [{"CPU": 8.0, "GPU": 2.0}], 0, ({"CPU": 1, "GPU": 0.6}, 2)),
    ],
)
def test_slots(
    resources: ResourcesConfig, available: list[dict[str, float]], workers: int, expected: Any
) -> None:
    assert trial_slots(resources, available, workers) == expected


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (ResourcesConfig(gpu=1), "resources.gpu=1 per trial, but there is only 0"),
        (ResourcesConfig(cpu=4), "resources.cpu=4 per trial, but there is only 2"),
        (ResourcesConfig(memory=64), "resources.memory=64 GiB per trial, but there is only 8 GiB"),
    ],
)
def test_more_than_there_is(resources: ResourcesConfig, words: str) -> None:
    with pytest.raises(InputError, match=words):
        trial_slots(resources, [{"CPU": 2.0, "memory": 8.0 * GIB}] * 2, 0)


def test_passwords_are_not_recorded_and_asked_for_again(
    digits_folder: Path, tmp_path: Path
) -> None:
    secret = "http://anna:hunter2@tracking.example"
    options = recordable_options(TrainConfig(tracking=secret), digits_folder)
    assert options["tracking"] == "http://anna:***@tracking.example"
    assert "hunter2" not in json.dumps(options)
    folder = tmp_path / "c" / "j"
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add("opened", **opening("j", TrialConfig(), options=options))
    ledger.close()
    given = TrainConfig(runs=str(tmp_path), resume="j")
    with pytest.raises(InputError, match=r"tracking=http://anna:\*\*\*@.*: say so"):
        recorded_options("search")(given)
    again = TrainConfig(runs=str(tmp_path), resume="j", tracking=secret)
    assert recorded_options("search")(again)["resume"] == "j"


def test_a_folder_of_somebody_else_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_owner(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(InputError, match=r"belongs to user \d+, not to you \(4711\)"):
        check_owner(tmp_path)
