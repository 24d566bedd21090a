"""Class activation maps as starting masks: where they lie, what is written, what is refused."""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from results.masks.counts import VOID
from results.records.ledger import Ledger
from search.competition import starting_masks
from search.competition.starting_masks import mask_of
from search.jobs.preparation import prepare
from search.options.command_line import parse
from search.options.training import TrainConfig
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.commands import run
from tests.mask_promotion import mask_promotion, sure
from tests.records import ended, job_event, started
from trainables.inference.activation_maps import activation_maps
from trainables.networks.timm_network import timm_network
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import fit

SIZES = ((40, 56), (48, 48))


def blobs(folder: Path) -> Path:
    """Images of one disc or one bar each, or of nothing; three classes, no masks."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows: dict[str, list[tuple[str, ...]]] = {"train": [], "test": []}
    for number in range(36):
        height, width = SIZES[number % 2]
        picture = np.full((height, width, 3), 90, np.uint8)
        kind = ("disc", "bar", "empty")[number % 3]
        across, down = int(rng.integers(10, width - 10)), int(rng.integers(10, height - 10))
        if kind == "disc":
            cv2.circle(picture, (across, down), 8, (220, 60, 60), -1)
        elif kind == "bar":
            picture[down : down + 5] = (60, 220, 60)
        noise = rng.integers(0, 8, picture.shape, dtype=np.uint8)  # no file is there twice
        picture += noise
        part = "train" if number < 30 else "test"
        name = f"{number:02d}.png"
        (folder / part).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / part / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        rows[part].append((name, kind, f"s{number // 3}"))
    table = pd.DataFrame(rows["train"], columns=["image", "label", "scene"])
    table.to_csv(folder / "train.csv", index=False)
    names = [name for name, *_ in rows["test"]]
    pd.DataFrame({"image": names}).to_csv(folder / "test.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contest and the record of a training of an epoch."""
    folder = tmp_path_factory.mktemp("cams")
    blobs(folder / "blobs")
    options = [
        "data=csv",
        f"data.root={folder / 'blobs'}",
        "data.train_images=train",
        "data.test_images=test",
        "data.group=scene",
        "holdout.folds=3",
        "data.baseline.backbone=test_resnet",
        "data.baseline.size=32",
        "epochs=1",
        "data.baseline.batch=8",
        f"runs={folder / 'runs'}",
        "name=t",
    ]
    made = prepare(parse(TrainConfig, options), "train")
    context = TrainingContext(
        store=made.store, folds=made.folds, classes=made.job.classes, metric=made.metric
    )
    place = Path(made.job.folder)
    with contextlib.closing(Ledger(place / "ledger.jsonl")) as ledger:
        ledger.add(made.opening)
        ledger.add(started("t-000", made.baseline, why="single"))
        for epoch in fit(made.baseline, context, place / "trials/t-000"):
            ledger.add(job_event("epoch", trial="t-000", report=epoch.report))
        ledger.add(ended("t-000"))
    return folder


def colourful(
    model: torch.nn.Module, pictures: torch.Tensor, labels: Any, device: Device
) -> NDArray[np.float32]:
    """A map that is 1 where red and green differ, 0 elsewhere."""
    apart = (pictures[..., 0].float() - pictures[..., 1].float()).abs()
    return (apart > 60).float().numpy()


def test_what_is_written_is_a_contest_of_masks(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting_masks, "activation_maps", colourful)
    to = tmp_path / "rough"
    found = run(trained, "cams", f"to={to}", "background=[empty]", "json=true")
    assert found.returncode == 0, found.stderr
    out = found.stdout
    assert "masks of 30 images by maps of t-000" in out
    table = pd.read_csv(to / "train.csv")
    labels = pd.read_csv(trained / "blobs/train.csv")
    assert table["image"].tolist() == labels["image"].tolist()
    assert table["group"].tolist() == labels["scene"].tolist()
    for row, (mask, label) in enumerate(zip(table["mask"], labels["label"], strict=True)):
        with Image.open(to / mask) as image:
            pixels = np.asarray(image)
        assert pixels.shape == SIZES[row % 2]
        number = {"bar": 1, "disc": 2, "empty": 0}[label]
        assert set(np.unique(pixels).tolist()) <= {0, number, VOID}
        with Image.open(trained / "blobs/train" / table["image"][row]) as image:
            red, green, _ = np.moveaxis(np.asarray(image).astype(int), 2, 0)
        shown = np.abs(red - green) > 60
        inside = (pixels == number) if number else np.zeros_like(shown)
        assert (inside & shown).sum() >= 0.6 * (inside | shown).sum()
    assert json.loads(out.splitlines()[-1])["path"] == str(to)
    (command,) = [line for line in out.splitlines() if "search.train" in line]
    asked = [word for word in shlex.split(command) if word.startswith("data")]
    options = [*asked, f"runs={tmp_path / 'runs'}", "name=x", "holdout.folds=3"]
    options += ["fix.backbone=test_resnet", "fix.decoder=pspnet", "fix.size=32"]
    made = prepare(parse(TrainConfig, options), "train")
    assert made.job.classes == ("background", "bar", "disc")
    assert len(made.contest.test_images) == 6
    assert made.contest.groups is not None


