"""Small perceptrons on small images, whose curves cross: trained in a second."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

from spaces.param import Param
from spaces.space import SearchSpace
from tests.benchmarks.curves.recorded import EPOCHS
from trainables.data.contest import load_contest
from trainables.data.digits import photographs

MOST = 500
"""Images that are trained on, and that tell the score."""

WRONG = 0.1
"""Share of the labels trained on that are wrong."""

BATCH = 32

UNTUNED: Mapping[str, Any] = {
    "optimizer": "adamw",
    "lr": 3e-3,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup_epochs": 0,
    "dropout": 0.0,
    "noise": 0.0,
    "shift": 0,
    "width": 64,
}


def perceptron_space() -> SearchSpace:
    """How the learning rate falls and how late it peaks, how much is dropped and augmented: much of
    which is slow at first and better in the end."""
    distributions: dict[str, Any] = {
        "optimizer": CategoricalDistribution(("adamw", "sgd")),
        "lr": FloatDistribution(5e-4, 0.05, log=True),
        "weight_decay": FloatDistribution(1e-4, 0.3, log=True),
        "schedule": CategoricalDistribution(("cosine", "constant", "step", "exponential")),
        "warmup_epochs": IntDistribution(0, 9),
        "dropout": FloatDistribution(0.0, 0.6),
        "noise": FloatDistribution(0.0, 0.4),
        "shift": IntDistribution(0, 1),
        "width": IntDistribution(16, 256, log=True),
    }
    params = tuple(Param(name=name, distribution=d) for name, d in distributions.items())
    return SearchSpace(name="perceptron", params=params)


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Images float32 (n, height, width), grey, or (n, height, width, 3), from 0 to 1, and their
    classes int64 (n,)."""

    images: torch.Tensor
    classes: torch.Tensor
    held_images: torch.Tensor
    held_classes: torch.Tensor

    @staticmethod
    def digits() -> Pictures:
        """The digits of scikit-learn, 8 x 8."""
        bunch = load_digits()
        return Pictures._split(bunch.images / 16, bunch.target)

    @staticmethod
    def camera() -> Pictures:
        """The embedded contest's training photos of them, at 12 x 12."""
        photos, classes, trained = photographs()
        small = [cv2.resize(photo, (12, 12)) for photo in photos[:trained]]
        return Pictures._split(np.stack(small) / 255, classes[:trained])

    @staticmethod
    def of_contest(root: Path, label: str) -> Pictures:
        """The training photos of a contest's folder, at 12 x 12 and in colour."""
        contest = load_contest(name=root.name, root=root, test="", label=label)
        small = [
            cv2.resize(cv2.imread(str(path)), (12, 12), interpolation=cv2.INTER_AREA)
            for path in contest.paths
        ]
        return Pictures._split(np.stack(small) / 255, contest.labels)

    @staticmethod
    def _split(images: NDArray[Any], classes: NDArray[Any]) -> Pictures:
        """Half to train on, of which some labels are wrong, and others; `MOST` of each at most."""
        half = min(MOST, len(images) // 2)
        train, held = train_test_split(
            np.arange(len(images)),
            train_size=half,
            test_size=half,
            random_state=0,
            stratify=classes,
        )
        rng = np.random.default_rng(0)
        learned = classes[train].astype(np.int64)
        wrong = rng.random(half) < WRONG
        learned[wrong] = rng.integers(classes.max() + 1, size=int(wrong.sum()))
        return Pictures(
            images=torch.from_numpy(images[train].astype(np.float32)),
            classes=torch.from_numpy(learned),
            held_images=torch.from_numpy(images[held].astype(np.float32)),
            held_classes=torch.from_numpy(classes[held].astype(np.int64)),
        )


def perceptron_curve(params: Mapping[str, Any], pictures: Pictures, seed: int) -> list[float]:
    """Macro F1 of the held-out images after every epoch."""
    torch.manual_seed(seed)
    width, dropout, classes = params["width"], params["dropout"], int(pictures.classes.max()) + 1
    model = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(pictures.images[0].numel(), width),
        torch.nn.ReLU(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(width, width),
        torch.nn.ReLU(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(width, classes),
    )
    settings = {"lr": params["lr"], "weight_decay": params["weight_decay"]}
    if params["optimizer"] == "sgd":
        settings["lr"] *= 10
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            model.parameters(), momentum=0.9, **settings
        )
    else:
        optimizer = torch.optim.AdamW(model.parameters(), **settings)
    images = len(pictures.images)
    steps = images // BATCH
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _share(params, step / steps)
    )
    curve = []
    for _ in range(EPOCHS):
        model.train()
        order = torch.randperm(images)
        for index in range(steps):
            rows = order[index * BATCH : (index + 1) * BATCH]
            shown = _augmented(pictures.images[rows], params)
            loss = torch.nn.functional.cross_entropy(model(shown), pictures.classes[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            scheduler.step()
        model.eval()
        with torch.no_grad():
            said = model(pictures.held_images).nan_to_num().argmax(1)
        curve.append(float(f1_score(pictures.held_classes, said, average="macro", zero_division=0)))
    return curve


def _share(params: Mapping[str, Any], epoch: float) -> float:
    """Share of the learning rate at a point of the training, in epochs."""
    warmup = params["warmup_epochs"]
    if epoch < warmup:
        return float(max(0.01, epoch / warmup))
    done = (epoch - warmup) / (EPOCHS - warmup)
    falls = {
        "cosine": 0.5 * (1 + math.cos(math.pi * min(1, done))),
        "constant": 1.0,
        "step": 0.1 ** int(3 * done),
        "exponential": 0.01**done,
    }
    return float(falls[params["schedule"]])


def _augmented(images: torch.Tensor, params: Mapping[str, Any]) -> torch.Tensor:
    """Shifts all by up to a pixel and adds noise."""
    if params["shift"]:
        down, right = (int(i) for i in torch.randint(-1, 2, (2,)))
        images = images.roll((down, right), (1, 2))
    noise: float = params["noise"]
    return images + noise * torch.randn_like(images)
