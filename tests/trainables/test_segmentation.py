"""Segmentation: from masks on the disk to predictions that are judged."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from results.masks.counts import VOID
from results.masks.metrics import MASK_METRICS
from results.predictions import Predictions
from spaces.errors import InputError
from spaces.sections.data import Data
from spaces.trial_config import TrialConfig
from tests.discs import SIZES
from trainables.data.contest import Contest
from trainables.data.folds import make_folds
from trainables.data.loader import TrainingLoader
from trainables.data.prepared_images import PreparedImages
from trainables.data.store_building import build_store
from trainables.data.training_set import training_set
from trainables.inference.parity import check_parity
from trainables.networks.networks import NETWORKS
from trainables.networks.timm_network import timm_network
from trainables.portable.preparation import Preparation
from trainables.tasks.segmentation import in_255ths, planes_of
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.mixings import MIXINGS


def test_the_store_keeps_masks_beside_images(
    scenes: Contest, squashed: TrainingContext, native: TrainingContext
) -> None:
    assert scenes.truth is not None
    masks = squashed.store.masks
    assert isinstance(masks, np.memmap)
    assert masks.shape == (32, 64, 64)
    whole = native.store
    assert whole.masks is not None
    for row in (0, 5, 30):
        np.testing.assert_array_equal(whole.masks[row], scenes.truth.masks[row])
        assert whole.pixels[row].shape == (*scenes.truth.masks[row].shape, 3)
        share = [(m[row] == 1).mean() for m in (masks, whole.masks)]
        assert share[0] == pytest.approx(share[1], abs=0.02)
    assert whole.sizes[:5].tolist() == [list(SIZES[0])] * 4 + [list(SIZES[1])]
    assert len(whole.pixels) == 40


def test_a_copy_of_a_store_has_its_masks(native: TrainingContext, tmp_path: Path) -> None:
    copy = native.store.copied_to(tmp_path)
    assert copy.masks is not None
    assert native.store.masks is not None
    np.testing.assert_array_equal(copy.masks[7], native.store.masks[7])


def test_groups_stay_whole_and_every_fold_shows_every_class(squashed: TrainingContext) -> None:
    folds, truth = squashed.folds, squashed.truth
    assert truth is not None
    for fold in range(4):
        held = folds.held_out(fold)
        assert (truth.pixels[held] > 0).any(axis=0).all()


def test_a_class_in_one_fold_only_is_refused(scenes: Contest) -> None:
    assert scenes.truth is not None
    masks = [np.where(m == 2, 0, m).astype(np.uint8) for m in scenes.truth.masks]
    masks[0][0, 0] = 2
    from results.masks.planes import Planes

    truth = dataclasses.replace(scenes.truth, masks=Planes.of(masks), digest="")
    with pytest.raises(InputError, match="class 'bar' has images in one fold only"):
        make_folds(dataclasses.replace(scenes, truth=truth), 4)


def test_a_mask_of_another_size_is_named(scenes: Contest, tmp_path: Path) -> None:
    from results.masks.planes import Planes

    assert scenes.truth is not None
    masks = list(scenes.truth.masks)
    masks[3] = masks[3][:, 1:]
    truth = dataclasses.replace(scenes.truth, masks=Planes.of(masks), digest="")
    with pytest.raises(InputError, match=r"003\.png \(training row 5\): its mask has 63 x 48"):
        build_store(dataclasses.replace(scenes, truth=truth), Preparation(side=32), tmp_path)


def test_planes_of_masks() -> None:
    masks = torch.tensor([[[0, 1], [2, VOID]]], dtype=torch.uint8)
    targets = torch.cat([torch.diag(torch.tensor([1.0, 0.5, 2.0])), torch.zeros(1, 3)])
    planes = planes_of(masks, targets)
    assert planes.shape == (1, 3, 2, 2)
    assert planes.sum(dim=1).tolist() == [[[1.0, 0.5], [2.0, 0.0]]]
    assert planes[0, 1].tolist() == [[0.0, 0.5], [0.0, 0.0]]


def test_batches_show_pictures_and_masks_that_belong_together(
    squashed: TrainingContext, native: TrainingContext, config: TrialConfig, windows: TrialConfig
) -> None:
    for made, context in ((config, squashed), (windows, native)):
        loader = TrainingLoader(made, context.store, training_set(made, context), 0)
        batch = next(iter(loader.epoch(1)))
        assert batch.masks is not None
        assert batch.masks.shape == (8, *made.data.size)
        pictures = batch.pictures.numpy().astype(int)
        reddish = pictures[..., 0] - pictures[..., 1] > 70
        found = reddish == (batch.masks.numpy() == 1)
        assert found[batch.masks.numpy() != VOID].mean() > 0.98


def test_rare_classes_can_weigh_more(squashed: TrainingContext, config: TrialConfig) -> None:
    even = training_set(config, squashed).pixels
    assert even is not None
    np.testing.assert_allclose(even, np.eye(4, 3))
    weighted = training_set(config.replace(weighting="balanced"), squashed).pixels
    assert weighted is not None
    assert weighted[2, 2] > 2 * weighted[0, 0]


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixing_moves_targets_with_the_pixels(mix: str, config: TrialConfig) -> None:
    np.random.seed(0)
    mixed = MIXINGS.of(config.replace(mix=mix).mix)(
        config.replace(mix=mix, mix_alpha=1.0), torch.nn.Identity()
    )
    red = torch.rand(8, 1, 32, 64) > 0.5
    images = red.float().repeat(1, 3, 1, 1)
    targets = torch.cat([1 - red.float(), red.float(), torch.zeros(8, 1, 32, 64)], dim=1)
    seen, wanted = mixed(images.clone(), targets, None)
    torch.testing.assert_close(wanted[:, 1], seen[:, 0])
    torch.testing.assert_close(wanted.sum(dim=1), torch.ones(8, 32, 64))
    assert not torch.equal(seen, images)


@pytest.mark.parametrize("kind", ["squashed", "native"])
def test_a_training_learns_is_judged_and_repeats(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    context: TrainingContext = request.getfixturevalue(kind)
    made: TrialConfig = request.getfixturevalue("config" if kind == "squashed" else "windows")
    reports = [epoch.report for epoch in fit(made, context, tmp_path / "a")]
    assert reports[1]["metrics"]["train/loss"] < reports[0]["metrics"]["train/loss"]
    assert "val/boundary_f1" not in reports[0]["metrics"]
    assert "val/boundary_f1" in reports[1]["metrics"]
    holdout = Predictions.read(tmp_path / "a" / "holdout.npz")
    assert context.truth is not None
    again = context.truth.of(holdout.images).counts(holdout.masks)
    np.testing.assert_array_equal(holdout.judged, again)
    score = MASK_METRICS["mean_iou"].score(np.zeros(len(again), np.int64), again)
    assert reports[1]["metrics"]["val/mean_iou"] == pytest.approx(score)
    list(fit(made, context, tmp_path / "b"))
    for part in ("holdout", "test"):
        ours, theirs = (Predictions.read(tmp_path / f / f"{part}.npz") for f in ("a", "b"))
        assert ours.images == theirs.images
        for a, b in zip(ours.masks, theirs.masks, strict=True):
            np.testing.assert_array_equal(a, b)


def test_an_interrupted_training_goes_on_to_the_same_masks(
    squashed: TrainingContext, config: TrialConfig, tmp_path: Path
) -> None:
    list(fit(config, squashed, tmp_path / "whole"))
    next(iter(fit(config, squashed, tmp_path / "cut")))
    list(fit(config, squashed, tmp_path / "cut"))
    ours, theirs = (Predictions.read(tmp_path / f / "holdout.npz") for f in ("whole", "cut"))
    assert len(ours.masks) == 8
    for a, b in zip(ours.masks, theirs.masks, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["squashed", "native"])
def test_files_reproduce_what_was_predicted(
    kind: str, request: pytest.FixtureRequest, scenes: Contest, tmp_path: Path
) -> None:
    context: TrainingContext = request.getfixturevalue(kind)
    made: TrialConfig = request.getfixturevalue("config" if kind == "squashed" else "windows")
    list(fit(made, context, tmp_path))
    preparation = Preparation.of(made.data.to_json())
    images = PreparedImages(files=scenes.files, boxes={}, preparation=preparation)
    build = functools.partial(context.task.network, own={})
    off = check_parity(made, tmp_path, images, scenes.classes, build, context.task)
    assert off <= 1 / 255


@pytest.mark.parametrize("view", ["", "hflip", "vflip", "rotate90", "rotate180", "rotate270"])
def test_views_are_undone(view: str, squashed: TrainingContext) -> None:
    from results.masks.planes import Planes
    from trainables.inference.views import look_at

    mask = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    seen = Planes.of([look_at(mask, view, Data())])
    back = squashed.task.undo(view, seen)
    assert isinstance(back, Planes)
    np.testing.assert_array_equal(back[0], mask)


def test_probabilities_in_255ths() -> None:
    put = np.array([[[[0.0, 0.5]], [[1.0, 0.5]]]], np.float32)
    assert in_255ths(put).tolist() == [[[[0, 255], [128, 128]]]]


@pytest.mark.parametrize(
    "decoder",
    ["unet", "unetplusplus", "fpn", "deeplabv3plus", "pspnet", "manet", "linknet", "segformer",
     "upernet"],
)  # fmt: skip
def test_every_decoder_takes_a_backbone(decoder: str, config: TrialConfig) -> None:
    made = config.replace(decoder=decoder, decoder_width=0.5, dropout=0.1)
    network = NETWORKS.of(made.model)(made, 3)
    with torch.no_grad():
        assert network.eval()(torch.zeros(2, 3, 32, 64)).shape == (2, 3, 32, 64)


@pytest.mark.parametrize(
    "backbone", ["hrnet_w18_small", "swin_tiny_patch4_window7_224", "pvt_v2_b0"]
)
def test_backbones_of_other_shapes_are_encoders(backbone: str, config: TrialConfig) -> None:
    """Also those that are built for images of one size, which is that of the configuration."""
    made = config.replace(backbone=backbone, decoder="unet")
    with torch.device("meta"):
        network = NETWORKS.of(made.model)(made, 3).eval()
        assert network(torch.zeros(2, 3, 32, 64)).shape == (2, 3, 32, 64)


def test_a_backbone_that_no_decoder_takes(config: TrialConfig) -> None:
    made = config.replace(backbone="vit_tiny_patch16_224", decoder="unet")
    with pytest.raises(InputError, match="does not go with decoder=unet"):
        NETWORKS.of(made.model)(made, 3)


def test_weights_of_a_whole_backbone_begin_the_encoder(config: TrialConfig, tmp_path: Path) -> None:
    for name in ("test_resnet", "convnext_atto"):
        whole = timm_network(TrialConfig.of(backbone=name), 7)
        path = tmp_path / f"{name}.safetensors"
        save_file(whole.state_dict(), path)
        made = config.replace(backbone=name, decoder="fpn", weights=str(path))
        network = NETWORKS.of(made.model)(made, 3)
        with torch.no_grad():
            ours = network.eval().get_submodule("encoder.model")(torch.ones(1, 3, 64, 64))[-1]
            theirs = whole.eval().forward_features(torch.ones(1, 3, 64, 64))  # type: ignore[operator]
        if name == "test_resnet":
            torch.testing.assert_close(ours, theirs)
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"other\.safetensors does not fit 'test_resnet'"):
        NETWORKS.of(made.model)(config.replace(weights=str(tmp_path / "other.safetensors")), 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "timm"}, "model=timm tells classes of whole images"),
        ({"size": 40}, "size=40x40: height and width must be multiples of 32"),
        ({"action": "mixmatch", "mix": "none"}, "action=mixmatch is for classes of images"),
        ({"mix": "snapmix"}, "mix=snapmix is for classes of images"),
        ({"shape": "crop", "size": "32x32"}, "data.shape=crop leaves out"),
    ],
)
def test_what_does_not_suit_masks(
    changes: dict[str, object], words: str, config: TrialConfig
) -> None:
    with pytest.raises(InputError, match=words):
        TRAINING_TASKS["segmentation"].check(config.replace(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "smp"}, "model=smp makes masks: data.mask="),
        ({"loss": "dice"}, "loss=dice is for masks"),
        ({"framing": "windows", "shape": "native"}, "data.shape=native is for masks"),
    ],
)
def test_what_does_not_suit_classes_of_images(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TRAINING_TASKS["classification"].check(TrialConfig.of(**changes))
