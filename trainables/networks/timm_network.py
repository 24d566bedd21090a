"""Networks: timm backbones with a fresh head, downloaded, local or untrained weights."""

from __future__ import annotations

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

# isort: split
import timm
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD


def check_backbone(
    name: str, trained: tuple[int, int] = (0, 0), predicted: tuple[int, int] = (0, 0)
) -> None:
    """Checks that timm has a model, and that it can predict at another size than that of training.

    Args:
        name: Its name.
        trained: Height and width in pixels that it is trained at.
        predicted: The same where it predicts; zeros for the size of training.

    Raises:
        InputError: If not, with the nearest names.
    """
    if not timm.is_model(name):
        raise unknown("backbone", name, timm.list_models())
    fixed = timm.get_pretrained_cfg_value(name, "fixed_input_size")
    if fixed and any(predicted) and predicted != trained:
        raise InputError(
            f"predict_size={predicted[0]}x{predicted[1]}: {name} takes images of the size that it "
            "is trained at only; leave predict_size out, or choose another backbone"
        )


def timm_network(config: TrialConfig, classes: int) -> torch.nn.Module:
    """Builds a timm backbone with a head for ``classes``.

    Args:
        config: Backbone, weights, size and dropout.
        classes: Number of outputs.

    Raises:
        InputError: If the backbone is unknown, weights cannot be downloaded, or a local file
            does not fit.
    """
    settings = config.model
    assert isinstance(settings, Timm)
    name = settings.backbone
    check_backbone(name)
    options: dict[str, object] = {"num_classes": classes, "drop_rate": settings.dropout}
    if timm.get_pretrained_cfg_value(name, "fixed_input_size"):
        options["img_size"] = config.data.size
    if settings.weights:
        model = timm.create_model(name, **options)
        _load_local(model, Path(settings.weights), name)
    elif settings.pretrained:
        model = _download(name, options)
    else:
        model = timm.create_model(name, **options)
    assert isinstance(model, torch.nn.Module)
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
    return _download(name, {}).state_dict() if settings.pretrained else None


def normalisation(model: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation per channel, float (3,) in 0 to 255, that the model expects."""
    known = getattr(model, "pretrained_cfg", None) or {}
    mean = torch.tensor(known.get("mean", IMAGENET_DEFAULT_MEAN)) * 255
    std = torch.tensor(known.get("std", IMAGENET_DEFAULT_STD)) * 255
    return mean, std


def _download(name: str, options: dict[str, object]) -> torch.nn.Module:
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
    head = tuple(_head_names(model))
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


def _head_names(model: torch.nn.Module) -> list[str]:
    known = (getattr(model, "pretrained_cfg", None) or {}).get("classifier", "")
    names = [known] if isinstance(known, str) else list(known)
    return [f"{n}." for n in names if n]
