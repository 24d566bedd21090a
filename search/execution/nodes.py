"""The machines of a job: how many there are, whether they see its folder, who kills what hangs.

On one machine a thread of the driver keeps watch. On a cluster an actor on every node does; nodes
may come and go while the job runs.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.execution.watchdog import Supervisor, heartbeats_folder
from spaces.errors import InputError

PERIOD = 5.0
"""Seconds between two looks at the cluster."""

PROBING = 60.0
"""Seconds that the nodes may take at first to say whether they see the folder."""

Slots = Callable[[list[dict[str, float]]], int]
"""How many trials fit on nodes with these resources."""


def alive_nodes() -> dict[str, dict[str, Any]]:
    """Nodes of the cluster by id: ``Resources`` and ``NodeManagerAddress``."""
    return {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}


class NodeKeeper:
    """Looks after the trainers of a job on its node."""

    def __init__(self, job: str, patience: float) -> None:
        if patience:
            Supervisor(Path(job), patience).start()

    def sees(self, path: str, words: str) -> bool:
        """Whether this node reads what the driver has written."""
        try:
            return Path(path).read_text() == words
        except OSError:
            return False


class Nodes:
    """Keeps watch over all nodes while a job runs.

    Args:
        job: Folder of the job.
        patience: Seconds of silence after which a trainer is killed; 0 for never.
        cluster: Whether there may be other machines.
        slots: How many trials fit on nodes.

    Attributes:
        slots: Trials at once on the nodes there are now.
        news: What to tell the user; emptied by whoever tells.
        problem: Why the job has to stop; empty if nothing is wrong.
    """

    def __init__(self, job: Path, patience: float, cluster: bool, slots: Slots) -> None:
        self._job, self._patience, self._cluster, self._fitting = job, patience, cluster, slots
        self._known: dict[str, dict[str, Any]] = {}
        self._keepers: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._local = Supervisor(job, patience) if patience and not cluster else None
        self._words = secrets.token_hex(8)
        self._probe = job.parent / f".probe-{self._words}"
        self._looked = 0.0
        self.slots = 0
        self.news: list[str] = []
        self.problem = ""

    def start(self) -> None:
        """Begins to keep watch.

        Raises:
            InputError: If a node does not see the folder that the job is to be in.
        """
        heartbeats_folder()
        if self._local is not None:
            self._local.start()
        if self._cluster:
            self._probe.write_text(self._words)
        self.look()
        until = time.monotonic() + PROBING
        while self._asked and not self.problem and time.monotonic() < until:
            ray.wait(list(self._asked.values()), timeout=1.0)
            self._hear()
        self._count()
        self.news.clear()
        if self.problem:
            raise InputError(self.problem)

    def stop(self) -> None:
        """Keeps watch no more."""
        if self._local is not None:
            self._local.stop()
        for keeper in self._keepers.values():
            with contextlib.suppress(ray.exceptions.RayError, ValueError):
                ray.kill(keeper)
        self._keepers.clear()
        self._probe.unlink(missing_ok=True)

    def look(self) -> None:
        """Takes note of nodes that came or went; at most every few seconds, and waits for none."""
        if self._looked and (not self._cluster or time.monotonic() - self._looked < PERIOD):
            return
        self._looked = time.monotonic()
        now = alive_nodes()
        if self._cluster:
            for node in [node for node in self._known if node not in now]:
                self._keepers.pop(node, None)
                self._asked.pop(node, None)
                self.news.append(f"node {_address(self._known[node])} has left the cluster")
            for node in [node for node in now if node not in self._known]:
                self._ask(node)
                self.news.append(f"node {_address(now[node])} has joined the cluster")
        self._known = now
        self._hear()
        self._count()

    def _ask(self, node: str) -> None:
        """Has a node looked after, and asks whether it sees what is written into the folder."""
        keeper = ray.remote(
            num_cpus=0,
            max_restarts=-1,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )(NodeKeeper)
        self._keepers[node] = keeper.remote(str(self._job), self._patience)
        self._asked[node] = self._keepers[node].sees.remote(str(self._probe), self._words)

    def _hear(self) -> None:
        """Takes in the answers that have come."""
        answered, _ = ray.wait(list(self._asked.values()), timeout=0) if self._asked else ([], [])
        for node, answer in list(self._asked.items()):
            if answer not in answered:
                continue
            del self._asked[node]
            try:
                seen = ray.get(answer)
            except ray.exceptions.RayError:  # it may have been about to leave
                if node in self._known:
                    self._ask(node)
                continue
            if not seen:
                self.problem = (
                    f"runs={self._job.parent.parent}: node {_address(self._known[node])} does not "
                    "see this folder; put runs= on a file system that all nodes mount at the same "
                    "place, or take the node out"
                )

    def _count(self) -> None:
        """Counts the slots of nodes that have answered."""
        there = [about for node, about in self._known.items() if node not in self._asked]
        self.slots = self._fitting([about["Resources"] for about in there])


def _address(node: dict[str, Any]) -> str:
    return str(node["NodeManagerAddress"])
