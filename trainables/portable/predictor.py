"""Predictions of an exported ensemble: the mean over models of each fold and seed, merged over
configurations and views.

On a CPU, with the threads that it was trained with, the probabilities of the same images in the
same order are the very bits of those that were stored after training.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from .activations import ACTIVATIONS, Outputs, outputs_apart
from .committee import committee_of
from .images import decode
from .merging import Blend
from .networks import build_network
from .precision import lower_precision
from .preparation import SIDES, Box, Picture, Preparation
from .preprocessing import PREPROCESSINGS
from .views import whole

CHUNK = 512
"""Images that are decoded together, at least."""

Build = Callable[[dict[str, Any], int], torch.nn.Module]
"""From a configuration and the number of classes to a network without its weights."""

Member = tuple[dict[str, Any], torch.nn.Module]
"""A model's entry in ``model.json``, and its network."""

Prepared = dict[tuple[Preparation, str], Picture]
"""A decoded image by preparation and preprocessing, before it is resized."""


class Look(NamedTuple):
    """What a network sees of an image.

    Attributes:
        preparation: What becomes of it.
        preprocess: What is done to it then.
        size: Height and width in pixels.
        view: How it is looked at, one of `VIEWS`; empty for as it is.
    """

    preparation: Preparation
    preprocess: str
    size: tuple[int, int]
    view: str = ""


class Voice(NamedTuple):
    """A configuration looking at images in one way, whose models are averaged before others are.

    Attributes:
        look: What they see.
        members: The models.
    """

    look: Look
    members: list[Member]


