"""A Ray cluster of two hosts on one machine, of which one leaves and comes back."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from results.records.trials import Search
from search.execution.watchdog import heartbeats_folder
from tests.faults.row import Row
from tests.records import raw_events

BIN = Path(sys.executable).parent
PORT = 6399
ADDRESSES = ("10.99.7.1", "10.99.7.2")
FAULT = '"fault": "death"'
GPUS = 2
"""GPUs that each host claims to have."""


def can_have_hosts() -> bool:
    """Whether this user may make hosts with addresses of their own (network namespaces)."""
    try:
        subprocess.run(["ip", "netns", "add", "hf-probe"], check=True, capture_output=True)
        subprocess.run(["ip", "netns", "del", "hf-probe"], check=True, capture_output=True)
    except (subprocess.CalledProcessError, FileNotFoundError):
        return False
    return True


def _names() -> tuple[str, str]:
    unique = secrets.token_hex(3)
    return f"hf-{unique}-a", f"hf-{unique}-b"


def has_dashboard() -> bool:
    """Whether the extra ``cluster`` is installed, whose server ``ray job submit`` talks to."""
    return all(importlib.util.find_spec(name) for name in ("aiohttp_cors", "opencensus"))


@dataclass
class Cluster:
    """Two hosts with networks of their own, and a Ray node on each, with token authentication.

    Attributes:
        folder: Working directory on both hosts; all of the machine's files are shared.
        names: Of the network namespaces, the head's first.
    """

    folder: Path
    names: tuple[str, str] = field(default_factory=_names)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Short, since Ray's sockets are below it.
        self.scratch = Path(tempfile.mkdtemp(prefix="hf-"))
        self.environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "GPUS_SEEN": str(self.folder / "gpus"),
        }
        # Hosts claim GPUs that nobody has; where the suite hides all, Ray would refuse.
        self.environment.pop("CUDA_VISIBLE_DEVICES", None)
        (self.folder / "gpus").mkdir(parents=True)

    def command(self, host: int, *words: str, hidden: str = "") -> list[str]:
        """A command as it is run on a host, to which a folder may be hidden."""
        inside = ["ip", "netns", "exec", self.names[host]]
        if hidden:
            script = f'mount -t tmpfs tmpfs "{hidden}" && exec "$@"'
            inside += ["unshare", "-m", "sh", "-c", script, "sh"]
        return [*inside, *words]

    def run(self, host: int, *words: str, hidden: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command on a host."""
        return subprocess.run(
            self.command(host, *words, hidden=hidden),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )

    def connect(self) -> None:
        """Makes the hosts and a cable between them."""
        a, b = self.names
        ends = [name.removeprefix("hf-") for name in self.names]
        for words in (
            f"netns add {a}",
            f"netns add {b}",
            f"link add {ends[0]} type veth peer name {ends[1]}",
            f"link set {ends[0]} netns {a}",
            f"link set {ends[1]} netns {b}",
            *(
                f"-n {name} {rest}"
                for name, end, address in zip(self.names, ends, ADDRESSES, strict=True)
                for rest in (
                    f"addr add {address}/24 dev {end}",
                    f"link set {end} up",
                    "link set lo up",
                )
            ),
        ):
            subprocess.run(["ip", *words.split()], check=True, capture_output=True)

    def start(self, host: int, hidden: str = "") -> None:
        """Starts Ray on a host, the head first."""
        where = (
            ["--head", f"--port={PORT}", "--dashboard-host=127.0.0.1"]
            if host == 0
            else [f"--address={ADDRESSES[0]}:{PORT}"]
        )
        done = self.run(
            host, "ray", "start", *where, f"--node-ip-address={ADDRESSES[host]}", "--num-cpus=1",
            f"--num-gpus={GPUS}", f"--temp-dir={self.scratch}/{host}", "--disable-usage-stats",
            hidden=hidden,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def kill(self, host: int) -> None:
        """Ends a host as a power cut does."""
        for pid in self._processes(host):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def trains(self, host: int) -> bool:
        """Whether a trainer on this host shows signs of life."""
        beating = {int(p.stem.rpartition("-")[2]) for p in heartbeats_folder().glob("*.json")}
        return bool(beating & self._processes(host))

    def _processes(self, host: int) -> set[int]:
        found = subprocess.run(
            ["ip", "netns", "pids", self.names[host]], capture_output=True, text=True
        )
        return {int(pid) for pid in found.stdout.split()}

    def disconnect(self) -> None:
        """Removes the hosts and everything that runs on them."""
        for host, name in enumerate(self.names):
            self.kill(host)
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(self.scratch, ignore_errors=True)


@contextlib.contextmanager
def two_hosts(folder: Path, hidden: str = "") -> Iterator[Cluster]:
    """A cluster, for as long as the context lasts; the second host may lack a folder."""
    cluster = Cluster(folder)
    try:
        cluster.connect()
        cluster.start(0)
        cluster.start(1, hidden=hidden)
        yield cluster
    finally:
        cluster.disconnect()


def node_that_leaves(cluster: Cluster, trials: int, times: int, epochs: int = 3) -> Row:
    """A search on two hosts, of which one is cut off, and joins again.

    It is submitted by ``ray job submit`` where Ray's dashboard is installed, else it is started on
    the head.

    Args:
        cluster: Two hosts.
        trials: Sampled trials.
        times: How often the host is cut off.
        epochs: Of each trial.
    """
    row = Row(
        f"two hosts of two GPUs, half a GPU per trial; one leaves and comes back {times} times"
    )
    folder = cluster.folder
    shared = folder / "shared"
    shared.mkdir()
    ledger = shared / "runs/digits/c/ledger.jsonl"
    search = (
        f"python -m search.run name=c trials={trials} epochs={epochs} confirm=0 "
        f"scheduler.grace={epochs} "
        f"cluster.address={ADDRESSES[0]}:{PORT} resources.gpu=0.5 resources.cpu=0.5 "
        f"store.local={folder}/local "
        "model=tests.tiny:build workers=4 quiet=true"
    )
    command = ["sh", "-c", f"cd {shared} && {search}"]
    if has_dashboard():
        command = [
            "ray", "job", "submit", "--address=http://127.0.0.1:8265", "--", *command
        ]  # fmt: skip
    row.counts.append("by ray job submit" if has_dashboard() else "driver on the head")
    submitted = subprocess.Popen(
        cluster.command(0, *command),
        env=cluster.environment,
        stdout=(folder / "job.txt").open("w"),
        stderr=subprocess.STDOUT,
    )
    for _ in range(times):
        _cut_off(cluster, ledger, submitted)
    code = submitted.wait()
    row.expect(code == 0, f"exit code {code}")
    events = raw_events(ledger)
    found = Search.read(ledger.parent)
    again = [e["trial"] for e in events if e["event"] == "trial_resumed"]
    row.expect(times <= len(again) <= 2 * times, f"{len(again)} trials lost their host and went on")
    lost = [t.id for t in found.trials.values() if t.state != "finished"]
    row.expect(not lost, f"{len(lost)} of {len(found.trials)} trials lost")
    done = [(e["trial"], e["report"]["epoch"]) for e in events if e["event"] == "epoch"]
    row.expect(len(set(done)) == len(done), f"{len(done)} epochs, none twice")
    seen = [line.split() for p in (folder / "gpus").iterdir() for line in p.open()]
    given = [devices for _, devices, _ in seen]
    given.remove("none")  # the driver's, which tries the network out
    row.expect(all(devices in ("0", "1") for devices in given), "one GPU seen by each trial")
    return row


def _cut_off(cluster: Cluster, ledger: Path, process: subprocess.Popen[bytes]) -> None:
    """Cuts the second host off while it trains, until that cost a trial its worker."""
    before = _count(ledger, FAULT)
    while _count(ledger, FAULT) == before and process.poll() is None:
        _until(lambda: cluster.trains(1), process)
        cluster.kill(1)
        _until(lambda: _count(ledger, FAULT) > before, process)
        cluster.start(1)


def _count(ledger: Path, text: str) -> int:
    return ledger.read_text().count(text) if ledger.exists() else 0


def _until(true: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Waits for something, a minute at most: a trial may have ended just before its host."""
    until = time.monotonic() + 60
    while not true() and time.monotonic() < until and process.poll() is None:
        time.sleep(0.1)
