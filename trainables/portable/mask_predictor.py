"""Masks by an exported ensemble, at the images' own sizes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from .activations import Outputs, outputs_apart
from .images import decode
from .label_map import at_size, class_planes, label_map
from .merging import Blend, merged_pixels
from .postprocess import Form, Occurs, Postprocess
from .predictor import Look, Predictor, Prepared, Voice
from .preparation import Picture
from .views import before_windows, view_of, whole
from .windows import predicted

Pixels = NDArray[np.uint8]

THERE = 255
"""What pixels of a class are in a file of its own."""


class MaskPredictor(Predictor):
    """An exported ensemble that tells the class of every pixel.

    `settings` says what is made of probabilities: what ``model.json`` says, or something else where
    it is set to that.
    """

    @cached_property
    def _said(self) -> list[Occurs]:
        """What the auxiliary head of a model says of what it looks at, (n, classes) each."""
        return []

    def _classes(self, outputs: Outputs) -> torch.Tensor:
        """Outputs for classes; those of an auxiliary head are kept."""
        logits, occurs = outputs_apart(outputs)
        if occurs is not None:
            self._said.append(torch.sigmoid(occurs.float()).cpu().numpy())
        return logits

    @property
    def overlapping(self) -> bool:
        """Whether a pixel can be of several classes."""
        return bool(self.about["overlapping"])

    @cached_property
    def settings(self) -> Postprocess | None:
        """What is made of probabilities; None for the likeliest class."""
        given = self.about["postprocess"]
        return None if given is None else Postprocess.from_json(given)

    def labels(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Pixels | None, str]]:
        """Predicts images one by one.

        Args:
            paths: Image files.

        Yields:
            The file; the number of each pixel's class as the training masks had them, uint8
            (height, width), where classes overlap (height, width, classes) of 0 and `THERE`, or
            None; and the reason for that.
        """
        numbers = np.array(self.about["numbers"], np.uint8)
        for path in paths:
            try:
                picture = decode(path.read_bytes())
                height, width = picture.shape[:2]
                found = self._labels(*self.told_of(picture), height, width)
            except (OSError, ValueError) as error:
                yield path, None, str(error)
                continue
            yield path, found * np.uint8(THERE) if self.overlapping else numbers[found], ""

    def places(self, out: Path, image: Path) -> list[Path]:
        """Files of an image's mask in a folder of masks."""
        return mask_places(out, image, self.classes if self.overlapping else ())

    def _labels(
        self, probabilities: Pixels, occurs: Occurs | None, height: int, width: int
    ) -> Pixels:
        """The class, or classes, of every pixel at the image's own size."""
        if self.settings is None:
            told = class_planes if self.overlapping else label_map
            return told(probabilities, height, width)
        form = Form(
            classes=len(self.classes),
            background=self.about["background"],
            overlapping=self.overlapping,
        )
        return self.settings.apply(at_size(probabilities, height, width), form, occurs)

    def told_of(self, picture: Picture) -> tuple[Pixels, Occurs | None]:
        """What all voices come to.

        Args:
            picture: As decoded, uint8 (height, width, 3).

        Returns:
            Probabilities uint8 (h, w, classes), in 255ths, whose size is that of the first voice's
            predictions; and how likely each class occurs, (classes,), if all models tell.
        """
        occurs: list[Occurs] = []
        stored = self.prepared(picture)
        means = spooled(self._mean(voice, stored, occurs) for voice in self.heard())
        if self.blend is None:
            probabilities = mean_of(means)
        else:
            probabilities = blended(means, self.blend, self.overlapping)
        if len(occurs) < len(self.voices):
            return probabilities, None
        return probabilities, np.asarray(np.mean(occurs, axis=0, dtype=np.float32), np.float32)

    def _mean(self, voice: Voice, stored: Prepared, occurs: list[Occurs]) -> Pixels:
        """What a voice's models say; which classes occur is added to a list if all of them tell."""
        said: list[Occurs] = []
        mean = mean_of(spooled(self._each(voice, stored, said)))
        if len(said) == len(voice.members):
            occurs.append(np.mean(said, axis=0, dtype=np.float32))
        return mean

    def _each(self, voice: Voice, stored: Prepared, occurs: list[Occurs]) -> Iterator[Pixels]:
        """What each of a voice's models says; which classes occur is added to a list."""
        for member, model in voice.members:
            self._said.clear()
            found = self._seen(member, model, stored[voice.look[:2]], voice.look)
            if self._said:  # of several windows the surest
                occurs.append(np.concatenate(self._said).max(axis=0))
            self.beat()
            yield found

    def _seen(
        self,
        member: dict[str, Any],
        model: torch.nn.Module,
        picture: Picture,
        look: Look,
    ) -> Pixels:
        """What one model says of a prepared image."""
        data, view = member["config"]["data"], view_of(look.view)
        assert view.undo is not None
        if data["kind"] == "windows":
            overlap, how = view.windows(data["window_overlap"], data["window_weights"])
            found = predicted(
                before_windows(picture, look.view),
                lambda cut: self.forward(member, model, cut),
                window=look.size,
                scale=data["window_scale"],
                overlap=overlap,
                how=how,
                batch=int(member["batch"]),
            )
            return view.undo(found)
        seen = whole(picture, look.view, look.size)[None]
        rounded = np.rint(self.forward(member, model, seen)[0] * 255).astype(np.uint8)
        return view.undo(np.ascontiguousarray(rounded.transpose(1, 2, 0)))


