"""The whole line with masks, through the command line: trained, promoted, blended, handed in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from results.ensemble.view_choice import ViewChoice
from results.ensemble.view_costs import ViewCosts
from results.leaderboard.entries import Postprocessed
from results.leaderboard.leaderboard import Leaderboard
from results.masks.label_map import label_map
from results.masks.postprocess import Form, Postprocess
from results.masks.processed_masks import processed
from results.masks.rle import decode
from results.predictions import OCCURS, Head, Predictions
from results.records.trials import Search
from search.competition import assessment
from search.competition.standing import open_standing
from search.competition.validation_scores import ValidationScores
from search.jobs.preparation import prepare
from search.options.analysis import TrustConfig
from search.options.command_line import parse
from search.options.training import TrainConfig
from search.promotion import chosen_views, views
from spaces.errors import InputError
from tests.commands import run
from tests.discs import CLASSES, discs
from trainables.inference.predict import predict

DATA = (
    "data=csv",
    "data.root=scenes",
    "data.name=scenes",
    "data.mask=mask",
    "data.background=ground",
    f"data.classes=[{','.join(CLASSES)}]",
    "data.group=sequence",
    "holdout.folds=4",
    "data.baseline.backbone=test_resnet",
    "data.baseline.decoder=pspnet",
    "data.baseline.decoder_width=0.25",
    "data.baseline.size=32",
    "data.baseline.epochs=2",
    "data.baseline.batch=8",
    "data.baseline.lr=5e-3",
    "data.baseline.aux_weight=0.2",
)


def done(folder: Path, name: str, *arguments: str) -> str:
    found = run(folder, name, *arguments)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of images at one size, and its promotion to two folds."""
    folder = tmp_path_factory.mktemp("masks")
    discs(folder / "scenes")
    done(folder, "train", *DATA, "name=t", "quiet=true")
    done(folder, "promote", "select=t-000", "folds=2", "force=try", "name=p", "quiet=true")
    return folder


@pytest.fixture(scope="module")
def windowed(folder: Path) -> Search:
    """A training on windows of images that keep their sizes."""
    plain = ("data.shape=native", "fix.aux_weight=0")
    done(folder, "train", *DATA, *plain, "name=w", "quiet=true")
    return Search.read(folder / "runs/scenes/w")


def test_a_promotion_leaves_masks_tables_and_pictures(folder: Path) -> None:
    promotion = Search.read(folder / "runs/scenes/p")
    (arm,) = promotion.arms
    place = promotion.folder
    oof = Predictions.read(place / f"oof-{arm}.npz")
    assert len(oof.images) == 16
    assert promotion.truth is not None
    again = promotion.truth.of(oof.images).counts(oof.masks)
    np.testing.assert_array_equal(oof.judged, again)
    for name in (f"oof-{arm}", f"test-{arm}", "test"):
        predictions = Predictions.read(place / f"{name}.npz")
        occurs = predictions.heads[OCCURS]
        assert isinstance(occurs, np.ndarray)
        assert occurs.shape == (len(predictions.images), len(CLASSES))
    table = pd.read_csv(place / f"classes-{arm}.csv")
    assert set(table["name"]) == {"disc", "bar"}
    assert {"iou", "dice", "boundary_f1", "pixels"} <= set(table)
    for picture in (f"worst-{arm}.png", f"classes-{arm}.png"):
        with Image.open(place / picture) as image:
            assert min(image.size) > 100


def test_what_is_handed_in_are_the_predicted_masks_at_the_images_own_sizes(folder: Path) -> None:
    done(folder, "submit", "select=promotion:p")
    board = Leaderboard.read(folder / "runs/scenes")
    (submission,) = [s for s in board.submissions.values() if s.trial == "p"]
    table = pd.read_csv(folder / submission.file, keep_default_na=False)
    assert list(table.columns) == ["image", "class", "rle"]
    stored = Predictions.read(folder / "runs/scenes/p/test.npz")
    for image, mask, size in zip(stored.images, stored.masks, stored.sizes, strict=True):
        height, width = map(int, size)
        labels = label_map(mask, height, width)
        with Image.open(folder / "scenes" / image) as picture:
            assert picture.size == (width, height)
        for index, name in ((1, "disc"), (2, "bar")):
            row = table[(table["image"] == image) & (table["class"] == name)]
            handed = decode(str(row["rle"].item()), height, width, "column")
            np.testing.assert_array_equal(handed, labels == index)
    told = done(folder, "score", "solution=scenes/solution.csv")
    assert "scored on 8 of 8 test images" in told


