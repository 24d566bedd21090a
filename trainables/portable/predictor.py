"""Predictions of an exported ensemble: the mean over models of each fold, seed and configuration.

On a CPU, with the threads that it was trained with, the probabilities of the same images in the
same order are the very bits of those that were stored after training.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from . import torchvision_cure  # noqa: F401 (has to come before timm)
from .activations import ACTIVATIONS
from .images import SUFFIXES, decode, resize

# isort: split
import timm

CHUNK = 512
"""Images that are decoded together, at least."""

Build = Callable[[dict[str, Any], int], torch.nn.Module]
"""From a configuration and the number of classes to a network without its weights."""


def build_timm(config: dict[str, Any], classes: int) -> torch.nn.Module:
    """Builds a timm backbone with a head for ``classes``."""
    settings = config["model"]
    options: dict[str, Any] = {"num_classes": classes, "drop_rate": settings["dropout"]}
    if timm.get_pretrained_cfg_value(settings["backbone"], "fixed_input_size"):
        options["img_size"] = tuple(config["data"]["size"])
    model = timm.create_model(settings["backbone"], **options)
    assert isinstance(model, torch.nn.Module)
    return model


class Predictor:
    """An exported ensemble, ready to predict.

    Args:
        folder: With ``model.json`` and weights.
        build: Builds a network; timm's by default.
        threads: CPU threads; 0 takes as many as in training.
        cpu: Whether to leave a GPU alone.
    """

    def __init__(
        self, folder: Path, build: Build = build_timm, threads: int = 0, cpu: bool = False
    ) -> None:
        self.about: dict[str, Any] = json.loads((folder / "model.json").read_text())
        torch.set_num_threads(threads or self.about["threads"])
        self.device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
        self.classes: list[str] = self.about["classes"]
        self._activation = ACTIVATIONS[self.about["activation"]]
        self._members: list[tuple[dict[str, Any], torch.nn.Module]] = []
        for member in self.about["models"]:
            model = build(member["config"], len(self.classes))
            model.load_state_dict(load_file(folder / member["weights"]))
            model = model.eval().to(self.device)
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._members.append((member, model))
        # Whole batches in every chunk: another batch size may change the last bit.
        sizes = [int(member["batch"]) for member, _ in self._members]
        self.chunk = -(-CHUNK // math.lcm(*sizes)) * math.lcm(*sizes)

    def read(self, path: Path) -> dict[tuple[int, ...], NDArray[np.uint8]]:
        """Decodes an image for every size that the models want.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it does not decode.
        """
        picture = decode(path.read_bytes())
        found = {}
        for member, _ in self._members:
            side, size = _shape(member)
            if (side, *size) not in found:
                found[(side, *size)] = resize(resize(picture, side, side), *size)
        return found

    def chunks(
        self, paths: Sequence[Path], start: int = 0
    ) -> Iterator[tuple[list[Path], NDArray[np.float32], dict[Path, str]]]:
        """Predicts images chunk by chunk.

        Args:
            paths: Image files.
            start: Index to begin at, a multiple of `chunk`.

        Yields:
            Files that decoded, their probabilities float32 (n, classes), and the others with the
            reason.
        """
        for first in range(start, len(paths), self.chunk):
            good, pictures, failed = [], [], {}
            for path in paths[first : first + self.chunk]:
                try:
                    pictures.append(self.read(path))
                    good.append(path)
                except (OSError, ValueError) as error:
                    failed[path] = str(error)
            empty = np.empty((0, len(self.classes)), np.float32)
            yield good, self.probabilities(pictures) if good else empty, failed

    def probabilities(
        self, pictures: Sequence[dict[tuple[int, ...], NDArray[np.uint8]]]
    ) -> NDArray[np.float32]:
        """Mean over the models of each configuration, then over configurations."""
        by_arm: dict[str, list[NDArray[np.float32]]] = {}
        for member, model in self._members:
            side, size = _shape(member)
            inputs = np.stack([p[(side, *size)] for p in pictures])
            by_arm.setdefault(member["arm"], []).append(self._forward(member, model, inputs))
        arms = [np.mean(found, axis=0).astype(np.float32) for found in by_arm.values()]
        return np.asarray(np.mean(arms, axis=0), np.float32)

    @torch.inference_mode()
    def _forward(
        self, member: dict[str, Any], model: torch.nn.Module, pictures: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        mean, std = (torch.tensor(member[k], device=self.device) for k in ("mean", "std"))
        batch, found, row = int(member["batch"]), [], 0
        while row < len(pictures):
            try:
                part = torch.from_numpy(pictures[row : row + batch]).to(self.device)
                inputs = ((part.to(torch.float32) - mean) / std).permute(0, 3, 1, 2)
                inputs = inputs.contiguous(memory_format=torch.channels_last)
                with self._autocast(member["config"]["run"]["precision"]):
                    logits = model(inputs)
                found.append(self._activation(logits).cpu().numpy())
                row += len(part)
            except torch.cuda.OutOfMemoryError:
                if batch == 1:
                    raise
                batch //= 2
                torch.cuda.empty_cache()
        return np.concatenate(found)

    def _autocast(self, precision: str) -> AbstractContextManager[Any]:
        if self.device.type == "cpu" or precision != "auto":
            return nullcontext()
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.autocast("cuda", torch.bfloat16 if native else torch.float16)


def image_files(folder: Path) -> list[Path]:
    """Image files in a folder and its subfolders, by name."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def listed_files(folder: Path, table: Path) -> list[Path]:
    """Files in a folder that the first column of a table names, in its order."""
    with table.open(newline="") as file:
        return [folder / row[0] for row in list(csv.reader(file))[1:] if row]


