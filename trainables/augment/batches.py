"""Augments whole batches on the device that trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from trainables.augment import clahe, fog, jpeg, moves, noise, paints
from trainables.augment.rounds import Round

MOVES: dict[str, Callable[..., torch.Tensor]] = {
    "warp": moves.warp,
    "displace": moves.displace,
    "turn": moves.turn,
}
"""Kinds of steps that masks follow."""

PAINTS: dict[str, Callable[..., torch.Tensor]] = {
    "levels": paints.levels,
    "shades": paints.shades,
    "contrast": paints.contrast,
    "saturation": paints.saturation,
    "hue": paints.hue,
    "sharpness": paints.sharpness,
    "autocontrast": paints.autocontrast,
    "equalize": paints.equalize,
    "blur": paints.blur,
    "filter": paints.filtered,
    "noise": noise.gaussian,
    "sensor": noise.sensor,
    "holes": paints.holes,
    "coarse": paints.coarse,
    "jpeg": jpeg.compressed,
    "clahe": clahe.equalized,
    "fog": fog.veiled,
}
"""Kinds that leave masks as they are."""


@torch.no_grad()
def augmented(
    pictures: torch.Tensor,
    masks: torch.Tensor | None,
    rounds: Sequence[Round],
    fill: str,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What was drawn, done.

    Args:
        pictures: uint8 (n, height, width, 3), resized.
        masks: uint8 (n, height, width), or (n, height, width, planes); None without masks.
        rounds: What is done to which of them, in this order.
        fill: What uncovered borders show.
        device: Where to compute.

    Returns:
        Pictures and masks of the same shapes, on the device.
    """
    images = pictures.to(device, non_blocking=True).permute(0, 3, 1, 2).contiguous()
    planes = None
    if masks is not None:
        planes = masks.to(device, non_blocking=True).reshape(*masks.shape[:3], -1)
        planes = planes.permute(0, 3, 1, 2).contiguous()
    borders = moves.Border.of(fill, device)
    for kind, places, drawn in rounds:
        chosen = torch.from_numpy(places).to(device)
        values = {name: torch.from_numpy(value).to(device) for name, value in drawn.items()}
        if kind in PAINTS:
            images[chosen] = PAINTS[kind](images[chosen], **values)
            continue
        images[chosen] = MOVES[kind](images[chosen], borders[0], **values)
        if planes is not None:
            planes[chosen] = MOVES[kind](planes[chosen], borders[1], **values)
    if masks is not None and planes is not None:
        planes = planes.permute(0, 2, 3, 1).reshape(masks.shape)
    return images.permute(0, 2, 3, 1), planes
