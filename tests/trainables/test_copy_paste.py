"""Copy-paste: regions of another image of the batch, with the pixels under them."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
import torch

from results.masks.counts import VOID
from results.reporting.report import describe
from search.jobs.searched_choices import check_values
from spaces.errors import InputError
from spaces.ready import ready_space
from spaces.trial_config import TrialConfig
from trainables.tasks.segmentation import planes_of
from trainables.tasks.tasks import TRAINING_TASKS
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.mixings import MIXINGS
from trainables.training.state import TrainingState

CLASSES = 4


def batch(count: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Masks of a ground and up to three objects, pictures that say image and class, and planes."""
    torch.manual_seed(0)
    masks = torch.zeros(count, 12, 16, dtype=torch.uint8)
    for image in range(count):
        for kind in range(1, CLASSES):
            if (image + kind) % 3:
                masks[image, kind * 3 - 2 : kind * 3, image : image + 5] = kind
        masks[image, -1, :4] = VOID
    which = torch.arange(count)[:, None, None].expand_as(masks)
    pictures = torch.stack([which, masks.long(), masks.long()], dim=1).float()
    return masks, pictures, planes_of(masks, torch.eye(CLASSES + 1, CLASSES))


def mixed(probability: float = 1.0, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    config = TrialConfig.of(mix="copy_paste", paste_probability=probability)
    torch.manual_seed(seed)
    _, pictures, planes = batch()
    torch.manual_seed(seed)
    return MIXINGS.of(config.mix)(config, torch.nn.Identity())(pictures, planes, None)


def test_a_target_goes_where_its_pixels_go() -> None:
    masks, pictures, _ = batch()
    seen, wanted = mixed()
    foreign = seen[:, 0] != pictures[:, 0]
    assert foreign.any()
    assert torch.equal(wanted.sum(dim=1) == 0, seen[:, 1] == VOID)
    known = wanted.sum(dim=1) > 0
    assert torch.equal(wanted.argmax(dim=1)[known].float(), seen[:, 1][known])
    assert torch.equal(seen.permute(0, 2, 3, 1)[~foreign], pictures.permute(0, 2, 3, 1)[~foreign])
    # Whole regions of one other image, at the place where they are there.
    for image in range(len(masks)):
        partners = set(seen[image, 0][foreign[image]].int().tolist())
        assert len(partners) <= 1
        for partner in partners:
            pasted = sorted(set(seen[image, 1][foreign[image]].int().tolist()))
            assert 0 not in pasted  # what covers most of an image is never pasted
            assert VOID not in pasted
            expected = torch.isin(masks[partner], torch.tensor(pasted, dtype=torch.uint8))
            assert torch.equal(foreign[image], expected)


def test_pixels_of_several_classes_go_with_the_likeliest() -> None:
    _, pictures, planes = batch()
    config = TrialConfig.of(mix="copy_paste", paste_probability=1.0)
    mix = MIXINGS.of(config.mix)(config, torch.nn.Identity())
    known = planes.sum(dim=1, keepdim=True)
    found = []
    for targets in (planes, 0.7 * planes + 0.3 * known / CLASSES):
        torch.manual_seed(3)
        found.append(mix(pictures, targets, None))
    (seen, wanted), (also_seen, in_shares) = found
    assert (seen != pictures).any()
    assert torch.equal(also_seen, seen)
    known = wanted.sum(dim=1, keepdim=True)
    torch.testing.assert_close(in_shares, 0.7 * wanted + 0.3 * known / CLASSES)


def test_as_many_images_as_asked_for_get_something() -> None:
    _, pictures, _ = batch()
    shares = {}
    for probability in (0.25, 1.0):
        changed = [
            (mixed(probability, seed)[0] != pictures).flatten(1).any(dim=1) for seed in range(60)
        ]
        shares[probability] = float(torch.cat(changed).float().mean())
    # Of two objects none is drawn in a quarter of the cases.
    assert 0.55 < shares[1.0] < 0.85
    assert 0.15 < shares[0.25] / shares[1.0] < 0.35


def test_draws_are_those_of_the_seed_whatever_the_images_count() -> None:
    assert torch.equal(mixed(seed=5)[0], mixed(seed=5)[0])
    assert not torch.equal(mixed(seed=5)[0], mixed(seed=6)[0])
    _, pictures, planes = batch(1)
    config = TrialConfig.of(mix="copy_paste")
    assert torch.equal(
        MIXINGS.of(config.mix)(config, torch.nn.Identity())(pictures, planes, None)[0], pictures
    )


def test_the_last_epochs_are_without(
    squashed: TrainingContext, config: TrialConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config.replace(mix="copy_paste", unmixed_epochs=1)
    training = TrainingState(made, squashed, 0)
    calls: list[int] = []

    def mix(
        images: torch.Tensor, targets: torch.Tensor, boxes: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(images))
        return images, targets

    monkeypatch.setattr(training, "mix", mix)
    training.train(1, lambda: None)
    assert len(calls) == training.steps
    training.train(2, lambda: None)
    assert len(calls) == training.steps


def test_a_training_repeats_itself(
    squashed: TrainingContext, config: TrialConfig, tmp_path: Path
) -> None:
    made = config.replace(mix="copy_paste", paste_probability=1.0, aux_weight=0.2)
    ours, theirs = (
        [e.report["metrics"] for e in fit(made, squashed, tmp_path / name)] for name in "ab"
    )
    assert ours == theirs
    plain = next(iter(fit(config.replace(aux_weight=0.2), squashed, tmp_path / "plain"))).report
    assert plain["metrics"]["train/loss"] != ours[0]["train/loss"]


def test_it_is_searched_and_told() -> None:
    space = ready_space("copy_paste")
    check_values(space, TrialConfig.of(model="smp"), {})
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    kinds = {TrialConfig().with_params(space.suggest(study.ask())).mix.kind for _ in range(20)}
    assert kinds == {"none", "copy_paste"}
    both = ready_space("segmentation").join(space)
    assert {"decoder", "mix", "paste_probability"} <= {p.name for p in both.params}
    config = TrialConfig.of(mix="copy_paste", unmixed_epochs=2)
    assert "mixing: regions pasted into 50% of the images, not in the last 2 epochs" in describe(
        config, {"mix": "copy_paste", "unmixed_epochs": 2}
    )


def test_classes_of_images_have_no_regions() -> None:
    with pytest.raises(InputError, match="mix=copy_paste pastes regions of masks"):
        TRAINING_TASKS["classification"].check(TrialConfig.of(mix="copy_paste"))
    with pytest.raises(InputError, match="paste_probability must be above 0"):
        TrialConfig.of(mix="copy_paste", paste_probability=0)
