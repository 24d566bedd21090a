"""The contract with libraries' internals: what breaks here after an upgrade is named here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from ray._private import ray_constants, services, utils
from ray._private.node import Node
from ray.tune.execution import tune_controller
from ray.tune.schedulers import AsyncHyperBandScheduler

from results.tracking.internals import artifacts_of, make_tables
from search.execution.engine import staying_local
from search.execution.trial_actor import TrialActor
from search.internals import asha_state, local_ray
from search.internals.idle_workers import KeptWorkers, PlainActors


class Stub:
    """All that ASHA wants to know of a trial."""

    def __init__(self, trial_id: str) -> None:
        self.trial_id = trial_id


def test_ray_s_asha_holds_what_we_read_of_it() -> None:
    scheduler = AsyncHyperBandScheduler(
        time_attr="epoch", metric="score", mode="max", max_t=9, grace_period=1, reduction_factor=3
    )
    assert set(asha_state.rungs(scheduler)) == {1, 3, 9}
    for name, score in (("a", 0.9), ("b", 0.8), ("c", 0.1)):
        assert not asha_state.is_known(scheduler, name)
        scheduler.on_trial_add(None, Stub(name))
        assert asha_state.is_known(scheduler, name)
        scheduler.on_trial_result(None, Stub(name), {"epoch": 1, "score": score})
    assert asha_state.rungs(scheduler)[1.0] == {"a": 0.9, "b": 0.8, "c": 0.1}
    asha_state.forget(scheduler, "c")
    asha_state.forget(scheduler, "never seen")
    assert not asha_state.is_known(scheduler, "c")
    assert asha_state.rungs(scheduler)[1.0]["c"] == 0.1


def test_ray_s_choice_of_hosts_is_a_constant_that_can_be_set() -> None:
    before = ray_constants.ENABLE_RAY_CLUSTER
    assert isinstance(before, bool)
    with local_ray.single_host():
        assert ray_constants.ENABLE_RAY_CLUSTER is False
    assert ray_constants.ENABLE_RAY_CLUSTER is before


def test_ray_s_services_that_nobody_uses_are_methods_that_can_be_left_out() -> None:
    before = {name: getattr(Node, name) for name in local_ray.UNUSED}
    assert all(callable(start) for start in before.values())
    with local_ray.single_host():
        assert all(getattr(Node, name) is not start for name, start in before.items())
    assert before == {name: getattr(Node, name) for name in local_ray.UNUSED}


@pytest.mark.parametrize("kernel", [True, False])
def test_ray_s_processes_get_groups_where_the_kernel_ends_them(
    kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils, "detect_fate_sharing_support", lambda: kernel)
    with local_ray.single_host():
        process = services.start_ray_process(["sleep", "9"], "raylet", fate_share=False).process
    try:
        assert os.getpgid(process.pid) == (process.pid if kernel else os.getpgrp())
    finally:
        process.kill()
        process.wait()


def test_tune_s_actors_ask_for_no_processes_of_their_own() -> None:
    before = tune_controller._ActorClassCache
    with staying_local({}):
        classes = tune_controller._ActorClassCache()
    assert isinstance(classes, PlainActors)
    assert tune_controller._ActorClassCache is before
    actors = [cache.get(TrialActor) for cache in (classes, classes, before())]
    assert actors[0] is actors[1]
    asked = [actor._default_options.get("runtime_env") for actor in actors]
    assert asked[0] is None
    assert asked[2] == {"env_vars": {"PL_DISABLE_FORK": "1"}}


def test_tune_s_store_of_idle_workers_keeps_all_until_the_end() -> None:
    before = tune_controller._ObjectCache
    with staying_local({}):
        kept = tune_controller._ObjectCache(may_keep_one=True)
    assert isinstance(kept, KeptWorkers)
    assert tune_controller._ObjectCache is before
    for worker in ("a", "b"):
        assert kept.cache_object("a core", worker)
    assert list(kept.flush_cached_objects()) == []
    assert kept.num_cached_objects == 2
    assert kept.pop_cached_object("a core") == "a"
    assert list(kept.flush_cached_objects(force_all=True)) == ["b"]
    assert kept.num_cached_objects == 0


def test_mlflow_s_tables_can_be_moved_and_its_runs_tell_where_files_go(tmp_path: Path) -> None:
    made, place = tmp_path / "new.db", tmp_path / "mlflow.db"
    make_tables(made)
    made.replace(place)
    client = MlflowClient(f"sqlite:///{place}")
    experiment = client.create_experiment("c", artifact_location=str(tmp_path))
    run = client.create_run(experiment).info
    client.log_metric(run.run_id, "score", 0.5)
    assert client.get_run(run.run_id).data.metrics == {"score": 0.5}
    assert not made.exists()
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a.txt").write_text("a")
    artifacts_of(run, f"sqlite:///{place}").log_artifacts(str(tmp_path / "files"))  # type: ignore[no-untyped-call]
    assert [file.path for file in client.list_artifacts(run.run_id)] == ["a.txt"]
