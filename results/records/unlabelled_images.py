"""The test images of a job, as its record keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spaces.errors import InputError


@dataclass(frozen=True, kw_only=True)
class UnlabelledImages:
    """Test images in the order of the contest's table.

    Attributes:
        images: Names; there may be none.
        ids: What the site calls them.
        sizes: Height and width in pixels by name, where they are predicted by masks.
    """

    images: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @staticmethod
    def read(path: Path) -> UnlabelledImages:
        """Reads the table.

        Raises:
            InputError: If it is missing or damaged.
        """
        import pandas as pd  # which most of what reads a record does without

        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            images = tuple(table["image"])
            sizes = {}
            if "height" in table:
                sides = table[["height", "width"]].astype(int).to_numpy().tolist()
                sizes = {name: (h, w) for name, (h, w) in zip(images, sides, strict=True)}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} does not hold the names of the test images") from error
        return UnlabelledImages(images=images, ids=tuple(table.get("id", images)), sizes=sizes)
