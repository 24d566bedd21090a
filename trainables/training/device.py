"""The device of a trial and the arithmetic that suits it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from spaces.trial_config import TrialConfig


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
        """The GPU that this process may use, else the CPU.

        bf16 only where the GPU computes it natively: emulation is slower than fp32.
        """
        if not torch.cuda.is_available():
            return Device(target=torch.device("cpu"), autocast_dtype=None)
        dtype = None
        if config.run.precision == "auto":
            native = torch.cuda.is_bf16_supported(including_emulation=False)
            dtype = torch.bfloat16 if native else torch.float16
        return Device(target=torch.device("cuda"), autocast_dtype=dtype)

    @property
    def memory_format(self) -> torch.memory_format:
        """channels_last on a GPU, where its convolution kernels are faster."""
        cuda = self.target.type == "cuda"
        return torch.channels_last if cuda else torch.contiguous_format

    def autocast(self) -> AbstractContextManager[None]:
        """Context in which to run the network."""
        if self.autocast_dtype is None:
            return nullcontext()
        return torch.autocast(self.target.type, self.autocast_dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """Gradient scaler, which does nothing unless the precision is fp16."""
        return torch.amp.GradScaler(self.target.type, enabled=self.autocast_dtype is torch.float16)
