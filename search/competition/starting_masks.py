"""Masks to begin with: class activation maps of a trial that tells classes of whole images."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.masks.counts import VOID
from results.masks.mask_form import BACKGROUND
from search.competition.candidates import Candidate, pick
from search.competition.images import image_files_of, open_pictures
from search.competition.standing import Standing, open_standing
from search.execution.say import Say, every_second, say_unless
from search.options.cams import CamsConfig
from search.options.exit_codes import OK
from search.options.user_code import network_builder, preparation_of
from spaces.errors import InputError, unknown
from spaces.files import whole_folder
from trainables.data.contest import Contest
from trainables.data.image_files import ImageFiles
from trainables.data.image_store import ImageStore
from trainables.data.loader import evaluation_batch, evaluation_loader
from trainables.inference.activation_maps import activation_maps
from trainables.inference.predict import load_trained
from trainables.portable.mask_predictor import write_mask
from trainables.portable.views import view_of
from trainables.training.device import Device

VIEW = "hflip"
"""A map is the mean of that of the image and that of this view of it."""

Floats = NDArray[np.float32]


def starting_masks(config: CamsConfig) -> int:
    """Writes a contest of masks made of class activation maps; returns the exit code.

    Raises:
        InputError: If these are masks already, the trial has no such maps, or a class is unknown.
    """
    standing = open_standing(config)
    candidate = _candidate(standing, config.select)
    classes = standing.classes
    shown = _shown(classes, config.background)
    to = _folder(config, standing.folder / "cams" / candidate.id)
    say = say_unless(config.quiet)
    if standing.unlabelled is not None:
        say(standing.unlabelled.words)
    assert candidate.trial is not None
    trial = candidate.trial.config
    preparation = preparation_of(trial, config.prepare, candidate.id)
    contest, store = open_pictures(standing, preparation, trial.data.boxes, say)
    build = network_builder(candidate.search, candidate.trial, config.model)
    device = Device.pick(trial)
    model = device.placed(load_trained(trial, candidate.folder, len(classes), build))
    numbers = np.array([shown.index(name) + 1 if name in shown else 0 for name in classes])

    def maps(rows: NDArray[np.int64]) -> Floats:
        labels = contest.labels[rows]
        found = []
        for view in ("", VIEW):
            undo = view_of(view).undo
            assert undo is not None
            (batch,) = evaluation_loader(trial, store, rows, 0, view)
            seen = activation_maps(model, batch.pictures, labels, device)
            found.append([undo(one) for one in seen])
        return np.asarray(np.mean(found, axis=0), np.float32)

    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(to) as temporary:
            covered = _write(
                temporary, contest, store, maps, numbers, config, evaluation_batch(trial), say
            )
            _write_tables(temporary, contest)
    except OSError as error:
        raise InputError(f"to={to}: cannot write there: {error.strerror}") from error
    except InputError as error:  # which does not say whose network it is
        raise InputError(f"{candidate.id}, {trial.backbone}: {error}") from error
    told = ", ".join(f"{name} {covered[i + 1]:.1%}" for i, name in enumerate(shown))
    print(
        f"{to}: masks of {len(contest.train_images):,} images by maps of {candidate.id}; of their "
        f"pixels {told}, {BACKGROUND} {covered[0]:.1%}, nothing known {covered[-1]:.1%}"
    )
    print(f"Next:\n  {_command(to, contest, image_files_of(standing.search), shown)}")
    if config.json:
        print(json.dumps({"id": candidate.id, "path": str(to)}))
    return OK


def _candidate(standing: Standing, select: str) -> Candidate:
    """The trial that is asked for.

    Raises:
        InputError: If there is none, or it does not look at whole images as they are.
    """
    if standing.search.truth is not None:
        raise InputError(f"{standing.folder.name} has masks already (data.mask=)")
    pool = [c for c in standing.pool if c.trial is not None]
    candidate, *others = pick(pool, select, 1, {})
    if others:
        raise InputError(f"select={select}: one trial is needed")
    assert candidate.trial is not None
    data = candidate.trial.config.data
    for key, value in (("data.box", data.boxes), ("prepare", data.prepare)):
        if value:
            raise InputError(f"{candidate.id} looks at images by {key}=, not at them as they are")
    if data.shape != "squash":
        raise InputError(f"{candidate.id} has data.shape={data.shape}; squash is needed")
    return candidate


def _shown(classes: Sequence[str], background: Sequence[str]) -> list[str]:
    """Classes that masks show beside the background.

    Raises:
        InputError: If a class is unknown, or there are none, or too many.
    """
    for name in background:
        if name not in classes:
            raise unknown("class", name, classes, "background")
    shown = [name for name in classes if name not in background]
    if not shown:
        raise InputError(f"background=[{','.join(background)}]: no class is left")
    if BACKGROUND in shown:
        raise InputError(f"{BACKGROUND!r} is what masks show elsewhere: background=[{BACKGROUND}]")
    if len(shown) >= VOID:
        raise InputError(f"masks show {VOID - 1} classes at most, and there are {len(shown)}")
    return shown


def _folder(config: CamsConfig, default: Path) -> Path:
    """Where masks are written.

    Raises:
        InputError: If it is there already, or cannot be.
    """
    to = Path(config.to) if config.to else default
    if to.exists():
        raise InputError(f"to={to}: is there already; name another folder")
    if config.to and not to.resolve().parent.is_dir():
        raise InputError(f"to={config.to}: there is no folder {to.resolve().parent}")
    return to


def _write(
    folder: Path,
    contest: Contest,
    store: ImageStore,
    maps: Callable[[NDArray[np.int64]], Floats],
    numbers: NDArray[np.int64],
    config: CamsConfig,
    batch: int,
    say: Say,
) -> NDArray[np.float64]:
    """Writes a mask per training image; returns shares of pixels by number, the void's last."""
    images, labels = contest.train_images, contest.labels
    shares = np.zeros(numbers.max() + 2)
    progress = every_second(say, "drawing masks")
    for first in range(0, len(images), batch):
        rows = np.arange(first, min(first + batch, len(images)))
        for row, found in zip(rows.tolist(), maps(rows), strict=True):
            height, width = store.sizes[row].tolist()
            number = int(numbers[labels[row]])
            mask = mask_of(found, number, height, width, config.low, config.high)
            write_mask([folder / "masks" / f"{images[row]}.png"], mask)
            for value in np.unique(mask).tolist():
                share = float((mask == value).mean()) / len(images)
                shares[-1 if value == VOID else value] += share
        progress(len(rows) + first, len(images))
    return shares


