"""The picture of confusions: every count at its place, names whole and in any script."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from results.reporting.confusion import GAP, MOST, NAMED, confusion

SVG = "{http://www.w3.org/2000/svg}"
CLASSES = ("große Möwe", "北極 燕鷗", '7 < 8 & "x"', "a name that is as long as names may be")


def drawn(told: list[int], true: list[int], classes: tuple[str, ...]) -> ElementTree.Element:
    probabilities = np.eye(len(classes))[told]
    return ElementTree.fromstring(confusion(np.array(true), probabilities, classes))


def test_every_count_has_a_cell_that_names_it() -> None:
    picture = drawn([0, 0, 1, 2, 2, 2], [0, 0, 0, 2, 2, 3], CLASSES)
    titles = {title.text for title in picture.iter(f"{SVG}title")}
    first, second, third, last = CLASSES
    expected = {
        f"{first} as {first}: 2 (67%)",
        f"{first} as {second}: 1 (33%)",
        f"{third} as {third}: 2 (100%)",
        f"{last} as {third}: 1 (100%)",
    }
    assert titles == expected


def test_rows_are_true_and_columns_predicted() -> None:
    picture = drawn([1], [0], ("a", "b"))
    (cell,) = (rect for rect in picture.iter(f"{SVG}rect") if len(rect))
    assert float(cell.attrib["y"]) == GAP
    assert float(cell.attrib["x"]) > float(cell.attrib["width"])
    assert cell.attrib["fill"] == "rgb(8,48,107)"
    (number,) = (text for text in picture.iter(f"{SVG}text") if text.text == "1")
    assert number.attrib["fill"] == "white"


@pytest.mark.parametrize("count", [2, NAMED, NAMED + 1, 300])
def test_nothing_lies_outside(count: int) -> None:
    classes = tuple(f"class {i}" for i in range(count))
    picture = drawn(list(range(count)), list(range(count)), classes)
    width, height = (float(picture.attrib[side]) for side in ("width", "height"))
    for cell in picture.iter(f"{SVG}rect"):
        if "x" in cell.attrib:
            x, y, side = (float(cell.attrib[name]) for name in ("x", "y", "width"))
            assert 0 <= x <= x + side <= width
            assert 0 <= y <= y + side <= height
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert words.count("class 1") == (2 if count <= NAMED else 0)
    assert len(list(picture.iter(f"{SVG}title"))) == count


def test_very_many_classes_are_dots_of_one_picture() -> None:
    count = MOST + 1
    classes = tuple(f"class {i}" for i in range(count))
    told = [*range(1, count), 0]  # all wrong
    picture = drawn(told, list(range(count)), classes)
    (dots,) = picture.iter(f"{SVG}image")
    code = dots.attrib["href"].removeprefix("data:image/png;base64,")
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(code), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    dark = (pixels[..., ::-1] == (8, 48, 107)).all(axis=2)
    np.testing.assert_array_equal(np.argwhere(dark), [*enumerate(told)])
