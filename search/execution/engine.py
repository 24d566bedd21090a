"""Ray Tune as the engine: the one module that starts Ray and runs trials on it.

Ray schedules and moves nothing of ours: it gets no checkpoints, keeps no history and retries
nothing. What is to run comes from the plan, what happened goes to the driver.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import secrets
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
# Trainings are what the user waits for: with Ray's niceness of 15 they starve beside other work.
os.environ.setdefault("RAY_worker_niceness", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")  # no GPU asked, none seen
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_STRICT_METRIC_CHECKING", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "1e9")  # nothing reads Tune's own record
os.environ.setdefault("TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S", "0")
os.environ.setdefault("RAY_TUNE_DISABLE_AUTO_INIT", "1")
# Tune would let one trial's process start after the other; how many may run is ours to say.
os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", "1000")

import ray
from ray import tune

from search.execution.cluster_answer import nobody
from search.execution.driver import Driver
from search.execution.local_resources import GIB
from search.execution.trial_actor import TrialActor
from search.execution.tune_adapter import Events, Proposals, Stop
from search.internals import local_ray
from search.internals.idle_workers import idle_workers_used
from search.jobs.job import Job
from search.options.groups import ClusterConfig
from search.options.resources import MOST_CORES, ResourcesConfig
from search.planning.planned import Plan
from spaces.errors import InputError


@contextlib.contextmanager
def ray_session(
    cluster: ClusterConfig, resources: ResourcesConfig
) -> Iterator[list[dict[str, float]]]:
    """Starts Ray on this machine, or joins a cluster, for as long as the context lasts.

    Yields:
        The resources of each node: ``CPU``, ``GPU``, ``memory`` in bytes.

    Raises:
        InputError: If there is no such cluster, or Ray does not start here.
    """
    path = os.pathsep.join([str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        "PYTHONPATH": path,
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "OMP_NUM_THREADS": str(resources.threads),
    }
    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": False,
        "address": cluster.address or "local",
    }
    if cluster.address:
        options["runtime_env"] = {"env_vars": environment}
    else:
        options |= {"num_cpus": _allowed_cpus(), **local_ray.ADDRESS}
    for name in ("ray", "ray.tune", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.nullcontext() if cluster.address else staying_local(environment):
        answer = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(**options)
        except ConnectionError as error:
            raise nobody(cluster.address) from error
        except SystemExit as error:  # how Ray answers SIGTERM while it starts
            raise KeyboardInterrupt from error
        except Exception as error:  # Ray has no kinds: it may be busy, or a port or memory lack
            if cluster.address:
                raise
            words = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"Ray did not start on this machine: {words}; if it is busy, try again"
            ) from error
        finally:
            signal.signal(signal.SIGTERM, answer)  # Ray's own ends the process where it is
        try:
            yield [dict(node["Resources"]) for node in ray.nodes() if node["Alive"]]
        finally:
            ray.shutdown()


@contextlib.contextmanager
def staying_local(environment: Mapping[str, str]) -> Iterator[None]:
    """Lets a Ray of this machine's own listen on loopback only, with a token, and keep workers.

    Args:
        environment: Of its workers, which inherit it: those that Ray starts in advance have it as
            well, and would be of no use to trials that ask for another.
    """
    ours = {
        **environment,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # for Ray's processes
        "RAY_AUTH_TOKEN": os.environ.get("RAY_AUTH_TOKEN", secrets.token_hex(32)),
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        with local_ray.single_host(), idle_workers_used():
            yield
    finally:
        # One by one: other threads, such as the tracker's, look into the environment meanwhile.
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _allowed_cpus() -> int | None:
    """CPUs that this process is confined to; None leaves it to Ray, which knows containers."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = len(os.sched_getaffinity(0))
    return allowed if allowed < (os.cpu_count() or 1) else None