def mask_of(
    found: Floats, number: int, height: int, width: int, low: float, high: float
) -> NDArray[np.uint8]:
    """The mask that a map stands for; where it says nothing at all, nothing is known.

    Args:
        found: float32 (h, w), 0 or more.
        number: Of the class; 0 for the background.
        height: Of the image in pixels.
        width: Of the image in pixels.
        low: Below this share of the map's largest value lies the background.
        high: From this share on the class; between both nothing is known.

    Returns:
        uint8 (height, width): ``number``, 0 or `VOID`.
    """
    if not number:
        return np.zeros((height, width), np.uint8)
    largest = float(found.max())
    if not largest:
        return np.full((height, width), VOID, np.uint8)
    at_size = cv2.resize(found / largest, (width, height), interpolation=cv2.INTER_LINEAR)
    mask = np.where(at_size >= low, np.uint8(VOID), np.uint8(0))
    mask[at_size >= high] = number
    return mask


def _write_tables(folder: Path, contest: Contest) -> None:
    """Writes tables of images and masks, beside a link to the contest's images."""
    images = contest.train_images
    table = pd.DataFrame({"image": images, "mask": [f"masks/{image}.png" for image in images]})
    if contest.groups is not None:
        table["group"] = contest.groups
    table.to_csv(folder / "train.csv", index=False)
    if contest.test_images:
        pd.DataFrame({"image": contest.test_images}).to_csv(folder / "test.csv", index=False)
    link = folder / "images"
    link.symlink_to(contest.files.root.resolve(), target_is_directory=True)


def _command(to: Path, contest: Contest, files: ImageFiles, shown: list[str]) -> str:
    """The command that trains on them."""

    def below(folders: tuple[str, ...]) -> str:
        paths = [f"images/{folder}".rstrip("/") for folder in folders]
        return paths[0] if len(paths) == 1 else f"[{','.join(paths)}]"

    words = [
        "data=csv",
        f"data.root={to}",
        f"data.name={contest.name}-cams",
        "data.mask=mask",
        f"data.void={VOID}",
        f"data.background={BACKGROUND}",
        f"data.classes=[{','.join((BACKGROUND, *shown))}]",
        f"data.train_images={below(files.train)}",
        f"data.test_images={below(files.test)}" if contest.test_images else "data.test=",
        *(["data.group=group"] if contest.groups is not None else []),
    ]
    return f"python -m search.train {shlex.join(words)}"
