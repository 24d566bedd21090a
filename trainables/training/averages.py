"""Averages of weights, and of predictions, by name; a new one is a class and a line here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)
from spaces.sections.averaging import EpochAverage, EpochEnsemble, MovingAverage
from spaces.trial_config import TrialConfig
from trainables.parts import Parts
from trainables.portable.committee import Committee, committee_of

# isort: split
from timm.utils import ModelEmaV3

WEIGHTS = "weights"
"""Where the state of an average holds the weights that are evaluated."""

ACTIVATION = "activation"
"""Where it says how predictions are averaged, if the weights are those of a committee."""


class Average:
    """No average: the weights as they are.

    Args:
        config: The training.
        model: The network that is trained.
        activation: From its outputs to predictions, by name.
    """

    def __init__(self, config: TrialConfig, model: torch.nn.Module, activation: str) -> None:
        self._model, self._activation = model, activation

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network whose predictions count."""
        return self._model

    def after_step(self, update: int) -> None:
        """Hears of every optimizer step, counted from 0 over the training."""

    def after_epoch(self, epoch: int) -> None:
        """Hears of every epoch, counted from 1."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to hold; `WEIGHTS` are those that are evaluated in the end."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""


class Ema(Average):
    """Exponential moving average over steps."""

    def __init__(self, config: TrialConfig, model: torch.nn.Module, activation: str) -> None:
        super().__init__(config, model, activation)
        settings = config.averaging
        assert isinstance(settings, MovingAverage)
        self._ema = ModelEmaV3(model, decay=settings.ema_decay)

    @property
    def evaluated(self) -> torch.nn.Module:
        """The average."""
        module: torch.nn.Module = self._ema.module
        return module

    def after_step(self, update: int) -> None:
        """Takes the weights in."""
        self._ema.update(self._model, step=update)

    def state(self) -> dict[str, Any]:
        """The average."""
        return {WEIGHTS: self._ema.module.state_dict()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""
        self._ema.module.load_state_dict(state[WEIGHTS])


class Swa(Average):
    """Mean of the last epochs; before the first of them the weights as they are."""

    def __init__(self, config: TrialConfig, model: torch.nn.Module, activation: str) -> None:
        super().__init__(config, model, activation)
        settings = config.averaging
        assert isinstance(settings, EpochAverage)
        self._first = config.run.epochs - settings.swa_epochs + 1
        self._swa = AveragedModel(model, use_buffers=True)

    @property
    def evaluated(self) -> torch.nn.Module:
        """The mean, once there is one."""
        return self._swa.module if self._swa.n_averaged > 0 else self._model

    def after_epoch(self, epoch: int) -> None:
        """Takes the weights of the last epochs in."""
        if epoch >= self._first:
            self._swa.update_parameters(self._model)

    def state(self) -> dict[str, Any]:
        """The mean, and of how many epochs it is."""
        return {WEIGHTS: self._swa.module.state_dict(), "epochs": self._swa.n_averaged}

    def load(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""
        self._swa.module.load_state_dict(state[WEIGHTS])
        self._swa.n_averaged.copy_(state["epochs"])


class Ensemble(Average):
    """The networks of the last epochs together; before the first of them the one as it is."""

    def __init__(self, config: TrialConfig, model: torch.nn.Module, activation: str) -> None:
        super().__init__(config, model, activation)
        settings = config.averaging
        assert isinstance(settings, EpochEnsemble)
        self._first = config.run.epochs - settings.ensemble_epochs + 1
        self._committee: Committee | None = None

    @property
    def evaluated(self) -> torch.nn.Module:
        """Those of the epochs so far, once one of the last has come."""
        return self._committee or self._model

    def after_epoch(self, epoch: int) -> None:
        """Takes the network of one of the last epochs in."""
        if epoch >= self._first:
            before = self._committee.members if self._committee else ()
            members = [*before, copy.deepcopy(self._model)]
            self._committee = Committee(members, self._activation)

    def state(self) -> dict[str, Any]:
        """The weights of all, and how their predictions are averaged."""
        if self._committee is None:
            return {}
        return {WEIGHTS: self._committee.state_dict(), ACTIVATION: self._activation}

    def load(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""
        self._committee = None
        if WEIGHTS in state:
            self._committee = committee_of(self._model, state[WEIGHTS], self._activation)
            self._committee.load_state_dict(state[WEIGHTS])


BuildAverage = Callable[[TrialConfig, torch.nn.Module, str], Average]

AVERAGES: Parts[BuildAverage] = Parts(
    "averaging", {"none": Average, "ema": Ema, "swa": Swa, "ensemble": Ensemble}
)
