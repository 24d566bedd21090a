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
OUTPUTS = ("probabilities", "occurs")
"""Names of what a network tells; the second is that of an auxiliary head."""

TOLERANCE = 1e-3
"""Largest difference of a probability between the two runtimes."""


class _Whole(torch.nn.Module):
    """From RGB pixels as they are decoded to probabilities; beside an auxiliary head, also to how
    likely each class occurs."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, model: torch.nn.Module, mean: torch.Tensor, std: torch.Tensor, activation: str
    ) -> None:
        super().__init__()
        self.model, self.activation = model, ACTIVATIONS[activation]
        self.register_buffer("mean", mean[:, None, None])
        self.register_buffer("std", std[:, None, None])

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits, occurs = outputs_apart(self.model((image - self.mean) / self.std))
        found = self.activation(logits)
        return (found,) if occurs is None else (found, torch.sigmoid(occurs.float()))


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

    Its output ``probabilities`` is float (n, classes), of masks (n, classes, height, width). An
    auxiliary head makes another, ``occurs``, float (n, classes).

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
    with torch.inference_mode():
        outputs = OUTPUTS[: len(whole(example))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                whole,
                (example,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["image"],
                output_names=[*outputs],
                verbose=False,
            )
            assert program is not None
            program.save(path)
    except Exception as error:  # the exporter raises what it likes for networks it cannot follow
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"torch cannot export this network to ONNX: {first}") from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batch = torch.rand(5, 3, *size, generator=torch.Generator().manual_seed(0)) * 255
    found: list[NDArray[np.float32]] = session.run([*outputs], {"image": batch.numpy()})
    with torch.inference_mode():
        pairs = zip(found, whole(batch), strict=True)
        off = max(float(np.abs(theirs - ours.numpy()).max()) for theirs, ours in pairs)
    if off > TOLERANCE:
        raise InputError(f"{path}: ONNX differs from torch by {off:.2g}")
    return off
