"""Networks as ONNX, for runtimes without torch; checked against torch before they count."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spaces.errors import InputError
from trainables.portable.activations import ACTIVATIONS, outputs_apart

NEEDED = ("onnx", "onnxruntime", "onnxscript")
TOLERANCE = 1e-3
"""Largest difference of a probability between the two runtimes."""


class _Whole(torch.nn.Module):
    """From RGB pixels as they are decoded to probabilities."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, model: torch.nn.Module, mean: torch.Tensor, std: torch.Tensor, activation: str
    ) -> None:
        super().__init__()
        self.model, self.activation = model, ACTIVATIONS[activation]
        self.register_buffer("mean", mean[:, None, None])
        self.register_buffer("std", std[:, None, None])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits, _ = outputs_apart(self.model((image - self.mean) / self.std))
        return self.activation(logits)


def check_onnx() -> None:
    """Raises InputError if what ONNX needs is not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"onnx=true needs {', '.join(missing)}: pip install 'holdfold[onnx]'")


def write_onnx(
    model: torch.nn.Module,
    mean: torch.Tensor,
    std: torch.Tensor,
    size: tuple[int, int],
    activation: str,
    path: Path,
) -> float:
    """Writes a network whose input ``image`` is float (n, 3, height, width) in 0 to 255, RGB.

    Its output ``probabilities`` is float (n, classes).

    Args:
        model: The network, on the CPU.
        mean: Per channel, in 0 to 255.
        std: Per channel, in 0 to 255.
        size: Height and width in pixels.
        activation: From outputs to predictions, by name.
        path: File to write.

    Returns:
        The largest difference from torch on random images.

    Raises:
        InputError: If torch cannot export the network, or the runtimes differ.
    """
    import onnxruntime

    whole = _Whole(model.eval(), mean, std, activation)
    example = torch.rand(2, 3, *size) * 255
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                whole,
                (example,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["image"],
                output_names=["probabilities"],
                verbose=False,
            )
            assert program is not None
            program.save(path)
    except Exception as error:  # the exporter raises what it likes for networks it cannot follow
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"torch cannot export this network to ONNX: {first}") from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batch = torch.rand(5, 3, *size, generator=torch.Generator().manual_seed(0)) * 255
    found: NDArray[np.float32] = session.run(None, {"image": batch.numpy()})[0]
    with torch.inference_mode():
        off = float(np.abs(found - whole(batch).numpy()).max())
    if off > TOLERANCE:
        raise InputError(f"{path}: ONNX differs from torch by {off:.2g}")
    return off
