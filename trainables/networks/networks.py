"""The networks by name; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spaces.trial_config import TrialConfig
from trainables.networks.smp_network import smp_network
from trainables.networks.timm_network import timm_network
from trainables.parts import Parts

BuildModel = Callable[[TrialConfig, int], torch.nn.Module]
"""From configuration and number of outputs to a network that returns logits (n, outputs), or
(n, outputs, height, width); with an auxiliary head also logits (n, outputs) of what occurs."""

NETWORKS: Parts[BuildModel] = Parts("model", {"timm": timm_network, "smp": smp_network})
