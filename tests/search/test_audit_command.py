"""The audit as a command, and what a search makes of its findings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from search.competition.audits import audit_contest
from search.jobs.preparation import prepare
from search.options.audit import AuditConfig
from search.options.command_line import parse
from search.options.training import TrainConfig
from spaces.errors import InputError
from tests.commands import run
from tests.search.test_job import prepared
from tests.trainables.test_audit import scene, shot, write

SCENES, SHOTS = 12, 4


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contest of shots of scenes, the test's being others, with one file under two names."""
    root = tmp_path_factory.mktemp("leaky") / "leaky"
    rng = np.random.default_rng(0)
    rows: list[tuple[str, str]] = []
    tests: list[str] = []
    for label in ("left", "right"):
        for k in range(SCENES):
            picture, other = scene(rng, 64), scene(rng, 64)
            for n in range(SHOTS):
                rows.append((f"train/{label}-{k}-{n}.png", label))
                write(root / rows[-1][0], shot(picture, rng))
            tests.append(f"test/{label}-{k}.png")
            write(root / tests[-1], shot(other, rng))
    rows.append(("train/twin.png", "left"))
    (root / "train/twin.png").write_bytes((root / rows[0][0]).read_bytes())
    pd.DataFrame(rows, columns=["image", "label"]).to_csv(root / "train.csv", index=False)
    pd.DataFrame({"image": tests}).to_csv(root / "test.csv", index=False)
    return root


