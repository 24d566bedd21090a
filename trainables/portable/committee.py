"""Networks of one training at several epochs, which predict together."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping

import torch

from .activations import MEANS, Outputs, outputs_apart, sigmoid_mean


class Committee(torch.nn.Module):
    """Predicts the mean of what its members predict.

    It stands where one network stands: its outputs are those of which the activation makes the mean
    of the members' predictions, so that losses aside whatever takes a network takes a committee.

    Attributes:
        members: The networks, the last epoch's last.
        pretrained_cfg: What images they expect, as timm's networks say it.

    Args:
        members: Networks that differ in their weights alone.
        activation: From their outputs to predictions, by name.
    """

    def __init__(self, members: Iterable[torch.nn.Module], activation: str) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)
        self.pretrained_cfg = getattr(self.members[-1], "pretrained_cfg", None)
        self.activation = activation

    def forward(self, images: torch.Tensor) -> Outputs:
        """Outputs of images float (n, 3, height, width), as of one network."""
        said: list[torch.Tensor] = []

        def outputs() -> Iterator[torch.Tensor]:  # one at a time: those of masks are large
            for member in self.members:
                found, occurs = outputs_apart(member(images))
                if occurs is not None:
                    said.append(occurs)
                yield found

        mean = MEANS[self.activation](outputs())
        return (mean, sigmoid_mean(said)) if said else mean


def committee_of(
    network: torch.nn.Module, weights: Mapping[str, torch.Tensor], activation: str
) -> Committee:
    """As many copies of a network as there are weights for, without these.

    Args:
        network: One of them, with any weights.
        weights: A committee's ``state_dict``.
        activation: From its outputs to predictions, by name.
    """
    count = len({name.split(".")[1] for name in weights})
    return Committee([copy.deepcopy(network) for _ in range(count)], activation)


def last_of(network: torch.nn.Module) -> torch.nn.Module:
    """The one that was trained longest, where only one can be looked into."""
    return network.members[-1] if isinstance(network, Committee) else network
