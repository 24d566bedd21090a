"""Tables as sites and spreadsheets write them; what messages say of their rows is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from spaces.csv_table import read_csv_table
from spaces.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        "image,label\na.png,x\nb.png,1\n",
        "image;label\r\na.png;x\r\nb.png;1\r\n",
        "\ufeffimage\tlabel\na.png\tx\nb.png\t1",
        '"image","label"\n"a.png","x"\n"b.png","1"\n\n\n',
        'image, label\na.png, x\n"b.png", "1"\n,\n',
    ],
)
def test_tables_in_any_dress_are_read_as_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = read_csv_table(tmp_path / "t.csv")
    assert table.to_dict("list") == {"image": ["a.png", "b.png"], "label": ["x", "1"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\na.png,x,0.5\nb.png,y,0.6\n", r"t\.csv, row 2: 3 fields where .* has 2"),
        ("image,label\na.png,x\nb.png,y,0.6\n", r"t\.csv, row 3: 3 fields where .* has 2"),
        ("image,label\na.png,x\n\nb.png,y,3\n", "row 4: 3 fields"),
        ("image,label\na.png,x\n\nb.png,y\n", "row 3: the line is blank"),
        ('image,label\na.png,x\n"b.png,y\n', "row 3: a quotation mark is not closed"),
        ("image,label,label\na.png,x,y\n", "the column 'label' is there twice"),
        ("image,label\n", "has no rows"),
        ("", "the first line is blank"),
        ("\nimage,label\na.png,x\n", "the first line is blank"),
        ("image,Käfer\na.png,x\n".encode("latin-1"), "not text in UTF-8: save it"),
        ("image,label\na.png,x\n".encode("utf-16"), "not text in UTF-8: save it"),
    ],
)
def test_what_is_no_table_is_told_with_its_place(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    written = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "t.csv").write_bytes(written)
    with pytest.raises(InputError, match=words):
        read_csv_table(tmp_path / "t.csv")
