"""Losses over masks: against segmentation_models_pytorch and plain loops, with void and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.errors import InputError
from spaces.sections.loss import Loss
from spaces.trial_config import TrialConfig
from trainables.losses.losses import LOSSES
from trainables.losses.losses import Loss as Function
from trainables.losses.smoothing import smoothed

# isort: split
from segmentation_models_pytorch import losses as smp

CLASSES, VOID = 4, 255
MASK_LOSSES = ["dice", "jaccard", "lovasz", "tversky", "boundary"]
EVERY = [*LOSSES]


def built(kind: str, **settings: Any) -> Function:
    config = TrialConfig.of(loss=kind, **settings)
    return LOSSES.of(config.loss)(config)


def batch(seed: int = 0, void: float = 0.2, classes: int = CLASSES) -> Any:
    """Logits, class indices with void, and targets."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, classes, 7, 9, generator=generator)
    labels = torch.randint(0, classes - 1, (2, 7, 9), generator=generator)  # the last has none
    labels[torch.rand(labels.shape, generator=generator) < void] = VOID
    known = labels != VOID
    targets = functional.one_hot(labels * known, classes).movedim(3, 1) * known[:, None]
    return logits, labels, targets.float()


def overlapping(seed: int = 0) -> Any:
    """Logits, labels (n, classes, h, w) with void, and targets of either side."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, CLASSES, 7, 9, generator=generator)
    labels = torch.randint(0, 2, logits.shape, generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = VOID
    return logits, labels, torch.stack([labels == 1, labels == 0], dim=2).float()


THEIRS: dict[str, Callable[..., Any]] = {
    "dice": lambda **k: smp.DiceLoss(**k),
    "jaccard": lambda **k: smp.JaccardLoss(**k),
    "lovasz": lambda **k: smp.LovaszLoss(**k),
    "tversky": lambda **k: smp.TverskyLoss(alpha=0.3, beta=0.7, **k),
}


@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("void", [0.0, 0.3])
def test_areas_are_those_of_segmentation_models(kind: str, void: float) -> None:
    """Theirs is divided by all classes, ours by those that are there; Lovász's by these."""
    logits, labels, targets = batch(1, void)
    theirs = THEIRS[kind](mode="multiclass", ignore_index=VOID)(logits, labels)
    present = CLASSES - 1
    expected = theirs if kind == "lovasz" else theirs * CLASSES / present
    found = built(kind, entropy_share=0)(logits, targets)
    assert found == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("kind", ["dice", "jaccard", "tversky"])
def test_areas_of_overlapping_classes_are_those_of_segmentation_models(kind: str) -> None:
    logits, labels, targets = overlapping()
    theirs = THEIRS[kind](mode="multilabel", ignore_index=VOID)(logits, labels)
    assert built(kind, entropy_share=0)(logits, targets) == pytest.approx(float(theirs), abs=1e-6)


def test_lovasz_hinges_of_overlapping_classes_are_those_of_segmentation_models() -> None:
    """One class at a time; theirs takes all classes for one."""
    logits, labels, targets = overlapping()
    theirs = smp.LovaszLoss(mode="binary", ignore_index=VOID)
    expected = sum(float(theirs(logits[:, [c]], labels[:, [c]])) for c in range(CLASSES)) / CLASSES
    found = built("lovasz", entropy_share=0)(logits, targets)
    assert found == pytest.approx(expected, abs=1e-5)
    nothing = targets.clone()
    nothing[:, 0, 1] += nothing[:, 0, 0]
    nothing[:, 0, 0] = 0  # the first class is nowhere
    labels[:, 0][labels[:, 0] == 1] = 0
    expected = sum(float(theirs(logits[:, [c]], labels[:, [c]])) for c in range(CLASSES)) / CLASSES
    assert built("lovasz", entropy_share=0)(logits, nothing) == pytest.approx(expected, abs=1e-5)


def test_focal_tversky_is_a_power_of_each_class() -> None:
    logits, _, targets = batch(2)
    shares = torch.softmax(logits, 1) * targets.sum(1, keepdim=True)
    each = []
    for c in range(CLASSES - 1):
        both = (shares[:, c] * targets[:, c]).sum()
        extra, missed = shares[:, c].sum() - both, targets[:, c].sum() - both
        each.append((1 - both / (both + 0.2 * extra + 0.9 * missed)) ** 0.75)
    found = built(
        "tversky", entropy_share=0, tversky_alpha=0.2, tversky_beta=0.9, tversky_gamma=0.75
    )(logits, targets)
    assert found == pytest.approx(float(sum(each)) / len(each), abs=1e-6)


