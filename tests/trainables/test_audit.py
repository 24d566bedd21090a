"""The audit, on contests whose faults are planted."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from spaces.errors import InputError
from trainables.audit.checks import audit
from trainables.audit.evidence import Evidence
from trainables.audit.finding import Finding
from trainables.audit.grouping import Proposal, propose
from trainables.audit.looks import Looks, deaf_to_ctrl_c, look_at
from trainables.audit.neighbours import BITS, close_hashes
from trainables.audit.page import audit_page
from trainables.data.contest import Contest, load_contest
from trainables.data.fingerprints import BYTES, Fingerprints
from trainables.data.folds import Folds, assign, make_folds

Pixels = NDArray[np.uint8]


def scene(rng: np.random.Generator, side: int = 48) -> Pixels:
    """A picture of blurred noise in colours of its own."""
    tint = rng.uniform(40, 215, 3)
    noise = cv2.resize(rng.normal(0, 1, (6, 6, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(tint + 45 * noise, 0, 255), np.uint8)


def shot(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Another photo of the same scene."""
    noisy = picture + rng.normal(0, 4, picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def write(path: Path, picture: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Contest]:
    """Writes a contest of scenes, ten a class, with what is to be wrong put in."""

    def contest(
        put: Mapping[str, Callable[[Path], object]] | None = None,
        labels: Mapping[str, str] | None = None,
        **options: str,
    ) -> Contest:
        rng = np.random.default_rng(0)
        names = [f"train/{i:02d}.png" for i in range(30)]
        test = [f"test/{i:02d}.png" for i in range(24)]
        rows = dict(zip(names, ["cat", "dog", "eel"] * 10, strict=True)) | dict(labels or {})
        for name in [*names, *test]:
            write(tmp_path / name, scene(rng))
        for name, make_it in (put or {}).items():
            if name.startswith("train") and name not in rows:
                rows[name] = "cat"
            make_it(tmp_path / name)
        table = pd.DataFrame({"image": list(rows), "label": list(rows.values())})
        table.to_csv(tmp_path / "train.csv", index=False)
        pd.DataFrame({"image": test}).to_csv(tmp_path / "test.csv", index=False)
        return load_contest(name="c", root=tmp_path, **options)  # type: ignore[arg-type]

    return contest


def examined(contest: Contest, folds: Folds | None = None) -> tuple[Evidence, dict[str, Finding]]:
    looks = look_at(contest, processes=1)
    evidence = Evidence(contest=contest, looks=looks, folds=folds or make_folds(contest, 3))
    return evidence, {f.name: f for f in audit(evidence)}


def images(evidence: Evidence, finding: Finding) -> list[str]:
    return [evidence.contest.images[p.row] for p in finding.places]


def test_files_that_are_not_what_they_seem(make: Callable[..., Contest]) -> None:
    rng = np.random.default_rng(1)

    def saved(form: str, mode: str = "RGB", **options: object) -> Callable[[Path], None]:
        def save(path: Path) -> None:
            Image.fromarray(scene(rng, 96)).convert(mode).save(path, form, **options)

        return save

    def cut(path: Path) -> None:
        saved("JPEG", quality=95)(path)
        path.write_bytes(path.read_bytes()[:-400])

    def deep(path: Path) -> None:
        Image.fromarray(rng.integers(0, 2**16, (20, 20), np.uint16)).save(path)

    def turned(path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        saved("JPEG", exif=exif)(path)

    def animated(path: Path) -> None:
        first, *others = [Image.fromarray(scene(rng)) for _ in range(3)]
        first.save(path, "GIF", save_all=True, append_images=others)

    contest = make(
        {
            "train/empty.png": lambda p: p.write_bytes(b""),
            "train/text.png": lambda p: p.write_text("no picture"),
            "train/cut.jpg": cut,
            "train/print.jpg": saved("JPEG", "CMYK"),
            "train/deep.png": deep,
            "train/clear.png": saved("PNG", "RGBA"),
            "train/named.png": saved("JPEG"),
            "train/turned.jpg": turned,
            "train/moving.gif": animated,
        }
    )
    evidence, found = examined(contest)
    told = {name: images(evidence, f) for name, f in found.items()}
    # OpenCV 4 fills in what is missing, OpenCV 5 does not read the file.
    broken = {*told["unreadable"], *told.get("truncated", [])}
    assert broken == {"train/empty.png", "train/text.png", "train/cut.jpg"}
    assert found["unreadable"].severity == "stop"
    assert found["unreadable"].places[0].detail == "empty"
    assert evidence.looks.table.set_index("image")["problem"]["train/cut.jpg"].endswith("truncated")
    assert told["CMYK"] == ["train/print.jpg"]
    assert told["16 bit"] == ["train/deep.png"]
    assert told["transparent"] == ["train/clear.png"]
    assert told["wrong extension"] == ["train/named.png"]
    assert told["turned by EXIF"] == ["train/turned.jpg"]
    assert told["animated"] == ["train/moving.gif"]
    assert "huge" not in told
    page = audit_page(evidence, list(found.values()))
    assert "not an image" in page
    assert 'src=""' not in page


def test_a_contest_without_a_readable_file(make: Callable[..., Contest]) -> None:
    names = [f"train/{i:02d}.png" for i in range(30)] + [f"test/{i:02d}.png" for i in range(24)]
    evidence, found = examined(make({name: lambda p: p.write_bytes(b"x") for name in names}))
    assert list(found) == ["unreadable"]
    assert "no picture" not in audit_page(evidence, list(found.values()))


def test_pictures_with_little_in_them(make: Callable[..., Contest]) -> None:
    def flat(value: int) -> Callable[[Path], None]:
        return lambda path: write(path, np.full((48, 48, 3), value, np.uint8))

    grey = np.repeat(scene(np.random.default_rng(2))[..., :1], 3, axis=2)
    contest = make(
        {
            "train/black.png": flat(3),
            "train/white.png": flat(253),
            "train/long.png": lambda p: write(
                p, np.tile(scene(np.random.default_rng(3)), (1, 6, 1))
            ),
            "train/grey.png": lambda p: write(p, grey),
        }
    )
    evidence, found = examined(contest)
    assert images(evidence, found["dark"]) == ["train/black.png"]
    assert images(evidence, found["light"]) == ["train/white.png"]
    assert set(images(evidence, found["low information"])) >= {"train/black.png", "train/white.png"}
    assert images(evidence, found["odd aspect ratio"]) == ["train/long.png"]
    assert "train/grey.png" in images(evidence, found["grayscale"])


def test_the_same_picture_twice(make: Callable[..., Contest], tmp_path: Path) -> None:
    def copy_of(name: str) -> Callable[[Path], object]:
        return lambda path: path.write_bytes((tmp_path / name).read_bytes())

    def compressed(path: Path) -> None:
        with Image.open(tmp_path / "train/02.png") as image:
            image.resize((44, 44)).save(path, quality=80)

    contest = make(
        {
            "train/a.png": copy_of("train/00.png"),
            "train/b.png": copy_of("train/01.png"),
            "train/c.jpg": compressed,
            "test/05.png": copy_of("train/03.png"),
        },
        labels={"train/c.jpg": "eel"},
    )
    rows = {name: row for row, name in enumerate(contest.images)}
    fold = make_folds(contest, 3).fold
    fold[rows["train/a.png"]] = (fold[rows["train/00.png"]] + 1) % 3
    fold[rows["train/b.png"]] = fold[rows["train/01.png"]]
    fold[rows["train/c.jpg"]] = (fold[rows["train/02.png"]] + 1) % 3
    folds = Folds(images=contest.train_images, labels=contest.labels, fold=fold)
    evidence, found = examined(contest, folds)
    across = found["identical files across folds"]
    assert across.severity == "stop"
    assert [(p.row, p.other) for p in across.places] == [
        (rows["train/00.png"], rows["train/a.png"])
    ]
    assert images(evidence, found["identical files with two labels"]) == ["train/01.png"]
    leaked = found["identical files of test images"].places
    assert [contest.images[p.other] for p in leaked] == ["test/05.png"]
    near = found["near duplicates across folds"]
    assert [(contest.images[p.row], contest.images[p.other]) for p in near.places] == [
        ("train/02.png", "train/c.jpg")
    ]
    assert near.severity == "warning"
    assert len(evidence.near) == 1  # of 37 pictures


def test_what_is_twice_on_one_side_is_noted(make: Callable[..., Contest], tmp_path: Path) -> None:
    """In one fold with one label, or in the test: it counts twice, and stops nothing."""

    def copy_of(name: str) -> Callable[[Path], object]:
        return lambda path: path.write_bytes((tmp_path / name).read_bytes())

    contest = make(
        {"train/a.png": copy_of("train/00.png"), "test/07.png": copy_of("test/03.png")},
    )
    rows = {name: row for row, name in enumerate(contest.images)}
    fold = make_folds(contest, 3).fold
    fold[rows["train/a.png"]] = fold[rows["train/00.png"]]
    folds = Folds(images=contest.train_images, labels=contest.labels, fold=fold)
    found = examined(contest, folds)[1]
    for name, pair in (
        ("identical files in one fold", ("train/00.png", "train/a.png")),
        ("identical files in the test", ("test/03.png", "test/07.png")),
    ):
        assert found[name].severity == "note"
        assert [(contest.images[p.row], contest.images[p.other]) for p in found[name].places] == [
            pair
        ]


def test_close_hashes_are_those_of_comparing_all_with_all() -> None:
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2**63, 6, dtype=np.uint64) * np.uint64(2)
    flips = np.array([0, *(1 << int(b) for b in rng.integers(0, 64, 30))], np.uint64)
    hashes = np.unique(np.concatenate([centres ^ f ^ g for f in flips for g in flips[:9]]))
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])
    one, other = np.nonzero(np.triu(apart <= BITS, 1))
    found = close_hashes(hashes)
    assert found.tolist() == np.stack([one, other], axis=1).tolist()
    assert len(found)