def test_what_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for options, words in (
        ([f"to={tmp_path / 'there'}"], "is there already; name another folder"),
        ([f"to={tmp_path / 'no/where'}"], "there is no folder"),
        (["background=[emty]"], "unknown class 'emty'"),
        (["background=[empty,bar,disc]"], "no class is left"),
        (["select=t-001"], "unknown finished trial 't-001'"),
        (["low=0.5"], "high=0.4: must be from low=0.5 to 1"),
    ):
        found = run(trained, "cams", *options)
        assert found.returncode == 2
        assert words in found.stderr
    assert not (trained / "runs/blobs/cams").is_dir() or not any(
        (trained / "runs/blobs/cams").iterdir()
    )
    mask_promotion(tmp_path / "m", lambda row, mask: sure(mask))
    found = run(tmp_path / "m", "cams")
    assert found.returncode == 2
    assert "discs has masks already" in found.stderr


def test_a_network_without_maps_is_named(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments: Any) -> NDArray[np.float32]:
        raise InputError("no maps")

    monkeypatch.setattr(starting_masks, "activation_maps", none)
    found = run(trained, "cams", "to=nothing")
    assert found.returncode == 2
    assert "t-000, test_resnet: no maps" in found.stderr
    assert not [path for path in trained.iterdir() if "nothing" in path.name]


def test_a_map_becomes_a_class_its_surroundings_and_the_unknown_between() -> None:
    found = np.zeros((4, 4), np.float32)
    found[1, 1] = 1
    mask = mask_of(found, 3, 40, 40, low=0.2, high=0.6)
    assert mask[14, 14] == 3
    assert mask[35, 35] == 0
    assert (mask == VOID).any()
    line = mask[14]
    steps = line[np.flatnonzero(np.diff(line.astype(int), prepend=-1))]
    assert steps.tolist() in ([0, VOID, 3, VOID, 0], [VOID, 3, VOID, 0])
    np.testing.assert_array_equal(
        mask_of(found * np.float32(0.25), 3, 40, 40, low=0.2, high=0.6), mask
    )
    assert (mask_of(found * 0, 3, 40, 40, low=0.2, high=0.6) == VOID).all()
    assert not mask_of(found, 0, 40, 40, low=0.2, high=0.6).any()
    assert VOID not in mask_of(found, 3, 40, 40, low=0.4, high=0.4)


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "test_efficientnet"])
def test_a_map_is_of_the_class_and_lies_where_it_speaks(name: str) -> None:
    torch.manual_seed(0)
    config = TrialConfig.of(backbone=name, size=64)
    model = timm_network(config, 3).eval()
    pictures = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    device = Device.pick(config)
    maps = [activation_maps(model, pictures, np.full(2, c), device) for c in (0, 1)]
    assert maps[0].shape == (2, 2, 2)
    assert not np.array_equal(maps[0], maps[1])
    for found in maps:
        assert found.min() >= 0
        assert set(found.reshape(2, -1).max(axis=1).tolist()) <= {0.0, 1.0}


def test_where_features_are_pooled_it_is_the_plain_map() -> None:
    model: Any = timm_network(TrialConfig.of(backbone="resnet18", size=64), 3).eval()
    pictures = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    device = Device.pick(TrialConfig())
    from trainables.inference.predict import to_input

    with torch.no_grad():
        features = model.forward_features(to_input(pictures, model, device))
        weight = model.fc.weight[2] - model.fc.weight.mean(dim=0)
        plain = torch.relu(torch.einsum("nchw,c->nhw", features, weight)).numpy()
    plain = plain / np.maximum(plain.max(axis=(1, 2), keepdims=True), 1e-12)
    found = activation_maps(model, pictures, np.full(2, 2), device)
    np.testing.assert_allclose(found, plain, atol=1e-5)


def test_networks_without_places_have_no_maps() -> None:
    device = Device.pick(TrialConfig())
    model = timm_network(TrialConfig.of(backbone="test_vit", size=160), 3).eval()
    pictures = torch.zeros(1, 160, 160, 3, dtype=torch.uint8)
    with pytest.raises(InputError, match="need features in their places"):
        activation_maps(model, pictures, np.zeros(1, np.int64), device)
    with pytest.raises(InputError, match="need one of timm's networks"):
        activation_maps(torch.nn.Identity(), pictures, np.zeros(1, np.int64), device)
