"""From probabilities of an image's pixels to a mask: priors, thresholds, sizes and shapes.

An export carries this file, so that it imports nothing of this project.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""uint8 (h, w) of class indices, or (h, w, classes) of 0 and 1 where classes overlap."""

Planes = NDArray[Any]
"""Probabilities (h, w, classes): floats from 0 to 1, or uint8, of which 255 is 1."""

Occurs = NDArray[np.float32]
"""How likely each class occurs in an image, (classes,)."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a mask is.

    Attributes:
        classes: Number of classes, the background included.
        background: Index of the class that stands for nothing, if there is one.
        overlapping: Whether a pixel can be of several classes.
    """

    classes: int
    background: int | None
    overlapping: bool = False

    @property
    def judged(self) -> list[int]:
        """Classes that have counts of their own: all but the background."""
        return [c for c in range(self.classes) if c != self.background]

    @property
    def may_be_empty(self) -> bool:
        """Whether a pixel can be of no class."""
        return self.overlapping or self.background is not None


@dataclass(frozen=True, kw_only=True)
class Postprocess:
    """What is made of probabilities; without settings the likeliest class, or those from 0.5 on.

    The steps, in their order: which classes occur; is the image empty; which class is a pixel of
    (weights, thresholds); opening; components; holes. Pixels that opening and components take from
    a class go to the next likeliest one, with thresholds to the background. A size from 1 on is in
    pixels, below 1 a share of the image. What stands for a class is empty, for no effect, or has a
    number for each class.

    Attributes:
        occurs: Classes that the networks' auxiliary heads are less sure of are not in the image.
        present: Where no class but the background is as likely as this in any pixel, the image is
            empty.
        weights: What probabilities are multiplied by before the largest is taken.
        thresholds: From which probability on a pixel is of a class, where classes overlap; where
            they exclude each other, the likeliest class that is not the background is taken from
            its threshold on, and the background below.
        opening: Radius in pixels of the disc that has to fit into a class's area.
        components: Smallest component of each class.
        holes: Largest hole in a class that is filled with it, whatever is in it.
    """

    occurs: float = 0.0
    present: float = 0.0
    weights: tuple[float, ...] = ()
    thresholds: tuple[float, ...] = ()
    opening: int = 0
    components: tuple[float, ...] = ()
    holes: float = 0.0

    def __post_init__(self) -> None:
        for name, ok, rule in (
            ("occurs", 0 <= self.occurs <= 1, "within 0 to 1"),
            ("present", 0 <= self.present <= 1, "within 0 to 1"),
            ("weights", all(0 < w < math.inf for w in self.weights), "above 0"),
            ("thresholds", all(0 <= t <= 1 for t in self.thresholds), "within 0 to 1"),
            ("opening", 0 <= self.opening <= 100, "within 0 to 100 pixels"),
            ("components", all(0 <= c < math.inf for c in self.components), "0 or more"),
            ("holes", 0 <= self.holes < math.inf, "0 or more"),
        ):
            if not ok:
                raise ValueError(f"{name} must be {rule}, got {getattr(self, name)!r}")

    def check(self, form: Form) -> None:
        """Raises ValueError unless the settings make sense for a form of masks."""
        for name in ("weights", "thresholds", "components"):
            given = len(getattr(self, name))
            if given not in (0, form.classes):
                raise ValueError(
                    f"{name} must be one for each of {form.classes} classes or none, got {given}"
                )
        for name in ("thresholds", "present"):
            if getattr(self, name) and not form.may_be_empty:
                raise ValueError(f"{name} needs a background class, or classes that overlap")

    def apply(self, probabilities: Planes, form: Form, occurs: Occurs | None = None) -> Mask:
        """The mask of an image.

        Args:
            probabilities: (h, w, classes).
            form: What a mask is here.
            occurs: How likely each class occurs in it, (classes,); None where nobody tells.

        Returns:
            uint8 (h, w) of class indices, or (h, w, classes) of 0 and 1 where classes overlap.

        Raises:
            ValueError: If the settings make no sense for this form.
        """
        self.check(form)
        full = 255.0 if probabilities.dtype == np.uint8 else 1.0
        gone = self._gone(occurs, form)
        kept = [c for c in form.judged if c not in gone]
        if self.present:
            highest = max((float(probabilities[..., c].max()) for c in kept), default=0.0)
            if highest < np.float32(self.present * full):
                shape = probabilities.shape if form.overlapping else probabilities.shape[:2]
                return np.full(shape, form.background or 0, np.uint8)
        if form.overlapping:
            return self._overlapping(probabilities, full, kept)
        labels = self._likeliest(probabilities, full, form, gone)
        for c in kept:
            if not self.opening and not (self.components and self.components[c]):
                continue
            plane = _plane(labels, c)
            lost = (plane & (1 - self._shaped(plane, c))).view(np.bool_)
            if lost.any():
                labels[lost] = self._next(probabilities[lost], form, [*gone, c])
        for c in kept if self.holes else ():
            labels[self._holes(_plane(labels, c)).view(np.bool_)] = c
        return labels

    def _gone(self, occurs: Occurs | None, form: Form) -> list[int]:
        """Classes that are not in the image; where one has to be, never all of them."""
        if not self.occurs:
            return []
        if occurs is None:
            raise ValueError("occurs needs networks that tell which classes occur (aux_weight)")
        gone = [c for c in form.judged if occurs[c] < np.float32(self.occurs)]
        if len(gone) == form.classes and not form.may_be_empty:
            gone.remove(int(np.argmax(occurs)))
        return gone

    def _overlapping(self, probabilities: Planes, full: float, kept: list[int]) -> Mask:
        """Every class from its threshold on."""
        planes = np.zeros(probabilities.shape, np.uint8)
        for c in kept:
            limit = (self.thresholds[c] if self.thresholds else 0.5) * full
            called = self._weighted(probabilities, c) >= np.float32(limit)
            plane = self._shaped(called.view(np.uint8), c)
            planes[..., c] = plane | self._holes(plane) if self.holes else plane
        return planes

    def _likeliest(
        self, probabilities: Planes, full: float, form: Form, gone: Sequence[int]
    ) -> Mask:
        """One class for every pixel; the first of several that are as likely."""
        among = form.judged if self.thresholds else range(form.classes)
        left = [c for c in among if c not in gone]
        if not left:
            return np.full(probabilities.shape[:2], form.background, np.uint8)
        first, *others = left
        labels = np.full(probabilities.shape[:2], first, np.uint8)
        best = self._weighted(probabilities, first)
        for c in others:
            score = self._weighted(probabilities, c)
            np.putmask(labels, score > best, c)
            np.maximum(best, score, out=best)
        if self.thresholds:
            assert form.background is not None
            chosen = np.take_along_axis(probabilities, labels[..., None].astype(np.intp), 2)
            limits = (np.array(self.thresholds) * full).astype(np.float32)
            labels[chosen[..., 0] < limits[labels]] = form.background
        return labels

    def _weighted(self, probabilities: Planes, c: int) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = probabilities[..., c].astype(np.float32)
        if self.weights:
            scores *= np.float32(self.weights[c])
        return scores

    def _next(self, probabilities: Planes, form: Form, others: Sequence[int]) -> Mask:
        """What pixels (n, classes) are that are of none of the ``others`` after all."""
        if self.thresholds:
            return np.full(len(probabilities), form.background, np.uint8)
        scores = probabilities * np.array(self.weights or [1.0] * form.classes, np.float32)
        scores[:, others] = -1
        return np.asarray(scores.argmax(axis=1), np.uint8)

    def _shaped(self, plane: Mask, c: int) -> Mask:
        """What opening and the smallest component leave of a class's area."""
        import cv2  # here and below, where masks are looked at: records are read without

        if self.opening:
            # Beyond the rim the area goes on, so that what touches it stays.
            rim = self.opening
            wide = cv2.copyMakeBorder(plane, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
            opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc)
            plane = np.ascontiguousarray(opened[rim:-rim, rim:-rim], np.uint8)
        smallest = _pixels(self.components[c], plane) if self.components else 0.0
        if smallest > 1 and plane.any():
            _, parts, found, _ = cv2.connectedComponentsWithStats(plane, connectivity=8)
            large = found[:, cv2.CC_STAT_AREA] >= smallest
            large[0] = False  # what is outside
            plane = np.asarray(large[parts]).view(np.uint8)
        return plane

    def _holes(self, plane: Mask) -> Mask:
        """Holes of a class's area that are small enough, uint8 (h, w)."""
        import cv2

        largest = _pixels(self.holes, plane)
        if not plane.any():
            return plane
        _, parts, found, _ = cv2.connectedComponentsWithStats(1 - plane, connectivity=4)
        small = found[:, cv2.CC_STAT_AREA] <= largest
        small[0] = False  # the area itself
        for rim in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
            small[rim] = False
        return np.asarray(small[parts]).view(np.uint8)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; ``from_json`` reads it back."""
        values = dataclasses.asdict(self).items()
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Postprocess:
        """Inverse of ``to_json``."""
        values: dict[str, Any] = {
            n: tuple(v) if isinstance(v, list) else v for n, v in data.items()
        }
        return Postprocess(**values)


def _plane(labels: Mask, c: int) -> Mask:
    """Where a class is, uint8 (h, w) of 0 and 1."""
    return np.asarray(labels == c).view(np.uint8)


def _pixels(size: float, plane: Mask) -> float:
    """A size in pixels: as it stands from 1 on, else a share of the image."""
    return size if size >= 1 else size * plane.size
