"""A team's own functions, called once on a tiny batch before anything is written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

import trainables.portable.torchvision_cure  # noqa: F401 (own functions may import timm)
from search.options.training import JobConfig, PromoteConfig
from search.options.user_code import load_function
from spaces.augmentation.pipeline import Pipeline
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.portable.preparation import Preparation
from trainables.tasks.task import TrainingTask

IMAGES = 2
"""In the batch; one alone is no batch for batch normalisation."""

PICTURE = (48, 64, 3)
"""Shape of what a function of pictures is tried on."""


def check_own_functions(
    options: JobConfig | PromoteConfig, config: TrialConfig, classes: int, task: TrainingTask
) -> None:
    """Tries own functions as a training would call them.

    Args:
        options: The command's, which name them.
        config: A configuration that they have to work with.
        classes: Number of classes.
        task: What the targets are.

    Raises:
        InputError: Naming the function, and what is wrong with it.
    """
    if options.prepare:
        _check_prepare(options.prepare)
    if ":" in options.model:
        _check_model(options.model, config, classes, task)
    if ":" in options.loss:
        _check_loss(options.loss, config, classes, task)
    if ":" in options.metric:
        _check_metric(options.metric, classes)


def check_pipelines(
    pipelines: Iterable[Pipeline], sizes: Iterable[tuple[int, int]], *, masks: bool
) -> None:
    """Tries own pipelines at every size that is trained.

    Raises:
        InputError: Naming the pipeline, and what is wrong with it.
    """
    from trainables.augment.pipelines import try_pipeline

    at = dict.fromkeys(sizes)
    for pipeline in pipelines:
        for size in at:
            try_pipeline(pipeline, size, masks)


def _check_prepare(reference: str) -> None:
    own = load_function(reference, "prepare")
    picture = np.random.default_rng(0).integers(0, 256, PICTURE, dtype=np.uint8)
    try:
        Preparation(side=8, own=own)(picture)
    except ValueError as error:
        words = str(error).removeprefix("prepare= ")
        raise InputError(f"prepare={reference}: of a picture of {PICTURE} it {words}") from error


def _check_model(reference: str, config: TrialConfig, classes: int, task: TrainingTask) -> None:
    network = _try("model", reference, "config, classes", lambda f: f(config, classes))
    if not isinstance(network, torch.nn.Module):
        raise InputError(f"model={reference} returned {_kind(network)}, not a torch.nn.Module")
    for size in dict.fromkeys(
        (config.data.size, config.data.prediction_size, config.data.size_at(0.0))
    ):
        images = torch.zeros(IMAGES, 3, *size)
        what = f"its network, on {IMAGES} images of {size[0]}x{size[1]},"
        with torch.no_grad():
            logits = _called("model", reference, what, functools.partial(network, images))
        shape, wanted = tuple(getattr(logits, "shape", ())), (IMAGES, classes, *task.pixels(size))
        if shape != wanted:
            raise InputError(
                f"model={reference}: of {IMAGES} images its network makes {_kind(logits)} of shape "
                f"{shape}; logits of shape {wanted} are needed"
            )


def _check_loss(reference: str, config: TrialConfig, classes: int, task: TrainingTask) -> None:
    function = _try("loss", reference, "config", lambda f: f(config))
    if not callable(function):
        raise InputError(f"loss={reference} returned {_kind(function)}, not a function")
    pixels = task.pixels(config.data.size)
    logits = torch.zeros(IMAGES, classes, *pixels, requires_grad=True)
    certain = torch.eye(classes)[torch.arange(IMAGES) % classes]
    targets = certain.reshape(IMAGES, classes, *[1] * len(pixels)).expand_as(logits)
    targets = task.compared(targets)
    value = _called("loss", reference, "its function", lambda: function(logits, targets))
    if not isinstance(value, torch.Tensor) or value.ndim or not value.requires_grad:
        raise InputError(
            f"loss={reference}: its function made {_kind(value)} of logits and targets; a scalar "
            "tensor with a gradient is needed"
        )


def _check_metric(reference: str, classes: int) -> None:
    labels = np.tile(np.arange(classes), IMAGES)
    probabilities = (np.eye(classes)[labels] + 1) / (classes + 1)
    value = _try("metric", reference, "labels, probabilities", lambda f: f(labels, probabilities))
    try:
        float(value)
    except (TypeError, ValueError):
        raise InputError(f"metric={reference} returned {_kind(value)}, not a number") from None


def _try(key: str, reference: str, arguments: str, call: Callable[[Any], Any]) -> Any:
    function = load_function(reference, key)
    return _called(key, reference, f"called with ({arguments}) it", lambda: call(function))


def _called(key: str, reference: str, what: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # it may raise whatever it likes
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"{key}={reference}: {what} fails: {type(error).__name__}: {reason}"
        ) from error


def _kind(value: object) -> str:
    return type(value).__name__