def test_a_blend_of_views(folder: Path) -> None:
    told = done(folder, "blend", "select=p", "views=[hflip,rotate180,hflip_scale_1.5]")
    assert "pixels of 16 images out of fold" in told
    assert "hflip_scale_1.5" in told
    assert " than out of fold (0." in told
    forecasts = done(folder, "forecast").splitlines()
    for name in ("p", "b001"):
        assert any(line.split()[:2] == [name, "several"] for line in forecasts), forecasts
    search = Search.read(folder / "runs/scenes/p")
    trial = next(iter(search.trials.values()))
    seen = Predictions.read(search.trial_folder(trial) / "test-hflip_scale_1.5.npz")
    assert {mask.shape for mask in seen.masks} == {(64, 64, 3)}  # of 32 x 32, in steps
    refused = run(folder, "blend", "select=p", "views=[scale_1.25]")
    assert refused.returncode == 2
    assert "32x32 is the same in multiples of 32 at that scale" in refused.stderr
    place = folder / "runs/scenes/blends/b001"
    oof, test = (Predictions.read(place / f"{part}.npz") for part in ("oof", "test"))
    assert oof.judged.shape[0] == 16
    assert len(test.masks) == 8
    assert "run lengths" not in done(folder, "submit", "select=blend:b001")


def test_what_views_auto_has_predicted_is_not_predicted_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = ["vflip", "rotate90", "rotate270"]
    costs = ViewCosts(seconds=1, views=dict.fromkeys(turned, 1.0))
    choice = ViewChoice(
        costs=costs,
        alone=dict.fromkeys(turned, (1.0, 0.1)),
        found=("rotate90",),
        gain=1,
        noise=0.1,
        flattery=0,
    )
    monkeypatch.setattr(chosen_views, "usable_views", lambda members: turned)
    monkeypatch.setattr(chosen_views, "choose_views", lambda *_: choice)
    predicted: list[str] = []

    def counted(*arguments: Any, view: str) -> dict[str, Head]:
        predicted.append(view)
        return predict(*arguments, view=view)

    monkeypatch.setattr(views, "predict", counted)
    done(folder, "blend", "select=p", "views=auto")
    # Held-out images by two models in each view, then test images in the one that was taken.
    assert predicted == [view for view in turned for _ in range(2)] + ["rotate90"] * 2
    trials = (folder / "runs/scenes/p/trials").iterdir()
    for trial in trials:
        left = {view for view in turned if (trial / f"holdout-{view}.npz").exists()}
        assert left == {"rotate90"}


@pytest.fixture(scope="module")
def cleaned(folder: Path) -> tuple[Predictions, Predictions]:
    """Test masks of a blend of two views, and of its post-processing ``m001``."""
    done(folder, "blend", "select=p", "views=[rotate180,hflip_scale_1.5]", "recipe=mean")
    place = folder / "runs/scenes"
    *_, name = Leaderboard.read(place).blends
    settings = Postprocess(weights=(0.001, 1.0, 1.0), components=(0.0, 0.01, 0.01))
    Leaderboard.read(place).add_postprocess(
        Postprocessed(
            postprocess="m000",
            source=f"blend:{name}",
            settings=settings,
            plain=0.5,
            honest=0.6,
            gain=10,
            low=1,
            high=19,
            images=16,
        )
    )
    blended = Predictions.read(place / f"blends/{name}/test.npz")
    return blended, processed(blended, settings, Form(classes=3, background=0))


def test_new_images_are_predicted_in_the_views_of_a_blend_and_processed(
    folder: Path, cleaned: tuple[Predictions, Predictions]
) -> None:
    told = done(folder, "predict", "images=scenes/test", "postprocess=m001", "to=cleaned")
    assert ", also in rotate180, hflip_scale_1.5 on cpu; m001: post-processed" in told
    assert "chosen with other views" not in told
    blended, after = cleaned
    moved = 0
    for image, mask, before in zip(after.images, after.masks, blended.masks, strict=True):
        with Image.open(folder / "cleaned" / Path(image).name) as picture:
            labels = np.asarray(picture)
        np.testing.assert_array_equal(labels, mask.argmax(axis=2))
        moved += int((labels != label_map(before, *labels.shape)).sum())
    assert moved > 0
    other = run(folder, "predict", "images=scenes/test", "promotion=p", "to=cleaned")
    assert re.search(r"it holds masks of b\d+-m001; name another folder", other.stderr)


