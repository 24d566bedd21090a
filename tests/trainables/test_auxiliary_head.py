"""The auxiliary head of networks for masks: learned beside them, told of images, exported."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from results.masks.planes import Planes
from results.masks.postprocess import Form
from results.predictions import MASKS, OCCURS, Predictions
from results.tasks.tasks import TASKS
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests.discs import CLASSES
from trainables.data.contest import Contest
from trainables.inference.export import Trained, write_export
from trainables.inference.footprint import ms_per_image
from trainables.inference.predict import load_trained, predict
from trainables.losses.occurrence import beside_occurrence, occurrence
from trainables.networks.networks import NETWORKS
from trainables.portable.images import decode
from trainables.portable.mask_predictor import MaskPredictor
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import fit


@pytest.mark.parametrize(
    "decoder",
    ["unet", "unetplusplus", "fpn", "deeplabv3plus", "pspnet", "manet", "linknet", "segformer",
     "upernet"],
)  # fmt: skip
def test_every_decoder_takes_the_head(decoder: str, config: TrialConfig) -> None:
    made = config.replace(decoder=decoder, decoder_width=0.5, aux_weight=0.3, dropout=0.1)
    network = NETWORKS.of(made.model)(made, 3)
    with torch.no_grad():
        logits, occurs = network.eval()(torch.zeros(2, 3, 32, 64))
    assert logits.shape == (2, 3, 32, 64)
    assert occurs.shape == (2, 3)


def test_the_loss_is_of_the_classes_that_are_in_a_mask() -> None:
    targets = torch.zeros(2, 3, 4, 4)
    targets[0, 0], targets[0, 0, 1, 1], targets[0, 2, 1, 1] = 1, 0, 1
    targets[1, 1, :2] = 0.5  # the other half is void, and pixels of the class count less
    logits = torch.randn(2, 3)
    each = functional.binary_cross_entropy_with_logits(
        logits, torch.tensor([[1.0, 0, 1], [0, 1, 0]]), reduction="none"
    )
    weights = torch.tensor([[1.0, 1, 1], [0.5, 1, 0.5]])
    expected = (weights * each).sum() / weights.sum()
    torch.testing.assert_close(occurrence(logits, targets), expected)
    assert occurrence(logits, torch.zeros_like(targets)) == 0
    both = beside_occurrence(lambda logits, targets: logits.sum() * 0 + 2, 0.5)
    torch.testing.assert_close(both((torch.ones(1), logits), targets), 2 + 0.5 * expected)


@pytest.mark.parametrize("kind", ["squashed", "native"])
def test_what_occurs_is_told_beside_masks(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    context: TrainingContext = request.getfixturevalue(kind)
    made: TrialConfig = request.getfixturevalue("config" if kind == "squashed" else "windows")
    made = made.replace(aux_weight=1.0)
    list(fit(made, context, tmp_path))
    for part, rows in (("holdout", context.folds.held_out(0)), ("test", context.test_rows)):
        stored = Predictions.read(tmp_path / f"{part}.npz").heads[OCCURS]
        assert isinstance(stored, np.ndarray)
        assert stored.shape == (len(rows), len(CLASSES))
        assert ((stored >= 0) & (stored <= 1)).all()
    build = functools.partial(context.task.network, own={})
    model = load_trained(made, tmp_path, len(CLASSES), build)
    order = rows[::-1].copy()
    found = predict(model, made, context.store, order, Device.pick(made), context.task)[OCCURS]
    np.testing.assert_allclose(found, stored[::-1], atol=1e-5)


def test_a_class_is_in_an_image_if_it_is_in_one_of_its_windows(
    native: TrainingContext, windows: TrialConfig
) -> None:
    class Network(torch.nn.Module):
        """Says of the first class how bright a window is at its brightest."""

        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            brightest = images.amax(dim=(1, 2, 3))
            return images[:, :3], torch.stack([brightest, -brightest, brightest * 0], dim=1)

    device, rows = Device.pick(windows), np.arange(4)
    made = windows.replace(batch=2)
    told = predict(Network(), made, native.store, rows, device, native.task)[OCCURS]
    whole = made.replace(size=64)
    once = predict(Network(), whole, native.store, rows, device, native.task)[OCCURS]
    assert isinstance(told, np.ndarray)
    assert isinstance(once, np.ndarray)
    np.testing.assert_allclose(told[:, 0], once[:, 0], atol=1e-6)
    assert (told[:, 2] == 0.5).all()


def predicted(images: int, occurs: float | None) -> Predictions:
    heads = {MASKS: Planes.of(np.full((images, 2, 2, 3), 85, np.uint8))}
    said = {} if occurs is None else {OCCURS: np.full((images, 3), occurs, np.float32)}
    return Predictions(images=("a", "b")[:images], classes=CLASSES, heads={**heads, **said})


def test_several_models_say_what_their_mean_is_and_nothing_unless_all_do() -> None:
    task = TASKS["segmentation"]
    both = [predicted(2, 0.2), predicted(2, 0.6)]
    for merged in (task.average(both), task.merged(lambda block: block.mean(axis=0), both)):
        np.testing.assert_allclose(merged.heads[OCCURS], 0.4, atol=1e-6)
    for models in ([*both, predicted(2, None)], [predicted(2, None), *both]):
        assert OCCURS not in task.average(models).heads
    np.testing.assert_allclose(task.average(both[:1]).heads[OCCURS], 0.2)


def test_an_export_tells_what_was_stored(
    scenes: Contest, squashed: TrainingContext, config: TrialConfig, tmp_path: Path
) -> None:
    """Of two models with the head; of one without it nothing is told of what occurs."""
    one = config.replace(epochs=1)
    trained = []
    for name, changes in (
        ("a", {"aux_weight": 0.5}),
        ("b", {"aux_weight": 0.5, "seed": 1}),
        ("c", {}),
    ):
        made = one.replace(**changes)
        list(fit(made, squashed, tmp_path / name))
        trained.append(Trained(config=made, folder=tmp_path / name, arm="x"))
    picture = decode(scenes.paths[-1].read_bytes())
    for count in (2, 3):
        write_export(
            tmp_path / f"export{count}",
            trained[:count],
            classes=CLASSES,
            task=squashed.task,
            numbers=(0, 1, 2),
            about={},
            threads=1,
            build=functools.partial(squashed.task.network, own={}),
            form=Form(classes=3, background=0),
        )
        masks, occurs = MaskPredictor(tmp_path / f"export{count}").told_of(picture)
        used = [Predictions.read(t.folder / "test.npz") for t in trained[:count]]
        expected = TASKS["segmentation"].average(used)
        np.testing.assert_array_equal(masks, expected.masks[-1])
        if count == 3:
            assert occurs is None
            assert OCCURS not in expected.heads
        else:
            np.testing.assert_array_equal(occurs, expected.heads[OCCURS][-1])


def test_its_cost_can_be_measured(config: TrialConfig) -> None:
    build = functools.partial(NETWORKS.of(config.model))
    assert ms_per_image(config.replace(aux_weight=0.1), 3, build, 1) > 0


def test_its_weight_is_checked() -> None:
    with pytest.raises(InputError, match="aux_weight must be within 0 to 10, got -1"):
        TrialConfig.of(model="smp", aux_weight=-1)
