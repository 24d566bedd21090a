"""The arithmetic in which a GPU is fast."""

from __future__ import annotations

import torch


def lower_precision() -> torch.dtype:
    """bf16 where the GPU computes it natively, else fp16: emulation is slower than fp32."""
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16