class Predictor:
    """An exported ensemble, ready to predict.

    Attributes:
        about: What ``model.json`` says.
        classes: Class names.
        members: Each model's entry there, and its network.
        looks: What each of them sees of an image as it is.
        looks_at_boxes: Whether they see boxes of images.
        chunk: Images that are decoded together.
        voices: Configurations and views, empty for images as they are, in the order in which they
            are merged: as ``model.json`` says, or something else where it is set to that.
        blend: How they are merged, likewise; None for the mean as of folds.
        beat: Called after every look of a model at an image, or at a chunk of them.

    Args:
        folder: With ``model.json`` and weights.
        build: Builds a network; timm's, or one for masks, by default.
        threads: CPU threads; 0 takes as many as in training.
        cpu: Whether to leave a GPU alone.
        own: A team's own function that prepares decoded images.

    Raises:
        ValueError: If images were prepared by a function that is not given, or the other way round.
    """

    def __init__(
        self,
        folder: Path,
        build: Build = build_network,
        threads: int = 0,
        cpu: bool = False,
        own: Callable[[Picture], Picture] | None = None,
    ) -> None:
        self.about: dict[str, Any] = json.loads((folder / "model.json").read_text())
        torch.set_num_threads(threads or self.about["threads"])
        self.device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
        self.classes: list[str] = self.about["classes"]
        self._activation = ACTIVATIONS[self.about["activation"]]
        self.voices: list[tuple[str, str]] = [(arm, view) for arm, view in self.about["voices"]]
        recipe = self.about["recipe"]
        self.blend: Blend | None = None if recipe is None else Blend.from_json(recipe)
        self.beat: Callable[[], None] = lambda: None
        trained = {m["config"]["data"]["prepare"] for m in self.about["models"]} - {""}
        if bool(trained) != (own is not None):
            by = ", ".join(sorted(trained)) or "no function of their own"
            raise ValueError(f"these models saw images prepared by {by}: give the same")
        self.members: list[Member] = []
        self.looks: list[Look] = []
        self.looks_at_boxes = False
        for member in self.about["models"]:
            data = member["config"]["data"]
            height, width = data["predict_size"] if any(data["predict_size"]) else data["size"]
            preparation = Preparation.of(data, own if data["prepare"] else None)
            self.looks.append(Look(preparation, data["preprocess"], (height, width)))
            self.looks_at_boxes |= bool(data["boxes"])
            model = build(member["config"], len(self.classes))
            weights = load_file(folder / member["weights"])
            if member["config"]["averaging"]["kind"] == "ensemble":
                model = committee_of(model, weights, self.about["activation"])
            model.load_state_dict(weights)
            model = model.eval().to(self.device)
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.members.append((member, model))
        # Whole batches in every chunk: another batch size may change the last bit.
        sizes = [int(member["batch"]) for member, _ in self.members]
        self.chunk = -(-CHUNK // math.lcm(*sizes)) * math.lcm(*sizes)

    def heard(self) -> Iterator[Voice]:
        """Every voice with its models."""
        for arm, view in self.voices:
            own = [i for i, (member, _) in enumerate(self.members) if member["arm"] == arm]
            look = Look(*self.looks[own[0]][:3], view)
            yield Voice(look, [self.members[i] for i in own])

    def looks_in_all(self) -> int:
        """How many models look at an image, each as often as it has views."""
        return sum(len(voice.members) for voice in self.heard())

    def read(self, path: Path, box: Box | None = None) -> Prepared:
        """Decodes an image and prepares it for all models.

        Args:
            path: Its file.
            box: What is cut out of it; None for the whole image.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it does not decode, or cannot be prepared.
        """
        return self.prepared(decode(path.read_bytes()), box)

    def prepared(self, picture: Picture, box: Box | None = None) -> Prepared:
        """A decoded image for all models."""
        found: Prepared = {}
        for look in self.looks:
            if look[:2] not in found:
                made = look.preparation(picture, box)
                found[look[:2]] = PREPROCESSINGS[look.preprocess](made)
        return found

    def chunks(
        self, paths: Sequence[Path], start: int = 0, boxes: Sequence[Box] = ()
    ) -> Iterator[tuple[list[Path], NDArray[np.float32], dict[Path, str]]]:
        """Predicts images chunk by chunk.

        Args:
            paths: Image files.
            start: Index to begin at, a multiple of `chunk`.
            boxes: What is cut out of each, where the models look at boxes.

        Yields:
            Files that decoded, their probabilities float32 (n, classes), and the others with the
            reason.

        Raises:
            ValueError: If the models look at boxes and there are none.
        """
        if self.looks_at_boxes and len(boxes) != len(paths):
            raise ValueError(f"these models look at boxes: {', '.join(SIDES)} of each image")
        cut: Sequence[Box | None] = boxes if self.looks_at_boxes else [None] * len(paths)
        for first in range(start, len(paths), self.chunk):
            good, pictures, failed = [], [], {}
            part = slice(first, first + self.chunk)
            for path, box in zip(paths[part], cut[part], strict=True):
                try:
                    pictures.append(self.read(path, box))
                    good.append(path)
                except (OSError, ValueError) as error:
                    failed[path] = str(error)
            empty = np.empty((0, len(self.classes)), np.float32)
            yield good, self.probabilities(pictures) if good else empty, failed

    def probabilities(self, pictures: Sequence[Prepared]) -> NDArray[np.float32]:
        """What all voices come to, (n, classes)."""
        means = []
        for look, members in self.heard():
            # One way to look at a time: all together would be as many times as large.
            seen = [whole(picture[look[:2]], look.view, look.size) for picture in pictures]
            inputs, found = np.stack(seen), []
            for member, model in members:
                found.append(self.forward(member, model, inputs))
                self.beat()
            means.append(np.mean(found, axis=0).astype(np.float32))
        if self.blend is not None:
            return self.blend.apply(np.stack(means))
        return np.asarray(np.mean(means, axis=0), np.float32)

    @torch.inference_mode()
    def forward(
        self, member: dict[str, Any], model: torch.nn.Module, pictures: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        """What one model says of pictures uint8 (n, height, width, 3): probabilities (n, …)."""
        mean, std = (torch.tensor(member[k], device=self.device) for k in ("mean", "std"))
        batch, found, row = int(member["batch"]), [], 0
        while row < len(pictures):
            try:
                part = torch.from_numpy(pictures[row : row + batch]).to(self.device)
                inputs = ((part.to(torch.float32) - mean) / std).permute(0, 3, 1, 2)
                inputs = inputs.contiguous(memory_format=torch.channels_last)
                with self._autocast(member["config"]["run"]["precision"]):
                    outputs = model(inputs)
                found.append(self._activation(self._classes(outputs)).cpu().numpy())
                row += len(part)
            except torch.cuda.OutOfMemoryError:
                if batch == 1:
                    raise
                batch //= 2
                torch.cuda.empty_cache()
        return np.concatenate(found)

    def _classes(self, outputs: Outputs) -> torch.Tensor:
        """Outputs for classes among what a network makes."""
        return outputs_apart(outputs)[0]

    def _autocast(self, precision: str) -> AbstractContextManager[Any]:
        if self.device.type == "cpu" or precision != "auto":
            return nullcontext()
        return torch.autocast("cuda", lower_precision())
