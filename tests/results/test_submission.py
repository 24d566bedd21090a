"""Submission files and the record of what became of them."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.leaderboard.leaderboard import Leaderboard
from results.leaderboard.site_names import SiteNames
from results.leaderboard.submission_file import SubmissionForm, read_solution, read_submission
from results.predictions import Predictions
from results.tracking.competition import log_scores
from results.tracking.store import ID_TAG, open_client
from spaces.errors import InputError
from tests.records import draft

IMAGES, CLASSES = ("a.png", "b.png", "c.png"), ("cat", "dog")
PREDICTED = Predictions.of_classes(
    images=IMAGES,
    classes=CLASSES,
    probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], np.float32),
)


def write(path: Path, table: dict[str, Any]) -> Path:
    pd.DataFrame(table).to_csv(path, index=False)
    return path


def test_labels_in_the_sample_s_order(tmp_path: Path) -> None:
    sample = write(tmp_path / "s.csv", {"id": ["c.png", "a.png", "b.png"], "y": ["cat"] * 3})
    form = SubmissionForm.read(sample, IMAGES, CLASSES)
    form.write(PREDICTED, tmp_path / "out" / "x.csv")
    data = (tmp_path / "out" / "x.csv").read_bytes()
    assert data.decode() == "id,y\nc.png,dog\na.png,cat\nb.png,dog\n"
    assert not list((tmp_path / "out").glob(".*"))
    again = read_submission(tmp_path / "out" / "x.csv", CLASSES)
    assert again.probabilities.argmax(1).tolist() == [1, 0, 1]


def test_probabilities_in_the_sample_s_columns(tmp_path: Path) -> None:
    sample = write(tmp_path / "s.csv", {"id": IMAGES, "dog": [0] * 3, "cat": [0] * 3})
    form = SubmissionForm.read(sample, IMAGES, CLASSES)
    form.write(PREDICTED, tmp_path / "x.csv")
    table = pd.read_csv(tmp_path / "x.csv")
    assert list(table) == ["id", "dog", "cat"]
    assert table["dog"].tolist() == pytest.approx([0.1, 0.8, 0.6])
    again = read_submission(tmp_path / "x.csv", CLASSES)
    np.testing.assert_allclose(again.probabilities, PREDICTED.probabilities)


@pytest.mark.parametrize(
    ("column", "value", "classes", "told", "positive"),
    [
        ("dog", 0.5, ("cat", "dog"), "", "dog"),
        ("Cat", 0.5, ("cat", "dog"), "", "cat"),
        ("y", 0.0, ("0", "1"), "", "1"),
        ("y", "0.5", ("False", "True"), "", "True"),
        ("y", 0.5, ("cat", "dog"), "cat", "cat"),
        ("y", 0, ("0", "1"), "0", "0"),
        ("y", 0, ("0", "1"), "", ""),
        ("y", "cat", ("cat", "dog"), "", ""),
        ("y", 0.5, ("0.5", "1"), "", ""),
    ],
)
def test_fractions_that_are_no_labels_are_the_probability_of_a_class(
    tmp_path: Path, column: str, value: object, classes: tuple[str, str], told: str, positive: str
) -> None:
    sample = write(tmp_path / "s.csv", {"id": IMAGES, column: [value] * 3})
    form = SubmissionForm.read(sample, IMAGES, classes, positive=told)
    assert form.positive == positive
    form.write(dataclasses.replace(PREDICTED, classes=classes), tmp_path / "x.csv")
    assert list(pd.read_csv(tmp_path / "x.csv")) == ["id", column]
    again = read_submission(tmp_path / "x.csv", classes, positive=positive)
    labels = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    kept = PREDICTED.probabilities if positive else labels
    np.testing.assert_allclose(again.probabilities, kept, rtol=1e-6)


def test_a_probability_of_a_class_that_nothing_tells_is_asked_about(tmp_path: Path) -> None:
    sample = write(tmp_path / "s.csv", {"id": IMAGES, "y": [0.5] * 3})
    with pytest.raises(InputError, match=r"'y' holds probabilities, of .* positive=cat or"):
        SubmissionForm.read(sample, IMAGES, CLASSES)
    form = SubmissionForm(ids=IMAGES, columns=("id", "y"), classes=CLASSES, positive="dog")
    with pytest.raises(InputError, match="row 3: not probabilities"):
        form.check(write(tmp_path / "x.csv", {"id": IMAGES, "y": [0.5, 1.5, 0]}))
    labels = write(tmp_path / "s.csv", {"id": IMAGES, "y": ["cat"] * 3})
    with pytest.raises(InputError, match=r"positive=dog: .* has no single column of probabil"):
        SubmissionForm.read(labels, IMAGES, CLASSES, positive="dog")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"id": ["a.png", "b.png"], "y": ["cat"] * 2}, "1 ids are missing, such as 'c.png'"),
        ({"id": [*IMAGES, "d.png"], "y": ["cat"] * 4}, "no test images, such as 'd.png'"),
        ({"id": ["a.png", "a.png", "b.png"], "y": ["cat"] * 3}, "'a.png' is there 2 times"),
        ({"id": IMAGES, "dog": [0] * 3, "cow": [0] * 3}, "differ in 'cat', 'cow'"),
        ({"id": IMAGES}, "an id and a label column"),
    ],
)
def test_a_sample_that_does_not_fit(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        SubmissionForm.read(write(tmp_path / "s.csv", table), IMAGES, CLASSES)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"id": IMAGES, "label": ["cat"] * 3}, "columns"),
        ({"id": ["b.png", "a.png", "c.png"], "y": ["cat"] * 3}, "row 2: 'b.png' where 'a.png'"),
        ({"id": IMAGES, "y": ["cat", "cow", "dog"]}, "unknown label 'cow'.*row 3"),
    ],
)
def test_a_file_that_is_not_in_form(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    form = SubmissionForm(ids=IMAGES, columns=("id", "y"), classes=CLASSES)
    with pytest.raises(InputError, match=words):
        form.check(write(tmp_path / "x.csv", table))


@pytest.mark.parametrize("bad", ["nan", "-0.1", "high", "inf"])
def test_values_that_are_no_probabilities(tmp_path: Path, bad: str) -> None:
    form = SubmissionForm(ids=IMAGES, columns=("id", *CLASSES), classes=CLASSES)
    path = write(tmp_path / "x.csv", {"id": IMAGES, "cat": ["1", bad, "0"], "dog": [0, 1, 1]})
    with pytest.raises(InputError, match="row 3: not probabilities"):
        form.check(path)


def test_a_solution_may_be_a_part_but_not_something_else(tmp_path: Path) -> None:
    part = write(tmp_path / "p.csv", {"image": ["c.png", "a.png"], "label": ["dog", "cat"]})
    images, labels = read_solution(part, IMAGES, CLASSES)
    assert images == ("c.png", "a.png")
    assert labels.tolist() == [1, 0]
    for table, words in (
        ({"image": ["z.png"], "label": ["cat"]}, "no test images"),
        ({"image": ["a.png"], "label": ["cow"]}, "unknown label 'cow'"),
        ({"image": ["a.png", "a.png"], "label": ["cat"] * 2}, "2 times"),
        ({"image": ["a.png"]}, "label column"),
    ):
        with pytest.raises(InputError, match=words):
            read_solution(write(tmp_path / "q.csv", table), IMAGES, CLASSES)
    with pytest.raises(InputError, match="an image and a label column"):
        read_submission(tmp_path / "q.csv", CLASSES)


def test_the_record_is_appended_and_corrected(tmp_path: Path) -> None:
    leaderboard = Leaderboard.read(tmp_path)
    first = leaderboard.add_submission("t-000", draft(tmp_path))
    leaderboard.add_submission("t-001", draft(tmp_path))
    assert first.id == "s001"
    leaderboard.add_score("s002", public=0.5, private=None, images=10)
    leaderboard.add_score("s001", public=0.7, private=None, images=10)
    leaderboard.add_score("s002", public=0.6, private=0.4, images=10)
    with pytest.raises(InputError, match="has that score already"):
        leaderboard.add_score("s002", public=0.6, private=None)
    with pytest.raises(InputError, match="did you mean s00"):
        leaderboard.add_score("s0001", public=0.1, private=None)
    again = Leaderboard.read(tmp_path)
    assert again.submissions == leaderboard.submissions
    assert [s.id for s in again.scored()] == ["s002", "s001"]  # in the order of their scores
    assert (again["s002"].public, again["s002"].private) == (0.6, 0.4)
    assert len((tmp_path / "leaderboard.jsonl").read_text().splitlines()) == 5
    found = again.of_trial("t-001")
    assert found is not None
    assert found.id == "s002"


def test_a_name_that_was_taken_meanwhile_keeps_its_predictions(tmp_path: Path) -> None:
    leaderboard, given = Leaderboard.read(tmp_path), tmp_path / "p.npz"
    for name in ("ann", "ann-holdout"):
        given.write_text(name)
        leaderboard.add_submission(
            name, draft(tmp_path), source="import", predictions={"holdout": given}
        )
    given.write_text("another ann")
    with pytest.raises(InputError, match="name=ann: that is s001 already"):
        leaderboard.add_submission(
            "ann", draft(tmp_path), source="import", predictions={"holdout": given}
        )
    for submission in leaderboard.submissions.values():
        assert (tmp_path / submission.holdout).read_text() == submission.trial
    assert not (tmp_path / ".draft.csv").exists()


def server() -> multiprocessing.context.ForkServerContext:
    """Starts processes that share nothing but what was imported, once for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _score(folder: Path, value: float) -> None:
    Leaderboard.read(folder).add_score("s001", public=value, private=None)


