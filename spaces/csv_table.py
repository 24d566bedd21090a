"""CSV tables as sites and spreadsheets write them."""

from __future__ import annotations

import warnings
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

    Its rows are the file's lines from the second on, so that messages can name them; blank lines
    may stand at its end alone.

    Raises:
        InputError: If it is no table, or a row has more fields than there are columns.
    """
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                dtype=str,
                keep_default_na=False,
                sep=separator_of(path),
                encoding="utf-8-sig",
                index_col=False,  # where all rows have a field more, it is no index
                skip_blank_lines=False,
            )
    except pd.errors.ParserWarning as error:
        raise InputError(f"{path}: its rows have more fields than its first line") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV table: {error}") from error
    blank = (table == "").all(axis=1).to_numpy()
    rows = len(blank) - int(blank[::-1].cumprod().sum())
    if blank[:rows].any():
        raise InputError(f"{path}, row {int(blank.argmax()) + 2}: the line is blank")
    return table[:rows]
