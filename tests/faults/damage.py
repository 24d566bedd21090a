"""Files that are cut at random places, and a search that goes on all the same."""

from __future__ import annotations

import random
import time
import warnings
from pathlib import Path

import numpy as np
import psutil

from results.records.trials import Search
from spaces.trial_config import TrialConfig
from tests.faults.kills import outlived, start
from tests.faults.row import Row
from tests.records import raw_events
from trainables.data.contest import load_contest
from trainables.data.store_building import build_store
from trainables.portable.preparation import Preparation
from trainables.training.checkpoint import Checkpoint

OPTIONS = ("trials=3", "epochs=4", "confirm=0", "scheduler.grace=4", "workers=1", "quiet=true")


def cut_files(folder: Path, cuts: int) -> Row:
    """Cuts the newest checkpoint, the ledger's tail and the image store; then resumes for real."""
    row = Row(f"newest checkpoint, ledger tail and image store cut at {cuts} places each")
    folder.mkdir()
    assert start(folder, "run", "name=alone", "runs=alone", *OPTIONS).wait() == 0
    job = folder / "runs/digits/d"
    process = start(folder, "run", "name=d", *OPTIONS)
    while process.poll() is None and _epochs(job / "ledger.jsonl") < 7:
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    outlived(children, rays=False)  # trainers write until they notice
    rng = random.Random(0)
    before = Search.read(job)
    live = next(t for t in before.trials.values() if t.state == "running")
    found = _checkpoints(job / "trials" / live.id, live.config, rng, cuts)
    row.expect(found == cuts, f"{found} checkpoints gave way to the one before")
    ledgers = _ledger(job / "ledger.jsonl", rng, cuts)
    row.expect(ledgers == cuts, f"{ledgers} ledgers read up to the cut")
    stores = _stores(folder, rng, cuts)
    row.expect(stores == cuts, f"{stores} stores built again")
    sorted((job / "trials" / live.id).glob("checkpoint-*"))[-1].write_bytes(b"cut")
    whole = (job / "ledger.jsonl").read_bytes()
    (job / "ledger.jsonl").write_bytes(whole[: whole.rindex(b'"event": "epoch"') + 200])
    code = start(folder, "run", "resume=d", "quiet=true").wait()
    row.expect(code == 0, f"a search with all of it resumed: exit code {code}")
    ours, alone = Search.read(job), Search.read(folder / "alone/digits/alone")
    notes = [e for e in raw_events(job / "ledger.jsonl") if e["event"] == "note"]
    row.expect(bool(notes), f"said so: {notes[0]['words'][:60] if notes else ''}…")
    started = [t.id.removeprefix("d") for t in before.trials.values()]
    same = sum(
        [e.metrics for e in ours.trials[f"d{name}"].epochs]
        == [e.metrics for e in alone.trials[f"alone{name}"].epochs]
        for name in started
    )
    row.expect(same == len(started), f"{same} of {len(started)} trials as in a search left alone")
    return row


def _epochs(ledger: Path) -> int:
    return ledger.read_text().count('"event": "epoch"') if ledger.exists() else 0


def _checkpoints(folder: Path, config: TrialConfig, rng: random.Random, cuts: int) -> int:
    """How many cut checkpoints gave way to the one before."""
    one_before, path = sorted(folder.glob("checkpoint-*"))[-2:]
    whole, epoch = path.read_bytes(), int(one_before.name.split("-")[1])
    found = 0
    for _ in range(cuts):
        path.write_bytes(whole[: rng.randrange(len(whole))])
        before, notes = Checkpoint.newest(folder, config)
        found += before is not None and before.epoch == epoch and len(notes) == 1
    path.write_bytes(whole)
    return found


def _ledger(path: Path, rng: random.Random, cuts: int) -> int:
    """How many cut ledgers are read up to the cut."""
    whole = path.read_bytes()
    events, found = raw_events(path), 0
    for _ in range(cuts):
        cut = rng.randrange(len(whole) // 2, len(whole))
        path.write_bytes(whole[:cut])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found += raw_events(path) == events[: whole[:cut].count(b"\n")]
    path.write_bytes(whole)
    return found


def _stores(folder: Path, rng: random.Random, cuts: int) -> int:
    """How many cut image stores are whole again when they are next asked for."""
    contest = load_contest(name="digits", root=folder / "runs/digits/data")
    store = build_store(contest, Preparation(side=16), folder / "stores")
    pixels = store.path.with_suffix(".u8")
    whole, names = pixels.read_bytes(), store.path.read_bytes()
    found = 0
    for i in range(cuts):
        if i % 2:
            pixels.write_bytes(whole[: rng.randrange(len(whole))])
        else:
            store.path.write_bytes(names[: rng.randrange(len(names))])
        again = build_store(contest, Preparation(side=16), folder / "stores")
        found += np.asarray(again.pixels).tobytes() == whole
    return found
