"""Networks for masks: timm backbones as encoders, decoders of segmentation-models-pytorch."""

from __future__ import annotations

import torch

from spaces.errors import InputError
from spaces.sections.model import Smp
from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import check_backbone, first_weights
from trainables.portable.smp_network import encoder_decoder


def smp_network(config: TrialConfig, classes: int) -> torch.nn.Module:
    """Builds an encoder with a decoder, whose logits are (n, classes, height, width).

    Args:
        config: Backbone, weights, decoder and dropout.
        classes: Number of outputs per pixel.

    Raises:
        InputError: If the backbone is unknown or does not go with the decoder, weights cannot be
            downloaded, or a local file does not fit.
    """
    settings = config.model
    assert isinstance(settings, Smp)
    check_backbone(settings.backbone)
    try:
        model = encoder_decoder(config.to_json(), classes)
    except ValueError as error:
        raise InputError(str(error)) from error
    loaded = first_weights(settings.backbone, settings)
    if loaded is not None:
        _fill(model.get_submodule("encoder.model"), loaded, settings)
    return model


def _fill(encoder: torch.nn.Module, loaded: dict[str, torch.Tensor], settings: Smp) -> None:
    """Gives an encoder a backbone's weights.

    timm names the parts of a backbone whose features are wanted with underscores where the whole
    one has dots.

    Raises:
        InputError: If some are missing.
    """
    by_name = {name.replace(".", "_"): tensor for name, tensor in loaded.items()}
    own = encoder.state_dict()
    fitting = {
        name: by_name[name.replace(".", "_")]
        for name, tensor in own.items()
        if getattr(by_name.get(name.replace(".", "_")), "shape", None) == tensor.shape
    }
    missing = [name for name in own if name not in fitting]
    if missing:
        place = f"weights={settings.weights}" if settings.weights else "what was downloaded"
        raise InputError(
            f"{place} does not fit {settings.backbone!r}: {len(missing)} of {len(own)} tensors are "
            f"missing or have another shape, such as {missing[0]!r}"
        )
    encoder.load_state_dict(fitting)
