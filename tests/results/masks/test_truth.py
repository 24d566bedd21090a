"""True masks: read from files, kept, stratified, compared."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from results.masks.counts import VOID, Counts
from results.masks.mask_form import MaskForm
from results.masks.planes import Planes
from results.masks.run_length_rows import Cells
from results.masks.truth import FEWEST, Truth
from spaces.errors import InputError

CLASSES = ("ground", "disc", "bar")


def truth(masks: list[NDArray[np.uint8]], background: int | None = 0) -> Truth:
    return Truth(
        images=tuple(map(str, range(len(masks)))),
        classes=CLASSES,
        background=background,
        numbers=(0, 1, 2),
        void=-1,
        masks=Planes.of(masks),
    )


def certain(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(255 * np.eye(len(CLASSES), dtype=np.uint8)[labels], np.uint8)


def read(folder: Path, masks: list[Image.Image], form: MaskForm, classes: tuple[str, ...]) -> Truth:
    folder.mkdir(exist_ok=True)
    for row, mask in enumerate(masks):
        mask.save(folder / f"{row}.png")
    return kept(folder, [f"{row}.png" for row in range(len(masks))], form, classes)


def kept(folder: Path, files: list[str], form: MaskForm, classes: tuple[str, ...]) -> Truth:
    images = tuple(f"image {row}" for row in range(len(files)))
    cells = Cells(path=folder / "train.csv", images=images, texts=files)
    return form.read(cells, images, classes, lambda names: [], folder / "kept")


def grey(values: list[list[int]]) -> Image.Image:
    return Image.fromarray(np.array(values, np.uint8))


FORM = MaskForm(column="mask", void=9, background="ground")


def test_numbers_void_and_background(tmp_path: Path) -> None:
    found = read(tmp_path / "m", [grey([[0, 1], [2, 9]]), grey([[1, 1]])], FORM, CLASSES)
    assert found.classes == CLASSES
    assert found.background == 0
    assert found.scored == ("disc", "bar")
    assert found.masks[0].tolist() == [[0, 1], [2, VOID]]
    assert found.masks[1].tolist() == [[1, 1]]
    assert found.pixels.tolist() == [[1, 1, 1], [0, 2, 0]]


def test_two_values_count_in_their_order(tmp_path: Path) -> None:
    form = MaskForm(column="mask", background="no")
    found = read(tmp_path / "m", [grey([[0, 255], [255, 0]])], form, ("no", "yes"))
    assert found.masks[0].tolist() == [[0, 1], [1, 0]]
    assert found.numbers == (0, 255)


UNNAMED = MaskForm(column="mask")


def numbered(*odd: tuple[int, ...], others: int = 200) -> list[Image.Image]:
    """Masks of the numbers 0, 1 and 2, and in the first of them some more."""
    return [grey([[0, 1, 2, *more]]) for more in [*odd, *[()] * others]]


@pytest.mark.parametrize(
    ("masks", "form", "words"),
    [
        (
            numbered((), (37,), (37, 2)),
            UNNAMED,
            "row 3 (1.png): is 37 the number of a class? It is in 2 of 203 masks, first in this "
            "one, and the nearest other is 2; data.classes= names the classes of all 4 "
            "numbers if it is, and if not, data.void=37 leaves its pixels out",
        ),
        (
            numbered((40, 41, 255, 90)),
            MaskForm(column="mask", void=255),
            "row 2 (0.png): is 40 the number of a class? It is in 1 of 201 masks, first in this "
            "one, and the nearest other is 2; so it is with 41, 90; data.classes= names "
            "the classes of all 6 numbers if it is, and if not, such masks are to be mended",
        ),
        (numbered((9,), others=2), UNNAMED, "is 9 the number of a class? It is in 1 of 3 masks"),
    ],
)
def test_a_number_apart_from_the_others_in_few_masks_is_asked_about(
    masks: list[Image.Image], form: MaskForm, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        read(tmp_path / "m", masks, form, ())


@pytest.mark.parametrize(
    ("masks", "void", "classes", "numbers"),
    [
        (numbered((3,)), -1, (), (0, 1, 2, 3)),  # rare, but beside the others
        (numbered((37,)), 37, (), (0, 1, 2)),
        (numbered((37,)), -1, ("a", "b", "c", "d"), (0, 1, 2, 37)),
        (numbered((37,), (37,), (37,)), -1, (), (0, 1, 2, 37)),  # in more than one of a hundred
        (numbered((3, 4)), 3, (), (0, 1, 2, 4)),  # void has a number, too
        (numbered((5, 6, 7), (5,), (5,)), -1, (), (0, 1, 2, 5, 6, 7)),  # beside one that is not
        (
            [grey([[0, 10, 20, 30, 40]]), *[grey([[0, 10, 20, 30]])] * 200],
            -1,
            (),
            (0, 10, 20, 30, 40),
        ),
        ([grey([[0, 255]]), *[grey([[0, 0]])] * 200], -1, (), (0, 255)),
    ],
)
def test_numbers_that_may_well_be_classes(
    masks: list[Image.Image],
    void: int,
    classes: tuple[str, ...],
    numbers: tuple[int, ...],
    tmp_path: Path,
) -> None:
    form = MaskForm(column="mask", void=void)
    assert read(tmp_path / "m", masks, form, classes).numbers == numbers


def test_palettes_and_bits_are_numbers(tmp_path: Path) -> None:
    palette = grey([[0, 1], [2, 9]]).convert("P")
    palette.putpalette([10, 20, 30, 200, 0, 0] * 10)
    found = read(tmp_path / "m", [palette], FORM, CLASSES)
    assert found.masks[0].tolist() == [[0, 1], [2, VOID]]
    bits = read(tmp_path / "b", [grey([[0, 255]]).convert("1")], MaskForm(column="mask"), ())
    assert bits.classes == ("0", "1")


def test_masks_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = [grey([[0, 1], [2, 2]])]
    first = read(tmp_path / "m", masks, FORM, CLASSES)

    def fail(*_: object) -> None:
        raise AssertionError("it is read again")

    monkeypatch.setattr("results.masks.mask_files.NumberFiles.read", fail)
    again = kept(tmp_path / "m", ["0.png"], FORM, CLASSES)
    assert again.digest == first.digest
    np.testing.assert_array_equal(again.masks[0], first.masks[0])


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (
            grey([[0, 7], [1, 2]]),
            r"train\.csv, row 2 \(0\.png\): 7 is the number of no class.*data\.void=7",
        ),
        (grey([[0, 1], [1, 1]]), "class 'bar' occurs in no mask"),
        (
            Image.fromarray(np.random.default_rng(0).integers(0, 9, (2, 2, 3), dtype=np.uint8)),
            r"row 2 \(0\.png\): it has colours, not numbers of classes: data\.colours=",
        ),
        (
            Image.fromarray(np.array([[0, 700]], np.uint16)),
            r"row 2 \(0\.png\): it has numbers up to 700, above 255",
        ),
    ],
)
def test_what_is_no_mask(tmp_path: Path, mask: Image.Image, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path / "m", [mask], FORM, CLASSES)


def test_a_file_that_is_no_image_and_one_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_text("no image")
    with pytest.raises(InputError, match=r"1 of 1 masks cannot be read:\n  .*row 2"):
        kept(tmp_path, ["0.png"], FORM, CLASSES)
    with pytest.raises(InputError, match=r"train\.csv, row 2: mask 'x\.png' is missing"):
        kept(tmp_path, ["x.png"], FORM, CLASSES)
    form = MaskForm(column="mask", background="sky")
    with pytest.raises(InputError, match=r"unknown class 'sky'.*data\.background=sky"):
        read(tmp_path / "m", [grey([[0, 1], [2, 2]])], form, CLASSES)


def test_folds_share_out_the_rarest_class_that_enough_images_show() -> None:
    rows = [np.zeros((2, 2), np.uint8) for _ in range(4 * FEWEST)]
    for row in range(FEWEST):  # rare enough to be shared out
        rows[row][0, 0] = 1
    rows[-1][0, 0] = 2  # too rare
    strata = truth(rows).strata
    assert strata[:FEWEST].tolist() == [1] * FEWEST
    assert set(strata[FEWEST:].tolist()) == {0}


def test_predictions_are_compared_at_the_image_s_own_size() -> None:
    mask = np.zeros((8, 12), np.uint8)
    mask[:, 6:] = 1
    small = certain(np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0).astype(np.uint8))
    counts = Counts.of(truth([mask]).counts(Planes.of([small])).astype(np.float64))
    assert counts.right[0] == counts.pixels[0] == 96
    assert counts.intersection[0].tolist() == [48, 0]


def test_void_pixels_count_for_nothing() -> None:
    mask = np.full((4, 4), VOID, np.uint8)
    mask[0] = 1
    counts = Counts.of(
        truth([mask]).counts(Planes.of([certain(np.ones((4, 4), np.uint8))])).astype(np.float64)
    )
    assert counts.pixels[0] == 4
    assert counts.over_void[0].tolist() == [12, 0]


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    masks = [np.zeros((2, 3), np.uint8), np.full((4, 1), VOID, np.uint8)]
    known = truth(masks)
    found = Truth.read(known.write(tmp_path))
    assert found.digest == known.digest
    assert [m.tolist() for m in found.of(("1", "0")).masks] == [
        masks[1].tolist(),
        masks[0].tolist(),
    ]
    other = truth([masks[0], np.zeros((4, 1), np.uint8)])
    assert other.digest != known.digest
    with pytest.raises(InputError, match="does not hold true masks"):
        Truth.read(tmp_path / "nothing.npz")
