"""Input that nobody meant: options, tables and records, mangled at random with a fixed seed."""

from __future__ import annotations

import contextlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from results.leaderboard.leaderboard import Leaderboard
from results.leaderboard.site_table import read_site_table
from results.leaderboard.submission_file import read_solution, read_submission, read_validation
from results.records.trials import Search
from results.reporting.report import report, trial_rows
from search.options.analysis import ScoreConfig, SubmitConfig, TrustConfig
from search.options.command_line import parse
from search.options.ensembles import BlendConfig
from search.options.option import keys
from search.options.parameters import flatten
from search.options.recorded import recorded_options
from search.options.search_space import resolve_space
from search.options.training import PromoteConfig, RunConfig, TrainConfig
from spaces.errors import InputError
from tests.faults.row import Row
from trainables.data.contest import load_contest
from trainables.data.folds import make_folds

SLOWEST = 5.0
"""Seconds that refusing an input may take."""

KINDS: dict[type[Any], str] = {
    RunConfig: "search",
    TrainConfig: "train",
    PromoteConfig: "promotion",
}
SCHEMAS = (*KINDS, SubmitConfig, ScoreConfig, TrustConfig, BlendConfig)

NASTY = (
    *("", " ", "null", "~", "nan", "-inf", "1e999", "-1", "0", "1.5", "true", "[", "]", "{}"),
    *("[[]]", "[,]", "{a:1}", "${oc.env:HOME}", "${runs}", "$(touch planted)", "`touch planted`"),
    *("__import__('os')", "a=b", "=", "'", '"', "\\", "\n", "\0", "é", "../..", "/etc/passwd"),
    *("!!python/object:os.system", "ray://x:1", "a:b", "os:system", "x" * 5000, "9" * 400),
    *("[0.1,0.2]", "[none,mixup]", "latest", "csv", "digits"),
)


class _Tally:
    """What came of the inputs."""

    def __init__(self) -> None:
        self.tried = self.refused = 0
        self.slowest = 0.0
        self.wrong: list[str] = []

    def call(self, function: Callable[[], object], shown: object) -> None:
        """Calls a function that may refuse its input, and do nothing else wrong."""
        begun = time.monotonic()
        self.tried += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function()
        except InputError as error:
            self.refused += 1
            if not str(error).strip():
                self.wrong.append(f"no words for {shown!r}")
        except Exception as error:
            self.wrong.append(f"{type(error).__name__}: {error} for {shown!r}"[:2000])
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def tell(self, row: Row, what: str) -> None:
        row.expect(
            not self.wrong,
            f"{self.tried} {what}: {self.refused} refused, {len(self.wrong)} tracebacks"
            + "".join(f"\n    {w}" for w in self.wrong[:3]),
        )
        row.expect(self.slowest < SLOWEST, f"{self.slowest:.1f} s at most")


def _fuzzed(count: int) -> settings:
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def _watched(folder: Path, row: Row) -> Iterator[None]:
    """Works within a folder and looks whether anything was written into it."""
    folder.mkdir(parents=True, exist_ok=True)
    before = sorted(p.name for p in folder.iterdir())
    with contextlib.chdir(folder):
        yield
    after = sorted(p.name for p in folder.iterdir())
    row.expect(before == after, f"{len(set(after) - set(before))} files planted")


def fuzzed_options(folder: Path, count: int) -> Row:
    """Options of commands with values, names and shapes that make no sense."""
    row, tally = Row(f"{count} fuzzed command lines"), _Tally()
    known = sorted({key for schema in SCHEMAS for key, _, _ in keys(schema)})
    names = st.one_of(
        st.sampled_from(known),
        st.sampled_from(["data", "space", "fix.size", "narrow.lr", "fix.stage1.operation"]),
        st.text(max_size=12),
    )
    values = st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.floats().map(str))
    option = st.one_of(st.tuples(names, values).map("=".join), st.sampled_from(NASTY))

    @_fuzzed(count)
    @given(st.sampled_from(SCHEMAS), st.lists(option, min_size=1, max_size=4))
    def attempt(schema: type[Any], options: list[str]) -> None:
        def read() -> None:
            kind = {RunConfig: "search", TrainConfig: "train", PromoteConfig: "promotion"}.get(
                schema
            )
            config = parse(schema, options, "", recorded_options(kind) if kind else None)
            if isinstance(config, RunConfig) and ":" not in str(config.space):
                resolve_space(config.space, flatten(config.fix), flatten(config.narrow))

        tally.call(read, options)

    with _watched(folder, row):
        attempt()
    tally.tell(row, "command lines")
    return row


def mangled(data: bytes) -> st.SearchStrategy[bytes]:
    """Bytes with some of them cut, replaced, doubled or moved."""

    def mangle(edits: list[tuple[int, int, bytes]]) -> bytes:
        found = data
        for start, length, new in edits:
            at = start % (len(found) + 1)
            found = found[:at] + new + found[at + length :]
        return found

    pieces = st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b",", b'"', b"\n", b"\0", b"../", b"-1", b"null", b"{}", b"[]", b"1e999"]),
    )
    edit = st.tuples(st.integers(0, 2**31), st.integers(0, 40), pieces)
    return st.lists(edit, min_size=1, max_size=4).map(mangle)


