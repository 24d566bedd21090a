"""Sizes of images as users write them."""

from __future__ import annotations

from typing import Any

from spaces.errors import InputError


def parse_size(value: Any) -> tuple[int, int]:
    """Reads ``"96x128"`` (height x width), ``[96, 128]`` or ``96`` as (height, width)."""
    parts = value.split("x") if isinstance(value, str) else value
    try:
        numbers = [int(p) for p in parts] if isinstance(parts, list | tuple) else [int(parts)] * 2
        if isinstance(value, str) and len(numbers) == 1:
            numbers *= 2
        height, width = numbers
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"size={value!r}: give height x width such as 96x128, or one number"
        ) from error
    return height, width
