"""Masks of colours, and tables of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from results.masks.colours import ColourError, Colours, read_colours
from spaces.errors import InputError

TABLE = "name,red,green,blue\nvoid,0,0,0\nroad,128,64,128\nsky,128,64,129\ncar,255,0,0\n"


def read(folder: Path, text: str) -> Colours:
    path = folder / "colours.csv"
    path.write_text(text)
    return read_colours(path)


def test_colours_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("results.masks.colours._AT_ONCE", 50)
    rng = np.random.default_rng(0)
    for _ in range(100):
        rgb = np.unique(rng.integers(0, 256, (30, 3)), axis=0).astype(np.uint8)
        rng.shuffle(rgb)
        names = tuple(map(str, range(len(rgb))))
        colours = Colours(path=tmp_path, names=names, rgb=rgb)
        indices = rng.integers(0, len(rgb), rng.integers(1, 20, 2)).astype(np.uint8)
        found = colours.indices(colours.rgb[indices])
        assert found.dtype == np.uint8
        assert (found == indices).all()


@pytest.mark.parametrize(
    "text", [TABLE, "Class, r, g, b\nvoid, 0,0,0\nroad,128,64,128\nsky,128,64,129\ncar,255,0,0\n"]
)
def test_a_table_is_read(tmp_path: Path, text: str) -> None:
    colours = read(tmp_path, text)
    assert colours.names == ("void", "road", "sky", "car")
    assert colours.rgb.tolist() == [[0, 0, 0], [128, 64, 128], [128, 64, 129], [255, 0, 0]]


def test_colours_that_are_not_there_have_their_first_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("results.masks.colours._AT_ONCE", 12)
    colours = read(tmp_path, TABLE)
    mask = colours.rgb[np.zeros((4, 5), np.uint8)]
    mask[2, 3] = mask[3, 1] = (128, 64, 130)
    mask[3, 0] = mask[0, 4] = 255  # beyond the last code of the table
    with pytest.raises(ColourError) as error:
        colours.indices(mask)
    assert error.value.pixels == {(255, 255, 255): (4, 0), (128, 64, 130): (3, 2)}
    near = colours.nearest((128, 64, 130))
    assert near.startswith("128,64,129 (sky), 128,64,128 (road), ")


def test_pictures_are_no_masks(tmp_path: Path) -> None:
    colours = read(tmp_path, TABLE)
    mask = np.zeros((16, 16, 3), np.uint8)
    mask[..., 1] = np.arange(256).reshape(16, 16)
    with pytest.raises(ColourError):
        colours.indices(mask)  # one of them is void's
    mask[0, 0] = (1, 2, 3)
    with pytest.raises(ValueError, match=r"more than 255 colours .*colours\.csv: it is no mask"):
        colours.indices(mask)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the first line is blank"),
        ("name,red,green\na,1,2\n", "there are name, red, green"),
        ("name,red,green,blue\n", "has no rows"),
        ("name,r,g,b\na,1,2,256\n", "row 2: a colour is three numbers from 0 to 255, got 1,2,256"),
        ("name,r,g,b\na,1,2,\n", "got 1,2,"),
        ("name,r,g,b\na,1,2,-3\n", "got 1,2,-3"),
        ("name,r,g,b\na,1,2,3\na,1,2,4\n", "row 3: the name 'a' is there in row 2, too"),
        ("name,r,g,b\n,1,2,3\n", "row 2: the name '' is empty"),
        ("name,r,g,b\na,1,2,3\nb,1,2,3\n", "row 3: the colour 1,2,3 is there in row 2, too"),
    ],
)
def test_what_is_no_table_of_colours_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert str(tmp_path / "colours.csv") in str(error.value)
    assert words in str(error.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_colours(tmp_path / "none.csv")