def fuzzed_tables(folder: Path, contest: Path, count: int) -> Row:
    """A contest's tables, submissions, solutions and score tables with mangled bytes.

    Args:
        folder: Where to work.
        contest: The digits.
        count: Tables in all.
    """
    row, tally = Row(f"{count} fuzzed tables"), _Tally()
    classes = tuple(map(str, range(10)))
    (folder / "work").mkdir(parents=True)
    images = [line.split(",")[0] for line in (contest / "train.csv").read_text().split()[1:61]]
    for name in images:
        (folder / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "work" / name).touch()
    train = "".join(f"{name},{i % 3}\n" for i, name in enumerate(images))
    many = "".join(f"{name}," + ",".join(["0.1"] * 10) + "\n" for name in images)
    head = "image," + ",".join(classes) + "\n"
    site = (
        "fileName,date,description,status,publicScore\na.csv,2026-01-01 10:00:00,x,complete,0.8\n"
    )
    readers: list[tuple[str, Callable[[Path], object]]] = [
        ("image,label\n" + train, lambda path: make_folds(
            load_contest(name="c", root=path.parent, train=path.name, test=""), 3)),
        (head + many, lambda path: read_submission(path, classes)),
        ("image,label\n" + train, lambda path: read_submission(path, classes)),
        (head + many, lambda path: read_validation(
            path, tuple(images), dict.fromkeys(images, 0), classes)),
        ("image,label\n" + train, lambda path: read_solution(path, tuple(images), classes)),
        (site, read_site_table),
    ]  # fmt: skip
    path = folder / "work" / "table.csv"
    path.touch()

    def attempts(text: str, reader: Callable[[Path], object]) -> None:
        @_fuzzed(-(-count // len(readers)))
        @given(mangled(text.encode()))
        def attempt(data: bytes) -> None:
            path.write_bytes(data)
            tally.call(lambda: reader(path), data[:200])

        attempt()

    with _watched(folder / "work", row):
        for text, reader in readers:
            attempts(text, reader)
    tally.tell(row, "tables")
    return row


def fuzzed_records(folder: Path, job: Path, count: int) -> Row:
    """Ledgers whose bytes, or whose values, are not what they were.

    Args:
        folder: Where to work.
        job: A job that has ended; beside it lies the record of its leaderboard.
        count: Records in all.
    """
    row, tally = Row(f"{count} fuzzed records"), _Tally()
    work = folder / "work" / "job"
    work.mkdir(parents=True)
    (work / "ledger.jsonl").touch()
    (work.parent / "leaderboard.jsonl").touch()
    ledger = (job / "ledger.jsonl").read_bytes()
    leaderboard = (job.parent / "leaderboard.jsonl").read_bytes()

    def read_job() -> None:
        search = Search.read(work)
        report(search)
        trial_rows(search, list(search.trials.values()))
        for trial in search.trials.values():
            inside = search.trial_folder(trial).resolve()
            assert inside.is_relative_to(work.parent.resolve()), inside

    def attempts(data: bytes, path: Path, reader: Callable[[], object]) -> None:
        @_fuzzed(count // 2)
        @given(st.one_of(mangled(data), _changed(data)))
        def attempt(strange: bytes) -> None:
            path.write_bytes(strange)
            tally.call(reader, strange[-300:])

        attempt()

    with _watched(work, row):
        attempts(ledger, work / "ledger.jsonl", read_job)
        attempts(
            leaderboard, work.parent / "leaderboard.jsonl", lambda: Leaderboard.read(work.parent)
        )
    tally.tell(row, "records")
    return row


def _changed(data: bytes) -> st.SearchStrategy[bytes]:
    """JSON lines of which some have another value, or lack one, somewhere."""
    lines = data.splitlines()
    values = st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), st.just("../../x"),
        st.just({}), st.just([]), st.just("gone"), st.floats(allow_nan=False, allow_infinity=False),
    )  # fmt: skip

    def change(edits: list[tuple[int, int, Any]]) -> bytes:
        events = [json.loads(line) for line in lines]
        for line, place, value in edits:
            event = events[line % len(events)]
            spots = list(_spots(event))
            owner, key = spots[place % len(spots)]
            if value == "gone":
                owner.pop(key)
            else:
                owner[key] = value
        return b"".join(json.dumps(event).encode() + b"\n" for event in events)

    edit = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), values)
    return st.lists(edit, min_size=1, max_size=3).map(change)


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested JSON, as its container and key."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, dict | list):
            yield from _spots(item)


def fuzzed_inputs(folder: Path, contest: Path, job: Path, count: int) -> list[Row]:
    """All of it."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "0")
    return [
        fuzzed_options(folder / "options", count),
        fuzzed_tables(folder / "tables", contest, count // 2),
        fuzzed_records(folder / "records", job, count // 2),
    ]
