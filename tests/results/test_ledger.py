"""The ledger: durable, one writer, torn only at its end."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter

from results.leaderboard.entries import EVENTS as BOARD_EVENTS
from results.records.events import EVENTS
from results.records.ledger import Ledger, read_ledger
from results.records.record import Event
from results.records.trials import Search
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.records import ended, opening, opening_event, started

ASSETS = Path(__file__).parent.parent / "assets"


class Counted(Event):
    """The only kind of event here."""

    event: Literal["counted"] = "counted"
    number: float
    text: str = ""
    options: dict[str, Any] = Field(default_factory=dict)


def write(path: Path, count: int) -> None:
    ledger = Ledger(path)
    for i in range(count):
        ledger.add(Counted(number=i, text="naïve\nline"))
    ledger.close()


def read(path: Path) -> list[Any]:
    return list(read_ledger(path, TypeAdapter(Counted)))


def test_a_record_of_another_version_is_refused_in_words(tmp_path: Path) -> None:
    fields = {**opening("k", TrialConfig()), "format": 1}
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.close()
    line = json.dumps({"event": "opened", "at": 0.0, **fields})
    (tmp_path / "ledger.jsonl").write_text(f"{line}\n")
    words = r"ledger.jsonl, line 1: it was written in format 1, by another version of the program"
    with pytest.raises(InputError, match=words):
        Search.read(tmp_path)


@pytest.mark.parametrize(
    ("asset", "kinds"), [("search/ledger.jsonl", EVENTS), ("leaderboard.jsonl", BOARD_EVENTS)]
)
def test_recorded_events_are_written_again_as_they_were(
    asset: str, kinds: TypeAdapter[Any]
) -> None:
    """Golden files: no field of theirs is lost, added or changed by the types."""
    path = ASSETS / asset
    lines = path.read_bytes().splitlines()
    events = list(read_ledger(path, kinds))
    assert [json.loads(e.line()) for e in events] == [json.loads(line) for line in lines]
    assert all(type(e) is not Event for e in events)


@pytest.mark.parametrize(
    ("number", "place", "value", "words"),
    [
        (
            1,
            ["folds", "count"],
            "5",
            r"line 1 \(opened\) is damaged: folds/count: .*integer, not '5'",
        ),
        (1, ["folds", "digest"], None, r"\(opened\) is damaged: folds/digest: .* not None"),
        (1, ["baseline", "model"], 3, r"\(opened\) is damaged: baseline: "),
        (1, ["kind"], "quest", r"\(opened\) is damaged: kind: .*'search', 'train' or 'promotion'"),
        (1, ["kind"], "promotion", r"a job of kind 'promotion' with promotion=None"),
        (2, ["config"], {}, r"\(trial_started\) is damaged: config: KeyError: "),
        (2, ["at"], "now", r"\(trial_started\) is damaged: at: .* not 'now'"),
        (4, ["report", "seconds", "total"], True, r"\(epoch\) is damaged: report/seconds/total: "),
        (4, ["trial"], "search-999", r"line 4 \(epoch\) is damaged: .*'search-999'"),
        (-1, ["cost", "wall"], 0, r"\(closed\) is damaged: cost: wall=0"),
        (-1, ["winner"], "nobody", r"'nobody' is the name of no trial"),
    ],
)
def test_what_is_damaged_is_named(
    tmp_path: Path, number: int, place: list[str], value: Any, words: str
) -> None:
    lines = (ASSETS / "search/ledger.jsonl").read_text().splitlines()
    at = number - 1 if number > 0 else number
    event = part = json.loads(lines[at])
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    lines[at] = json.dumps(event)
    (tmp_path / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=words):
        Search.read(tmp_path)
    if part is event:
        return
    del part[place[-1]]
    lines[at] = json.dumps(event)
    (tmp_path / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=place[-1]):
        Search.read(tmp_path)


def test_events_of_later_versions_and_names_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    odd = os.fsdecode(b"photo-\xff.jpg")
    ledger = Ledger(path)
    ledger.add(opening_event("j"))
    ledger.add(started("j-000", TrialConfig()))
    ledger.add(ended("j-000", "failed").model_copy(update={"reason": odd}))
    ledger.close()
    with path.open("a") as file:
        file.write('{"event": "praised", "at": 5.0, "by": "us"}\n')
    assert Search.read(tmp_path).trials["j-000"].reason == odd
    with path.open("a") as file:
        file.write('{"event": "praised"}\n')
    with pytest.raises(InputError, match=r"line 5 \(praised\) is damaged: at: when it happened"):
        Search.read(tmp_path)


def test_events_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "job" / "ledger.jsonl"
    write(path, 3)
    write(path, 2)
    events = read(path)
    assert [e.number for e in events] == [0, 1, 2, 0, 1]
    assert all(e.text == "naïve\nline" and e.at > 1e9 for e in events)


def test_nothing_is_written_before_commit(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.add(Counted(number=0))
    assert not (tmp_path / "ledger.jsonl").exists()
    ledger.commit()
    assert len(read(tmp_path / "ledger.jsonl")) == 1
    ledger.close()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400))
def test_a_cut_at_any_byte_loses_the_torn_line_only(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "ledger.jsonl"
    write(path, 6)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - min(cut, len(whole) - 1)])
    kept = path.read_bytes().count(b"\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [e.number for e in read(path)] == list(range(kept))
    write(path, 1)  # the next writer goes on after the last whole line
    assert [e.number for e in read(path)] == [*range(kept), 0]


def test_a_torn_last_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, 2)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.warns(UserWarning, match="cut off"):
        assert len(read(path)) == 1


def test_damage_before_the_end_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'{"event": "epo\n'
    path.write_bytes(b"".join(lines))
    with pytest.raises(InputError, match="line 3 is damaged"):
        read(path)
    with pytest.raises(InputError, match="no ledger"):
        read(tmp_path / "other.jsonl")


def test_a_failed_write_leaves_nothing_and_is_repeated(tmp_path: Path) -> None:
    """A file-size limit fails the write half way, as a full disk does."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from results.records.ledger import Ledger\n"
        "from tests.records import raw_events\n"
        "from tests.results.test_ledger import Counted\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "path = Path(sys.argv[1])\n"
        "ledger = Ledger(path)\n"
        "ledger.add(Counted(number=0))\n"
        "ledger.commit()\n"
        "whole = path.read_bytes()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, resource.RLIM_INFINITY))\n"
        "ledger.add(Counted(number=1))\n"
        "try:\n"
        "    ledger.commit()\n"
        "    sys.exit('the write did not fail')\n"
        "except OSError:\n"
        "    assert path.read_bytes() == whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "ledger.close()\n"
        "assert [e['number'] for e in raw_events(path)] == [0, 1]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "ledger.jsonl")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _interrupted(file: int) -> None:
    raise KeyboardInterrupt


