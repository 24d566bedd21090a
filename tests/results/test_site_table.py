"""Tables of scores that contest sites export."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.leaderboard.entries import Submission
from results.leaderboard.site_table import match, read_site_table
from spaces.errors import InputError


def submission(number: int) -> Submission:
    name = f"s{number:03d}"
    return Submission(
        submission=name, trial=f"t-{number}", file=f"/x/{name}-t.csv", sha256="", at=0
    )


@pytest.mark.parametrize(("separator", "mark"), [(",", ""), (";", "\ufeff"), ("\t", "")])
def test_a_site_s_names_of_columns(tmp_path: Path, separator: str, mark: str) -> None:
    path = tmp_path / "t.csv"
    lines = (
        "ref,fileName,date,publicScore,privateScore\n"
        "9,s001-t.csv,2026-11-21 10:00:00,0.81,\n"
        "8,S002-T.CSV,2026-11-20T10:00:00Z,0.82,0.7\n"
        "7,other.csv,,0.5,-\n"
    )
    path.write_text(mark + lines.replace(",", separator), encoding="utf-8")
    rows = read_site_table(path)
    assert [(r.row, r.public, r.private) for r in rows] == [
        (2, 0.81, None),
        (3, 0.82, 0.7),
        (4, 0.5, None),
    ]
    assert rows[0].at is not None
    assert rows[1].at is not None
    assert rows[0].at - rows[1].at == 86_400
    found = match(rows, [submission(1), submission(2), submission(3)], path)
    assert [(s.id, r.row) for s, r in found.pairs] == [("s001", 2), ("s002", 3)]
    assert [r.row for r in found.rows] == [4]
    assert found.submissions == ["s003"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "a column of file names (fileName)"),
        ("file,date\nx,2026-01-01\n", "and one of scores (publicScore)"),
        ("file,public\nx,good\n", "row 2, column 'public': 'good' is no score"),
        ("file,public,date\nx,0.5,someday\n", "row 2: 'someday' is no date"),
        ("", "the first line is blank"),
    ],
)
def test_tables_that_make_no_sense(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_site_table(path)
    assert words in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        read_site_table(tmp_path / "nowhere.csv")


def test_nothing_or_too_much_matches(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,public\na.csv,0.5\n")
    with pytest.raises(InputError, match=r"none of its 1 file names, such as 'a.csv'"):
        match(read_site_table(path), [submission(1)], path)
    path.write_text("file,public\ns001,0.5\ns001-t.csv,0.6\n")
    with pytest.raises(InputError, match="rows 2 and 3 both are s001"):
        match(read_site_table(path), [submission(1)], path)
