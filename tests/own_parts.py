"""A team's own module, as ``parts=[own_parts]`` takes it: one part of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from timm.scheduler import MultiStepLRScheduler

from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.own_kinds import register_family
from spaces.sections.averaging import Averaging
from spaces.sections.loss import Loss
from spaces.sections.mixing import Mixing
from spaces.sections.model import Model
from spaces.sections.optimizer import Optimizer
from spaces.sections.run import Run
from spaces.sections.sampling import Sampling
from spaces.sections.schedule import Schedule
from spaces.trial_config import TrialConfig
from trainables.data.samplings import SAMPLINGS
from trainables.losses.losses import LOSSES
from trainables.networks.networks import NETWORKS
from trainables.training.actions import ACTIONS
from trainables.training.averages import AVERAGES, WEIGHTS, Average
from trainables.training.fit import Epoch, fit
from trainables.training.mixings import MIXINGS
from trainables.training.optimizers import OPTIMIZERS
from trainables.training.schedules import SCHEDULES

Tensors = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Poly(Loss):
    """PolyLoss (Leng et al., ICLR 2022): cross entropy and a first polynomial term."""

    kind: str = "poly"
    epsilon: float = 1.0


def poly(config: TrialConfig) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    settings = config.loss
    assert isinstance(settings, Poly)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logs = logits.log_softmax(1)
        right = (logs.exp() * targets).sum(1)
        return ((-logs * targets).sum(1) + settings.epsilon * (1 - right)).mean()

    return loss


@dataclass(frozen=True, kw_only=True)
class Plain(Optimizer):
    """Gradient descent without anything."""

    kind: str = "plain"


def plain(config: TrialConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=config.optimizer.lr)


@dataclass(frozen=True, kw_only=True)
class Halved(Schedule):
    """Half the learning rate from the middle on."""

    kind: str = "halved"


def halved(config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int) -> Any:
    middle = config.run.epochs * steps // 2
    return MultiStepLRScheduler(optimizer, [middle], decay_rate=0.5, t_in_epochs=False)


@dataclass(frozen=True, kw_only=True)
class Doubled(Sampling):
    """Every image twice."""

    kind: str = "doubled"


def doubled(config: TrialConfig, learned: Any) -> Callable[[np.random.Generator], Any]:
    return lambda generator: generator.permutation(np.concatenate([learned.rows, learned.rows]))


@dataclass(frozen=True, kw_only=True)
class Halfway(Averaging):
    """Half of the weights, half of those one step before."""

    kind: str = "halfway"
    share: float = 0.5


class HalfwayAverage(Average):
    def __init__(self, config: TrialConfig, model: torch.nn.Module, activation: str) -> None:
        super().__init__(config, model, activation)
        settings = config.averaging
        assert isinstance(settings, Halfway)
        self._share = settings.share

    def state(self) -> dict[str, Any]:
        return {WEIGHTS: self.evaluated.state_dict()}


@dataclass(frozen=True, kw_only=True)
class Mirrored(Mixing):
    """Every image with its mirror image laid over it."""

    kind: str = "mirrored"
    overlay: float = 0.3


def mirrored(config: TrialConfig, model: torch.nn.Module) -> Callable[..., Tensors]:
    settings = config.mix
    assert isinstance(settings, Mirrored)
    share = settings.overlay
    return lambda images, targets, boxes: ((1 - share) * images + share * images.flip(3), targets)


@dataclass(frozen=True, kw_only=True)
class Linear(Model):
    """A linear model of few pixels."""

    kind: str = "linear"
    pixels: int = 8


def linear(config: TrialConfig, classes: int) -> torch.nn.Module:
    settings = config.model
    assert isinstance(settings, Linear)
    side = settings.pixels
    return torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(side),
        torch.nn.Flatten(),
        torch.nn.Linear(3 * side * side, classes),
    )


@dataclass(frozen=True, kw_only=True)
class Noted(Run):
    """A training that leaves a note."""

    kind: str = "noted"


def noted(config: TrialConfig, context: Any, folder: Any, **rest: Any) -> Iterator[Epoch]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "note.txt").write_text(config.digest)
    yield from fit(config, context, folder, **rest)


def blurred(params: Mapping[str, Any]) -> AugPolicy:
    """Blurs by up to ``blurred.sigma``."""
    choice = Choice(operation="blur", limit=float(params.get("sigma", 1.0)))
    return AugPolicy(stages=(Stage(choices=(choice,), probability=0.5),))


LOSSES.register("poly", Poly, poly)
OPTIMIZERS.register("plain", Plain, plain)
SCHEDULES.register("halved", Halved, halved)
SAMPLINGS.register("doubled", Doubled, doubled)
AVERAGES.register("halfway", Halfway, HalfwayAverage)
MIXINGS.register("mirrored", Mirrored, mirrored)
NETWORKS.register("linear", Linear, linear)
ACTIONS.register("noted", Noted, noted)
register_family("blurred", blurred)
