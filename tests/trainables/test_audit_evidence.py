"""The audit's checks of names, groups and splits, on evidence that is constructed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.trainables.test_audit import scene, write
from trainables.audit.checks import CHECKS
from trainables.audit.class_checks import mistyped
from trainables.audit.class_names import slips
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding
from trainables.audit.group_checks import groups, leaking_groups
from trainables.audit.grouping import Proposal, propose
from trainables.audit.linear_model import linear_score
from trainables.audit.looks import PROPERTIES, Looks, look_at
from trainables.audit.page import audit_page
from trainables.audit.page_drawings import CIRCLES, LISTED, ROWS, members, sizes
from trainables.audit.togetherness import together
from trainables.data.contest import Contest, load_contest
from trainables.data.fingerprints import Fingerprints
from trainables.data.folds import Folds, assign
from trainables.data.image_files import ImageFiles


def seen(
    labels: Sequence[str],
    named: Sequence[str] | None = None,
    fold: Sequence[int] = (0, 1),
    columns: dict[str, Any] | None = None,
    images: Sequence[str] = (),
) -> Evidence:
    """What an audit would see of training images of these labels, each another file."""
    count = len(labels)
    classes = tuple(sorted(set(labels)))
    names = tuple(images) or tuple(f"{i}.png" for i in range(count))
    contest = Contest(
        name="c",
        files=ImageFiles(Path()),
        train_images=names,
        test_images=(),
        labels=np.array([classes.index(label) for label in labels]),
        classes=classes,
        groups=None if named is None else np.array(named),
    )
    table = pd.DataFrame(
        {
            "image": names,
            "table": "train",
            "row": np.arange(2, count + 2),
            "problem": "",
            "taken": "",
            "sha256": [f"{i:x}" for i in range(count)],
            "width": 64,
            "height": 48,
            "aspect": 64 / 48,
            **(columns or {}),
        }
    )
    rng = np.random.default_rng(0)
    looks = Looks(
        table=table,
        fingerprints=Fingerprints(
            rng.integers(0, 2**62, count).astype(np.uint64),
            np.zeros((count, 16, 16, 3), np.uint8),
        ),
        appearance=np.zeros((count, 364), np.float32),
    )
    folds = Folds(
        images=names,
        labels=contest.labels,
        fold=np.resize(np.array(fold, np.int64), count),
        groups=contest.groups,
    )
    return Evidence(contest=contest, looks=looks, folds=folds)


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("apple", "aple", False),  # too short a word to tell
        ("apples", "apple", True),
        ("Golden-Delicious", "golden delicous", True),
        ("banana", "bananna", True),
        ("recieve", "receive", True),
        ("oatghurt", "oatghrut", True),
        ("class 1", "class 2", False),
        ("class1", "class2", False),
        ("site 10", "site 100", False),
        ("type A", "type B", False),
        ("stage II", "stage III", False),
        ("cat", "bat", False),
        ("right_male_old", "right_female_old", False),
        ("right_male_old", "wrong_male_old", False),
        ("red pepper", "red peppers ripe", False),
        ("orange juice", "orange", False),
    ],
)
def test_slips_of_the_hand(one: str, other: str, slip: bool) -> None:
    assert list(slips([one, "something else", other])) == ([(0, 2)] if slip else [])


def test_mistyped_classes_are_rare_ones() -> None:
    evidence = seen([*["banana"] * 20, *["bananna"] * 3, *["horse"] * 20, *["house"] * 18])
    (found,) = mistyped(evidence)
    assert found.severity == "warning"
    assert found.what.endswith("'bananna' (3) and 'banana' (20)")
    assert [p.row for p in found.places] == [20, 21, 22]
    assert not list(mistyped(seen([f"class {i}" for i in range(12)] * 3)))


def test_groups_with_names_that_share_pictures() -> None:
    digests = ["a", "b", "c", "a", "b", "f", "g", "a"]
    named = ["anna", "anna", "ben", "cleo", "cleo", "ben", "anna", "cleo"]
    fold = [0, 0, 1, 1, 1, 1, 0, 1]
    evidence = seen(["x", "y"] * 4, named, fold, {"sha256": digests})
    (found,) = leaking_groups(evidence)
    assert found.severity == "warning"
    assert "'anna' and 'cleo' (3)" in found.what
    assert [(p.row, p.other) for p in found.places] == [(0, 3), (1, 4), (0, 7)]
    one_fold = seen(["x", "y"] * 4, named, [0] * 8, {"sha256": digests})
    assert not list(leaking_groups(one_fold))
    assert not list(leaking_groups(seen(["x", "y"] * 4, None, fold, {"sha256": digests})))
    assert leaking_groups in CHECKS
    assert mistyped in CHECKS


def test_names_and_times_speak_for_groups_or_against_them() -> None:
    images = [f"train/{who}_{n}.jpg" for who in ("anna", "ben", "cleo", "dan") for n in range(5)]
    clocks = [f"2024:05:01 1{i // 5}:00:{10 * (i % 5):02d}" for i in range(20)]
    by_name = np.repeat(["a", "b", "c", "d"], 5)
    stems, bursts = together(images, clocks, by_name)
    assert (stems.within, bursts.within) == (1, 1)
    assert stems.anyway == bursts.anyway == pytest.approx(4 * 10 / 190)
    assert str(stems) == "100% of pairs within groups have one stem of file name (21.1% of all)"
    across = np.tile(["a", "b", "c", "d", "e"], 4)
    assert [hint.within for hint in together(images, clocks, across)] == [0, 0]
    # Names that are numbers say nothing, nor do times of a few, nor those that nobody can read.
    numbers = [f"train/{i:04d}.jpg" for i in range(20)]
    assert not list(together(numbers, [""] * 20, by_name))
    assert not list(together(numbers, [*clocks[:5], *["0000:00:00 00:00:00"] * 15], by_name))


def test_when_a_photo_was_taken_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 10:00:00"
    for name in ("a", "b", "c", "d"):
        write(tmp_path / f"{name}.png", scene(rng))
    Image.fromarray(scene(rng)).save(tmp_path / "e.jpg", exif=exif)
    pd.DataFrame(
        {"image": [*(f"{n}.png" for n in "abcd"), "e.jpg"], "label": list("xyxyx")}
    ).to_csv(tmp_path / "train.csv", index=False)
    looks = look_at(load_contest(name="c", root=tmp_path, test=""), processes=1)
    assert looks.table["taken"].tolist() == ["", "", "", "", "2024:05:01 10:00:00"]


@pytest.fixture(scope="module")
def places() -> tuple[Proposal, NDArray[np.int64], NDArray[np.int64]]:
    """Groups proposed for places in which things of all classes were taken; the test has others.

    Returns:
        What is proposed, labels, and places.
    """
    rng = np.random.default_rng(0)
    middles, walls = rng.normal(0, 1, (4, 364)), rng.normal(0, 2, (18, 364))
    of, labels = np.repeat(np.arange(18), 8), np.tile(np.arange(4), 2 * 18)
    points = walls[of] + middles[labels] + rng.normal(0, 0.4, (len(of), 364))
    seen_here, elsewhere = points[of < 12].astype(np.float32), points[of >= 12].astype(np.float32)
    labels, of = labels[of < 12].astype(np.int64), of[of < 12].astype(np.int64)
    found = propose(seen_here, elsewhere, labels, lambda g: assign(labels, g, 4, 0), 4)
    return found, labels, of


def test_places_are_groups_across_classes(
    places: tuple[Proposal, NDArray[np.int64], NDArray[np.int64]],
) -> None:
    found, labels, of = places
    assert found.best.across
    assert found.groups is not None
    fold = pd.DataFrame({"place": of, "fold": assign(labels, found.groups, 4, 0)})
    assert (fold.groupby("place")["fold"].nunique() == 1).mean() > 0.9
    within = [c for c in found.candidates if c.clusters and not c.across]
    assert min(c.gap for c in within) > 2 * found.best.gap
    assert found.best.how == f"{found.best.clusters} in all"
    assert within[0].how.endswith(" a class")


def test_a_linear_model_scores_less_once_twins_are_kept_together() -> None:
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(40), 5)
    labels = (of % 2).astype(np.int64)  # of each thing; things of a class have nothing in common
    points = (rng.normal(0, 1, (40, 60))[of] + rng.normal(0, 0.1, (200, 60))).astype(np.float32)
    everyone = np.arange(200)
    random = linear_score(points, labels, rng.integers(0, 5, 200), everyone)
    kept = linear_score(points, labels, (of // 2) % 5, everyone)
    assert random > 0.9
    assert kept < 0.75
    assert np.isnan(linear_score(points, labels, labels, everyone))


def test_the_finding_says_what_else_speaks_for_the_groups(
    places: tuple[Proposal, NDArray[np.int64], NDArray[np.int64]],
) -> None:
    found, labels, of = places
    evidence = seen(labels.astype(str).tolist(), images=[f"s{k}_{i}.png" for i, k in enumerate(of)])
    with_groups = Evidence(
        contest=evidence.contest, looks=evidence.looks, folds=evidence.folds, proposal=found
    )
    (told,) = groups(with_groups)
    assert isinstance(told, Finding)
    assert "groups of appearance (across classes)" in told.what
    alone, together_ = found.scores
    assert f"scores macro F1 {together_:.2f} instead of {alone:.2f}" in told.what
    assert "of pairs within groups have one stem of file name" in told.what


def test_classes_by_groups_and_sizes_are_drawn_within_bounds() -> None:
    count = 900
    named = [f"<g{i % 300}>" for i in range(count)]
    columns = {"width": np.arange(count) + 20, "height": 40, **dict.fromkeys(PROPERTIES, 0.5)}
    evidence = seen(["x", "y", "z"] * 300, named, list(range(300)) * 3, columns)
    told = members(evidence)
    assert told is not None
    assert told["words"].startswith("300 groups of 3 to 3 images, 3 in the median; 0 of them")
    assert (len(told["groups"]), told["more"]) == (LISTED, 300 - LISTED)
    assert told["groups"][0]["fold"] in range(300)
    assert ROWS < 300
    assert not told["picture"]  # each has one class
    mixed = members(seen(["x", "y"] * 6, ["a", "b", "c"] * 4, [0] * 12))
    assert mixed is not None
    assert mixed["picture"].startswith("data:image/png")
    assert mixed["groups"][0]["classes"] == "x 2, y 2"
    drawn = sizes(evidence)
    assert drawn is not None
    assert drawn["drawing"].count("<circle") == CIRCLES
    assert drawn["words"].startswith("900 sizes, from 20 x 40 to 919 x 40")
    assert members(seen(["x", "y"] * 3)) is None
    nothing = seen(["x", "y"] * 3, columns={"problem": "empty"})
    assert sizes(nothing) is None


def test_extremes_of_properties_are_shown_with_their_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"train/{i:02d}.png" for i in range(24)]
    tests = [f"test/{i:02d}.png" for i in range(24)]
    for name in [*rows, *tests]:
        picture = scene(rng) // (3 if name in tests else 1)
        write(tmp_path / name, picture)
    labels = ["a", "b"] * 12
    pd.DataFrame({"image": rows, "label": labels}).to_csv(tmp_path / "train.csv", index=False)
    pd.DataFrame({"image": tests}).to_csv(tmp_path / "test.csv", index=False)
    contest = load_contest(name="c", root=tmp_path)
    folds = Folds(images=contest.train_images, labels=contest.labels, fold=contest.labels)
    evidence = Evidence(contest=contest, looks=look_at(contest, processes=1), folds=folds)
    page = audit_page(evidence, [])
    row = page.partition("<td>brightness</td>")[2].partition("</tr>")[0]
    least, most = row.split("<td>")[-2:]
    assert least.count('class="test"') == 4
    assert most.count("<img") == 4
    assert 'class="test"' not in most
