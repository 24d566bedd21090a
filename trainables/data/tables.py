"""Tables as contests and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from spaces.errors import InputError, unknown

SEPARATORS = (",", ";", "\t")
"""Of columns; the one that a table's first line has most often."""


def read_table(folder: Path, file: str, key: str) -> pd.DataFrame:
    """Reads a table whatever its separator, with or without a byte-order mark; all as text.

    Args:
        folder: That ``file`` is relative to.
        file: Its name.
        key: The option that names it.

    Raises:
        InputError: If it is missing, no table, or empty.
    """
    path = folder / file
    if not path.is_file():
        near = [p.name for p in folder.glob("*.csv")]
        raise unknown("file", file, near, f"{key}={file}, looked for in {folder}")
    try:
        with path.open(encoding="utf-8-sig") as lines:  # without the mark that Excel puts first
            header = lines.readline()
        separator = max(SEPARATORS, key=header.count)
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, sep=separator, encoding="utf-8-sig"
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV table: {error}") from error
    if table.empty:
        raise InputError(f"{path} has no rows")
    return table
