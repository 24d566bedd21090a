"""Small file systems that are filled while a search writes to them."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from results.predictions import Predictions
from results.records.trials import Search
from tests.faults.kills import repeated_metrics, start
from tests.faults.row import Row
from tests.records import raw_events
from trainables.data.digits import make_digits
from trainables.training.checkpoint import Checkpoint

SIZES = {3: "tests.tiny:build", 10: "tests.tiny:build", 50: ""}
"""Sizes of file systems in MiB, and the networks whose checkpoints fit."""

FILLS, HELD = 3, 8.0
"""Times that each is filled, and seconds for which it stays full."""


def can_mount(folder: Path) -> bool:
    """Whether this user may mount a file system."""
    try:
        with mounted(folder / "probe", 1):
            return True
    except (subprocess.CalledProcessError, FileNotFoundError):
        return False


@contextlib.contextmanager
def mounted(folder: Path, size: int) -> Iterator[Path]:
    """A file system of so many MiB, for as long as the context lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={size}m", "tmpfs"]
    subprocess.run(["mount", *options, str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(filler: Path) -> None:
    """Takes all the room that is left."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def full_disks(folder: Path, sizes: dict[int, str] = SIZES, fills: int = FILLS) -> Row:
    """Fills the file system of a search again and again; compares it with one left alone."""
    row = Row(f"file systems of {', '.join(map(str, sizes))} MiB filled {fills} times each")
    folder.mkdir(exist_ok=True)
    data = make_digits(folder / "data")
    for size, model in sizes.items():
        options = [
            "name=f", "trials=5", "epochs=3", "confirm=0", "scheduler.grace=3", "keep=none",
            "workers=1", f"data.root={data}", f"store.folder={folder / 'store'}",
            *([f"model={model}"] if model else []),
        ]  # fmt: skip
        alone = folder / f"alone{size}"
        alone.mkdir()
        assert start(folder, "run", f"runs={alone}/runs", *options).wait() == 0
        with mounted(folder / f"disk{size}", size) as disk:
            place = [f"runs={disk}/runs", f"tracking=sqlite:///{folder}/disk{size}.db"]
            process = start(folder, "run", *place, *options)
            pauses = _fill(disk, process, fills)
            code = process.wait()
            row.expect(code == 0, f"{size} MiB: exit code {code} after {pauses} fillings")
            _compare(row, Search.read(disk / "runs/digits/f"), Search.read(alone / "runs/digits/f"))
            client_folder = folder / f"client{size}"
            client_folder.mkdir()
            (client_folder / "mlflow.db").symlink_to(folder / f"disk{size}.db")
            wrong = repeated_metrics(client_folder, Search.read(disk / "runs/digits/f"))
            row.expect(wrong == 0, f"{wrong} metrics missing or twice in MLflow")
    return row


def _fill(disk: Path, process: subprocess.Popen[bytes], fills: int) -> int:
    """Fills the disk at random moments and makes room again."""
    rng, done = random.Random(0), 0
    ledger = disk / "runs/digits/f/ledger.jsonl"
    while process.poll() is None and not (ledger.exists() and '"epoch"' in ledger.read_text()):
        time.sleep(0.1)
    while done < fills and process.poll() is None:
        time.sleep(rng.uniform(0.2, 3))
        filler = disk / "filler"
        fill(filler)
        time.sleep(HELD)
        filler.unlink()
        done += 1
    return done


def _compare(row: Row, ours: Search, alone: Search) -> None:
    """Whether a search that was short of room has what it would have had with room."""
    torn = [p for p in ours.folder.rglob("*") if p.name.startswith(".") or ".tmp" in p.name]
    row.expect(not torn, f"{len(torn)} torn files")
    events = raw_events(ours.folder / "ledger.jsonl")
    epochs = [(e["trial"], e["report"]["epoch"]) for e in events if e["event"] == "epoch"]
    row.expect(len(set(epochs)) == len(epochs), f"{len(epochs)} epochs, none twice")
    same = 0
    for trial, twin in zip(ours.trials.values(), alone.trials.values(), strict=True):
        Predictions.read(ours.trial_folder(trial) / "test.npz")
        assert Checkpoint.newest(ours.trial_folder(trial), trial.config) == (None, ())
        metrics = [[e.metrics for e in t.epochs] for t in (trial, twin)]
        same += trial.state == "finished" and metrics[0] == metrics[1]
    count = len(alone.trials)
    row.expect(same == count, f"{same} of {count} trials as with room, bit for bit")
