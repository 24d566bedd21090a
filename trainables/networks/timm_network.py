"""Networks: timm backbones with a fresh head, downloaded, local or untrained weights."""

from __future__ import annotations

import functools
import logging
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import torch
from huggingface_hub import constants as hub
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.errors import InputError, unknown
from spaces.sections.model import Model, Timm
from spaces.trial_config import TrialConfig
from trainables.portable.backbones import JOINT, build_timm

# isort: split
import timm
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import group_parameters

Seen = tuple[int, int]
"""Height and width in pixels."""


def check_backbone(
    name: str,
    trained: Seen = (0, 0),
    predicted: Seen = (0, 0),
    drop_path: float = 0.0,
    first: Seen = (0, 0),
) -> None:
    """Checks that timm has a model, and that it can see the images and drop what it should.

    Args:
        name: Its name, or several with a ``+`` between them.
        trained: Height and width in pixels that it is trained at; zeros if that is not known.
        predicted: The same where it predicts; zeros for the size of training.
        drop_path: Rate at which blocks are left out.
        first: Height and width in the first epochs; zeros for those of the others.

    Raises:
        InputError: If not, with the nearest names, or with the reason.
    """
    for one in name.split(JOINT):
        if not timm.is_model(one):
            raise unknown("backbone", one, timm.list_models(), f"backbone={name}")
        fixed = takes_one_size(one)
        if fixed and any(predicted) and predicted != trained:
            raise InputError(
                f"predict_size={predicted[0]}x{predicted[1]}: {one} takes images of the size that "
                "it is trained at only; leave predict_size out, or choose another backbone"
            )
        if fixed and any(first) and first != trained:
            raise InputError(
                f"first_share= lets {one} begin with images of {first[0]}x{first[1]}, and it takes "
                "images of one size only; leave first_share out, or choose another backbone"
            )
        for size in dict.fromkeys((trained, predicted, first)):
            if any(size):
                _check_one(one, size, drop_path)


def takes_one_size(name: str) -> bool:
    """Whether a model of timm sees images of the size only that it is built for."""
    return bool(timm.get_pretrained_cfg_value(name, "fixed_input_size"))


@functools.cache
def _check_one(name: str, size: Seen, drop_path: float) -> None:
    """Shows an image to a network without weights, which takes tenths of a second."""
    shown = f"backbone={name} cannot see images of size={size[0]}x{size[1]}"
    fixed = takes_one_size(name)
    try:
        model = _without_weights(name, size if fixed else (224, 224), drop_path)
        with torch.device("meta"):
            model(torch.empty(1, 3, *size))
    except TypeError as error:
        if "drop_path_rate" not in str(error):
            raise
        raise InputError(f"drop_path={drop_path:g}: {name} has no blocks to leave out") from error
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{shown}: {reason}") from error


@functools.lru_cache(maxsize=1)
def _without_weights(name: str, size: Seen, drop_path: float) -> torch.nn.Module:
    config = TrialConfig.of(backbone=name, size=size, drop_path=drop_path)
    with torch.device("meta"):
        model = build_timm(config.to_json(), 2)
    return model.eval()


def timm_network(config: TrialConfig, classes: int) -> torch.nn.Module:
    """Builds one or several of timm's backbones with a head for ``classes``.

    Args:
        config: Backbone, weights, size and dropout.
        classes: Number of outputs.

    Raises:
        InputError: If the backbone is unknown, weights cannot be downloaded, or a local file
            does not fit.
    """
    settings = config.model
    assert isinstance(settings, Timm)
    check_backbone(settings.backbone)
    written = config.to_json()
    if settings.weights:
        model = build_timm(written, classes)
        _load_local(model, Path(settings.weights), settings.backbone)
    elif settings.pretrained:
        model = build_timm(written, classes, _download)
    else:
        model = build_timm(written, classes)
    if settings.fresh_layers:
        _renew(model, build_timm(written, classes), settings.fresh_layers)
    return model


def first_weights(name: str, settings: Model) -> dict[str, torch.Tensor] | None:
    """Weights of a whole backbone to begin with, by name; None where training starts from scratch.

    Args:
        name: Its name.
        settings: Whether they are downloaded, or where they lie.

    Raises:
        InputError: If they cannot be downloaded, or the file cannot be read.
    """
    if settings.weights:
        return _read_local(Path(settings.weights))
    return _download(name).state_dict() if settings.pretrained else None


def _renew(model: torch.nn.Module, fresh: torch.nn.Module, count: int) -> None:
    """Gives the last layers the weights, and statistics, of a fresh network."""
    layers = group_parameters(model, model.group_matcher(coarse=False), reverse=True)  # type: ignore[operator]
    last = {name for name, at in layers.items() if at > max(layers.values()) - count}
    modules = {name.rpartition(".")[0] for name in last} - {""}
    buffers = {name for name, _ in fresh.named_buffers() if name.rpartition(".")[0] in modules}
    new = {name: v for name, v in fresh.state_dict().items() if name in last | buffers}
    model.load_state_dict(new, strict=False)


def normalisation(model: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation per channel, float (3,) in 0 to 255, that the model expects."""
    known = getattr(model, "pretrained_cfg", None) or {}
    mean = torch.tensor(known.get("mean", IMAGENET_DEFAULT_MEAN)) * 255
    std = torch.tensor(known.get("std", IMAGENET_DEFAULT_STD)) * 255
    return mean, std


def _download(name: str, **options: object) -> torch.nn.Module:
    for noisy in ("huggingface_hub", "timm", "httpx"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    offline = hub.HF_HUB_OFFLINE
    if not _hub_resolves():
        hub.HF_HUB_OFFLINE = True  # only the cache: otherwise retries take most of a minute
    try:
        model = timm.create_model(name, pretrained=True, **options)
    except (OSError, RuntimeError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"pretrained weights for {name!r} are neither cached nor could they be downloaded "
            f"({reason}); set weights=<file.safetensors> to use a local file, or pretrained=false "
            "to train from scratch"
        ) from error
    finally:
        hub.HF_HUB_OFFLINE = offline  # the network may be back at the next look-up
    assert isinstance(model, torch.nn.Module)
    return model


def _hub_resolves() -> bool:
    """Whether there is any way to the model hub; with a proxy it need not resolve here."""
    if urllib.request.getproxies():
        return True
    try:
        socket.getaddrinfo(urlparse(hub.ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True


def _load_local(model: torch.nn.Module, path: Path, name: str) -> None:
    """Loads what fits by name and shape; the head may differ, the backbone may not."""
    loaded = _read_local(path)
    own = model.state_dict()
    head = tuple(head_names(model))
    fitting = {k: v for k, v in loaded.items() if k in own and own[k].shape == v.shape}
    missing = [k for k in own if k not in fitting and not k.startswith(head)]
    if missing:
        raise InputError(
            f"weights={path} does not fit {name!r}: {len(missing)} of {len(own)} tensors are "
            f"missing or have another shape, such as {missing[0]!r}"
        )
    model.load_state_dict(fitting, strict=False)


def _read_local(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise InputError(f"weights={path}: there is no such file")
    try:
        loaded: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"weights={path} is not a safetensors file: {error}") from error
    return loaded


def head_names(model: torch.nn.Module) -> list[str]:
    """What the names of a network's head begin with; none for one that is not timm's."""
    known = (getattr(model, "pretrained_cfg", None) or {}).get("classifier", "")
    names = [known] if isinstance(known, str) else list(known)
    return [f"{n}." for n in names if n]
