"""CSV tables as sites and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spaces.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = (",", ";", "\t")
"""Of columns; the one that a table's first line has most often."""


def separator_of(path: Path) -> str:
    """What separates a table's columns."""
    with path.open(encoding="utf-8-sig") as lines:  # without the mark that Excel puts first
        header = lines.readline()
    return max(SEPARATORS, key=header.count)


def read_csv_table(path: Path) -> pd.DataFrame:
    """Reads a table whatever its separator, with or without a byte-order mark; all as text.

    Raises:
        InputError: If it is no table.
    """
    import pandas as pd

    try:
        return pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            sep=separator_of(path),
            encoding="utf-8-sig",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV table: {error}") from error
