"""CSV tables, as sites and spreadsheets write them, and our own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from spaces.errors import InputError
from spaces.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
"""Of columns; the one that a table's first line has most often."""


def separator_of(path: Path) -> str:
    """What separates a table's columns."""
    with path.open(encoding="utf-8-sig") as lines:  # without the mark that Excel puts first
        header = lines.readline()
    return max(SEPARATORS, key=header.count)


def read_csv_table(path: Path) -> pd.DataFrame:
    """Reads a table whatever its separator, with or without a byte-order mark; all as text.

    Its rows are the file's lines from the second on, so that messages can name them; blank lines
    may stand at its end alone.

    Raises:
        InputError: If it is no table, has no rows, a column twice, or a row with more fields than
            there are columns.
    """
    import pandas as pd

    try:
        whole = pd.read_csv(
            path,
            header=None,  # or pandas makes an index of fields that all rows have too many
            dtype=str,
            keep_default_na=False,
            sep=separator_of(path),
            encoding="utf-8-sig",
            skip_blank_lines=False,
            skipinitialspace=True,
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8: save it as CSV in UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path}: the first line is blank, where columns are named") from error
    except pd.errors.ParserError as error:
        raise InputError(f"{path}{_place_and_fault(str(error).strip())}") from error
    blank = (whole == "").all(axis=1).to_numpy()
    rows = len(blank) - int(blank[::-1].cumprod().sum())
    if blank[:rows].any():
        raise InputError(f"{path}, row {int(blank.argmax()) + 1}: the line is blank")
    if rows < 2:
        raise InputError(f"{path} has no rows")
    names = [name or f"Unnamed: {i}" for i, name in enumerate(whole.iloc[0])]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: the column {name!r} is there twice")
    return whole[1:rows].reset_index(drop=True).set_axis(names, axis=1)


def write_csv_table(table: pd.DataFrame, path: Path) -> None:
    """Writes a table without its index, whole or not at all."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False)


def _place_and_fault(words: str) -> str:
    """What pandas says of a row, as our messages have it."""
    if surplus := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", words):
        return f", row {surplus[2]}: {surplus[3]} fields where the first line has {surplus[1]}"
    if unclosed := re.search(r"EOF inside string starting at row (\d+)", words):
        return f", row {int(unclosed[1]) + 1}: a quotation mark is not closed"
    return f" is not a CSV table: {words}"