@pytest.mark.parametrize("kind", ["dice", "jaccard", "lovasz", "tversky"])
def test_cross_entropy_stands_beside_areas(kind: str) -> None:
    logits, labels, targets = batch(3)
    entropy = functional.cross_entropy(logits, labels, ignore_index=VOID)
    assert built(kind, entropy_share=1)(logits, targets) == pytest.approx(float(entropy), abs=1e-6)
    alone = built(kind, entropy_share=0)(logits, targets)
    both = built(kind, entropy_share=0.25)(logits, targets)
    assert both == pytest.approx(float(0.25 * entropy + 0.75 * alone), abs=1e-6)


def test_pixels_are_the_mean_of_those_that_count() -> None:
    logits, labels, targets = batch(4)
    expected = functional.cross_entropy(logits, labels, ignore_index=VOID)
    assert built("cross_entropy")(logits, targets) == pytest.approx(float(expected), abs=1e-6)
    assert built("focal", gamma=0)(logits, targets) == pytest.approx(float(expected), abs=1e-6)
    known = labels != VOID
    rows = logits.movedim(1, 3)[known], labels[known]
    expected = functional.cross_entropy(*rows, reduction="none")
    expected = (expected * (1 - torch.exp(-expected)) ** 2).mean()
    assert built("focal", gamma=2)(logits, targets) == pytest.approx(float(expected), abs=1e-6)
    sides = functional.one_hot(rows[1], CLASSES).float()
    expected = CLASSES * functional.binary_cross_entropy_with_logits(rows[0], sides)
    assert built("binary")(logits, targets) == pytest.approx(float(expected), abs=1e-6)


def test_classes_that_overlap_are_each_against_all_else() -> None:
    logits, labels, targets = overlapping()
    known = labels != VOID
    expected = functional.binary_cross_entropy_with_logits(logits[known], labels[known].float())
    assert built("cross_entropy")(logits, targets) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("form", ["exclusive", "overlapping"])
def test_void_counts_for_nothing_and_gradients_are_finite(kind: str, form: str) -> None:
    logits, labels, targets = batch(5) if form == "exclusive" else overlapping(5)
    void = (labels == VOID)[:, None].expand_as(logits) if form == "exclusive" else labels == VOID
    loss = built(kind)
    found = loss(logits.requires_grad_(), targets)
    (slope,) = torch.autograd.grad(found, logits)
    assert slope.isfinite().all()
    assert slope.abs().sum() > 0
    assert (slope[void] == 0).all()
    other = torch.where(void, 100 * torch.randn_like(logits), logits)
    assert loss(other, targets).item() == pytest.approx(found.item(), rel=1e-5)
    twice = loss(torch.cat([logits, logits]), torch.cat([targets, 0 * targets]))
    assert twice.item() == pytest.approx(found.item(), rel=1e-5)
    nothing = loss(logits, 0 * targets)
    assert nothing.isfinite()
    assert not torch.autograd.grad(nothing, logits)[0].any()


@pytest.mark.parametrize("kind", EVERY)
def test_extreme_logits_have_finite_gradients(kind: str) -> None:
    _, _, targets = batch(6)
    for scale in (100.0, -100.0):  # all right, all wrong
        certain = (scale * (2 * targets - 1)).requires_grad_()
        (slope,) = torch.autograd.grad(built(kind)(certain, targets), certain)
        assert slope.isfinite().all()


@pytest.mark.parametrize("kind", ["dice", "jaccard", "tversky", "lovasz"])
def test_weights_are_repeated_pixels_and_soft_targets_are_best_predicted(kind: str) -> None:
    logits, _, targets = batch(7)
    loss = built(kind, entropy_share=0)
    doubled = targets * torch.tensor([1.0, 2.0])[:, None, None, None]
    repeated = loss(torch.cat([logits, logits[1:]]), torch.cat([targets, targets[1:]]))
    assert loss(logits, doubled) == pytest.approx(float(repeated), abs=1e-6)
    soft = torch.softmax(logits, dim=1)
    assert loss(logits, soft) == pytest.approx(0, abs=1e-6)


