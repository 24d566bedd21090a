"""Submissions of masks as run lengths: written in the sample's form, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from results.leaderboard.certain_masks import Claim, certain
from results.leaderboard.submission_file import check_ids, read_table
from results.masks.label_map import regions
from results.masks.planes import Pixels, Planes
from results.masks.postprocess import Form
from results.masks.rle import Order, decode, encode, pairs_of
from results.masks.truth import Truth
from results.predictions import Predictions
from spaces.csv_table import separator_of
from spaces.errors import InputError, unknown
from spaces.files import whole_file

Mask = tuple[str, str]
"""Image and class of a row."""


@dataclass(frozen=True, kw_only=True)
class RunLengthForm:
    """A row of run lengths per image, or per image and class.

    Attributes:
        columns: The first names the image, alone or as ``<image>_<class>``, or together with the
            second of three; the last holds the run lengths.
        rows: Image and class of each row, in order.
        ids: The first column's values.
        classes: Class names by index.
        form: What a mask is here.
        order: How pixels are numbered: as in the contest's own run lengths, where it has such.
        separator: Of columns.
    """

    columns: tuple[str, ...]
    rows: tuple[Mask, ...]
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    form: Form
    order: Order
    separator: str = ","

    @staticmethod
    def of(images: Sequence[str], truth: Truth) -> RunLengthForm:
        """A row per image and scored class; per image where one class is scored."""
        scored = truth.scored
        rows = tuple((image, name) for image in images for name in scored)
        columns = ("image", "rle") if len(scored) == 1 else ("image", "class", "rle")
        ids = tuple(image for image, _ in rows)
        return _form(columns, rows, ids, truth)

    @staticmethod
    def read(sample: Path, images: Sequence[str], truth: Truth) -> RunLengthForm:
        """Reads the form from a sample submission.

        Raises:
            InputError: If its rows are not those of all test images and scored classes.
        """
        table = read_table(sample)
        columns, scored = tuple(map(str, table.columns)), truth.scored
        ids = tuple(table.iloc[:, 0])
        if len(columns) == 3:
            rows = tuple(zip(ids, table.iloc[:, 1], strict=True))
        elif len(columns) == 2:
            rows = tuple(_apart(name, set(images), scored, sample) for name in ids)
        else:
            raise InputError(
                f"{sample}: an id and run lengths are needed, or image, class and run lengths; "
                f"got {', '.join(columns)}"
            )
        for row, (_, name) in enumerate(rows, start=2):
            if name not in scored:
                raise unknown("class", name, scored, f"{sample}, row {row}")
        wanted = tuple(f"{image} {name}" for image in images for name in scored)
        check_ids(tuple(" ".join(row) for row in rows), wanted, sample, "masks of test images")
        return replace(_form(columns, rows, ids, truth), separator=separator_of(sample))

    def write(self, predictions: Predictions, path: Path) -> None:
        """Writes masks at the images' own sizes, whole and checked or not at all."""
        found: dict[Mask, str] = {}
        sizes = predictions.sizes
        for image, mask, size in zip(predictions.images, predictions.masks, sizes, strict=True):
            places = regions(mask, int(size[0]), int(size[1]), self.form.overlapping)
            for index, (name, inside) in enumerate(zip(self.classes, places, strict=True)):
                if index != self.form.background:
                    found[image, name] = encode(inside, self.order)
        table = pd.DataFrame({self.columns[0]: self.ids})
        if len(self.columns) == 3:
            table[self.columns[1]] = [name for _, name in self.rows]
        table[self.columns[-1]] = [found[row] for row in self.rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            table.to_csv(temporary, index=False, sep=self.separator)
            self.check(temporary)

    def check(self, path: Path) -> None:
        """Checks columns, rows and their order, and that run lengths are pairs of numbers.

        Raises:
            InputError: Naming what is wrong, with the row.
        """
        table = read_table(path)
        if tuple(table.columns) != self.columns:
            raise InputError(f"{path}: columns {list(table.columns)}, not {list(self.columns)}")
        check_ids(tuple(dict.fromkeys(table.iloc[:, 0])), tuple(dict.fromkeys(self.ids)), path)
        listed = list(table.iloc[:, :-1].itertuples(index=False, name=None))
        three = len(self.columns) == 3
        wanted = self.rows if three else tuple((name,) for name in self.ids)
        for row, (found, asked) in enumerate(zip(listed, wanted, strict=False), start=2):
            if tuple(found) != asked:
                raise InputError(
                    f"{path}, row {row}: {' '.join(found)} where {' '.join(asked)} belongs"
                )
        if len(listed) != len(wanted):
            raise InputError(f"{path}: {len(listed)} rows, {len(wanted)} are needed")
        for row, text in enumerate(table.iloc[:, -1], start=2):
            try:
                pairs_of(text)
            except InputError as error:
                raise InputError(f"{path}, row {row}: {error}") from error

    def masks(self, path: Path, images: Sequence[str], sizes: Sequence[tuple[int, int]]) -> Planes:
        """Reads the masks of some images back, as certain probabilities.

        Args:
            path: A submission in this form.
            images: Which ones.
            sizes: Their heights and widths in pixels.

        Raises:
            InputError: For run lengths that are none, do not fit the image, or lie over those of
                another class.
        """
        self.check(path)
        texts = enumerate(read_table(path).iloc[:, -1], start=2)
        listed = dict(zip(self.rows, texts, strict=True))

        def planes() -> Iterator[Pixels]:
            for image, (height, width) in zip(images, sizes, strict=True):
                claims = self._claims(listed, image, (height, width), path)
                yield certain(claims, (height, width), self.form, f"{path}, {image!r}")

        return Planes.of(planes())

    def _claims(
        self,
        listed: Mapping[Mask, tuple[int, str]],
        image: str,
        size: tuple[int, int],
        path: Path,
    ) -> Iterator[Claim]:
        """What run lengths claim of an image; listed are their rows and texts."""
        for index, name in enumerate(self.classes):
            if index == self.form.background:
                continue
            row, text = listed[image, name]
            place = f"{path}, row {row}"
            try:
                inside = decode(text, *size, self.order)
            except InputError as error:
                raise InputError(f"{place}: {error}") from error
            yield index, inside, place


def _form(
    columns: tuple[str, ...], rows: tuple[Mask, ...], ids: tuple[str, ...], truth: Truth
) -> RunLengthForm:
    return RunLengthForm(
        columns=columns,
        rows=rows,
        ids=ids,
        classes=truth.classes,
        form=truth.form,
        order=truth.written.order or "column",
    )


def _apart(name: str, images: set[str], scored: tuple[str, ...], sample: Path) -> Mask:
    """Image and class of an id: the image alone where one class is scored, or ``<image>_<class>``,
    the class by its name or its number from 1."""
    if name in images:
        if len(scored) == 1:
            return name, scored[0]
        raise InputError(
            f"{sample}: {name!r} names no class; {len(scored)} are scored: {', '.join(scored)}"
        )
    image, _, kind = name.rpartition("_")
    if kind.isdecimal() and 1 <= int(kind) <= len(scored) and kind not in scored:
        kind = scored[int(kind) - 1]
    return image, kind
