"""The embedded masks: what their card promises, and that the audit sees people and places."""

from __future__ import annotations

import hashlib
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from search.options.embedded import EMBEDDED as OPTIONS
from trainables.audit.grouping import propose
from trainables.audit.looks import look_at
from trainables.data import masked_people as masks
from trainables.data.contest import load_contest
from trainables.data.contest_folder import Drawn, write_contest
from trainables.data.digits import make_digits
from trainables.data.embedded import EMBEDDED
from trainables.data.faces import MASKS, SIDE
from trainables.data.folds import assign, make_folds
from trainables.data.masked_people import AGES, CARD, GENDERS, WRONG_SHARE, make_masks

GUIDE = Path(__file__).parents[2] / "docs" / "masks.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_masks(tmp_path_factory.mktemp("contest") / "data")


@pytest.fixture(scope="module")
def train(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "train.csv")
    return table.assign(age=table["label"].str.split("_").str[2])


@pytest.fixture(scope="module")
def solution(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "solution.csv")


def test_classes_are_eighteen_and_imbalanced(train: pd.DataFrame, solution: pd.DataFrame) -> None:
    every = {"_".join(parts) for parts in product(MASKS, GENDERS, AGES)}
    assert set(train["label"]) == set(solution["label"]) == every
    counts = train["label"].value_counts()
    assert len(counts) == 18
    assert counts.max() > 10 * counts.min()


def test_people_and_sessions_of_the_test_are_others(
    train: pd.DataFrame, solution: pd.DataFrame
) -> None:
    for of in ("person", "session"):
        assert not set(train[of]) & set(solution[of])
    assert (train["person"].nunique(), solution["person"].nunique()) == (180, 72)
    assert (train["session"].nunique(), solution["session"].nunique()) == (30, 12)
    both = pd.concat([train, solution])
    assert (both.groupby("person").size() == 7).all()
    assert (both.groupby("person")["session"].nunique() == 1).all()
    assert (both.groupby("session")["person"].nunique() == 6).all()
    worn = solution.assign(mask=solution["label"].str.split("_").str[0])
    per_person = worn.groupby("person")["mask"].value_counts().unstack()
    assert per_person[["right", "wrong", "without"]].to_numpy().tolist() == [[5, 1, 1]] * 72


def test_sessions_correlate_with_age(train: pd.DataFrame, solution: pd.DataFrame) -> None:
    main = train.groupby("session")["age"].agg(lambda ages: ages.value_counts(normalize=True).max())
    assert main.min() > 0.6
    alone = train["age"].value_counts(normalize=True).max()
    assert main.mean() > alone + 0.15  # who knows the session guesses the age much better
    people = solution.drop_duplicates("person")
    women = people["label"].str.contains("_female_").groupby(people["session"]).mean()
    assert (women == 0.5).all()  # and no better the gender


def test_some_labels_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "photograph", lambda *_: np.zeros((1, 1), np.uint8))
    told = masks.drawn_masks(0).train["label"]
    monkeypatch.setattr(masks, "_mistaken", lambda label, rng: f"{label} ({rng.integers(9)})")
    marked = masks.drawn_masks(0).train["label"]
    wrong = marked.str.endswith(")")
    assert wrong.sum() == round(WRONG_SHARE * len(told)) == 25
    assert (told[~wrong] == marked[~wrong]).all()
    true = marked[wrong].str.split(" ").str[0]
    parts = zip(told[wrong].str.split("_"), true.str.split("_"), strict=True)
    assert [sum(a != b for a, b in zip(*both, strict=True)) for both in parts] == [1] * 25


