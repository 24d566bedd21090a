"""Makes torchvision importable beside a CPU-only torch; import this module before timm.

torchvision's wheel is a CUDA build. Beside a CPU build of torch its compiled operators do not
load, and ``import torchvision`` (hence ``import timm``) fails when it registers ``nms``. Declaring
the two operators is enough for the import; nothing here calls them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library: torch.library.Library | None = None  # the declarations live as long as this object


def _declare_missing_operators() -> None:
    global _library
    spec = importlib.util.find_spec("torchvision")
    if torch.version.cuda is not None or spec is None or spec.origin is None:
        return
    for compiled in Path(spec.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(str(compiled))  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return  # the real operators are there
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        _library.define(f"{name}{_SCHEMA}")  # type: ignore[no-untyped-call]


_declare_missing_operators()
