"""The image store, the digits behind it, and decoding."""

from __future__ import annotations

import inspect
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from spaces.errors import InputError
from tests.faults.storage import can_mount, mounted
from trainables.data import digits
from trainables.data.contest import Contest, load_contest
from trainables.data.image_store import ImageStore, store_side
from trainables.data.store_building import build_store
from trainables.portable.images import decode, resize
from trainables.portable.preparation import Preparation

SMALL = Preparation(side=16)


def test_pixels_are_the_decoded_images(contest: Contest, store: ImageStore) -> None:
    assert isinstance(store.pixels, np.memmap)
    assert store.pixels.shape == (1797, 44, 44, 3)
    for row in (0, 500, 1796):
        picture = decode(contest.paths[row].read_bytes())
        np.testing.assert_array_equal(store.pixels[row], resize(picture, 44, 44))
    assert not store.pixels.flags.writeable


def test_the_store_pickles_as_its_path(store: ImageStore) -> None:
    assert store.pixels is not None
    data = pickle.dumps(store)
    assert len(data) < 1000
    np.testing.assert_array_equal(pickle.loads(data).pixels[3], store.pixels[3])


def test_a_second_build_finds_the_first(contest: Contest, store: ImageStore) -> None:
    called = []
    again = build_store(
        contest, Preparation(side=44), store.path.parent, progress=lambda *a: called.append(a)
    )
    assert again == store
    assert not called


def test_a_cut_store_is_built_again(contest: Contest, tmp_path: Path) -> None:
    store = build_store(contest, SMALL, tmp_path)
    pixels = store.path.with_suffix(".u8")
    whole = pixels.read_bytes()
    pixels.write_bytes(whole[:1000])
    assert build_store(contest, SMALL, tmp_path).path.with_suffix(".u8").read_bytes() == whole
    store.path.write_text("{")
    again = build_store(contest, SMALL, tmp_path)
    assert again.images == contest.images
    assert again.images is again.images  # every row of an evaluation asks for its name
    assert not list(tmp_path.glob("*.tmp"))


def test_a_store_cut_at_a_hundred_places_is_recognised(contest: Contest, tmp_path: Path) -> None:
    path = build_store(contest, SMALL, tmp_path).path
    rng = np.random.default_rng(0)
    for i in range(100):
        file = path.with_suffix(".u8") if i % 2 else path
        whole = file.read_bytes()
        file.write_bytes(whole[: int(rng.integers(len(whole)))])
        assert not ImageStore(path).whole
        file.write_bytes(whole)
        assert ImageStore(path).whole


def test_a_copy_for_one_machine(store: ImageStore, tmp_path: Path) -> None:
    copy = store.copied_to(tmp_path / "local")
    assert copy.path.parent == tmp_path / "local"
    np.testing.assert_array_equal(copy.pixels[:], store.pixels[:])
    written = copy.path.stat().st_mtime_ns
    assert store.copied_to(tmp_path / "local").path.stat().st_mtime_ns == written
    copy.path.with_suffix(".u8").write_bytes(b"")
    again = store.copied_to(tmp_path / "local")
    np.testing.assert_array_equal(again.pixels[:], store.pixels[:])


@pytest.mark.skipif(not can_mount(Path("/tmp/holdfold-probe")), reason="needs the right to mount")
def test_a_disk_without_room_for_the_store_is_told(contest: Contest, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", 2) as disk:
        with pytest.raises(InputError, match=r"no room for 10 MiB .*store\.folder="):
            build_store(contest, Preparation(side=44), disk)
        assert not list(disk.iterdir())


def test_the_digest_follows_contents_not_sides_or_times(
    contest: Contest, store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "photographs", inspect.unwrap(digits.photographs))  # once more
    other = digits.make_digits(tmp_path / "digits")
    again = build_store(load_contest(name="d", root=other), SMALL, tmp_path / "store")
    assert again.digest == store.digest  # the same seed gives the same files
    third = digits.make_digits(tmp_path / "third", seed=1)
    moved = build_store(load_contest(name="d", root=third), SMALL, tmp_path / "store")
    assert moved.digest != store.digest


def test_images_that_do_not_decode_are_listed(digits_folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.png").write_bytes((digits_folder / "train/0000.png").read_bytes())
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "d.png").write_bytes(b"\x89PNG broken")
    rows = {"image": ["a.png", "b.png", "c.png", "d.png"], "label": list("xyxy")}
    pd.DataFrame(rows).to_csv(tmp_path / "train.csv", index=False)
    contest = load_contest(name="c", root=tmp_path, test="")
    with pytest.raises(InputError, match="2 of 4 images") as caught:
        build_store(contest, SMALL, tmp_path / "runs/c/store")
    assert "b.png (training row 3): the file is empty" in str(caught.value)
    assert "d.png (training row 5)" in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_an_interrupted_build_decodes_no_more(contest: Contest, tmp_path: Path) -> None:
    seen = []

    def slow(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        seen.append(picture.shape)
        time.sleep(0.002)
        return picture

    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(contest, Preparation(side=16, own=slow), tmp_path, progress=interrupted)
    assert len(seen) < len(contest.images) / 4
    assert [p.suffix for p in tmp_path.iterdir()] == [".lock"]


def test_the_side_leaves_room_for_crops() -> None:
    assert store_side(32) == 44
    assert all(store_side(n) >= 1.3 * n for n in range(16, 512, 7))


def test_decoding_minds_orientation_colour_and_depth(tmp_path: Path) -> None:
    red = np.zeros((4, 6, 3), np.uint8)
    red[:, :, 2] = 200  # BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    np.testing.assert_array_equal(decode((tmp_path / "red.png").read_bytes())[0, 0], [200, 0, 0])
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((4, 6), 65535, np.uint16))
    assert decode((tmp_path / "deep.png").read_bytes()).max() == 255
    jpeg = cv2.imencode(".jpg", np.zeros((8, 16, 3), np.uint8))[1].tobytes()
    turned = jpeg[:2] + _EXIF_ROTATED + jpeg[2:]
    assert decode(jpeg).shape == (8, 16, 3)
    assert decode(turned).shape == (16, 8, 3)


_TIFF = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00" + bytes(
    4
)
_EXIF_ROTATED = b"\xff\xe1" + (len(_TIFF) + 8).to_bytes(2, "big") + b"Exif\x00\x00" + _TIFF