@pytest.mark.slow
@pytest.mark.usefixtures("cleaned")
def test_an_export_carries_views_and_post_processing(folder: Path) -> None:
    told = done(folder, "export", "postprocess=m001", "to=cleaner")
    assert "pixels of 8 images the blended class" in told
    assert "registry: left out" in told
    written = json.loads((folder / "cleaner/model.json").read_text())
    assert [view for _, view in written["voices"]] == ["", "rotate180", "hflip_scale_1.5"]
    assert written["postprocess"]["components"] == [0.0, 0.01, 0.01]
    source = Leaderboard.read(folder / "runs/scenes").postprocesses["m001"].source
    assert f"blend:{written['blend']}" == source


@pytest.mark.slow
def test_an_export_writes_the_masks_that_were_stored(folder: Path) -> None:
    told = done(folder, "export", "promotion=p", "to=viewed", "views=[hflip,hflip_scale_1.5]")
    assert "all pixels of 8 images the blended class" in told
    told = done(folder, "export", "promotion=p", "to=model")
    assert "pixels of 8 images the stored class" in told
    assert "registry: left out" in told
    alone = subprocess.run(
        [sys.executable, "model/predict.py", "scenes/test", "--out", "alone"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert "8 images" in alone.stdout
    done(folder, "predict", "images=scenes/test", "promotion=p", "to=ours")
    again = done(folder, "predict", "images=scenes/test", "promotion=p", "to=ours")
    assert "going on after 8 images" in again
    for path in sorted((folder / "alone").glob("*.png")):
        with Image.open(path) as a, Image.open(folder / "ours" / path.name) as b:
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    for source in (folder / "model/portable").glob("*.py"):
        assert "from results" not in source.read_text()
        assert "import results" not in source.read_text()


def test_masks_of_another_promotion_are_not_mixed(folder: Path) -> None:
    (folder / "others").mkdir(exist_ok=True)
    (folder / "others/.promotion").write_text("q")
    found = run(folder, "predict", "images=scenes/test", "promotion=p", "to=others")
    assert found.returncode == 2
    assert "it holds masks of q; name another folder" in found.stderr


@pytest.mark.slow
def test_windows_are_predicted_at_the_images_own_sizes(windowed: Search) -> None:
    (trial,) = windowed.trials.values()
    assert trial.state == "finished"
    stored = Predictions.read(windowed.trial_folder(trial) / "holdout.npz")
    sizes = {tuple(map(int, size)) for size in stored.sizes}
    assert len(sizes) == 2
    shapes = {tuple(mask.shape[:2]) for mask in stored.masks}
    assert shapes == sizes


def test_how_many_images_are_scored_before_the_last_epoch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for asked, recorded in (("3", 3), ("-1", 0), ("0", 0), ("99", 99)):
        lines: list[str] = []
        options = ["data.shape=native", f"predict.scored_images={asked}", "name=x"]
        made = prepare(parse(TrainConfig, [*DATA, *options]), "train", say=lines.append)
        assert made.baseline.data.to_json()["scored_images"] == recorded
        told = any("3 of 8 held-out images are scored" in line for line in lines)
        assert told == (asked == "3")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["data.mask=msk"], "unknown column 'msk'"),
        (["data.background=sky"], "unknown class 'sky'"),
        (["data.classes=[a,b]"], "2 is the number of no class"),
        (["data.void=300"], "data.void=300: must be 0 to 255, the name of a class, or -1"),
        (["fix.decoder=unet2"], "unknown decoder 'unet2'"),
        (["fix.size=40"], "height and width must be multiples of 32"),
        (["data.shape=pad"], "data.shape=pad leaves out or adds"),
        (["predict.scored_images=8"], "images are not predicted in windows"),
        (["predict.scored_images=-2"], "predict.scored_images=-2: must be -1 or more"),
        (["metric=macro_f1"], "unknown metric 'macro_f1'"),
        (["predict.stress=auto"], "a stress moves images, and masks are not moved with them"),
        (["holdout.folds=20"], "there are only 8 groups"),
        (["data.mask=", "data.void=-1", "data.background="], "column 'label'"),
    ],
)
def test_bad_input_is_told_before_anything_runs(
    folder: Path, options: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=re.escape(words)):
        prepare(parse(TrainConfig, [*DATA, *options, "name=x"]), "train")
    assert not (folder / "runs/scenes/x").exists()


def test_relatives_are_told_by_how_far_masks_are_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as of classes of images, whose probabilities counts of pixels are not."""
    passed: dict[str, Any] = {}
    monkeypatch.setattr(assessment, "assess", lambda *_, **given: passed.update(given))
    standing = open_standing(TrustConfig(runs=str(folder / "runs")))
    assessment.assess_standing(standing, ValidationScores())
    assert passed["errors"] == standing.task.errors
