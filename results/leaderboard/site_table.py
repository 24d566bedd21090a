"""The table of submissions and scores that a contest's site exports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pandas as pd

from results.leaderboard.entries import Submission
from spaces.csv_table import read_csv_table
from spaces.errors import InputError

_COLUMNS = {
    "file": ("filename", "file", "submission", "submissionfile", "name", "id", "ref"),
    "public": ("publicscore", "public", "score", "publiclb"),
    "private": ("privatescore", "private", "privatelb"),
    "date": ("date", "submitted", "submittedat", "datetime", "time"),
}
"""Names of columns, in lower case and without spaces and signs, the most telling first."""


@dataclass(frozen=True, kw_only=True)
class SiteScore:
    """A row of the table.

    Attributes:
        row: Its line in the file, from 2.
        file: File name, as the site has it.
        public: None where the cell is empty.
        private: None where the cell is empty.
        at: When it was handed in, seconds since the epoch; None if not told.
    """

    row: int
    file: str
    public: float | None
    private: float | None
    at: float | None


def read_site_table(path: Path) -> list[SiteScore]:
    """Reads a table with a column of file names and one of public or private scores.

    Columns are found by name: ``fileName``, ``publicScore``, ``privateScore``, ``date`` and their
    like.

    Raises:
        InputError: Naming the column that is missing, or the row and value that is no score.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    table = read_csv_table(path)
    plain = {re.sub(r"[^a-z]", "", str(c).lower()): str(c) for c in table.columns}
    found = {
        what: next((plain[n] for n in names if n in plain), None)
        for what, names in _COLUMNS.items()
    }
    if found["file"] is None or (found["public"] is None and found["private"] is None):
        raise InputError(
            f"{path}: a column of file names (fileName) and one of scores (publicScore) are "
            f"needed; there are {', '.join(map(str, table.columns))}"
        )
    rows = []
    for row, cells in enumerate(table.to_dict("records"), start=2):

        def cell(what: str, cells: dict[str, str] = cells) -> str:  # type: ignore[assignment]
            column = found[what]
            return "" if column is None else str(cells[column]).strip()

        rows.append(
            SiteScore(
                row=row,
                file=cell("file"),
                public=_number(cell("public"), path, row, found["public"]),
                private=_number(cell("private"), path, row, found["private"]),
                at=_moment(cell("date"), path, row),
            )
        )
    return rows


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Rows and submissions that belong together, and those left over.

    Attributes:
        pairs: Submission and row.
        rows: Rows without a submission.
        submissions: Ids of submissions without a row.
    """

    pairs: list[tuple[Submission, SiteScore]]
    rows: list[SiteScore]
    submissions: list[str]


def match(rows: Sequence[SiteScore], submissions: Sequence[Submission], path: Path) -> Matched:
    """Matches rows with submissions by file name, or by id.

    Raises:
        InputError: If none matches, or two rows stand for one submission.
    """
    names: dict[str, Submission] = {}
    for s in submissions:
        for name in (s.id, Path(s.file).name, Path(s.file).stem):
            names.setdefault(name.lower(), s)
    pairs, rest, taken = [], [], dict[str, int]()
    for row in rows:
        found = names.get(Path(row.file).name.lower())
        if found is None:
            rest.append(row)
            continue
        if found.id in taken:
            raise InputError(f"{path}: rows {taken[found.id]} and {row.row} both are {found.id}")
        taken[found.id] = row.row
        pairs.append((found, row))
    if not pairs:
        raise InputError(
            f"{path}: none of its {len(rows)} file names, such as "
            f"{rows[0].file if rows else ''!r}, is that of a submission, such as "
            f"{Path(submissions[0].file).name!r}"
        )
    left = [s.id for s in submissions if s.id not in taken]
    return Matched(pairs=pairs, rows=rest, submissions=left)


def _number(text: str, path: Path, row: int, column: str | None) -> float | None:
    if text.lower() in ("", "-", "–", "none", "null"):
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{path}, row {row}, column {column!r}: {text!r} is no score") from None


def _moment(text: str, path: Path, row: int) -> float | None:
    if not text:
        return None
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        raise InputError(f"{path}, row {row}: {text!r} is no date") from None
    aware = moment.tz_localize(UTC) if moment.tzinfo is None else moment
    return float(aware.timestamp())
