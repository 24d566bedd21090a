"""The device of a trial and the arithmetic that suits it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from spaces.trial_config import TrialConfig
from trainables.portable.precision import lower_precision

MEMORY_FORMAT = torch.channels_last
"""Of images and convolutions: on CPU and GPU as fast as the other, or up to 1.7 times as fast."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a trial computes.

    Attributes:
        target: The torch device.
        autocast_dtype: Lower precision for matrix products; None computes in fp32.
    """

    target: torch.device
    autocast_dtype: torch.dtype | None

    @staticmethod
    def pick(config: TrialConfig) -> Device:
        """The GPU that this process may use, else the CPU."""
        if not torch.cuda.is_available():
            return Device(target=torch.device("cpu"), autocast_dtype=None)
        dtype = lower_precision() if config.run.precision == "auto" else None
        return Device(target=torch.device("cuda"), autocast_dtype=dtype)

    def placed(self, model: torch.nn.Module) -> torch.nn.Module:
        """The network on this device, its weights laid out as `MEMORY_FORMAT`."""
        model = model.to(self.target)
        return model.to(memory_format=MEMORY_FORMAT)  # type: ignore[call-overload,no-any-return]

    def autocast(self) -> AbstractContextManager[None]:
        """Context in which to run the network."""
        if self.autocast_dtype is None:
            return nullcontext()
        return torch.autocast(self.target.type, self.autocast_dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """Gradient scaler, which does nothing unless the precision is fp16."""
        return torch.amp.GradScaler(self.target.type, enabled=self.autocast_dtype is torch.float16)
