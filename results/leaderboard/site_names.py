"""What a contest's site calls the test images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

SHORTER: tuple[Callable[[PurePosixPath], str], ...] = (
    lambda name: name.with_suffix("").as_posix(),
    lambda name: name.name,
    lambda name: name.stem,
)
"""What sites leave out of an image's name: its ending, its folder, both."""


@dataclass(frozen=True, kw_only=True)
class SiteNames:
    """Ids of the test images in samples, solutions and submissions.

    Beside an image's id and its name, what is left of the name without folder or ending is
    understood where it means one image only. Nothing is known by default: names are ids then.

    Attributes:
        images: Names as in the contest's test table.
        ids: What the site calls each: a column of that table, or the same again.
    """

    images: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @cached_property
    def _images(self) -> dict[str, str]:
        """Names by everything that means them."""
        found = dict(zip(self.images, self.images, strict=True))
        for shorter in SHORTER:
            names = {image: shorter(PurePosixPath(image)) for image in self.images}
            times = Counter(names.values())
            found = {n: i for i, n in names.items() if times[n] == 1} | found
        return found | dict(zip(self.ids or self.images, self.images, strict=True))

    def images_of(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Names of the images; of unknown ids these themselves."""
        return tuple(self._images.get(name, name) for name in ids)


AS_NAMED = SiteNames()
"""Ids are the images' names."""