def test_classes_that_cannot_be_shared_out(make: Callable[..., Contest]) -> None:
    contest = make({"train/x.png": lambda p: write(p, scene(np.random.default_rng(9)))},
                   labels={"train/00.png": "Cat ", "train/x.png": "Cat"})  # fmt: skip
    looks = look_at(contest, processes=1)
    evidence = Evidence(contest=contest, looks=looks, folds=None, no_folds="class 'Cat' has one")
    found = {f.name: f for f in audit(evidence)}
    assert found["no folds"].severity == "stop"
    assert "'Cat' and 'cat'" in found["class names alike"].what
    assert images(evidence, found["class names alike"]) == ["train/00.png", "train/x.png"]
    sizes = np.array(["crowd" if label == 0 else f"g{i}" for i, label in enumerate(contest.labels)])
    folds = Folds(
        images=contest.train_images, labels=contest.labels, fold=contest.labels % 2, groups=sizes
    )
    found = {f.name: f for f in audit(replace(evidence, folds=folds))}
    assert found["classes missing in folds"].severity == "warning"
    gone = {p.detail for p in found["classes missing in folds"].places}
    assert gone == {
        name
        for i, name in enumerate(contest.classes)
        if any(not (contest.labels[folds.fold == k] == i).any() for k in range(folds.count))
    }
    assert "'Cat' (2)" in found["rare classes"].what
    rare = found["rare classes"]
    told = [contest.images[p.row] for p in rare.places if p.detail == "Cat"]
    assert told == ["train/00.png", "train/x.png"]


