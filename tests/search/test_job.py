"""What is checked before anything is written or trained."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import re
import shlex
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from results.records.ledger import Ledger
from results.records.searches import find_search, searches
from results.records.secrets import in_a_line
from search.competition.images import open_pictures
from search.competition.standing import open_standing
from search.competition.tracking import reach
from search.execution.engine import ray_session, staying_local, trial_slots
from search.execution.local_resources import GIB, check_local_resources
from search.execution.trial_actor import _import_what_trains
from search.jobs.assembly import recordable_options
from search.jobs.baseline import base_config
from search.jobs.claim import claimed
from search.jobs.code_digest import code_digest
from search.jobs.contest_data import check_writable
from search.jobs.job import resolve_metric
from search.jobs.lifecycle import run_job
from search.jobs.preparation import prepare
from search.jobs.resume import check_owner
from search.jobs.searched_choices import check_values
from search.jobs.training_job import TrainingJob
from search.options.analysis import CompetitionConfig, TrustConfig
from search.options.command_line import parse
from search.options.groups import ClusterConfig
from search.options.parameters import flatten
from search.options.recorded import recorded_options
from search.options.resources import ResourcesConfig
from search.options.same_place import same_contest
from search.options.search_space import resolve_space
from search.options.training import RunConfig, TrainConfig
from spaces.errors import InputError
from spaces.param import Param
from spaces.ready import READY, ready_space
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from tests.records import opening_event
from trainables.data.folds import Folds
from trainables.portable.preparation import Preparation


def prepared(runs: Path, *arguments: str) -> Any:
    config = parse(RunConfig, [f"runs={runs}", *arguments])
    space = resolve_space(config.space, flatten(config.fix), flatten(config.narrow))
    return prepare(config, "label", space)


def test_the_next_command_names_the_same_contest(tmp_path: Path) -> None:
    (tmp_path / "conf/data").mkdir(parents=True)
    (tmp_path / "conf/data/mine.yaml").write_text(
        "name: mine\nroot: /data/my birds\ntest: ''\nclasses: [b, a]\n"
        "baseline: {size: 64, lr: 1.0e-3}\n"
    )
    config_dir = ["--config-dir", str(tmp_path / "conf")]
    config = parse(TrainConfig, [*config_dir, "data=mine", "holdout.folds=3", "metric=accuracy"])
    again = parse(RunConfig, shlex.split(same_contest(config)))
    assert dataclasses.asdict(again.data) == dataclasses.asdict(config.data)
    assert (again.holdout, again.metric) == (config.holdout, config.metric)
    assert same_contest(parse(TrainConfig, [])) == ""
    assert same_contest(parse(TrainConfig, ["prepare=mine:cut"])) == " prepare=mine:cut"
    for chosen in (["data=masks", "data.group=session"], ["data.group=a.csv"], ["data.root=/d"]):
        config = parse(TrainConfig, chosen)
        again = parse(RunConfig, shlex.split(same_contest(config)))
        assert dataclasses.asdict(again.data) == dataclasses.asdict(config.data)
    assert same_contest(parse(TrainConfig, ["data.corrections=a.csv"])) == " data.corrections=a.csv"


def test_a_job_is_ready_to_run(tmp_path: Path) -> None:
    ready = prepared(tmp_path / "runs", "epochs=3", "fix.lr=0.01", "seed=5", "store.local=near")
    assert ready.baseline.run.epochs == 3
    assert ready.baseline.optimizer.lr == 0.01
    assert ready.baseline.run.seed == 5
    assert ready.baseline.data.store_side == 44
    assert Folds.read(Path(ready.job.folds)).digest == ready.folds.digest
    assert ready.job.local_store == str(Path("near").resolve())  # workers have folders of their own
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
        (["store.side=16"], "below the largest size 32"),
        (["data=csv"], "data.root is needed"),
        (["data=csv", "data.root=/no/such/folder"], "no such folder"),
        (["space=schedule", "epochs=2"], "warmup_epochs"),
        (["fix.epochs=0"], "epochs must be at least 1"),
        (["fix.model=my:net"], "model=module:function"),
        (["fix.fold=1"], "fold 0"),
        (["fix.stages=two"], "a number is needed"),
        (["fix.stage1.operation=rotat"], "did you mean rotate"),
        (["space=schedule", "fix.lr=fast"], "a number is needed"),
        (["name=store"], "a folder or a file of ours"),
        (["name=trust.csv"], "a folder or a file of ours"),
        (["name=latest"], "stands for something else"),
        (["name=b001"], "stands for something else"),
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
    ready, named = prepared(tmp_path, "name=mine"), parse(RunConfig, ["name=mine"])
    with claimed(ready, named) as (job, ledger):
        assert job is ready
        shutil.copytree(ledger.path.parent, tmp_path / "killed")
        with pytest.raises(InputError, match="being written by another"), claimed(ready, named):
            pass
    assert not ledger.path.parent.exists()  # nothing had begun
    (tmp_path / "killed").rename(ledger.path.parent)
    assert prepared(tmp_path, "name=mine").job.folder == ready.job.folder
    with claimed(ready, named) as (_, ledger):
        ledger.add(opening_event("mine"))
    with pytest.raises(InputError, match="exists already"):
        prepared(tmp_path, "name=mine")
    with pytest.raises(InputError, match="exists already"), claimed(ready, named):
        pass  # it was free when this command began


def test_jobs_that_start_in_the_same_second_have_names_of_their_own(tmp_path: Path) -> None:
    ready, config = prepared(tmp_path), parse(RunConfig, [])
    with claimed(ready, config) as (first, begun):
        begun.add(opening_event("first"))
        begun.commit()
        with claimed(ready, config) as (second, _), claimed(ready, config) as (third, ledger):
            assert [job.opening.search for job in (first, second, third)] == [
                ready.job.name,
                f"{ready.job.name}-2",
                f"{ready.job.name}-3",
            ]
            assert third.job.name == third.opening.search == Path(third.job.folder).name
            assert ledger.path.parent == Path(third.job.folder)
    assert [p.name for p in searches(tmp_path)] == [ready.job.name]


def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(InputError, match="cannot write"):
        prepared(Path("/proc/no/runs"))  # not even for root
    config = parse(TrainConfig, ["store.local=/proc/no"])
    with pytest.raises(InputError, match=r"store\.local=/proc/no: cannot write"):
        run_job(config, TrainingJob(config))


def test_commands_that_start_together_do_not_take_the_folder_for_read_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        list(both.map(check_writable, [tmp_path] * 400, ["runs"] * 400))
    assert not list(tmp_path.iterdir())


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
    found = resolve_metric("team_metric:hits", "maximize", "classification")
    assert (found.name, found.direction) == ("hits", "maximize")


def test_the_data_s_own_baseline_gives_way_to_the_command_line() -> None:
    config = parse(RunConfig, ["data.baseline.lr=0.5", "epochs=1", "fix.batch=16"])
    base = base_config(config)
    assert (base.optimizer.lr, base.run.epochs, base.schedule.warmup_epochs, base.run.batch) == (
        0.5,
        1,
        0,
        16,
    )
    assert base.flat()["backbone"] == "test_resnet"


def test_processes_that_share_batches_share_cores_and_loaders(tmp_path: Path) -> None:
    cpus = ["resources.gpu=0", "resources.cpu=5", "resources.processes=2", "loader_workers=3"]
    job = prepared(tmp_path, *cpus).job
    assert (job.processes, job.threads, job.loader_workers) == (2, 2, 2)
    job = prepared(tmp_path, "resources.gpu=4").job
    assert (job.processes, job.threads, job.loader_workers) == (4, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fix.batch=50"], "batch=50: 3 processes cannot share 50 images at once evenly"),
        (
            ["space=optimizer", "data.baseline.batch=48"],
            "space=optimizer draws batch=32: batch=32: 3 processes cannot share 32",
        ),
    ],
)
def test_batches_that_cannot_be_shared_out_are_refused(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        prepared(tmp_path / "runs", "resources.gpu=3", *arguments)


@pytest.mark.parametrize(
    ("resources", "available", "workers", "expected"),
    [
        (ResourcesConfig(), [{"CPU": 2.0}], 0, ({"CPU": 1}, 2)),
        (ResourcesConfig(), [{"CPU": 6.0, "GPU": 1.0}], 0, ({"CPU": 6, "GPU": 1.0}, 1)),
        (ResourcesConfig(), [{"CPU": 64.0, "GPU": 2.0}], 0, ({"CPU": 8, "GPU": 1.0}, 2)),
        (ResourcesConfig(cpu=1), [{"CPU": 64.0, "GPU": 2.0}], 0, ({"CPU": 1, "GPU": 1.0}, 2)),
        (ResourcesConfig(gpu=0.5), [{"CPU": 8.0, "GPU": 1.0}], 0, ({"CPU": 4, "GPU": 0.5}, 2)),
        (ResourcesConfig(gpu=0.25), [{"CPU": 2.0, "GPU": 1.0}], 0, ({"CPU": 0.5, "GPU": 0.25}, 4)),
        (ResourcesConfig(gpu=0.1), [{"CPU": 99.0, "GPU": 1.0}], 0, ({"CPU": 8, "GPU": 0.1}, 10)),
        (ResourcesConfig(), [{"CPU": 4.0, "GPU": 1.0}, {"CPU": 2.0}], 0, ({"CPU": 4, "GPU": 1}, 1)),
        (ResourcesConfig(gpu=0.3), [{"CPU": 2.0, "GPU": 1.0}], 0, ({"CPU": 0.66, "GPU": 0.3}, 3)),
        (ResourcesConfig(), [{"GPU": 2.0}, {"CPU": 8.0, "GPU": 2.0}], 0, ({"CPU": 4, "GPU": 1}, 2)),
        (ResourcesConfig(gpu=0, processes=2), [{"CPU": 4.0}], 0, ({"CPU": 2}, 2)),
        (ResourcesConfig(gpu=0), [{"CPU": 8.0, "GPU": 1.0}], 3, ({"CPU": 1}, 3)),
        (ResourcesConfig(cpu=4), [{"CPU": 8.0}], 5, ({"CPU": 4}, 2)),
        (ResourcesConfig(cpu=5), [{"CPU": 8.0}, {"CPU": 7.0}, {"CPU": 4.0}], 0, ({"CPU": 5}, 2)),
        (ResourcesConfig(gpu=0.6), [{"CPU": 8.0, "GPU": 2.0}], 0, ({"CPU": 4, "GPU": 0.6}, 2)),
        (ResourcesConfig(gpu=2), [{"CPU": 8.0, "GPU": 3.0}] * 2, 0, ({"CPU": 8, "GPU": 2}, 2)),
    ],
)
def test_slots(
    resources: ResourcesConfig, available: list[dict[str, float]], workers: int, expected: Any
) -> None:
    assert trial_slots(resources, available, workers) == expected


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (ResourcesConfig(gpu=1), "resources.gpu=1 per trial, and no node has more than 0"),
        (ResourcesConfig(cpu=4), "resources.cpu=4 per trial, and no node has more than 2"),
        (ResourcesConfig(memory=64), "memory=64 GiB per trial, and no node has more than 8 GiB"),
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
    ledger.add(opening_event("j", TrialConfig(), options=options))
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


def test_the_digest_of_the_code_covers_what_decides_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    for package in ("spaces", "trainables", "results", "search"):
        shutil.copytree(root / package, tmp_path / package)
    before = code_digest(tmp_path)
    assert before == code_digest()
    report = tmp_path / "results/reporting/report.py"
    report.write_text(report.read_text() + "# other words\n")
    assert code_digest(tmp_path) == before
    fit = tmp_path / "trainables/training/fit.py"
    fit.write_text(fit.read_text() + "# another training\n")
    changed = code_digest(tmp_path)
    assert changed != before
    monkeypatch.setattr(
        "search.jobs.code_digest.version", lambda name: "9.9" if name == "torch" else "1.0"
    )
    upgraded = code_digest(tmp_path)
    monkeypatch.setattr("search.jobs.code_digest.version", lambda name: "1.0")
    assert code_digest(tmp_path) != upgraded


def test_searches_are_in_the_order_of_their_opening(tmp_path: Path) -> None:
    """Whatever was written last: a search that goes on, or a copy, is not the newest."""
    for name, opened, last in (("b", 10.0, 99.0), ("a", 20.0, 30.0), ("c", 5.0, 6.0)):
        path = tmp_path / "comp" / name / "ledger.jsonl"
        path.parent.mkdir(parents=True)
        lines = [{"event": "opened", "at": opened}, {"event": "resumed", "at": last}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(tmp_path / "comp/c/ledger.jsonl")
    for name, torn in (("empty", b""), ("torn", b'{"event": "opened"')):  # by a kill or a full disk
        (tmp_path / "comp" / name).mkdir()
        (tmp_path / "comp" / name / "ledger.jsonl").write_bytes(torn)
    assert [p.name for p in searches(tmp_path)] == ["c", "b", "a"]
    assert find_search(tmp_path, "latest").name == "b"


def test_a_local_ray_leaves_the_environment_of_other_threads_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    cleared: list[str] = []
    monkeypatch.setattr(type(os.environ), "clear", lambda self: cleared.append("all of it"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with staying_local({"OMP_NUM_THREADS": "3"}):
        assert os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
        assert os.environ["OMP_NUM_THREADS"] == "3"
        os.environ["SET_MEANWHILE"] = "by another thread"
    assert not cleared
    assert os.environ.pop("SET_MEANWHILE") == "by another thread"
    assert not {"RAY_AUTH_TOKEN", "OMP_NUM_THREADS"} & os.environ.keys()


def test_a_ray_that_does_not_start_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("long" * 30)))  # too long for its sockets
    session = ray_session(ClusterConfig(), ResourcesConfig())
    with pytest.raises(InputError, match="Ray did not start on this machine: ") as told, session:
        pass
    assert len(str(told.value).splitlines()) == 1


OWN = """
import os
import torch