def test_events_whose_commit_is_interrupted_are_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Ctrl-C while the disk says that it has them; closing commits them."""
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.add(Counted(number=0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.commit()
    ledger.close()
    assert [event.number for event in read(path)] == [0]


def _try_to_open(path: Path, answers: multiprocessing.Queue[str]) -> None:
    try:
        Ledger(path)
        answers.put("opened")
    except InputError as error:
        answers.put(str(error))


def test_there_is_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str] = context.Queue()
    other = context.Process(target=_try_to_open, args=(path, answers))
    other.start()
    assert "another process" in answers.get(timeout=60)
    other.join()
    ledger.close()


def test_a_number_that_json_lacks_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(ValueError, match="finite number"):
        Counted(number=float("nan"))
    ledger.add(Counted(number=0, options={"lr": float("nan")}))
    with pytest.raises(ValueError, match="Out of range"):
        ledger.commit()


def test_a_tail_cut_at_a_hundred_places_loses_nothing_before_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, 40)
    whole = path.read_bytes()
    events = read(path)
    rng = random.Random(0)
    for _ in range(100):
        cut = rng.randrange(len(whole) // 2, len(whole))
        path.write_bytes(whole[:cut])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kept = read(path)
        assert kept == events[: whole[:cut].count(b"\n")]
        ledger = Ledger(path)  # the next writer begins on a line of its own
        ledger.add(Counted(number=-1))
        ledger.close()
        assert read(path)[:-1] == kept
        assert read(path)[-1].number == -1