def trial_slots(
    resources: ResourcesConfig, nodes: list[dict[str, float]], workers: int
) -> tuple[dict[str, float], int]:
    """How much each trial gets and how many run at once.

    Args:
        resources: What the user asked for.
        nodes: Resources of each node; a trial needs all of its own on one of them.
        workers: Most trials at once; 0 for as many as fit.

    Returns:
        Ray's resources of one trial, and the number of trials at once.

    Raises:
        InputError: If no node can take even one trial.
    """
    gpu = resources.gpu
    if gpu == -1:
        gpu = min(1.0, max(node.get("GPU", 0.0) for node in nodes))
    cpu = resources.cpu or (_share(gpu, resources.ranks, nodes) if gpu else resources.ranks)
    wanted = {"CPU": cpu, "GPU": gpu, "memory": resources.memory * GIB}
    wanted = {name: amount for name, amount in wanted.items() if amount}
    slots = slots_of(wanted, nodes, workers)
    if slots == 0:
        names = {"CPU": "resources.cpu", "GPU": "resources.gpu", "memory": "resources.memory"}
        for name, amount in wanted.items():
            most = max(node.get(name, 0.0) for node in nodes)
            if amount > most:
                scale, unit = (GIB, " GiB") if name == "memory" else (1, "")
                raise InputError(
                    f"{names[name]}={amount / scale:g}{unit} per trial, and no node has more than "
                    f"{most / scale:.3g}{unit}"
                )
        raise InputError("no node has all of what a trial needs at once")
    return wanted, slots


def _share(gpu: float, ranks: int, nodes: list[dict[str, float]]) -> float:
    """A trial's part of its node's cores, if the GPUs are full of such trials."""
    shares = [
        node["CPU"] / trials
        for node in nodes
        if (trials := _fitting(node, "GPU", gpu)) and node.get("CPU")
    ]
    share = min(min(shares, default=1.0), MOST_CORES * ranks)
    return math.floor(share) if share >= 1 else math.floor(100 * share) / 100


def slots_of(wanted: dict[str, float], nodes: list[dict[str, float]], workers: int) -> int:
    """How many trials run at once, each on one node.

    Args:
        wanted: Ray's resources of one trial.
        nodes: Resources of each node.
        workers: Most trials at once; 0 for as many as fit.
    """
    slots = sum(min(_fitting(node, n, a) for n, a in wanted.items()) for node in nodes)
    return min(workers, slots) if workers else slots


def _fitting(node: dict[str, float], name: str, amount: float) -> int:
    """Trials that fit on a node; shares of a GPU do not span two of them."""
    have = node.get(name, 0.0)
    if name == "GPU" and amount < 1:
        return int(have) * math.floor(1 / amount + 1e-9)
    return math.floor(have / amount + 1e-9)


def run_trials(
    plan: Plan,
    driver: Driver,
    job: Job,
    *,
    resources: dict[str, float],
    scheduler: Any = None,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Runs what the plan says until it is done or the driver is stopping.

    Args:
        plan: What to train.
        driver: Told of every start, epoch and end.
        job: What the trials share.
        resources: Ray's resources of one trial.
        scheduler: Early stopping; None runs every trial to its end.
        tick: Called once per turn of Tune's loop.
    """
    tuner = None
    scratch = Path(tempfile.mkdtemp(prefix="holdfold-tune-"))
    try:
        tuner = tune.Tuner(
            tune.with_resources(TrialActor, resources),
            tune_config=tune.TuneConfig(
                num_samples=-1,
                search_alg=Proposals(plan, driver, job, tick),
                scheduler=scheduler,
                reuse_actors=True,
                max_concurrent_trials=None,
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(scratch),
                callbacks=[Events(driver, tick)],
                stop=Stop(driver),
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(
                    checkpoint_frequency=0, checkpoint_at_end=False
                ),
                verbose=0,
            ),
        )
        with _muted():
            tuner.fit()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        # Tune's objects hold actors in reference cycles. Collected by any thread after Ray has
        # shut down, they would end the process.
        del tuner
        gc.collect()
    for trial in list(driver.search.trials.values()):
        if trial.state == "running":  # stopped before its actor had started
            driver.complete(trial.id)
    driver.commit()


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Keeps the libraries' warnings out of the live view."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
