"""A team's own albumentations pipeline as data, a leaf of the policy grammar."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spaces.errors import InputError

CLASS, PARTS = "__class_fullname__", "transforms"
"""Keys that albumentations writes: what a transform is, and what it is made of."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline of albumentations' own operations.

    Attributes:
        name: What the team calls it.
        text: What albumentations writes of it, as canonical JSON.
    """

    name: str
    text: str

    @staticmethod
    def of(name: str, transform: Mapping[str, Any]) -> Pipeline:
        """A pipeline from what albumentations writes of it.

        Raises:
            InputError: If that is more than numbers and texts.
        """
        try:
            text = json.dumps(transform, sort_keys=True, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"pipeline {name!r} cannot be written as JSON: {error}") from error
        return Pipeline(name=name, text=text)

    @property
    def transform(self) -> dict[str, Any]:
        """What albumentations writes of it."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def crops(self) -> bool:
        """Whether it gets the stored image: never, it sees the training size."""
        return False

    def at(self, share: float) -> Pipeline:
        """The same, however much of the training is done."""
        return self

    def operations(self) -> set[str]:
        """Its name: it is one thing to a search."""
        return {self.name}

    def describe(self) -> str:
        """The pipeline in words."""
        return f"the pipeline {self.name} ({', '.join(_parts(self.transform))})"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"pipeline": self.name, "transform": self.transform}


def classes_of(transform: Mapping[str, Any]) -> Iterator[str]:
    """Names of a written transform and of all that it is made of."""
    yield str(transform.get(CLASS, ""))
    for part in transform.get(PARTS, ()):
        yield from classes_of(part)


def check_batched(names: Iterable[str]) -> None:
    """Raises InputError, listing them, for pipelines, which whole batches do without."""
    own = sorted(set(names))
    if own:
        raise InputError(
            f"augment_on=batch has no pipelines of your own: do without {', '.join(own)} (where a "
            f"space lists them, drop=[{','.join(own)}]), or set augment_on=image"
        )


def _parts(transform: Mapping[str, Any]) -> Iterator[str]:
    """What a written pipeline is made of, in words."""
    for part in transform.get(PARTS, [transform]):
        name = str(part[CLASS]).rpartition(".")[2]
        yield f"{name}({', '.join(_parts(part))})" if PARTS in part else name
