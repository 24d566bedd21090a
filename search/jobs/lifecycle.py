"""What the commands that train have in common: Ray, ledger, tracking, view, and a clean end."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from results.leaderboard.leaderboard import Leaderboard
from results.records.closing import Closed
from results.records.events import Resumed
from results.records.trials import Search
from results.reporting.report import report, resume_command
from results.reporting.summary import summarise
from search.competition.images import read_training_image
from search.competition.tracking import reach
from search.competition.yardstick import check_frozen
from search.execution.cluster_answer import check_cluster
from search.execution.driver import Driver
from search.execution.engine import ray_session, run_trials, slots_of, trial_slots
from search.execution.local_resources import GIB, check_local_resources
from search.execution.nodes import Nodes
from search.execution.progress import Progress
from search.execution.say import Say, say_unless
from search.execution.signals import stops_cleanly
from search.jobs.claim import claimed
from search.jobs.contest_data import check_writable
from search.jobs.job import Job, Prepared
from search.jobs.kind import JobKind
from search.jobs.resume import check_owner, check_unchanged
from search.jobs.retention import ALL, tidy
from search.jobs.reuse import KnownTrainings
from search.options.exit_codes import FAILED, OK, STOPPED
from search.options.option import about
from search.options.same_place import same_place
from search.options.training import EngineConfig, PromoteConfig

if TYPE_CHECKING:
    from results.tracking.tracker import Tracker


def run_job(config: EngineConfig, kind: JobKind) -> int:
    """Prepares a job, runs its plan, sums it up; returns the exit code.

    Args:
        config: The command's options.
        kind: What makes this kind of job.

    Raises:
        InputError: For anything wrong with configuration or data, before anything is written.
    """
    begun, say = time.monotonic(), say_unless(config.quiet)
    prepared = _prepared(config, kind, say)
    with contextlib.ExitStack() as stack:
        prepared, ledger = stack.enter_context(claimed(prepared, config))
        job, opened = prepared.job, prepared.opening
        say(
            f"{job.competition}/{job.name}: {opened.images.train:,} training and "
            f"{opened.images.test:,} test images, {len(job.classes)} classes, {job.metric} on "
            f"{_folds(config, prepared)}"
        )
        if not config.resume:
            opened = kind.opening(prepared, say)
        known = KnownTrainings(prepared, weights=kind.name == "promotion", accept=config.accept)
        # Its thread imports MLflow while this one waits for Ray to start.
        tracker = _start_tracker(config, job.folder)
        stack.callback(tracker.stop)
        job, resources, nodes = _join(config, job, stack)
        folder = Path(job.folder)
        # Read under the ledger's lock: no other driver of this job is alive.
        search = Search.read(folder) if config.resume else Search(folder=folder)
        driver = Driver(ledger, search, _deadline(config, begun), known.find)
        driver.slots, driver.processes = nodes.slots, job.processes
        known_opening = search.opened if config.resume else opened
        scheduler = kind.scheduler(prepared, known_opening, search)
        driver.grace = scheduler.grace if scheduler is not None else 1
        keep = getattr(config, "keep", ALL)  # folds are for exports
        listeners = [lambda trial: tidy(search, trial, keep, kind.finishing)]
        driver.on_end(listeners)
        if config.resume:
            _record_resumed(config, driver, scheduler, prepared)
            say(_resumed_words(search))
        else:
            driver.record(opened)
            driver.commit()
        plan = kind.plan(prepared, driver)
        if scheduler is not None:
            listeners.append(lambda trial: scheduler.take_over(search, trial))
        driver.on_end([kind.ended, *listeners])
        progress = Progress(driver, plan, config.quiet)
        at_once = min(driver.slots, plan.expected())
        say(f"trials at a time: {at_once}, with {_shares(resources, job.processes)} each")

        def tick() -> None:
            _watch(nodes, driver)
            progress.tick()

        with stops_cleanly(driver):
            with progress:
                run_trials(plan, driver, job, resources=resources, scheduler=scheduler, tick=tick)
            stopped = driver.stopping  # a signal from now on finds nothing left to stop
            wall = search.earlier + time.monotonic() - begun
            summary = summarise(search, prepared.metric, wall, tracker.cpu_seconds)
            summary |= kind.close(search, prepared)
            state: Literal["finished", "interrupted"] = "interrupted" if stopped else "finished"
            driver.record(Closed(state=state, reason=stopped, **summary))
            driver.drain(say)
    _finish(config, tracker, search, kind)
    if stopped:
        return STOPPED
    return OK if search.winner else FAILED


def _prepared(config: EngineConfig, kind: JobKind, say: Say) -> Prepared:
    """The job, if machine, cluster, record and what is frozen allow it; warnings are told.

    Raises:
        InputError: If not.
    """
    check_local_resources(config.resources, config.cluster)
    check_cluster(config.cluster.address)
    if config.store.local and not config.cluster.address:
        check_writable(Path(config.store.local), "store.local")
    away = reach(config.tracking, Path(config.runs))
    if away:
        say(f"warning: the tracking store does not answer ({away}); trials do not wait for it")
    prepared = kind.prepare(say)
    folder = Path(prepared.job.folder)
    for note in prepared.warnings:
        say(f"warning: {note}")
    if config.resume:
        check_owner(folder)
        check_unchanged(Search.read(folder), prepared, config)
    frozen = Leaderboard.read(folder.parent).frozen
    check_frozen(frozen, prepared.metric.name, prepared.folds.digest, config.accept)
    return prepared


def _join(
    config: EngineConfig, job: Job, stack: contextlib.ExitStack
) -> tuple[Job, dict[str, float], Nodes]:
    """Starts Ray or joins a cluster; what a trial gets there, and the nodes under watch."""
    available = stack.enter_context(ray_session(config.cluster, config.resources))
    resources, _ = trial_slots(config.resources, available, config.workers)
    nodes = Nodes(
        Path(job.folder),
        config.watchdog.seconds,
        bool(config.cluster.address),
        lambda found: slots_of(resources, found, config.workers),
    )
    stack.enter_context(kept(nodes))
    if config.loader_workers < 0 and resources.get("GPU"):
        each = int(resources["CPU"]) // config.resources.ranks
        job = dataclasses.replace(job, loader_workers=max(1, each))
    return job, resources, nodes


def _record_resumed(
    config: EngineConfig, driver: Driver, scheduler: Any, prepared: Prepared
) -> None:
    """Replays the record into the scheduler and ends what a killed driver left running."""
    decided = scheduler.replay(driver.search) if scheduler is not None else set()
    changes: dict[Any, int] = {
        name: getattr(config, name) for name, told in about(type(config)).items() if told.may_change
    }
    driver.record(Resumed(changes=changes, code=prepared.opening.digests.code))
    driver.settle(decided)


@contextlib.contextmanager
def kept(nodes: Nodes) -> Iterator[Nodes]:
    """Keeps watch over the nodes for as long as the context lasts."""
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.stop()


def _watch(nodes: Nodes, driver: Driver) -> None:
    """Tells the driver what has become of the nodes."""
    nodes.look()
    driver.slots = nodes.slots
    driver.news += nodes.news
    nodes.news.clear()
    driver.stopping = driver.stopping or nodes.problem


def _deadline(config: EngineConfig, begun: float) -> float | None:
    """When to stop, on the monotonic clock, so that all is over after ``hours``."""
    return begun + 3600 * config.hours if config.hours else None


def _resumed_words(search: Search) -> str:
    states = Counter(t.state for t in search.trials.values())
    shown = ", ".join(f"{n} {state}" for state, n in states.most_common()) or "nothing trained yet"
    return f"{search.id} goes on: {shown}"


def _folds(config: EngineConfig, prepared: Prepared) -> str:
    count = prepared.folds.count
    if isinstance(config, PromoteConfig):
        return f"{config.folds} of {count} folds" if config.folds else f"{count} folds"
    return f"fold {prepared.baseline.run.fold} of {count}"


def _start_tracker(config: EngineConfig, folder: str) -> Tracker:
    from results.tracking.tracker import Tracker
    from results.tracking.uri import default_uri

    uri = config.tracking or default_uri(Path(config.runs))
    tracker = Tracker(Path(folder), uri, read_training_image)
    tracker.start()
    return tracker


def _shares(resources: dict[str, float], processes: int) -> str:
    words = {"CPU": "{:g} CPU", "GPU": "{:g} GPU", "memory": "{:.3g} GiB of memory"}
    scale = {"memory": GIB}
    shares = [words[name].format(amount / scale.get(name, 1)) for name, amount in resources.items()]
    return ", ".join([*shares, *([f"{processes} processes"] if processes > 1 else [])])


def _finish(
    config: EngineConfig,
    tracker: Tracker,
    search: Search,
    kind: JobKind,
) -> None:
    """Prints the closing page; tracking gets the time to catch up."""
    print("\n".join(report(search)))
    tracked = tracker.finish()
    closed = search.summary
    assert closed is not None
    if closed.reason:
        print(f"\nStopped before the end: {closed.reason}")
    print(f"\nEverything is in {search.folder}")
    if not tracked:
        print(f"warning: tracking is behind ({tracker.problem}); nothing is lost")
    commands = kind.next_commands(search)
    if closed.state == "interrupted":
        commands = [f"{resume_command(search)}{same_place(config)}"]
    if not tracked:
        commands = [f"python -m search.sync{same_place(config, tracking=True)}", *commands]
    print("Next:")
    for command in commands:
        print(f"  {command}")
    if config.json:
        best = search.leading
        print(
            json.dumps(
                {
                    "id": search.id,
                    "path": str(search.folder),
                    "winner": closed.winner,
                    "best": best.id if best else None,
                }
            )
        )
