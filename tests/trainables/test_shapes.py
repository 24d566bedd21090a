"""The embedded shapes: what their card promises."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from trainables.data import shapes
from trainables.data.contest_folder import Drawn, write_contest
from trainables.data.scenes import CLASSES, DOT, LINE, Scene, changed, mask_of
from trainables.data.shapes import CARD, FRAMES, SIZES, WRONG_SHARE, drawn_shapes, make_shapes


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return drawn_shapes()


@pytest.fixture(scope="module")
def folder(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_contest(tmp_path_factory.mktemp("contest") / "data", CARD, lambda: drawn)


def read(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_the_folder_has_what_a_contest_has(folder: Path) -> None:
    assert (folder / "README.md").read_text() == CARD
    train, known = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "solution.csv")
    assert list(train) == ["image", "mask", "sequence"]
    assert list(known) == ["image", "mask"]
    assert list(pd.read_csv(folder / "test.csv")) == ["image"]
    assert (len(train), len(known)) == (240, 80)
    assert train["sequence"].value_counts().tolist() == [FRAMES] * 12
    sample = pd.read_csv(folder / "sample_submission.csv", keep_default_na=False)
    assert list(sample) == ["image", "class", "rle"]
    assert list(sample["image"]) == np.repeat(known["image"], 4).tolist()
    assert list(sample["class"]) == [*CLASSES[1:]] * 80
    assert set(sample["rle"]) == {""}
    sizes = set()
    for image, mask in [*train[["image", "mask"]].values, *known.values]:
        photo, numbers = read(folder / image), read(folder / mask)
        assert photo.shape == (*numbers.shape, 3)
        assert numbers.max() < len(CLASSES)
        sizes.add(numbers.shape)
    assert sizes == set(SIZES)


def test_classes_are_large_small_and_thin_and_some_images_empty(drawn: Drawn) -> None:
    shares = np.array([np.bincount(m.ravel(), minlength=5) / m.size for m in drawn.masks])
    empty = shares[:, 0] == 1
    assert empty.sum() == 2 * 16
    for part in (shares[:240], shares[240:]):
        filled = part[part[:, 0] < 1]
        assert (filled[:, 1:] > 0).mean(axis=0).min() > 0.8
        mean = filled.mean(axis=0)
        assert mean[0] > 0.6
        assert mean[DOT] < 0.02 < mean[1]
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (5, 5))
    lines = [(m == LINE).astype(np.uint8) for m in drawn.masks]
    thick = sum(int(cv2.erode(line, cross, borderValue=0).sum()) for line in lines)
    assert thick < 0.02 * sum(int(line.sum()) for line in lines)


def test_some_masks_are_wrong_and_none_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "SEQUENCES", 2)
    monkeypatch.setattr(shapes, "TEST_SEQUENCES", 1)
    empty = [not mask.any() for mask in drawn_shapes().masks]
    real = shapes._mistaken
    monkeypatch.setattr(shapes, "_mistaken", lambda found, rng: real(found, rng) and [])
    marked = [not mask.any() for mask in drawn_shapes().masks]
    assert sum(marked[:40]) - sum(empty[:40]) == round(WRONG_SHARE * 40) == 4
    assert marked[40:] == empty[40:]


def test_a_careless_hand_is_off_or_forgets() -> None:
    rng = np.random.default_rng(0)
    scene = Scene.draw(96, 128, rng)
    _, found = scene.frame(3, False, rng)
    kinds = set()
    for _ in range(20):
        told = shapes._mistaken(found, rng)
        if len(told) == len(found):
            off = np.array([a.at - b.at for a, b in zip(told, found, strict=True)])
            assert off == pytest.approx(np.tile(off[0].round(), (len(off), 1)))
            assert set(np.abs(off[0].round())) <= {1, 2}
        else:
            assert len(told) == len(found) - 1
        kinds.add(len(told))
    assert len(kinds) == 2


def test_neighbouring_frames_are_alike(drawn: Drawn) -> None:
    """Whoever trains on a sequence has nearly seen its other frames."""
    sequence = drawn.train["sequence"].to_numpy()
    small = np.array([cv2.resize(p, (8, 6)).ravel() for p in drawn.photos[:240]], float)
    away = np.linalg.norm(small[:, None] - small[None], axis=2)
    np.fill_diagonal(away, np.inf)
    assert (sequence[away.argmin(axis=1)] == sequence).mean() > 0.95


def test_masks_are_where_shapes_are() -> None:
    rng = np.random.default_rng(1)
    scene = Scene.draw(72, 96, rng)
    _, found = scene.frame(0, False, rng)
    disc = next(shape for shape in found if shape.number == 1)
    disc = changed(disc, at=np.array([48.0, 36.0]))
    mask = mask_of([disc], 72, 96)
    assert mask.sum() == pytest.approx(np.pi * disc.size**2, rel=0.05)
    ys, xs = np.nonzero(mask)
    assert (ys.mean() + 0.5, xs.mean() + 0.5) == pytest.approx((36, 48), abs=0.3)
    assert not mask_of([], 72, 96).any()


def test_the_same_seed_gives_the_same_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "SEQUENCES", 2)
    monkeypatch.setattr(shapes, "TEST_SEQUENCES", 1)
    one, again, other = (make_shapes(tmp_path / f"{i}", seed) for i, seed in enumerate((0, 0, 1)))
    files = [p.relative_to(one) for p in sorted(one.rglob("*")) if p.is_file()]
    assert len(files) == 2 * 3 * FRAMES + 5
    for file in files:
        assert (one / file).read_bytes() == (again / file).read_bytes(), file
    assert (one / "train/0000.png").read_bytes() != (other / "train/0000.png").read_bytes()
    digest = hashlib.sha256((folder / "train.csv").read_bytes()).hexdigest()[:16]
    assert digest == "00132032a386f848"