def test_what_tells_the_test_apart(make: Callable[..., Contest]) -> None:
    def darker(path: Path) -> None:
        with Image.open(path) as image:
            picture = np.asarray(image)
        write(path, np.clip(picture.astype(float) - 90, 0, 255).astype(np.uint8))

    evidence, found = examined(make({f"test/{i:02d}.png": darker for i in range(24)}))
    assert evidence.shift is not None
    assert evidence.shift.auc > 0.9
    brightness = next(p for p in evidence.shift.properties if p.name == "brightness")
    assert brightness.auc < 0.2
    assert brightness.test < brightness.train
    assert found["test shift"].severity == "warning"
    assert "less brightness" in found["test shift"].what


CLASSES, SCENES, SHOTS = 4, 12, 5


def photographed(test_scenes: bool, seed: int = 0) -> tuple[Looks, NDArray[np.int64], list[str]]:
    """Looks at shots of scenes, those of a class alike; the test has scenes of its own, or not."""
    rng = np.random.default_rng(seed)
    points, labels, scenes = [], [], []
    test = []
    for label in range(CLASSES):
        middle = rng.normal(0, 1, 364)
        for k in range(SCENES):
            where = middle + rng.normal(0, 1, 364)
            shots = where + rng.normal(0, 0.25, (SHOTS, 364))
            points += list(shots)
            labels += [label] * SHOTS
            scenes += [f"{label}-{k}"] * SHOTS
            beside = middle + rng.normal(0, 1, 364) if test_scenes else where
            test += list(beside + rng.normal(0, 0.25, (2, 364)))
    looks = Looks(
        table=pd.DataFrame(),
        fingerprints=Fingerprints.of(np.zeros((0, BYTES), np.uint8)),
        appearance=np.array([*points, *test], np.float32),
    )
    return looks, np.array(labels), scenes


def proposed(looks: Looks, labels: NDArray[np.int64], named: list[str] | None = None) -> Proposal:
    trained = len(labels)
    names = None if named is None else np.array(named)
    return propose(
        looks.appearance[:trained],
        looks.appearance[trained:],
        labels,
        lambda groups: assign(labels, groups, 5, 0),
        5,
        names,
    )