def test_the_same_seed_gives_the_same_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masks, "SESSIONS", (1, 1, 1))
    monkeypatch.setattr(masks, "TEST_SESSIONS", (1, 1, 1))
    one, again, other = (make_masks(tmp_path / f"{i}", seed) for i, seed in enumerate((0, 0, 1)))
    files = [p.relative_to(one) for p in sorted(one.rglob("*")) if p.is_file()]
    assert len(files) == 2 * 3 * 6 * 7 + 5
    for file in files:
        assert (one / file).read_bytes() == (again / file).read_bytes(), file
    assert (one / "train/0000.png").read_bytes() != (other / "train/0000.png").read_bytes()
    digest = hashlib.sha256((folder / "train.csv").read_bytes()).hexdigest()[:16]
    assert digest == "04dfbbc6caa5f53a"
    some = []
    for name in ("train/0000.png", "test/0100.png"):
        picture = cv2.imread(str(folder / name))
        assert picture is not None
        some.append(picture)
    assert {p.shape for p in some} == {(SIDE, SIDE, 3)}
    # Other processors may round a pixel otherwise, so pictures are compared by their means.
    assert np.array([p.mean(axis=(0, 1)) for p in some]) == pytest.approx(
        np.array([[155.8, 171.0, 145.4], [79.1, 113.0, 68.9]]), abs=0.3
    )


def test_folders_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def fails() -> Drawn:
        photo = np.zeros((4, 4), np.uint8)
        table = pd.DataFrame({"label": ["a", "b"]})
        return Drawn(photos=[photo], train=table, solution=table)

    with pytest.raises(ValueError, match="shorter"):
        write_contest(tmp_path / "c", "# C", fails)
    assert not list(tmp_path.iterdir())
    (tmp_path / "c").mkdir()
    (tmp_path / "c/train.csv").write_text("mine")
    assert write_contest(tmp_path / "c", "# C", fails) == tmp_path / "c"
    assert (tmp_path / "c/train.csv").read_text() == "mine"


def test_embedded_contests_have_options_a_card_and_a_sample(folder: Path, tmp_path: Path) -> None:
    assert set(EMBEDDED) == set(OPTIONS)
    for root in (folder, make_digits(tmp_path / "digits")):
        assert (root / "README.md").read_text().startswith("# ")
        sample = pd.read_csv(root / "sample_submission.csv")
        known = pd.read_csv(root / "solution.csv")
        assert sample["image"].tolist() == known["image"].tolist()
        assert list(pd.read_csv(root / "test.csv")) == ["image"]
    assert (folder / "README.md").read_text() == CARD
    guide = " ".join(GUIDE.read_text().split())
    for paragraph in CARD.split("\n\n")[1:]:
        assert " ".join(paragraph.split()) in guide


def test_folds_of_people_and_of_sessions_can_be_made(folder: Path) -> None:
    for group in ("person", "session"):
        contest = load_contest(name="masks", root=folder, group=group)
        folds = make_folds(contest, 5)
        for fold in range(5):
            assert set(contest.labels[folds.held_out(fold)].tolist()) == set(range(18))


def test_the_audit_finds_people_and_sessions_untold(
    folder: Path, train: pd.DataFrame, solution: pd.DataFrame
) -> None:
    """On a third of the sessions, which takes a third of the time."""
    for table, count, name in ((train, 12, "few"), (solution, 5, "few_test")):
        some = sorted(set(table["session"]))[:count]
        few = table[table["session"].isin(some)]
        few.to_csv(folder / f"{name}.csv", index=False)
    contest = load_contest(name="masks", root=folder, train="few.csv", test="few_test.csv")
    looks, known = look_at(contest, processes=1), pd.read_csv(folder / "few.csv")
    found = propose(
        looks.appearance[looks.train],
        looks.appearance[~looks.train],
        contest.labels,
        lambda groups: assign(contest.labels, groups, 3, 0),
        3,
    )
    assert found.best.across  # people and places are in many classes
    assert found.candidates[0].distance < 0.5  # the nearest image is of the same person
    persons, sessions = known["person"].to_numpy(), known["session"].to_numpy()
    assert (persons == persons[found.nearest]).mean() > 0.8
    assert (sessions == sessions[found.nearest]).mean() > 0.95
    assert found.groups is not None
    fold = pd.Series(assign(contest.labels, found.groups, 3, 0))
    assert (fold.groupby(persons).nunique() == 1).mean() > 0.95
    assert (fold.groupby(sessions).nunique() == 1).mean() > 0.8
