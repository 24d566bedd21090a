"""One class per pixel: softmax over classes at every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from results.masks.planes import Pixels, Planes
from results.predictions import MASKS, SIZES, Head
from spaces.errors import InputError, unknown
from spaces.sections.data import Data, Windows
from spaces.sections.mixing import BOX_CUTMIX, SNAPMIX
from spaces.sections.run import MixMatch
from spaces.trial_config import TrialConfig
from trainables.losses.losses import LOSSES, Loss
from trainables.losses.occurrence import beside_occurrence
from trainables.networks.timm_network import takes_one_size
from trainables.portable.smp_network import STRIDE
from trainables.portable.views import STEP, VIEWS, same, seen_size, view_of
from trainables.portable.windows import weights_of
from trainables.tasks.task import Own, TrainingTask


class Segmentation(TrainingTask):
    """An encoder and a decoder with one output per class and pixel."""

    name = "segmentation"
    head = MASKS
    activation = "softmax"

    def targets(self, labels: NDArray[Any], classes: int) -> NDArray[np.float32]:
        """How much the pixels of each image count (n, 1); their classes are in its mask."""
        return np.ones((len(labels), 1), np.float32)

    def loss(self, config: TrialConfig, own: Own) -> Loss:
        """The loss of the configuration, or the team's own, and that of an auxiliary head."""
        loss = LOSSES.of(config.loss, own)(config)
        weight = getattr(config.model, "aux_weight", 0.0)
        return beside_occurrence(loss, weight) if weight else loss

    def pixels(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Those of the image."""
        return size

    def check(self, config: TrialConfig) -> None:
        """Refuses what is for whole images, and sizes that decoders cannot put together again."""
        if config.model.kind == "timm":
            raise InputError("model=timm tells classes of whole images; masks need model=smp")
        if isinstance(config.run, MixMatch):
            raise InputError(f"action={config.run.kind} is for classes of images, not for masks")
        if config.mix.kind in (SNAPMIX, BOX_CUTMIX):
            raise InputError(f"mix={config.mix.kind} is for classes of images, not for masks")
        if config.data.shape in ("pad", "crop"):
            raise InputError(
                f"data.shape={config.data.shape} leaves out or adds to the image, whose mask is "
                "wanted as a whole: squash, or native for windows of images at their own sizes"
            )
        for name, size in (("size", config.data.size), ("predict_size", config.data.predict_size)):
            if config.model.kind == "smp" and any(side % STRIDE for side in size):
                raise InputError(
                    f"{name}={size[0]}x{size[1]}: height and width must be multiples of {STRIDE}"
                )

    def check_view(self, view: str, config: TrialConfig) -> None:
        """Refuses what cannot be undone at every pixel, and what changes nothing."""
        place = f"views=[{view}]"
        if VIEWS[view].undo is None:
            known = [name for name, other in VIEWS.items() if other.undo is not None]
            raise unknown("view", view, known, f"{place}, of masks")
        if VIEWS[view].of_windows:
            _check_windows(view, config.data)
        if VIEWS[view].scale == 1 or isinstance(config.data, Windows):
            return
        size = config.data.prediction_size
        seen = seen_size(view, size)
        if seen == size:
            raise InputError(
                f"{place}: {size[0]}x{size[1]} is the same in multiples of {STEP} at that scale"
            )
        backbone = getattr(config.model, "backbone", "")
        if backbone and takes_one_size(backbone):
            raise InputError(f"{place}: {backbone} takes images of one size only")

    def gathered(self, outputs: Iterable[NDArray[np.float32]]) -> Head:
        """Probabilities of classes per pixel in 255ths, each uint8 (height, width, classes)."""
        return Planes.of(image for batch in outputs for image in in_255ths(batch))

    def heads(self, told: Mapping[str, Head], sizes: NDArray[np.int64]) -> dict[str, Head]:
        """What is told, and the sizes that images have."""
        return {**told, SIZES: sizes.astype(np.float32)}

    def apart(self, a: Head, b: Head) -> NDArray[np.float64]:
        """The largest difference at a pixel, all but the thousandth that differ most.

        One step of rounding pixels moves an edge, and with it what is predicted there.
        """
        pairs = zip(a, b, strict=True)
        off = [np.abs(x.astype(np.float64) - y).max(axis=2) / 255 for x, y in pairs]
        return np.array([np.quantile(o, 0.999) for o in off])

    def undo(self, view: str, predictions: Head) -> Head:
        """Turns masks back."""
        assert isinstance(predictions, Planes)
        undo = view_of(view).undo
        assert undo is not None
        return predictions if undo is same else Planes.of(map(undo, predictions))


def _check_windows(view: str, data: Data) -> None:
    """Refuses windows where there are none, and those that a model has anyhow."""
    if not isinstance(data, Windows):
        raise InputError(
            f"views=[{view}]: this model sees whole images; windows are for data.shape=native"
        )
    own = data.window_overlap, data.window_weights
    (before, ours), (overlap, theirs) = own, VIEWS[view].windows(*own)
    size = data.prediction_size
    alike = weights_of(ours, *size, before), weights_of(theirs, *size, overlap)
    if before == overlap and np.array_equal(*alike):
        raise InputError(
            f"views=[{view}]: windows lie and count like that anyhow (window_overlap={before:g}, "
            f"window_weights={ours})"
        )


def in_255ths(probabilities: NDArray[np.float32]) -> Pixels:
    """Rounds probabilities float32 (n, classes, h, w) to uint8 (n, h, w, classes)."""
    rounded = np.rint(probabilities * 255).astype(np.uint8)
    return np.ascontiguousarray(rounded.transpose(0, 2, 3, 1))


def planes_of(masks: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Targets of masks, a plane per class.

    Args:
        masks: uint8 (n, height, width), numbers; what is none that has targets is void. Or
            (n, height, width, 1 + classes) as of a `soft_mask`.
        pixels: float32 (numbers + 1, …), targets of a pixel of each number, and of void.

    Returns:
        float32 (n, …, height, width).
    """
    if masks.ndim == 3:
        found = pixels[masks.to(torch.int64).clamp(max=len(pixels) - 1)]
    else:
        found = _soft_targets(masks, pixels)
    return found.movedim((1, 2), (-2, -1)).contiguous()


def _soft_targets(masks: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Targets in shares of what a pixel counts that is of a class, (n, height, width, …)."""
    known = masks[..., 0] < len(pixels) - 1
    shares = masks[..., 1:].to(pixels.dtype)
    if pixels.ndim == 2:
        shares = shares / shares.sum(dim=-1, keepdim=True).clamp(min=1)
    else:
        shares = torch.stack([shares, 255 - shares], dim=-1) / 255
    found = shares * pixels.amax(dim=0)
    return found * known.reshape(*known.shape, *[1] * (found.ndim - 3))
