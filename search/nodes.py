"""The machines of a job: how many there are, whether they see its folder, who kills what hangs.

On one machine a thread of the driver keeps watch. On a cluster an actor on every node does; nodes
may come and go while the job runs.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.heartbeat import Supervisor
from spaces.errors import InputError

PERIOD = 5.0
"""Seconds between two looks at the cluster."""

PROBING = 60.0
"""Seconds that a node may take to say whether it sees the job's folder."""

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
    """

    def __init__(self, job: Path, patience: float, cluster: bool, slots: Slots) -> None:
        self._job, self._patience, self._cluster, self._slots = job, patience, cluster, slots
        self._keepers: dict[str, Any] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._local = Supervisor(job, patience) if patience and not cluster else None
        self._looked = 0.0
        self.slots = 0
        self.news: list[str] = []
        self.problem = ""

    def start(self) -> None:
        """Begins to keep watch.

        Raises:
            InputError: If a node does not see the job's folder.
        """
        if self._local is not None:
            self._local.start()
        self.look()
        self.news.clear()
        if self.problem:
            raise InputError(self.problem)

    def stop(self) -> None:
        """Keeps watch no more."""
        if self._local is not None:
            self._local.stop()
        for keeper in self._keepers.values():
            ray.kill(keeper)
        self._keepers.clear()

    def look(self) -> None:
        """Takes note of nodes that came or went; at most every few seconds."""
        if self._looked and (not self._cluster or time.monotonic() - self._looked < PERIOD):
            return
        self._looked = time.monotonic()
        now = alive_nodes()
        if self._cluster:
            new = {node: now[node] for node in now if node not in self._known}
            for node in [node for node in self._known if node not in now]:
                self._keepers.pop(node, None)
                self.news.append(f"node {_address(self._known[node])} has left the cluster")
            for node, about in new.items():
                keeper = ray.remote(
                    num_cpus=0,
                    max_restarts=-1,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
                )(NodeKeeper)
                self._keepers[node] = keeper.remote(str(self._job), self._patience)
                self.news.append(f"node {_address(about)} has joined the cluster")
            if new:
                self._probe(new)
        self._known = now
        self.slots = self._slots([about["Resources"] for about in now.values()])

    def _probe(self, nodes: dict[str, dict[str, Any]]) -> None:
        """Looks whether nodes see what is written into the job's folder."""
        self._job.mkdir(parents=True, exist_ok=True)
        words, file = secrets.token_hex(8), self._job / f".probe-{secrets.token_hex(4)}"
        file.write_text(words)
        try:
            asked = {node: self._keepers[node].sees.remote(str(file), words) for node in nodes}
            until = time.monotonic() + PROBING
            for node, answer in asked.items():
                try:
                    seen = ray.get(answer, timeout=max(1.0, until - time.monotonic()))
                except ray.exceptions.RayError as error:
                    self.news.append(f"node {_address(nodes[node])} does not answer: {error}")
                    continue
                if not seen:
                    self.problem = (
                        f"runs={self._job.parent.parent}: node {_address(nodes[node])} does not "
                        "see this folder; put runs= on a file system that all nodes mount at the "
                        "same place, or take the node out"
                    )
        finally:
            file.unlink()


def _address(node: dict[str, Any]) -> str:
    return str(node["NodeManagerAddress"])
