"""Networks: names, local weights, and what is said when a download is not possible."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from spaces.errors import InputError
from spaces.ready.backbone import BACKBONES
from spaces.sections.optimizer import ADAPTIVE
from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import (
    check_backbone,
    normalisation,
    timm_network,
)
from trainables.training.optimizers import check_optimizer

BASE = TrialConfig.of(backbone="test_resnet", size=(32, 32))


def test_a_backbone_gets_a_fresh_head() -> None:
    model = timm_network(BASE, 7)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)
    vit = timm_network(BASE.replace(backbone="test_vit", size=(32, 64)), 3)
    assert vit(torch.zeros(2, 3, 32, 64)).shape == (2, 3)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean resnet18"):
        check_backbone("resnet_18")
    with pytest.raises(InputError, match="did you mean adamw"):
        check_optimizer("adamww")


def test_ready_spaces_name_what_timm_has() -> None:
    for name in BACKBONES:
        check_backbone(name)
    for name in (*ADAPTIVE, "sgd"):
        check_optimizer(name)


def test_local_weights_load_with_another_head(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trained = timm_network(BASE, 1000)
    path = tmp_path / "weights.safetensors"
    save_file(trained.state_dict(), path)
    torch.manual_seed(2)
    model = timm_network(BASE.replace(weights=str(path)), 10)
    ours, theirs = model.state_dict(), trained.state_dict()
    same = [k for k in ours if ours[k].shape == theirs[k].shape and (ours[k] == theirs[k]).all()]
    assert set(ours) - set(same) == {"fc.weight", "fc.bias"}


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(timm_network(BASE.replace(backbone="test_efficientnet"), 10).state_dict(), path)
    with pytest.raises(InputError, match="does not fit 'test_resnet'"):
        timm_network(BASE.replace(weights=str(path)), 10)
    path.write_bytes(b"PK\x03\x04 a pickle in disguise")
    with pytest.raises(InputError, match="not a safetensors file"):
        timm_network(BASE.replace(weights=str(path)), 10)
    with pytest.raises(InputError, match="no such file"):
        timm_network(BASE.replace(weights=str(tmp_path / "no")), 10)


def test_offline_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "https://models.invalid")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"set weights=<file.safetensors>.*pretrained=false"):
        timm_network(BASE.replace(backbone="resnet18", pretrained=True), 10)
    assert constants.HF_HUB_OFFLINE is False  # the network may be back at the next look-up


def test_normalisation_is_on_the_scale_of_bytes() -> None:
    mean, std = normalisation(timm_network(BASE, 2))
    assert mean.shape == std.shape == (3,)
    assert 100 < float(mean.mean()) < 140
    own = torch.nn.Linear(1, 1)
    assert normalisation(own)[0] == pytest.approx([123.675, 116.28, 103.53])