def not_a_network(config, classes):
    return "a network"

def too_narrow(config, classes):
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())

def no_gradient(config):
    return lambda logits, targets: 1.0

def broken(config):
    return lambda logits, targets: (logits @ targets).sum()

def text(labels, probabilities):
    return "good"
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model=os:system"], "called with (config, classes) it fails: TypeError"),
        (["model=own:not_a_network"], "returned str, not a torch.nn.Module"),
        (["model=own:too_narrow"], "of shape (2, 3); logits of shape (2, 10) are needed"),
        (["loss=own:no_gradient"], "made float of logits and targets; a scalar tensor"),
        (["loss=own:broken"], "its function fails: RuntimeError: "),
        (["metric=own:text", "direction=maximize"], "returned str, not a number"),
    ],
)
def test_own_functions_are_tried_before_anything_is_written(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own", raising=False)
    with pytest.raises(InputError) as refused:
        prepared(tmp_path / "runs", *arguments)
    assert words in str(refused.value)
    assert str(refused.value).startswith(arguments[0])
    assert not list((tmp_path / "runs").rglob("ledger.jsonl"))


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (ResourcesConfig(cpu=1000), "resources.cpu=1000 cores per trial, and this machine has"),
        (ResourcesConfig(gpu=0, processes=999), "resources.processes=999 cores per trial, and"),
        (ResourcesConfig(gpu=99), "resources.gpu=99 per trial, and this machine has"),
        (ResourcesConfig(memory=1e6), "resources.memory=1e+06 GiB per trial, and this machine has"),
    ],
)
def test_more_than_the_machine_has_is_refused_before_ray(
    resources: ResourcesConfig, words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        check_local_resources(resources, ClusterConfig())
    check_local_resources(resources, ClusterConfig(address="auto"))  # a cluster is asked itself


def test_test_images_are_known_without_predictions(tmp_path: Path) -> None:
    """With predict.test=false a promotion still finds the images of the search."""
    ready = prepared(tmp_path / "runs", "predict.test=false", "name=s")
    folder = Path(ready.job.folder)
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        ledger.add(ready.opening)
    standing = open_standing(CompetitionConfig(runs=str(tmp_path / "runs")))
    assert standing.test_images == ready.contest.test_images
    contest, store = open_pictures(standing, Preparation(side=ready.store.side), "", print)
    assert store.digest == ready.store.digest
    assert contest.test_images == ready.contest.test_images


def test_tracking_that_cannot_be_is_refused_and_one_that_is_away_is_told(tmp_path: Path) -> None:
    for uri, words in {
        "foo://bar": "unknown scheme 'foo'",
        "sqlit:///x.db": "did you mean sqlite",
        "mlruns": "write a URI, such as",
    }.items():
        with pytest.raises(InputError, match=words):
            parse(RunConfig, [f"tracking={uri}"])
        with pytest.raises(InputError, match=words):
            parse(TrustConfig, [f"tracking={uri}"])
    assert reach("", tmp_path) == ""
    with pytest.raises(InputError, match=r"why\?/mlflow.db: MLflow takes what stands behind"):
        reach("", tmp_path / "why?" / "runs")
    assert "there is no folder" in reach("sqlite:////nowhere/at/all.db", tmp_path)
    away = reach("http://127.0.0.1:1", tmp_path)
    assert away
    assert len(away) <= 300


def test_words_of_an_error_are_not_cut_in_two() -> None:
    words = in_a_line(OSError("reason " * 100), "sqlite:///x.db", width=100)
    assert len(words) <= 100
    assert words.endswith("reason …")


@pytest.mark.parametrize("name", READY)
def test_every_ready_space_passes_the_checks_of_a_search(name: str) -> None:
    check_values(ready_space(name), TrialConfig(), {})


def test_a_space_whose_draws_do_not_fit_is_refused_before_anything_runs() -> None:
    wrong = FloatDistribution(0.0, 3.0)
    space = SearchSpace(name="wrong", params=(Param(name="label_smoothing", distribution=wrong),))
    told = r"space=wrong draws label_smoothing=3.0: .* narrow.label_smoothing=\[…,…\] spares it"
    with pytest.raises(InputError, match=told):
        check_values(space, TrialConfig(), {})
    with pytest.raises(
        InputError, match=r"space=schedule draws warmup_epochs=3: .*epochs=3, got 3"
    ):
        check_values(ready_space("schedule"), TrialConfig.of(epochs=3, warmup_epochs=0), {})
    listed = CategoricalDistribution(("none", "mixup"))
    pairs = SearchSpace(name="pairs", params=(Param(name="mix", distribution=listed),))
    with pytest.raises(
        InputError, match=r"pairs draws mix=mixup: .*; drop=\[mix.mixup\] spares it"
    ):
        check_values(pairs, TrialConfig.of(micro_batch=3, batch=3), {})


def test_what_was_imported_is_no_garbage_of_trials() -> None:
    """A collection after a trial goes through what the trial made, not through libraries."""
    gc.unfreeze()
    _import_what_trains.cache_clear()
    try:
        _import_what_trains()
        frozen = gc.get_freeze_count()
        assert frozen > 10 * len(gc.get_objects())
        _import_what_trains()
        assert gc.get_freeze_count() <= frozen  # some may have gone meanwhile
    finally:
        gc.unfreeze()
