"""True masks, read once from whatever a contest writes them as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from results.masks.class_sets import ClassSets
from results.masks.counts import VOID
from results.masks.mask_faults import MaskFaults
from results.masks.notation import Notation
from results.masks.planes import Pixels, Planes
from results.masks.stray_numbers import check_numbers
from results.masks.truth import Truth
from spaces.digest import digest
from spaces.errors import InputError, unknown
from spaces.files import whole_file

FORMAT = 4
THREADS = 2


class MaskSource(Protocol):
    """Where masks come from."""

    @property
    def written(self) -> Notation:
        """How they name their classes."""

    @property
    def key(self) -> Any:
        """Identity of what is read, JSON-ready."""

    @property
    def sets(self) -> ClassSets | None:
        """What numbers of masks stand for where classes overlap; None where each is a class's."""

    def read(self, row: int) -> Pixels:
        """The mask of an image, uint8 (height, width), of numbers.

        Raises:
            InputError: If it is none; the message says where.
            ValueError, OSError: If it is none; the message does not say of which image.
        """


@dataclass(frozen=True, kw_only=True)
class MaskRules:
    """What the numbers of masks mean.

    Attributes:
        classes: Class names by index; empty for those of the source, or its numbers.
        void: Number of pixels that count for nothing; -1 for none.
        background: Name of the class that is not scored by itself; empty for none.
        numbers: Number of each class; empty to tell them from the masks.
        spare: Class that is left out where no pixel is of it; empty for none.
        complete: Whether all other classes have to occur.
    """

    classes: tuple[str, ...] = ()
    void: int = -1
    background: str = ""
    numbers: tuple[int, ...] = ()
    spare: str = ""
    complete: bool = True

    @staticmethod
    def of(truth: Truth) -> MaskRules:
        """What the numbers of other masks of the same contest mean."""
        scored = "" if truth.background is None else truth.classes[truth.background]
        return MaskRules(
            classes=truth.classes,
            void=truth.void,
            background=scored,
            numbers=truth.numbers,
            complete=False,
        )


def read_truth(
    source: MaskSource,
    rules: MaskRules,
    images: Sequence[str],
    place: Callable[[int], str],
    kept: Path | None = None,
) -> Truth:
    """Reads the masks of images, or finds them where they were kept.

    Args:
        source: Where they come from.
        rules: What their numbers mean. Unless it is said, they are class indices; or as many other
            numbers as there are classes, in their order, such as 0 and 255.
        images: Names of the images.
        place: Where the mask of a row stands, for messages.
        kept: Folder in which what was read is kept; None to keep nothing.

    Raises:
        InputError: Naming the files that are no masks, values that are no classes, or classes that
            occur nowhere.
    """
    key = digest([FORMAT, source.key, list(images), *astuple(rules)])
    known = None if kept is None else kept / f"masks-{key}.txt"
    if kept is not None and known is not None and known.exists():
        path = kept / known.read_text()
        if path.exists():
            return Truth.read(path)
    numbers = _numbers(source, len(images), place)
    read = _exclusive if source.sets is None else _overlapping
    truth = read(source, rules, images, numbers, place)
    if kept is None or known is None:
        return truth
    path = truth.write(kept)
    with whole_file(known) as temporary:
        temporary.write_text(path.name)
    return Truth.read(path)


def _exclusive(
    source: MaskSource,
    rules: MaskRules,
    images: Sequence[str],
    numbers: Planes,
    place: Callable[[int], str],
) -> Truth:
    """Masks whose numbers are classes'."""
    rows = _rows(numbers)
    first = {number: occurs[0] for number, occurs in rows.items()}
    given = rules.numbers or _given(first, rules, rules.classes, place)
    if not (rules.numbers or rules.classes):
        check_numbers(rows, rules.void, len(numbers), place)
    names = rules.classes or tuple(map(str, given))
    if rules.spare in names and given[names.index(rules.spare)] not in first:
        index = names.index(rules.spare)
        names = names[:index] + names[index + 1 :]
        given = given[:index] + given[index + 1 :]
        rules = replace(rules, background="")
    lookup = np.full(256, VOID, np.uint8)
    lookup[list(given)] = np.arange(len(given))
    if len(names) < 2:
        raise InputError(f"masks have one class only ({', '.join(names)}); two at least are needed")
    if rules.background and rules.background not in names:
        raise unknown("class", rules.background, names, f"data.background={rules.background}")
    _check_complete(rules, names, [number in first for number in given])
    for number in first:
        if number not in (*given, rules.void):
            raise _no_class(number, source.written.names, names, given, place(first[number]))
    return Truth(
        images=tuple(images),
        classes=names,
        background=names.index(rules.background) if rules.background else None,
        numbers=given,
        void=rules.void,
        written=source.written,
        masks=Planes.of(np.asarray(cv2.LUT(mask, lookup), np.uint8) for mask in numbers),
    )


