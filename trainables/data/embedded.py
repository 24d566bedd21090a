"""The embedded contests by name: a new one is a file, a line here, and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from trainables.data.digits import make_digits
from trainables.data.masked_people import make_masks
from trainables.data.shapes import make_shapes

EMBEDDED: Mapping[str, Callable[[Path], Path]] = MappingProxyType(
    {"digits": make_digits, "masks": make_masks, "shapes": make_shapes}
)
"""What writes a contest into a folder, unless it is there already."""
