"""What the documents show is what the code gives."""

from __future__ import annotations

import re

import numpy as np
import pytest

from results.records.trials import Search
from results.reporting.report import report
from tests import cameras
from tests.benchmarks.curves.__main__ import SETS
from tests.benchmarks.curves.recorded import Curves
from tests.regenerate_docs import (
    README,
    RECORDED,
    ROOT,
    SPACES,
    blocks,
    run,
    tree,
    with_tables,
    with_tree,
)
from tests.simulations import GUIDE, POWERS, table_in

BENCHMARKS = (ROOT / "docs/benchmarks.md").read_text()


SMALL = re.compile(r" \((?:checkpoints|waiting)[^)]*\)|, \d+% moving to the device")
"""What is told only where it took half a second, or half a per cent."""


def masked(text: str) -> list[str]:
    """Lines without figures, names of the day and column widths."""
    text = SMALL.sub("", text)
    text = re.sub(r"\d+ min \d+ s|\d+ s", "#", text)
    text = re.sub(r"[+-]?\d[\d,.:]*%?", "#", text)
    return [re.sub(r"[ #-]+", " ", line).strip() for line in text.splitlines()]


def outputs(text: str) -> list[str]:
    """Masked lines without those of progress, of which there are more on a slow machine."""
    return [line for line in masked(text) if not re.search("images/s ·|^decoding images", line)]


TRAINS = re.compile(r"python -m search\.(run|train)\b")
"""Commands of the README that train for a minute."""


@pytest.mark.parametrize(
    ("command", "output"),
    [
        pytest.param(*block, marks=pytest.mark.slow) if TRAINS.match(block[0]) else block
        for block in blocks(README.read_text())
    ],
)
def test_readme_blocks_are_what_the_commands_print(command: str, output: str) -> None:
    assert output
    assert outputs(output) == outputs(run(command))


def test_tables_are_those_of_the_code() -> None:
    text = SPACES.read_text()
    assert "| `rotate` |" in text
    assert with_tables(text) == text


def test_the_tree_is_that_of_the_code() -> None:
    text = README.read_text()
    assert "<!-- tree -->" in text
    assert with_tree(text) == text
    for line in tree().splitlines():
        assert len(line) <= 120
        assert line.split("/", 1)[1].strip(), f"{line}: a room without a purpose"


def test_the_recorded_search_is_still_read() -> None:
    """A golden file of the ledger's format."""
    search = Search.read(RECORDED)
    assert len(search.trials) == 1 + 16 + 5
    assert search.summary is not None
    assert any("On images like the hold-out" in line for line in report(search))
    assert "The confirmation took 5 of at most 9 trainings." in report(search)


def test_simulated_tables_say_what_was_promised() -> None:
    text = GUIDE.read_text()
    cells = [row.split("|")[1:-1] for row in table_in(text, "coverage").splitlines()[2:]]
    assert {(row[0].strip(), row[1].strip()) for row in cells} == {
        (str(n), str(d)) for n in (5, 8, 12, 20, 30) for d in (2, 4)
    }
    assert all(float(row[-1]) >= 93 for row in cells)
    power = {
        row.split("|")[1].strip(): row.split("|")[2:-1]
        for row in table_in(text, "evidence").splitlines()[2:]
    }
    assert float(power["0"][-1]) <= 5
    assert float(power["0, chosen by what was seen"][-1]) <= 5
    for tau, wanted in POWERS.items():
        found = [float(x) / 100 for x in power[f"{tau:g}"][: len(wanted)]]
        assert found == pytest.approx(list(wanted), abs=0.06)
    verdicts = {
        row.split("|")[1].strip(): [float(x) for x in row.split("|")[2:-2]]
        for row in table_in(text, "verdicts").splitlines()[2:]
    }
    assert verdicts["no skill differences, no shift"][1] >= 90
    assert verdicts["skills differ, twice the shift"][0] <= 5


def test_the_cameras_say_what_the_guide_says() -> None:
    """The mean taus of plain and test-weighted scores over 20 cameras, with their interval."""
    assert table_in(GUIDE.read_text(), "cameras").replace("\n", " ") == cameras.report()
    predicted, labelled, weights = cameras.predictions(seed=0)
    with np.load(cameras.STORED) as stored:
        assert (stored["truth"][0] == labelled).all()
        assert (stored["predicted"][0] == predicted).mean() > 0.99
        assert stored["weights"][0] == pytest.approx(weights, rel=0.05)
        assert len(stored["truth"]) == 20


def test_documented_files_and_commands_exist() -> None:
    text = README.read_text()
    modules = set(re.findall(r"python -m (search\.\w+)", text))
    files = re.findall(r"`((?:trainables|docs|tests|search|results|spaces)/[\w./]+)`", text)
    linked = re.findall(r"\]\(([\w./]+)\)", text)
    assert all((modules, files, linked))
    paths = [module.replace(".", "/") + ".py" for module in modules]
    assert [p for p in (*paths, *files, *linked) if not (ROOT / p).exists()] == []


def test_options_in_the_documents_exist() -> None:
    from search.options.command_line import parse
    from search.options.training import RunConfig, TrainConfig

    text = README.read_text().replace("\\\n", " ")
    lines = re.findall(r"python -m search\.(run|train)((?: +'?[\w.]+=[^\s`#]+)+)", text)
    assert len(lines) >= 6
    for name, arguments in lines:
        schema = RunConfig if name == "run" else TrainConfig
        words = [w.strip("'") for w in arguments.split()]
        parse(schema, [w for w in words if w != "data=mine"])


def test_no_machine_s_paths_are_recorded() -> None:
    paths = list(RECORDED.rglob("*.jsonl"))
    assert paths
    for path in paths:
        assert not re.search(r'"/(tmp|home|root|work|Users)/', path.read_text()), path
        assert path.stat().st_size < 500_000


@pytest.mark.parametrize("name", SETS)
def test_recorded_curves_are_there(name: str) -> None:
    curves = Curves.read(name)
    assert len(curves.params) == len(curves.scores) > 0
    assert all(curves.space.read(params) == params for params in curves.params)
    assert f"**{name}**" in BENCHMARKS or f"| {name} |" in BENCHMARKS
