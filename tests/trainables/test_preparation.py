"""What becomes of images before they are stored, by hand and with Pillow; boxes; own functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from spaces.errors import InputError
from spaces.sections.data import INTERPOLATIONS, SHAPES
from trainables.data.boxes import boxes_file, stored_boxes, write_boxes
from trainables.data.contest import Contest, load_contest
from trainables.data.prepared_images import PreparedImages
from trainables.data.store_building import build_store
from trainables.portable.images import resize
from trainables.portable.preparation import FILTERS, SIDES, Box, Picture, Preparation

NOISE = np.random.default_rng(0)
WIDE: Picture = NOISE.integers(0, 256, (30, 90, 3), dtype=np.uint8)
TALL: Picture = NOISE.integers(0, 256, (70, 40, 3), dtype=np.uint8)


def upside_down(picture: Picture) -> Picture:
    return picture[::-1]


@pytest.mark.parametrize("picture", [WIDE, TALL, WIDE[:20, :20]])
def test_by_default_images_are_squashed_as_ever(picture: Picture) -> None:
    np.testing.assert_array_equal(Preparation(side=20)(picture), resize(picture, 20, 20))


def test_padding_adds_black_on_both_sides() -> None:
    found = Preparation(side=21, shape="pad")(WIDE)
    np.testing.assert_array_equal(found[7:14], resize(WIDE, 7, 21))
    assert not found[:7].any()
    assert not found[14:].any()
    found = Preparation(side=35, shape="pad")(TALL)
    np.testing.assert_array_equal(found[:, 7:27], resize(TALL, 35, 20))
    assert not found[:, :7].any()
    assert not found[:, 27:].any()


def test_cropping_keeps_the_middle() -> None:
    crop = Preparation(side=15, shape="crop")
    np.testing.assert_array_equal(crop(WIDE), resize(WIDE[:, 30:60], 15, 15))
    np.testing.assert_array_equal(crop(TALL), resize(TALL[15:55], 15, 15))


@pytest.mark.parametrize("shape", ["pad", "crop"])
@pytest.mark.parametrize(("height", "width"), [(60, 200), (200, 60), (96, 128), (90, 90)])
@pytest.mark.parametrize("size", [(64, 64), (96, 128), (128, 96)])
def test_a_square_stays_one_in_the_size_that_a_network_sees(
    shape: str, height: int, width: int, size: tuple[int, int]
) -> None:
    picture = np.full((height, width, 3), 50, np.uint8)
    up, left = height // 2 - 20, width // 2 - 20
    picture[up : up + 40, left : left + 40] = 250
    data = {"size": size, "store_side": 176, "shape": shape, "interpolation": "auto"}
    seen = resize(Preparation.of(data)(picture), *size)
    white = seen[..., 0] > 150
    rows, columns = white.any(axis=1).sum(), white.any(axis=0).sum()
    assert rows == pytest.approx(columns, abs=2)
    assert rows >= 10
    squashed = resize(Preparation.of({**data, "shape": "squash"})(picture), *size)[..., 0] > 150
    if abs(height / width - size[0] / size[1]) > 0.1:
        assert abs(int(squashed.any(axis=1).sum()) - int(squashed.any(axis=0).sum())) > 2


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_pillow_s_and_do_not_alias(name: str) -> None:
    found = Preparation(side=24, interpolation=name)(WIDE)
    by_hand = Image.fromarray(WIDE).resize((24, 24), getattr(Image, _PILLOW[name]))
    np.testing.assert_array_equal(found, np.asarray(by_hand))
    fields = np.indices((100, 100)).sum(axis=0) % 2
    board = np.repeat(fields[..., None] * 255, 3, axis=2).astype(np.uint8)
    assert Preparation(side=30, interpolation=name)(board).std() < 15
    assert cv2.resize(board, (30, 30), interpolation=cv2.INTER_CUBIC).std() > 60


_PILLOW = {"bilinear": "BILINEAR", "bicubic": "BICUBIC", "lanczos": "LANCZOS", "area": "BOX"}


def test_a_box_is_cut_out_before_everything_else() -> None:
    box: Box = (10, 5, 40, 25)
    for shape, own in itertools.product(SHAPES, (None, upside_down)):
        prepare = Preparation(side=16, shape=shape, own=own)
        np.testing.assert_array_equal(prepare(WIDE, box), prepare(WIDE[5:25, 10:40].copy()))
    for outside in ((0, 0, 91, 30), (0, 0, 90, 31)):
        with pytest.raises(ValueError, match="reaches outside the image of 90 x 30 pixels"):
            Preparation(side=16)(WIDE, outside)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (lambda picture: picture / 255, r"makes float64 of shape \(30, 90, 3\); uint8"),
        (lambda picture: picture[..., 0], r"makes uint8 of shape \(30, 90\)"),
        (lambda picture: picture[:0], r"makes uint8 of shape \(0, 90, 3\)"),
        (lambda picture: "a picture", r"makes str of shape \(\)"),
        (lambda picture: picture["missing"], "fails: IndexError: only integers"),
    ],
)
def test_own_functions_that_make_no_picture(own: Callable[[Picture], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Preparation(side=16, own=own)(WIDE)


@pytest.fixture
def boxed(tmp_path: Path) -> Callable[..., Contest]:
    """Writes a contest of wide and tall images; arguments replace columns of its boxes."""

    def make(**columns: Any) -> Contest:
        names = [f"{i}.png" for i in range(6)]
        for i, name in enumerate(names):
            picture = (WIDE if i % 2 else TALL) + np.uint8(i)
            cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
        boxes = {"x0": [0, 1, 2, 3], "y0": 2, "x1": [30, 80, 35, 90], "y1": 28} | columns
        rows = {"image": names[:4], "label": list("abab"), **boxes}
        pd.DataFrame(rows).to_csv(tmp_path / "train.csv", index=False)
        rows = {"image": names[4:], "x0": 1, "y0": [0.5, 0], "x1": 20.2, "y1": 20}
        pd.DataFrame(rows).to_csv(tmp_path / "test.csv", index=False)
        return load_contest(name="c", root=tmp_path, box=["x0", "y0", "x1", "y1"])

    return make


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x0": [0, 1, "far", 3]}, r"train\.csv, row 4: the box far, 2, 35, 28 needs four numbers"),
        ({"y1": [28, "", 28, 28]}, r"row 3: the box 1, 2, 80,  needs four numbers"),
        ({"x1": [30, 80, "inf", 90]}, "row 4: .* needs four numbers"),
        ({"x0": [30, 1, 2, 3]}, r"row 2: the box 30, 2, 30, 28 \(x0, y0, x1, y1\) is empty"),
        ({"y0": [2, 2, 2, -1]}, "row 5: .* begins outside the image"),
    ],
)
def test_boxes_that_are_none_are_told_with_their_row(
    boxed: Callable[..., Contest], columns: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        boxed(**columns)


def test_columns_of_boxes_have_to_be_in_both_tables(
    boxed: Callable[..., Contest], tmp_path: Path
) -> None:
    boxed()
    for columns, words in {
        ("x0", "y0", "x2", "y1"): r"unknown column 'x2' \(in data\.box=\[x0,y0,x2,y1\], .*train",
        ("x0", "y0", "x1", "y1"): r"unknown column 'x0' .*test\.csv",
    }.items():
        with pytest.raises(InputError, match=words):
            load_contest(name="c", root=tmp_path, box=columns)
        (tmp_path / "test.csv").write_text("image\n4.png\n")


def test_a_box_outside_its_image_is_told_before_anything_is_stored(
    boxed: Callable[..., Contest], tmp_path: Path
) -> None:
    contest = boxed(x1=[30, 91, 41, 90])
    with pytest.raises(InputError, match="2 of 6 images") as refused:
        build_store(contest, Preparation(side=16), tmp_path / "store")
    words = str(refused.value)
    assert "1.png (training row 3): the box 1, 2, 91, 28 (left, top, right, bottom)" in words
    assert "outside the image of 90 x 30 pixels" in words
    assert not list((tmp_path / "store").glob("*.u8*"))


def test_decimals_count_the_pixels_that_they_touch(boxed: Callable[..., Contest]) -> None:
    contest = boxed()
    assert contest.boxes["4.png"] == (1, 0, 21, 20)
    assert len(contest.boxes) == 6


def test_boxes_are_kept_under_their_digest(boxed: Callable[..., Contest], tmp_path: Path) -> None:
    boxes = boxed().boxes
    write_boxes(boxes, tmp_path)
    name = boxes_file(boxes)
    assert stored_boxes(tmp_path, name) == boxes
    assert boxes_file({**boxes, "0.png": (0, 0, 1, 1)}) != name
    assert (boxes_file({}), stored_boxes(tmp_path, "")) == ("", {})
    path = tmp_path / name
    path.write_text(path.read_text().replace("90", "89"))
    with pytest.raises(InputError, match="was changed"):
        stored_boxes(tmp_path, name)
    path.unlink()
    with pytest.raises(InputError, match="is missing"):
        stored_boxes(tmp_path, name)


def test_every_setting_is_part_of_the_store_s_key(
    boxed: Callable[..., Contest], tmp_path: Path
) -> None:
    contest, folder = boxed(), tmp_path / "store"
    plain = load_contest(name="c", root=tmp_path)
    base = {"side": 16}
    settings: list[dict[str, Any]] = [
        *({"shape": shape, "proportions": (3, 4)} for shape in ("pad", "crop")),
        {"shape": "pad"},
        *({"interpolation": name} for name in INTERPOLATIONS),
        {"own": upside_down, "source": "m:f 1"},
        {"own": upside_down, "source": "m:f 2"},
        {"side": 20},
    ]
    stores = [build_store(contest, Preparation(**{**base, **s}), folder) for s in settings]
    stores.append(build_store(plain, Preparation(side=16), folder))
    assert build_store(contest, Preparation(side=16), folder) in stores
    moved = boxed(x0=[0, 1, 2, 4])
    stores.append(build_store(moved, Preparation(side=16), folder))
    assert len({store.path for store in stores}) == len(stores)


def test_room_is_told_before_it_is_taken(boxed: Callable[..., Contest], tmp_path: Path) -> None:
    said: list[str] = []
    contest = boxed()
    for side in (400, 404, 404):
        build_store(contest, Preparation(side=side), tmp_path / "store", said.append)
    store = tmp_path / "store"
    assert said == [
        f"decoded images: 6 of 400 x 400 pixels, 3 MiB in {store}",
        f"decoded images: 6 of 404 x 404 pixels, 3 MiB in {store} beside 3 MiB of earlier ones",
    ]


def test_a_store_leaves_room_for_what_is_trained(
    boxed: Callable[..., Contest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest, place = boxed(), "trainables.data.store_building.shutil.disk_usage"
    size = 6 * 400 * 400 * 3
    for free, fits in ((2 * size - 1, False), (2 * size, True)):
        monkeypatch.setattr(place, lambda _, free=free: type("Usage", (), {"free": free}))
        if fits:
            build_store(contest, Preparation(side=400), tmp_path / "store")
        else:
            with pytest.raises(InputError, match=r"no room for 3 MiB .* which 3 MiB shall stay"):
                build_store(contest, Preparation(side=400), tmp_path / "store")
            assert not list((tmp_path / "store").glob("*.u8*"))


@pytest.mark.parametrize("shape", [s for s in SHAPES if s != "native"])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("own", [None, upside_down])
def test_files_read_anew_are_what_is_stored(
    boxed: Callable[..., Contest],
    tmp_path: Path,
    shape: str,
    interpolation: str,
    own: Callable[[Picture], Picture] | None,
) -> None:
    contest = boxed()
    preparation = Preparation(
        side=24, shape=shape, proportions=(2, 3), interpolation=interpolation, own=own
    )
    store = build_store(contest, preparation, tmp_path / "store")
    images = PreparedImages(files=contest.files, boxes=contest.boxes, preparation=preparation)
    for row, name in enumerate(contest.images):
        part = "train" if row < 4 else "test"
        np.testing.assert_array_equal(store.pixels[row], images.read(name, part))
    assert SIDES == ("left", "top", "right", "bottom")
