"""Submission files: written in the sample's form, and read back before they count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.leaderboard.site_names import AS_NAMED, SiteNames
from results.predictions import Predictions
from results.tasks.classification import is_probability, probability_of
from spaces.csv_table import read_csv_table, separator_of
from spaces.errors import InputError, unknown
from spaces.files import whole_file


@dataclass(frozen=True, kw_only=True)
class SubmissionForm:
    """What a contest wants to be handed.

    Attributes:
        ids: Values of the first column, in order.
        columns: Column names; the first holds the ids.
        classes: Class names; if they are the further columns, probabilities are wanted, else one
            column.
        positive: The class whose probability that one holds; empty where it holds labels.
        names: Which images the ids mean.
        separator: Of columns.
    """

    ids: tuple[str, ...]
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    positive: str = ""
    names: SiteNames = AS_NAMED
    separator: str = ","

    @property
    def wants_probabilities(self) -> bool:
        """Whether there is a column per class, or one for the probability of one of two."""
        return len(self.columns) > 2 or bool(self.positive)

    @staticmethod
    def read(
        sample: Path,
        images: tuple[str, ...],
        classes: tuple[str, ...],
        names: SiteNames = AS_NAMED,
        positive: str = "",
    ) -> SubmissionForm:
        """Reads the form from a sample submission.

        Args:
            sample: The contest's sample file.
            images: Test images that there are predictions for.
            classes: Class names.
            names: Which images its ids mean.
            positive: The class that a single column of probabilities is of, if somebody said it.

        Raises:
            InputError: If its ids are not the test images, its columns neither one label nor the
                classes, or nothing says of which class a single probability is.
        """
        table = read_table(sample)
        columns = tuple(map(str, table.columns))
        if len(columns) > 2 and set(columns[1:]) != set(classes):
            odd = sorted(map(repr, set(columns[1:]) ^ set(classes)))
            raise InputError(f"{sample}: columns and classes differ in {', '.join(odd[:5])}")
        if len(columns) < 2:
            raise InputError(f"{sample}: an id and a label column are needed, got {columns}")
        ids = tuple(table[columns[0]])
        meant = names.images_of(ids)
        if not set(meant) & set(images):
            raise InputError(
                f"{sample}: {ids[0]!r} is no test image, and so are all ids; data.id= names the "
                f"column of the test table that has them, next to images such as {images[0]!r}"
            )
        check_ids(meant, images, sample)
        found = _positive(table, classes, positive, sample)
        if positive and not found:
            raise InputError(f"positive={positive}: {sample} has no single column of probabilities")
        return SubmissionForm(
            ids=ids,
            columns=columns,
            classes=classes,
            positive=found,
            names=names,
            separator=separator_of(sample),
        )

    def write(self, predictions: Predictions, path: Path) -> None:
        """Writes predictions as a submission, whole and checked or not at all."""
        rows = {image: i for i, image in enumerate(predictions.images)}
        order = np.array([rows[i] for i in self.names.images_of(self.ids)])
        found = predictions.probabilities[order]
        table = pd.DataFrame({self.columns[0]: self.ids})
        if self.wants_probabilities:
            index = {name: i for i, name in enumerate(predictions.classes)}
            for name in self.columns[1:]:
                table[name] = found[:, index[self.positive or name]]
        else:
            names = np.array(predictions.classes, dtype=object)
            table[self.columns[1]] = names[found.argmax(axis=1)]
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            table.to_csv(temporary, index=False, sep=self.separator)
            self.check(temporary)

    def check(self, path: Path) -> None:
        """Checks a file: columns, every id once and in order, values allowed.

        Raises:
            InputError: Naming what is wrong, with the row.
        """
        self.check_table(read_table(path), path)

    def check_table(self, table: pd.DataFrame, path: Path) -> None:
        """Checks what a file holds; ``path`` is for messages."""
        if tuple(table.columns) != self.columns:
            raise InputError(f"{path}: columns {list(table.columns)}, not {list(self.columns)}")
        ids = tuple(table[self.columns[0]])
        check_ids(ids, self.ids, path)
        if ids != self.ids:
            row = next(i for i, (a, b) in enumerate(zip(ids, self.ids, strict=True)) if a != b)
            raise InputError(f"{path}, row {row + 2}: {ids[row]!r} where {self.ids[row]!r} belongs")
        if not self.wants_probabilities:
            for row, value in enumerate(table[self.columns[1]], start=2):
                if value not in self.classes:
                    raise unknown("label", value, self.classes, f"{path}, row {row}")
            return
        values = table[list(self.columns[1:])].apply(pd.to_numeric, errors="coerce").to_numpy()
        most = 1 if self.positive else np.inf
        odd = ~np.isfinite(values) | (values < 0) | (values > most)
        bad = np.flatnonzero(odd.any(axis=1))
        if len(bad):
            raise InputError(f"{path}, row {bad[0] + 2}: not probabilities")


def _positive(table: pd.DataFrame, classes: tuple[str, ...], told: str, path: Path) -> str:
    """The class that a table's only column beside the ids has probabilities of; empty for none."""
    column = str(table.columns[-1])
    if len(table.columns) != 2 or not is_probability(table[column], classes, told):
        return ""
    return told or probability_of(column, classes, path)


