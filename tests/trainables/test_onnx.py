"""Networks as ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from tests import tiny
from trainables.inference import onnx
from trainables.inference.predict import to_input
from trainables.networks.networks import NETWORKS
from trainables.networks.timm_network import normalisation, timm_network
from trainables.portable.activations import ACTIVATIONS, outputs_apart
from trainables.portable.committee import Committee
from trainables.training.device import Device


@pytest.fixture(
    scope="module", params=[tiny.build, pytest.param(timm_network, marks=pytest.mark.slow)]
)
def model(request: pytest.FixtureRequest) -> torch.nn.Module:
    """The other one is part of a network for masks below."""
    torch.manual_seed(0)
    found = request.param(TrialConfig.of(backbone="test_resnet", size=(32, 40)), 10).eval()
    assert isinstance(found, torch.nn.Module)
    return found


def test_onnx_gives_the_probabilities_of_pixels(model: torch.nn.Module, tmp_path: Path) -> None:
    """Any number of images, from what is decoded to what is submitted."""
    path = tmp_path / "model.onnx"
    assert onnx.write_onnx(model, *normalisation(model), (32, 40), "softmax", path) < onnx.TOLERANCE
    pictures = np.random.default_rng(0).integers(0, 256, (7, 32, 40, 3), np.uint8)
    device = Device(target=torch.device("cpu"), autocast_dtype=None)
    with torch.inference_mode():
        ours = torch.softmax(model(to_input(torch.from_numpy(pictures), model, device)), dim=1)
    inputs = pictures.transpose(0, 3, 1, 2).astype(np.float32)
    (found,) = onnxruntime.InferenceSession(path).run(["probabilities"], {"image": inputs})
    np.testing.assert_allclose(found, ours.numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("activation", "aux_weight"),
    [pytest.param("softmax", 0.0, marks=pytest.mark.slow), ("sigmoid", 0.3)],
)
def test_masks_and_what_an_auxiliary_head_says(
    activation: str, aux_weight: float, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = TrialConfig.of(
        model="smp",
        backbone="test_resnet",
        decoder="pspnet",
        decoder_width=0.25,
        size=(32, 64),
        aux_weight=aux_weight,
    )
    network = NETWORKS.of(config.model)(config, 3).eval()
    path, to = tmp_path / "model.onnx", normalisation(network)
    assert onnx.write_onnx(network, *to, (32, 64), activation, path) < onnx.TOLERANCE
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 32, 64, 3), np.uint8))
    device = Device(target=torch.device("cpu"), autocast_dtype=None)
    with torch.inference_mode():
        logits, occurs = outputs_apart(network(to_input(pictures, network, device)))
    inputs = {"image": pictures.numpy().transpose(0, 3, 1, 2).astype(np.float32)}
    session = onnxruntime.InferenceSession(path)
    masks, *said = session.run(None, inputs)
    np.testing.assert_allclose(masks, ACTIVATIONS[activation](logits).numpy(), atol=1e-4)
    assert [output.name for output in session.get_outputs()][1:] == ["occurs"] * bool(aux_weight)
    if occurs is not None:
        np.testing.assert_allclose(said[0], torch.sigmoid(occurs).numpy(), atol=1e-4)


def test_a_committee_is_taken_whole(tmp_path: Path) -> None:
    config = TrialConfig.of(size=(32, 40))
    torch.manual_seed(0)
    committee = Committee([tiny.build(config, 3) for _ in range(2)], "softmax").eval()
    path, to = tmp_path / "model.onnx", normalisation(committee)
    assert onnx.write_onnx(committee, *to, (32, 40), "softmax", path) < onnx.TOLERANCE
    pixels = torch.rand(2, 3, 32, 40)
    one, mean = (torch.softmax(m(pixels), 1) for m in (committee.members[0], committee))
    assert (one - mean).abs().max() > 1e-2  # ten times what may be off


def test_a_network_that_cannot_be_exported_is_named(
    model: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Branching(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1) if float(x.sum()) > 0 else x.flatten(1) * 2

    with pytest.raises(InputError, match="cannot export this network to ONNX"):
        onnx.write_onnx(Branching(), *normalisation(model), (8, 8), "softmax", tmp_path / "x.onnx")
    monkeypatch.setattr(onnx, "NEEDED", ("onnx", "not_installed"))
    with pytest.raises(InputError, match="needs not_installed: pip install"):
        onnx.check_onnx()
