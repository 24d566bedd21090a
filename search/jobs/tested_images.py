"""The names of a contest's test images, as a record keeps them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from spaces.csv_table import write_csv_table
from spaces.digest import digest
from trainables.data.contest import Contest
from trainables.data.image_store import ImageStore


def write_test_images(contest: Contest, store: ImageStore, folder: Path) -> str:
    """Stores the names of the test images beside the folds; returns the file's name.

    What trains after a search has to find the same images, whether or not any were predicted.
    Masks are handed in at the images' own sizes, which are stored, too.
    """
    table = pd.DataFrame({"image": contest.test_images})
    if contest.test_ids:
        table["id"] = contest.test_ids
    if contest.truth is not None:
        first = len(contest.train_images)
        table[["height", "width"]] = store.sizes[first : first + len(table)]
    path = folder / f"test-{digest(table.to_csv(index=False))}.csv"
    if not path.exists():
        write_csv_table(table, path)
    return path.name