def read_submission(
    path: Path, classes: tuple[str, ...], names: SiteNames = AS_NAMED, positive: str = ""
) -> Predictions:
    """Reads a submission file as probabilities; a label counts as certain.

    Args:
        path: The file.
        classes: Class names.
        names: Which images its ids mean.
        positive: The class that a single column of probabilities is of, if somebody said it.

    Raises:
        InputError: If the file is missing or holds something else.
    """
    return _predictions(read_table(path), path, classes, names, positive)


def _predictions(
    table: pd.DataFrame, path: Path, classes: tuple[str, ...], names: SiteNames, positive: str
) -> Predictions:
    columns = tuple(map(str, table.columns))
    if len(columns) < 2:
        raise InputError(f"{path}: an image and a label column, or one per class, are needed")
    positive = _positive(table, classes, positive, path)
    form = SubmissionForm(
        ids=tuple(table.iloc[:, 0]), columns=columns, classes=classes, positive=positive
    )
    if len(columns) > 2 and set(columns[1:]) != set(classes):
        odd = sorted(map(repr, set(columns[1:]) ^ set(classes)))
        raise InputError(f"{path}: columns and classes differ in {', '.join(odd[:5])}")
    form.check_table(table, path)
    if positive:
        share = table[columns[1]].astype(np.float64).to_numpy(np.float32)
        found = np.stack([share if name == positive else 1 - share for name in classes], axis=1)
    elif form.wants_probabilities:
        found = table[list(classes)].astype(np.float64).to_numpy(np.float32)
    else:
        index = {name: i for i, name in enumerate(classes)}
        found = np.eye(len(classes), dtype=np.float32)[[index[v] for v in table[columns[1]]]]
    images = names.images_of(form.ids)
    return Predictions.of_classes(images=images, classes=classes, probabilities=found)


def read_validation(
    path: Path,
    holdout: tuple[str, ...],
    folds: Mapping[str, int],
    classes: tuple[str, ...],
    positive: str = "",
) -> Predictions:
    """Reads hold-out or out-of-fold predictions made elsewhere, in the form of a submission.

    Args:
        path: A table of exactly the hold-out's images, or of all training images, in any order. A
            column ``fold``, if there is one, has to agree with the folds here.
        holdout: Images of the hold-out.
        folds: Fold of every training image.
        classes: Class names.
        positive: The class that a single column of probabilities is of, if somebody said it.

    Returns:
        The rows of the hold-out in its order, or of all training images in theirs.

    Raises:
        InputError: If the file is missing or holds something else.
    """
    table = read_table(path)
    if "fold" in table:
        images = table.iloc[:, 0]
        for row, (image, fold) in enumerate(zip(images, table["fold"], strict=True), start=2):
            if image in folds and fold != str(folds[image]):
                raise InputError(
                    f"{path}, row {row}: {image!r} is in fold {fold!r}, here in {folds[image]}; "
                    "predictions of other folds would flatter a blend"
                )
        table = table.drop(columns="fold")
    found = _predictions(table, path, classes, AS_NAMED, positive)
    everything = len(found.images) > len(holdout)
    wanted = tuple(folds) if everything else holdout
    check_ids(found.images, wanted, path, "images of the hold-out")
    return found.of(wanted)


def read_solution(
    path: Path,
    images: tuple[str, ...],
    classes: tuple[str, ...],
    named: SiteNames = AS_NAMED,
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Reads true labels of test images, of all of them or of a public part.

    Returns:
        Image names, and class indices int64 (n,).

    Raises:
        InputError: For images that are no test images, repeated ones, or unknown labels.
    """
    table = read_table(path)
    if len(table.columns) < 2:
        raise InputError(f"{path}: an image and a label column are needed")
    names, labels = named.images_of(table.iloc[:, 0]), list(table.iloc[:, 1])
    check_ids(names, tuple(i for i in images if i in set(names)), path)
    index = {name: i for i, name in enumerate(classes)}
    for row, value in enumerate(labels, start=2):
        if value not in index:
            raise unknown("label", value, classes, f"{path}, row {row}")
    return names, np.array([index[v] for v in labels], np.int64)


def check_ids(
    ids: tuple[str, ...], wanted: tuple[str, ...], path: Path, what: str = "test images"
) -> None:
    """Raises InputError unless ``ids`` are exactly the wanted ones, in any order."""
    repeated = [name for name, n in Counter(ids).items() if n > 1]
    if repeated:
        raise InputError(f"{path}: {repeated[0]!r} is there {ids.count(repeated[0])} times")
    missing, extra = set(wanted) - set(ids), set(ids) - set(wanted)
    if missing:
        raise InputError(f"{path}: {len(missing)} ids are missing, such as {min(missing)!r}")
    if extra:
        raise InputError(f"{path}: {len(extra)} ids are no {what}, such as {min(extra)!r}")


def read_table(path: Path) -> pd.DataFrame:
    """Reads a file of a leaderboard, all as text.

    Raises:
        InputError: If it is missing or no table.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    return read_csv_table(path)