def test_two_at_once_wait_for_each_other(tmp_path: Path) -> None:
    Leaderboard.read(tmp_path).add_submission("t-000", draft(tmp_path))
    context = server()
    both = [context.Process(target=_score, args=(tmp_path, v)) for v in (0.1, 0.2, 0.3)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert len((tmp_path / "leaderboard.jsonl").read_text().splitlines()) == 4


def test_a_recorded_leaderboard_is_still_read(tmp_path: Path) -> None:
    """A golden file: events as they have been written so far, the earliest included."""
    recorded = Path(__file__).parent.parent / "assets" / "leaderboard.jsonl"
    (tmp_path / "leaderboard.jsonl").write_bytes(recorded.read_bytes())
    leaderboard = Leaderboard.read(tmp_path)
    first, second = leaderboard.submissions.values()
    assert (first.public, first.images, first.origin, first.turn) == (0.81, 300, "solution", 1)
    assert (second.source, second.by, second.private) == ("import", "anna", 0.7)
    assert second.handed_in == 1794990000.0
    assert leaderboard.spent() == [(1794990000.0, "anna")]
    assert leaderboard.quota is not None
    assert (leaderboard.quota.count, leaderboard.quota.reset, leaderboard.test_images) == (
        5,
        2,
        False,
    )
    assert leaderboard.frozen is not None
    assert (leaderboard.frozen.validation, leaderboard.frozen.at) == ("test-weighted", 1795000700.0)
    assert leaderboard.assessed is not None
    again = leaderboard.assessed.model_copy(update={"frozen": False, "evidence": 32.0})
    lines = leaderboard.path.read_text()
    leaderboard.add_assessment(again)
    assert leaderboard.path.read_text() == lines  # the same conclusion is not recorded twice


def _submit(folder: Path, number: int) -> None:
    own = folder / f"draft-{number}.csv"
    own.write_text(f"image,label\na,{number}\n")
    leaderboard = Leaderboard.read(folder)
    time.sleep(0.5)  # all have read before the first writes
    leaderboard.add_submission("same" if number < 4 else f"t-{number}", own)


def test_submissions_at_the_same_moment_have_ids_of_their_own(tmp_path: Path) -> None:
    """Eight processes that read the record before any of them wrote; four of one trial."""
    context = server()
    processes = [context.Process(target=_submit, args=(tmp_path, n)) for n in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [p.exitcode for p in processes] == [0] * 8
    leaderboard = Leaderboard.read(tmp_path)
    assert sorted(leaderboard.submissions) == [f"s{n:03d}" for n in range(1, 6)]
    assert sorted(s.trial for s in leaderboard.submissions.values()) == sorted(
        ["same", "t-4", "t-5", "t-6", "t-7"]
    )
    for submission in leaderboard.submissions.values():
        content = Path(submission.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == submission.sha256
    assert not list(tmp_path.glob("draft-*"))


def test_a_score_that_is_corrected_downwards_shows_in_mlflow(tmp_path: Path) -> None:
    """Of several values with one time MLflow shows the largest."""
    folder = tmp_path / "c"
    folder.mkdir()
    leaderboard = Leaderboard.read(folder)
    leaderboard.add_submission("six-000", draft(folder), "anna")
    client = open_client(f"sqlite:///{tmp_path}/mlflow.db")
    run = client.create_run(client.create_experiment("c"), tags={ID_TAG: "c/six-000"})
    for public in (0.9, 0.2):
        leaderboard.add_score("s001", public=public, private=None, images=10)
        log_scores(client, "c", leaderboard, "accuracy", {})
        time.sleep(0.01)
    assert client.get_run(run.info.run_id).data.metrics["leaderboard/public"] == 0.2


NAMES = SiteNames(images=("test/a.png", "test/b.png", "more/b.png"), ids=("7", "8", "9"))


def test_ids_of_the_site_s_own(tmp_path: Path) -> None:
    """Written by its ids and with its separator; read back by the images' names."""
    predicted = dataclasses.replace(PREDICTED, images=NAMES.images)
    sample = tmp_path / "s.csv"
    sample.write_text("\ufeffid;label\n9;cat\n7;cat\n8;cat\n", encoding="utf-8")
    form = SubmissionForm.read(sample, NAMES.images, CLASSES, NAMES)
    form.write(predicted, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "id;label\n9;dog\n7;cat\n8;dog\n"
    form.check(tmp_path / "x.csv")
    again = read_submission(tmp_path / "x.csv", CLASSES, NAMES)
    assert again.images == ("more/b.png", "test/a.png", "test/b.png")
    solution = write(tmp_path / "solution.csv", {"id": ["8", "9"], "label": ["cat", "dog"]})
    images, labels = read_solution(solution, NAMES.images, CLASSES, NAMES)
    assert images == ("test/b.png", "more/b.png")
    assert labels.tolist() == [0, 1]


def test_names_without_folder_or_ending_are_understood_where_they_are_clear(tmp_path: Path) -> None:
    names = SiteNames(images=NAMES.images)
    assert names.images_of(["a", "a.png", "test/a", "test/b", "b"]) == (
        *["test/a.png"] * 3,
        "test/b.png",
        "b",
    )
    sample = write(tmp_path / "s.csv", {"id": ["5", "6"], "label": ["cat"] * 2})
    with pytest.raises(InputError, match=r"'5' is no test image.*data.id= names the column"):
        SubmissionForm.read(sample, NAMES.images, CLASSES, names)