def _overlapping(
    source: MaskSource,
    rules: MaskRules,
    images: Sequence[str],
    numbers: Planes,
    place: Callable[[int], str],
) -> Truth:
    """Masks whose numbers are those of sets of classes; a set with the void one is void."""
    assert source.sets is not None
    rows, given = _rows(numbers), rules.numbers
    found = {number: source.sets.known[number] for number in rows}
    for number, members in found.items():
        for odd in sorted(members - {*given, rules.void}):
            names = source.written.names
            raise _no_class(odd, names, rules.classes, given, place(rows[number][0]))
    occur = frozenset().union(*found.values())
    _check_complete(rules, rules.classes, [number in occur for number in given])
    known = {
        number: tuple(i for i, c in enumerate(given) if c in members)
        for number, members in found.items()
        if rules.void not in members
    }
    sets = sorted({(), *known.values()}, key=lambda members: (len(members), members))
    lookup = np.full(256, VOID, np.uint8)
    for number, indices in known.items():
        lookup[number] = sets.index(indices)
    return Truth(
        images=tuple(images),
        classes=rules.classes,
        background=None,
        numbers=given,
        void=rules.void,
        written=source.written,
        masks=Planes.of(np.asarray(cv2.LUT(mask, lookup), np.uint8) for mask in numbers),
        sets=tuple(sets),
    )


def _check_complete(rules: MaskRules, names: Sequence[str], there: Sequence[bool]) -> None:
    """Raises InputError for a class that has to occur, and does not."""
    if rules.complete and not all(there):
        raise InputError(
            f"class {names[there.index(False)]!r} occurs in no mask; data.classes= names those "
            "that do"
        )


def _numbers(source: MaskSource, count: int, place: Callable[[int], str]) -> Planes:
    """All masks as they are written.

    Raises:
        InputError: Naming those that cannot be read.
    """
    faults = MaskFaults(place=place)

    def read(row: int) -> Pixels | Exception:
        try:
            return source.read(row)
        except (OSError, ValueError) as error:
            return error

    def masks() -> Iterator[Pixels]:
        with ThreadPoolExecutor(THREADS) as pool:
            for row, found in enumerate(pool.map(read, range(count))):
                if isinstance(found, Exception):
                    faults.add(row, found)
                else:
                    yield found

    planes = Planes.of(masks())
    faults.check(count)
    return planes


def _rows(numbers: Planes) -> dict[int, list[int]]:
    """The rows that each number occurs in, by rising numbers."""
    rows: dict[int, list[int]] = {}
    for row, mask in enumerate(numbers):
        histogram = cv2.calcHist([mask], [0], None, [256], [0, 256])
        for number in np.flatnonzero(histogram).tolist():
            rows.setdefault(number, []).append(row)
    return dict(sorted(rows.items()))


def _no_class(
    number: int, known: Sequence[str], classes: Sequence[str], given: Sequence[int], place: str
) -> InputError:
    """The error for pixels of a number that is none of the classes'."""
    if known:
        return InputError(
            f"{place}: {known[number]!r} is none of the classes {', '.join(classes)}; "
            f"data.void={known[number]} leaves such pixels out"
        )
    return InputError(
        f"{place}: {number} is the number of no class; the classes' are "
        f"{', '.join(map(str, given))}; data.void={number} leaves such pixels out"
    )


def _given(
    first: dict[int, int], rules: MaskRules, names: tuple[str, ...], place: Callable[[int], str]
) -> tuple[int, ...]:
    """The number of every class."""
    values = tuple(number for number in first if number != rules.void)
    if not names or (len(values) == len(names) and values[-1] >= len(names)):
        return values
    strange = next((number for number in values if number >= len(names)), None)
    if strange is not None:
        raise InputError(
            f"{place(first[strange])}: {strange} is the number of no class: there are "
            f"{len(names)}, from 0; data.void={strange} leaves such pixels out"
        )
    return tuple(range(len(names)))