def test_from_audit_to_accepted_groups(
    leaky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    options = ["data=csv", f"data.root={leaky}", "holdout.folds=3"]
    assert audit_contest(parse(AuditConfig, [f"runs={runs}", *options, "json=true"])) == 0
    lines = capsys.readouterr().out.splitlines()
    folder = runs / "leaky/audit"
    assert json.loads(lines[-1]) == {"id": "leaky", "path": str(folder)}
    assert any(line.startswith("  stop     identical files across folds") for line in lines)
    assert any(line.startswith("  warning  groups nobody named") for line in lines)
    accept = f"data.group={folder / 'groups.csv'}"
    assert any(line.endswith(accept) for line in lines)
    assert accept in (folder / "index.html").read_text()
    table = pd.read_csv(folder / "findings.csv")
    twin = table[table["finding"] == "identical files across folds"].iloc[0]
    assert (twin["image"], twin["other"]) == ("train/left-0-0.png", "train/twin.png")
    assert twin["row"] == 2
    assert len(pd.read_csv(folder / "images.csv")) == 2 * SCENES * SHOTS + 1 + 2 * SCENES

    with pytest.raises(InputError, match=r"same file .*train/twin.*accept=\[duplicates\]"):
        prepared(runs, *options, "epochs=1")
    accepted = prepared(runs, *options, "epochs=1", "accept=[duplicates]")
    assert "search.audit shows them" in accepted.warnings[0]
    grouped = prepared(runs, *options, "epochs=1", accept)  # twins are of one group
    assert not any("the same file" in words for words in grouped.warnings)
    assert grouped.folds.groups is not None
    scenes = [name.rsplit("-", 1)[0] for name in grouped.folds.images]
    split = pd.Series(grouped.folds.fold).groupby(scenes).nunique()
    assert (split == 1).mean() > 0.8


def test_groups_are_proposed_on_the_way_and_never_taken_unseen(
    leaky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    options = ["data=csv", f"data.root={leaky}", "data.group=auto", "holdout.folds=3", "epochs=1"]
    config = parse(TrainConfig, [f"runs={runs}", *options])
    path = runs / "leaky/audit/groups.csv"
    with pytest.raises(InputError, match=rf"accepted by data\.group={path}$"):
        prepare(config, "train", say=print)
    told = capsys.readouterr().out
    assert "groups nobody named: held-out images are nearer to training images" in told
    assert told.count("across the split: train/") == 3
    assert [p.name for p in (runs / "leaky").iterdir()] == ["audit"]
    path.write_text(path.read_text().replace("train/twin.png,", "train/twin.png,other"))
    edited = path.read_text()
    with pytest.raises(InputError, match=r"groups\.csv proposes groups already"):
        prepare(config, "train")
    assert path.read_text() == edited
    accepted = prepared(runs, *options, f"data.group={path}", "accept=[duplicates]")
    assert accepted.folds.groups is not None
    closed = parse(TrainConfig, [f"runs={runs}2", *options, "rules.test_images=false"])
    with pytest.raises(InputError, match=r"data\.group=auto: the rules forbid"):
        prepare(closed, "train")


def test_near_duplicates_are_told_of_before_a_search(tmp_path: Path) -> None:
    """Those on both sides, from what is kept beside the stored images, as the rules allow."""
    root, rng = tmp_path / "near", np.random.default_rng(0)
    pictures = [scene(rng, 64) for _ in range(24)]
    for i, picture in enumerate(pictures):
        write(root / f"train/{i:02d}.png", picture)
    again = [cv2.imencode(".jpg", p[..., ::-1])[1] for p in pictures[:12]]
    (root / "test").mkdir()
    for i, code in enumerate(again[:8]):
        (root / f"train/again{i}.jpg").write_bytes(code.tobytes())
    for i, code in enumerate(again[8:]):
        (root / f"test/{i}.jpg").write_bytes(code.tobytes())
    train = [f"train/{i:02d}.png" for i in range(24)] + [f"train/again{i}.jpg" for i in range(8)]
    labels = ["ab"[i % 2] for i in (*range(24), *range(8))]
    pd.DataFrame({"image": train, "label": labels}).to_csv(root / "train.csv", index=False)
    pd.DataFrame({"image": [f"test/{i}.jpg" for i in range(4)]}).to_csv(
        root / "test.csv", index=False
    )
    runs = tmp_path / "runs"
    options = ["data=csv", f"data.root={root}", "holdout.folds=4", "epochs=1"]
    first = prepared(runs, *options)
    across, tests = first.warnings
    assert re.match(r"pairs of training images that are nearly the same and stand in unl", across)
    assert re.search(r": \d \(train/0\d.png and train/again\d.jpg, …\); python -m sea", across)
    assert tests.startswith("test images that are nearly the same as a training image: 4 (train/08")
    (kept,) = (runs / "near/store").glob("*.fingerprints")
    seen, written = kept.read_bytes(), kept.stat().st_mtime_ns
    assert prepared(runs, *options).warnings == first.warnings
    assert kept.stat().st_mtime_ns == written
    kept.write_bytes(seen[:99])
    assert prepared(runs, *options).warnings == first.warnings
    assert kept.stat().st_size == len(seen)
    closed = prepared(runs, *options, "rules.test_images=false")
    assert closed.warnings == (across,)


def test_test_images_that_the_rules_close_are_left_out(
    leaky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"runs={tmp_path}/runs", "data=csv", f"data.root={leaky}", "data.name=leaky"]
    for rules in (["rules.test_images=false"], []):  # it is remembered
        assert audit_contest(parse(AuditConfig, [*words, *rules])) == 0
        told = capsys.readouterr().out
        assert "test images are left out: the rules forbid" in told
        assert " and 0 test images" in told
    looked = pd.read_csv(tmp_path / "runs/leaky/audit/images.csv")
    assert set(looked["table"]) == {"train"}


@pytest.mark.parametrize("name", ["audit", "preview", "run", "stress", "train"])
def test_nothing_is_written_where_the_tables_are_wrong(
    leaky: Path, tmp_path: Path, name: str
) -> None:
    asked = ["fix.policy=none"] if name == "preview" else []
    wrong = run(tmp_path, name, "data=csv", f"data.root={leaky}", "data.label=lable", *asked)
    assert wrong.returncode == 2
    assert "did you mean label" in wrong.stderr
    assert not list(tmp_path.iterdir())
