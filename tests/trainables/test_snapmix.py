"""SnapMix by hand: attention maps, patches, and how much either label counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import timm_network
from trainables.training.attention import attention, check_attention
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.mixings import MIXINGS
from trainables.training.snapmix import mixed


class Pixels(torch.nn.Module):
    """Features of an image are its pixels."""

    def __init__(self, weights: list[list[float]]) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3, affine=False)
        self.head = torch.nn.Linear(3, len(weights))
        self.head.weight.data = torch.tensor(weights)
        self.shown = self.norm.training

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        self.shown = self.norm.training
        self.norm(images)
        return images

    def get_classifier(self) -> torch.nn.Module:
        return self.head


RED = torch.tensor([[1.0, 2.0], [0.0, 5.0]])


def images_of(*reds: torch.Tensor) -> torch.Tensor:
    zeros = torch.zeros_like(reds[0])
    return torch.stack([torch.stack([red, zeros, zeros]) for red in reds])


def test_attention_by_hand() -> None:
    """Class 0 looks for red, 2 for the lack of it; of a map the least is taken away."""
    model = Pixels([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    targets = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0], [0.5, 0, 0.5]])
    found = attention(model, images_of(RED, RED, RED, RED), targets)
    # 2, 4, 0, 10 of 16; then 4, 3, 5, 0 of 12; then no green anywhere; then half of 2 - 1.
    torch.testing.assert_close(found[0], torch.tensor([[2.0, 4], [0, 10]]) / 16)
    torch.testing.assert_close(found[1], torch.tensor([[4.0, 3], [5, 0]]) / 12)
    torch.testing.assert_close(found[2], torch.full((2, 2), 0.25))
    torch.testing.assert_close(found[3], RED / 8)


def test_attention_has_the_size_of_the_image_and_counts_what_is_above_zero() -> None:
    class Coarse(Pixels):
        def forward_features(self, images: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.avg_pool2d(images, 4) - 1

    images = images_of(RED.repeat_interleave(8, 0).repeat_interleave(8, 1))
    found = attention(Coarse([[1.0, 1, 1]]), images, torch.ones(1, 1))
    assert found.shape == (1, 16, 16)
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)
    assert int(found.argmax()) // 16 >= 8  # the quarter with 5
    assert float(found[0, :6, :6].max()) == 0  # a pixel of 1 less 1


def test_attention_leaves_the_network_as_it_is() -> None:
    model = Pixels([[1.0, 0, 0]])
    model.train()
    model.head.training = False  # such as a part that is frozen
    attention(model, images_of(RED, RED), torch.ones(2, 1))
    assert model.shown is False
    assert [m.training for m in (model, model.norm, model.head)] == [True, True, False]
    assert int(model.norm.num_batches_tracked or 0) == 0
    assert model.head.weight.grad is None


def test_patches_and_labels_by_hand() -> None:
    """The upper left quarter of each shows the lower row, two pixels, of the other."""
    first = torch.arange(16.0).reshape(4, 4)
    images = images_of(first, first + 100)
    before = images.clone()
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    maps = torch.zeros(2, 4, 4)
    maps[0, 0, 0], maps[0, 1, 1], maps[0, 3, 0], maps[0, 2, 3] = 0.1, 0.2, 0.3, 0.4
    maps[1, 0, 1], maps[1, 3, 1], maps[1, 3, 3] = 0.6, 0.15, 0.25
    covered, shown = (slice(0, 2), slice(0, 2)), (slice(3, 4), slice(0, 2))
    seen, wanted = mixed(images, targets, maps, covered, shown)
    torch.testing.assert_close(images, before)
    expected = before[:, 0].clone()
    expected[0, :2, :2] = torch.tensor([112.0, 113.0])
    expected[1, :2, :2] = torch.tensor([12.0, 13.0])
    torch.testing.assert_close(seen[:, 0], expected)
    # Of itself the first keeps 1 - 0.1 - 0.2 and gets 0.15; the second keeps 1 - 0.6, gets 0.3.
    torch.testing.assert_close(wanted, torch.tensor([[0.7, 0.15], [0.3, 0.4]]))


def test_labels_that_are_alike_add_up() -> None:
    maps = torch.full((2, 2, 2), 0.25)
    targets = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    half, row = (slice(0, 2), slice(0, 1)), (slice(0, 1), slice(0, 2))
    _, wanted = mixed(images_of(RED, RED), targets, maps, half, row)
    torch.testing.assert_close(wanted, torch.tensor([[0.0, 1.0], [0.0, 1.0]]))
    quarter = (slice(0, 1), slice(0, 1))
    _, wanted = mixed(images_of(RED, RED), targets, maps, half, quarter)
    torch.testing.assert_close(wanted[:, 1], torch.tensor([0.75, 0.75]))  # less than one image


def test_an_empty_patch_changes_nothing() -> None:
    images, targets = images_of(RED, RED + 1), torch.eye(2)
    some, none = (slice(0, 1), slice(0, 2)), (slice(1, 1), slice(0, 2))
    for covered, shown in ((some, none), (none, some)):
        seen, wanted = mixed(images, targets, torch.full((2, 2, 2), 0.25), covered, shown)
        assert seen is images
        assert wanted is targets


def test_so_many_batches_are_mixed_and_draws_repeat() -> None:
    config = TrialConfig.of(mix="snapmix", mix_alpha=5.0, mix_probability=0.4, batch=2)
    mix = MIXINGS.of(config.mix)(config, Pixels([[1.0, 0, 0], [0.0, 1.0, 0]]))
    images, targets = torch.rand(2, 3, 8, 8), torch.eye(2)

    def run() -> list[torch.Tensor]:
        np.random.seed(3)
        return [mix(images, targets, None)[1] for _ in range(60)]

    first = run()
    assert 10 < sum(bool((found != targets).any()) for found in first) < 40
    assert all(torch.equal(a, b) for a, b in zip(first, run(), strict=True))


def test_a_training_with_it_repeats(
    small: TrialConfig, task: TrainingContext, tmp_path: Path
) -> None:
    config = small.replace(mix="snapmix", mix_alpha=5.0, epochs=1, warmup_epochs=0)
    losses = []
    for name in ("a", "b"):
        (done,) = list(fit(config, task, tmp_path / name))
        losses.append(done.report["metrics"]["train/loss"])
    assert losses[0] == losses[1]
    assert np.isfinite(losses[0])


@pytest.mark.parametrize(
    ("backbone", "able"),
    [
        ("resnet18", True),
        ("test_efficientnet", True),
        ("convnext_atto", True),
        ("test_vit", False),
        ("mobilenetv3_small_050", False),
        ("test_resnet+test_resnet", False),
    ],
)
def test_networks_without_maps_are_refused(backbone: str, able: bool) -> None:
    with torch.device("meta"):
        model = timm_network(TrialConfig.of(backbone=backbone, size=(160, 160)), 7)
    if able:
        check_attention(model, (160, 160), "mix=snapmix")
        return
    with pytest.raises(InputError, match="mix=snapmix needs attention maps: a convolutional"):
        check_attention(model, (160, 160), "mix=snapmix")


def test_a_network_of_one_s_own_without_maps_is_refused() -> None:
    with pytest.raises(InputError, match="needs attention maps"):
        check_attention(torch.nn.Linear(2, 2), (8, 8), "mix=snapmix")