def spooled(masks: Iterable[Pixels]) -> Pixels:
    """Masks at the first one's size, uint8 (masks, h, w, classes), in a temporary file: those of a
    large image by many models are more than fits into memory."""
    shape: tuple[int, ...] = ()
    with tempfile.TemporaryFile() as file:
        for mask in masks:
            shape = shape or mask.shape
            file.write(np.ascontiguousarray(at_size(mask, *shape[:2])).data)
            del mask  # before the next one is made
        file.flush()
        return np.memmap(file, np.uint8, "r").reshape(-1, *shape)


def mean_of(masks: Pixels) -> Pixels:
    """As predictions of folds are averaged after training, to the last bit.

    Args:
        masks: Probabilities in 255ths, uint8 (models, h, w, classes).
    """
    mean = np.empty(masks.shape[1:], np.uint8)
    for row in range(len(mean)):  # row by row: sums of all would be four times as large
        total = masks[:, row].sum(axis=0, dtype=np.uint32)
        mean[row] = (total + len(masks) // 2) // len(masks)
    return mean


def blended(masks: Pixels, blend: Blend, overlapping: bool) -> Pixels:
    """As voices are merged in a blend, to the last bit.

    Args:
        masks: Probabilities in 255ths, uint8 (voices, h, w, classes).
        blend: How.
        overlapping: Whether a pixel can be of several classes.
    """
    merged = np.empty(masks.shape[1:], np.uint8)
    for row in range(len(merged)):
        merged[row] = merged_pixels(masks[:, row : row + 1], blend.apply, overlapping)
    return merged


def mask_places(out: Path, image: Path, overlapping: Sequence[str]) -> list[Path]:
    """Files of an image's mask.

    Args:
        out: Folder of all masks.
        image: The image's name.
        overlapping: Class names where classes overlap: each has a folder; empty where they do not.
    """
    if not overlapping:
        return [(out / image).with_suffix(".png")]
    safe = [re.sub(r"[^A-Za-z0-9._-]+", "-", name) for name in overlapping]
    return [
        (out / f"{number}-{name}" / image).with_suffix(".png")
        for number, name in enumerate(safe, start=1)
    ]


def write_mask(places: Sequence[Path], found: Pixels) -> None:
    """Writes what `MaskPredictor.labels` gives as grey PNGs, each whole or not at all."""
    for index, path in enumerate(places):
        labels = found if found.ndim == 2 else np.ascontiguousarray(found[..., index])
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_bytes(cv2.imencode(".png", labels)[1].tobytes())
        temporary.replace(path)