def write_rows(
    path: Path, names: Sequence[str], classes: Sequence[str], found: NDArray[np.float32]
) -> None:
    """Writes a table: image, label of the likeliest class, and a probability per class."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "label", *classes])
        for name, row in zip(names, found, strict=True):
            # str() of a float32 is the shortest text that reads back as the same bits.
            table.writerow([name, classes[int(row.argmax())], *map(str, row)])
    temporary.replace(path)


def main(folder: Path, arguments: Sequence[str] | None = None) -> int:
    """The command line of an exported model; returns the exit code."""
    parser = argparse.ArgumentParser(description="Predicts the class of images.")
    parser.add_argument("images", type=Path, help="folder of images")
    parser.add_argument("--list", type=Path, help="table whose first column names the images")
    parser.add_argument("--out", type=Path, default=Path("predictions.csv"), help="table to write")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 as in training")
    parser.add_argument("--cpu", action="store_true", help="leave a GPU alone")
    parser.add_argument("--model", default="", help="module:function that builds your own network")
    given = parser.parse_args(arguments)
    if not given.images.is_dir():
        parser.error(f"{given.images}: there is no such folder")
    if given.list is not None and not given.list.is_file():
        parser.error(f"{given.list}: there is no such file")
    if given.out.is_dir() or not given.out.resolve().parent.is_dir():
        parser.error(f"--out {given.out}: not a file in a folder that is there")
    paths = listed_files(given.images, given.list) if given.list else image_files(given.images)
    if not paths:
        parser.error(f"{given.images}: there are no images ({', '.join(SUFFIXES)})")
    predictor = Predictor(folder, _own(given.model), given.threads, given.cpu)
    names: list[str] = []
    found: list[NDArray[np.float32]] = []
    failed: dict[Path, str] = {}
    begun = time.monotonic()
    for good, probabilities, bad in predictor.chunks(paths):
        names += [p.relative_to(given.images).as_posix() for p in good]
        found.append(probabilities)
        failed |= bad
        print(f"{len(names) + len(failed):,} of {len(paths):,}", file=sys.stderr, flush=True)
    write_rows(given.out, names, predictor.classes, np.concatenate(found))
    per_image = 1000 * (time.monotonic() - begun) / len(paths)
    print(f"{given.out}: {len(names):,} images, {per_image:.1f} ms each on {predictor.device}")
    for path, reason in failed.items():
        print(f"left out: {path}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _own(reference: str) -> Build:
    if not reference:
        return build_timm
    module, _, name = reference.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    function = getattr(importlib.import_module(module), name)

    def build(config: dict[str, Any], classes: int) -> torch.nn.Module:
        made = function(_namespace(config), classes)
        assert isinstance(made, torch.nn.Module)
        return made

    return build


def _shape(member: dict[str, Any]) -> tuple[int, list[int]]:
    """Side of the stored image, and the size that the network sees."""
    data = member["config"]["data"]
    return data["store_side"], data["size"]


def _namespace(value: Any) -> Any:
    """A configuration as own networks got it in training: sections with attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _namespace(item) for name, item in value.items()})
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return tuple(value)
    return value
