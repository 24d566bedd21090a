"""Networks: names, local weights, and what is said when a download is not possible."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from spaces.errors import InputError
from spaces.ready.backbone import BACKBONES, FAMILIES
from spaces.sections.optimizer import ADAPTIVE
from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import (
    check_backbone,
    head_names,
    normalisation,
    timm_network,
)
from trainables.portable.backbones import build_timm
from trainables.training.freezing import Freezing
from trainables.training.optimizers import check_optimizer

FAMILY = [names[0] for names in FAMILIES.values()]
"""One backbone of every family."""

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


@pytest.mark.parametrize(
    ("name", "size", "drop_path", "words"),
    [
        ("inception_v3", (64, 64), 0.0, "backbone=inception_v3 cannot see images of size=64x64: "),
        ("inception_v3", (96, 96), 0.1, "drop_path=0.1: inception_v3 has no blocks to leave out"),
        ("test_resnet+rezt", (32, 32), 0.0, r"unknown backbone 'rezt' \(in backbone=test_resnet\+"),
    ],
)
def test_pairs_that_cannot_work_are_told(
    name: str, size: tuple[int, int], drop_path: float, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        check_backbone(name, size, drop_path=drop_path)


def test_both_sizes_are_tried() -> None:
    check_backbone("test_resnet+test_vit", (32, 32), (0, 0), 0.1)
    with pytest.raises(InputError, match="size=64x64"):
        check_backbone("inception_v3", (96, 96), (64, 64))


PAIR = BASE.replace(backbone="test_resnet+test_vit", drop_path=0.2, dropout=0.1)


def test_backbones_side_by_side_share_a_head() -> None:
    model = timm_network(PAIR, 5).eval()
    image = torch.rand(2, 3, 32, 32)
    features = model.forward_features(image)  # type: ignore[operator]
    first, second = model.backbones  # type: ignore[misc]
    mean, std = (v.reshape(3, 1, 1) / 255 for v in normalisation(model))
    own = torch.tensor(second.pretrained_cfg["mean"]).reshape(3, 1, 1)
    pixels = image * std + mean
    seen = (pixels - own) / torch.tensor(second.pretrained_cfg["std"]).reshape(3, 1, 1)
    torch.testing.assert_close(features, torch.cat([first(image), second(seen)], dim=1))
    assert model(image).shape == (2, 5)
    torch.testing.assert_close(model.forward_head(features), model(image))  # type: ignore[operator]
    assert head_names(model) == ["head."]


@pytest.mark.parametrize("name", FAMILY)
def test_the_features_of_every_family_can_stand_beside_others(name: str) -> None:
    config = TrialConfig.of(backbone=f"{name}+test_resnet", size=96)
    with torch.device("meta"):
        model = build_timm(config.to_json(), 3).eval()
        assert model(torch.empty(1, 3, 96, 96)).shape == (1, 3)


def test_the_last_layers_begin_anew(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trained = timm_network(BASE.replace(backbone="test_vit"), 3)
    path = tmp_path / "weights.safetensors"
    save_file(trained.state_dict(), path)
    config = BASE.replace(backbone="test_vit", weights=str(path))

    def changed(layers: int) -> set[str]:
        torch.manual_seed(2)
        model = timm_network(config.replace(fresh_layers=layers), 3)
        old = trained.state_dict()
        return {n.rpartition(".")[0] for n, v in model.state_dict().items() if (v != old[n]).any()}

    assert changed(0) == set()
    assert changed(1) == {"head"}
    assert {m.split(".")[1] for m in changed(2) - {"head", "norm"}} == {"5"}
    assert config.replace(weights="", fresh_layers=2).flat()["fresh_layers"] == 0
    torch.manual_seed(2)
    pair = timm_network(PAIR, 3)
    save_file(pair.state_dict(), path)
    torch.manual_seed(3)
    again = timm_network(PAIR.replace(weights=str(path), fresh_layers=2), 3)
    fresh = {n for n, v in again.state_dict().items() if (v != pair.state_dict()[n]).any()}
    assert any(n.startswith("backbones.0.layer4") for n in fresh)
    assert not any(n.startswith(("backbones.0.layer1", "backbones.1.blocks.0")) for n in fresh)


def test_a_frozen_backbone_learns_nothing_until_it_is_let_go() -> None:
    model = timm_network(BASE, 3)
    freezing = Freezing(BASE.replace(frozen_epochs=1), model)
    image = torch.rand(4, 3, 32, 32)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    freezing.begin(1)
    model(image).sum().backward()
    assert {n for n, w in model.named_parameters() if w.grad is not None} == {
        "fc.weight",
        "fc.bias",
    }
    assert all((model.state_dict()[n] == v).all() for n, v in before.items())
    freezing.begin(2)
    model(image).sum().backward()
    assert all(w.grad is not None for w in model.parameters())
    assert (model.state_dict()["bn1.running_mean"] != before["bn1.running_mean"]).any()
    with pytest.raises(InputError, match="head is not known"):
        Freezing(BASE.replace(frozen_epochs=1), torch.nn.Linear(1, 1))