def test_pixels_beside_boundaries_count_more() -> None:
    logits = torch.randn(1, 2, 8, 12, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(1, 8, 12, dtype=torch.long)
    labels[..., 6:] = 1
    labels[:, 6:] = VOID
    known = labels != VOID
    targets = (functional.one_hot(labels * known, 2).movedim(3, 1) * known[:, None]).float()
    each = functional.cross_entropy(logits, labels * known, reduction="none")
    weights = torch.ones(8, 12)
    weights[:, 4:8] = 3  # two to each side; what is void makes no boundary
    weights[6:] = 0
    expected = (weights * each[0]).sum() / weights.sum()
    found = built("boundary", boundary_weight=3, boundary_width=2)(logits, targets)
    assert found == pytest.approx(float(expected), abs=1e-6)
    plain = built("boundary", boundary_weight=1)(logits, targets)
    assert plain == pytest.approx(float(built("cross_entropy")(logits, targets)), abs=1e-6)


def test_losses_of_whole_images_are_what_they_were_bit_for_bit() -> None:
    logits = torch.randn(33, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.softmax(3 * torch.randn(33, 5), 1) * torch.rand(33, 1)
    wanted, weights = smoothed(targets, 0.1), targets.sum(dim=1, keepdim=True)
    smooth = {"label_smoothing": 0.1}
    entropy = functional.cross_entropy(logits, wanted)
    assert built("cross_entropy", **smooth)(logits, targets) == entropy
    logs = torch.log_softmax(logits, dim=1)
    doubt = (-torch.expm1(logs)).clamp_min(torch.finfo(logs.dtype).eps)
    focal = -(wanted * doubt**2.0 * logs).sum(dim=1).mean()
    assert built("focal", **smooth)(logits, targets) == focal
    sides = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    each = -(wanted * sides[0] + (weights - wanted) * sides[1])
    assert built("binary", **smooth)(logits, targets) == each.sum(dim=1).mean()
    shares, here = torch.softmax(logits, dim=1), targets.sum(dim=0)
    scores = 2 * (shares * targets).sum(dim=0) / ((shares * weights).sum(dim=0) + here)
    f1 = (scores * (here > 0)).sum() / (here > 0).sum()
    assert built("soft_f1", **smooth)(logits, targets) == 0.5 * (1 - f1) + 0.5 * entropy


@pytest.mark.parametrize("kind", EVERY)
def test_losses_for_masks_only_say_so(kind: str) -> None:
    settings = TrialConfig.of(loss=kind).loss
    assert isinstance(settings, Loss)
    assert settings.for_masks == (kind in MASK_LOSSES)


def test_a_sum_is_of_losses_that_stand_alone_in_it() -> None:
    logits, _, targets = batch()
    terms = "cross_entropy + 0.5 dice+2*tversky"
    settings = {"tversky_alpha": 0.6, "label_smoothing": 0.1}
    added = built("sum", terms=terms, **settings)(logits, targets)
    by_hand = (
        built("cross_entropy", label_smoothing=0.1)(logits, targets)
        + 0.5 * built("dice", entropy_share=0.0)(logits, targets)
        + 2 * built("tversky", entropy_share=0.0, tversky_alpha=0.6)(logits, targets)
    )
    assert torch.allclose(added, by_hand)
    alone = built("sum", terms="soft_f1")(logits, targets)
    assert torch.allclose(alone, built("soft_f1", f1_share=1.0)(logits, targets))
    for terms, masks in (("focal + dice", True), ("focal + soft_f1", False)):
        settings_of = TrialConfig.of(loss="sum", terms=terms).loss
        assert isinstance(settings_of, Loss)
        assert settings_of.for_masks == masks


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss": "sum", "terms": "dise"}, "unknown loss 'dise'"),
        ({"loss": "sum", "terms": "sum"}, "unknown loss 'sum'"),
        ({"loss": "sum", "terms": "dice + -1 focal"}, "'-1 focal' is no term"),
        ({"loss": "sum", "terms": "dice +"}, "'' is no term"),
        ({"loss": "sum", "terms": "dice + dice"}, "dice once"),
        ({"loss": "sum", "terms": "0 dice"}, "a weight above 0"),
        ({"loss": "sum", "terms": "focal", "gamma": -1.0}, "gamma must be within 0 to 10"),
        ({"loss": "dice", "entropy_share": 1.5}, "entropy_share must be within 0 to 1"),
        ({"loss": "tversky", "tversky_alpha": 0.0}, "tversky_alpha must be above 0"),
        ({"loss": "tversky", "tversky_gamma": 0.0}, "tversky_gamma must be within"),
        ({"loss": "boundary", "boundary_weight": 0.5}, "boundary_weight must be within 1"),
        ({"loss": "boundary", "boundary_width": 0}, "boundary_width must be within 1"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrialConfig.of(**settings)
