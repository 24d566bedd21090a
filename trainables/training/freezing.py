"""First epochs in which the head alone learns."""

from __future__ import annotations

import torch

from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.networks.timm_network import head_names


class Freezing:
    """Freezes a backbone, the statistics of its normalisation included, and lets it go.

    Args:
        config: The training.
        model: Its network.

    Raises:
        InputError: If the head is not known of a network that is to be frozen.
    """

    def __init__(self, config: TrialConfig, model: torch.nn.Module) -> None:
        self._model, self._head = model, tuple(head_names(model))
        self._epochs = getattr(config.model, "frozen_epochs", 0)
        if self._epochs and not self._head:
            raise InputError(f"frozen_epochs={self._epochs}: this network's head is not known")

    def begin(self, epoch: int) -> None:
        """Sets the network up for the training of an epoch, counted from 1."""
        self._model.train()
        if not self._epochs:
            return
        frozen = epoch <= self._epochs
        for name, weight in self._model.named_parameters():
            if not name.startswith(self._head):
                weight.requires_grad_(not frozen)
        for name, module in self._model.named_modules() if frozen else ():
            if not f"{name}.".startswith(self._head):
                module.training = False