def test_groups_are_the_scenes_where_the_test_has_others() -> None:
    looks, labels, scenes = photographed(test_scenes=True)
    found = proposed(looks, labels)
    assert found.groups is not None
    fold = assign(labels, found.groups, 5, 0)
    held = pd.DataFrame({"scene": scenes, "fold": fold}).groupby("scene")["fold"].nunique()
    assert (held == 1).mean() > 0.9  # nearly every scene is held out as a whole
    alone = found.candidates[0]
    assert alone.found > 0.99
    assert alone.distance < 0.5
    assert found.best.gap < 0.5 * alone.gap
    assert abs(found.best.distance - 1) < 0.2
    twins = [scenes[i] == scenes[j] for i, j in enumerate(found.nearest.tolist())]
    assert np.mean(twins) > 0.9


def test_no_groups_are_needed_where_the_test_has_the_same_scenes() -> None:
    looks, labels, _ = photographed(test_scenes=False)
    found = proposed(looks, labels)
    assert found.best is found.candidates[0]
    assert found.groups is None


def test_named_groups_stay_whole() -> None:
    looks, labels, scenes = photographed(test_scenes=True)
    halves = [f"{scene}{i % 2}" for i, scene in enumerate(scenes)]  # each scene under two names
    found = proposed(looks, labels, halves)
    assert found.groups is not None
    of = pd.DataFrame({"name": halves, "group": found.groups}).groupby("name")["group"].nunique()
    assert (of == 1).all()
    assert found.best.clusters < 2 * CLASSES * SCENES


def test_the_page_requests_nothing_and_escapes_names(make: Callable[..., Contest]) -> None:
    hostile = "<script>alert(1)</script>"
    contest = make(labels={f"train/{i:02d}.png": hostile for i in range(10)})
    evidence, found = examined(contest)
    page = audit_page(evidence, list(found.values()))
    assert hostile not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)


def test_groups_of_a_table_are_accepted(make: Callable[..., Contest], tmp_path: Path) -> None:
    contest = make()
    table = pd.DataFrame({"image": contest.train_images, "group": "a"})
    table.loc[::2, "group"] = "b"
    table.to_csv(tmp_path / "groups.csv", index=False)
    by_name = load_contest(name="c", root=tmp_path, group="groups.csv")
    assert by_name.groups is not None
    assert by_name.groups.tolist() == table["group"].tolist()
    by_path = load_contest(name="c", root=tmp_path, group=str(tmp_path / "groups.csv"))
    assert by_path.groups is not None
    assert by_path.groups.tolist() == by_name.groups.tolist()
    table[:-1].to_csv(tmp_path / "groups.csv", index=False)
    with pytest.raises(InputError, match=r"does not list 'train/29.png' .*row 31"):
        load_contest(name="c", root=tmp_path, group="groups.csv")
    pd.concat([table, table[:1]]).to_csv(tmp_path / "groups.csv", index=False)
    with pytest.raises(InputError, match=r"lists 'train/00\.png' twice"):
        load_contest(name="c", root=tmp_path, group="groups.csv")
    with pytest.raises(InputError, match=r"missing\.csv"):
        load_contest(name="c", root=tmp_path, group="missing.csv")
    with pytest.raises(InputError, match=r"search\.audit.*proposes what to take"):
        load_contest(name="c", root=tmp_path, group="auto")


def test_own_folds(make: Callable[..., Contest], tmp_path: Path) -> None:
    make()
    table = pd.read_csv(tmp_path / "train.csv")
    table["part"] = ["10", "9"] * 15
    table["same"] = "x"
    table["by_class"] = table["label"]
    table.to_csv(tmp_path / "train.csv", index=False)
    contest = load_contest(name="c", root=tmp_path, fold="part")
    folds = make_folds(contest, 5)
    assert folds.count == 2
    assert folds.fold.tolist() == [1, 0] * 15  # 9 comes before 10
    with pytest.raises(InputError, match="there is only one fold, 'x'"):
        load_contest(name="c", root=tmp_path, fold="same")
    with pytest.raises(InputError, match="class 'cat' has images in one fold only"):
        make_folds(load_contest(name="c", root=tmp_path, fold="by_class"), 5)
    with pytest.raises(InputError, match="did you mean part"):
        load_contest(name="c", root=tmp_path, fold="prt")


def test_ctrl_c_is_answered_by_the_command_not_by_processes_that_read_for_it() -> None:
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with deaf_to_ctrl_c():
        begun = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert begun.stdout == b"True\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
