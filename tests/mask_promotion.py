"""A promotion of masks whose predictions are constructed, not trained."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.masks.mask_form import MaskForm
from results.masks.planes import Planes
from results.predictions import MASKS, OCCURS, SIZES, Predictions
from results.records.ledger import Ledger
from search.options.command_line import parse
from search.options.training import RunConfig
from spaces.trial_config import TrialConfig
from tests.discs import CLASSES, discs
from tests.records import ended, job_event, opening_event, started
from trainables.data.contest import Contest, load_contest
from trainables.data.folds import Folds, make_folds

Predict = Callable[[int, NDArray[np.uint8]], NDArray[np.uint8]]
"""From the row and true mask of an image to probabilities in 255ths (height, width, classes)."""

Occurs = Callable[[NDArray[Any]], NDArray[np.float32]]
"""From the true mask of an image to how likely each class occurs in it, (classes,)."""

CONFIG = TrialConfig.of(
    model="smp", backbone="test_resnet", epochs=1, warmup_epochs=0, size=(64, 64), store_side=84
)
FORM = MaskForm(column="mask", background="ground")


def sure(labels: NDArray[np.uint8], share: int = 215) -> NDArray[np.uint8]:
    """Probabilities that believe in some labels, and in the other classes by 20 / 255 each."""
    others = (255 - share) // (len(CLASSES) - 1)
    return np.where(np.eye(len(CLASSES), dtype=bool)[labels], share, others).astype(np.uint8)


def mask_promotion(
    folder: Path, predict: Predict, digest: str = "d", occurs: Occurs | None = None
) -> tuple[Path, Contest, Folds]:
    """Writes the contest of discs, a search without trials ``s`` and the promotion ``p``.

    Args:
        folder: Of both the contest and the runs.
        predict: What the promoted trial says of training images.
        digest: Of the stored images.
        occurs: What its auxiliary head says of them; None for a network without one.

    Returns:
        The folder of runs, the contest and its folds.
    """
    root = discs(folder / "discs")
    contest = load_contest(name="discs", root=root, group="sequence", classes=CLASSES, masks=FORM)
    files = [root / name for name in pd.read_csv(root / "solution.csv")["mask"]]
    tests = [np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), np.uint8) for file in files]
    options = ["data.mask=mask", "data.background=ground"]
    folds = recorded(folder / "runs", contest, tests, predict, options, digest, occurs)
    return folder / "runs", contest, folds


def recorded(
    runs: Path,
    contest: Contest,
    tests: list[NDArray[np.uint8]],
    predict: Predict,
    options: list[str],
    digest: str = "d",
    occurs: Occurs | None = None,
) -> Folds:
    """Writes a search without trials ``s`` and the promotion ``p`` of a contest with masks.

    Args:
        runs: Folder of runs.
        contest: Its images and masks.
        tests: True masks of its test images.
        predict: What the promoted trial says of images.
        options: How the contest's masks are written.
        digest: Of the stored images.
        occurs: What its auxiliary head says; None for a network without one.
    """
    truth, root = contest.truth, contest.files.root
    assert truth is not None
    folds = make_folds(contest, 4)
    place = runs / contest.name
    file, masks = folds.write(place), truth.write(place)
    sizes = np.array([mask.shape[:2] for mask in tests])
    listed = {"image": contest.test_images, "height": sizes[:, 0], "width": sizes[:, 1]}
    pd.DataFrame(listed).to_csv(place / "test-x.csv", index=False)
    data = {"root": str(root), "digest": digest, "test": "test-x.csv", "truth": masks.name}
    held_out = [len(folds.held_out(fold)) for fold in range(4)]
    count = {"file": file.name, "digest": folds.digest, "count": 4, "sizes": held_out}
    about: dict[str, Any] = {"competition": contest.name, "data": data, "folds": count}
    about |= {"classes": list(contest.classes), "metric": "mean_iou", "task": contest.task}
    asked_for = ["data=csv", f"data.root={root}", f"data.name={contest.name}", *options]
    with contextlib.closing(Ledger(place / "s/ledger.jsonl")) as ledger:
        given = asdict(parse(RunConfig, asked_for))
        ledger.add(opening_event("s", CONFIG, **about, options=given))
    asked = {"arms": {"s-000": CONFIG.to_json()}, "parents": {"s-000": "s-000"}}
    asked |= {"scores": {"s-000": 0.9}, "folds": 4, "seeds": 1, "race": [], "changes": {}}
    asked |= {"optimism": None, "verdict": "", "force": ""}
    found = [predict(-1, mask) for mask in tests]
    told = _predictions(contest, contest.test_images, found, tests, occurs)
    told.write(place / "p/test.npz")
    with contextlib.closing(Ledger(place / "p/ledger.jsonl")) as ledger:
        ledger.add(opening_event("p", CONFIG, **about, kind="promotion", promotion=asked))
        for fold in range(4):
            name = f"p-{fold:03d}"
            ledger.add(started(name, CONFIG.replace(fold=fold), why="fold", arm="s-000"))
            ledger.add(ended(name))
            rows = folds.held_out(fold).tolist()
            true = [truth.actual(row) for row in rows]
            _predictions(
                contest,
                tuple(folds.images[row] for row in rows),
                [predict(row, mask) for row, mask in zip(rows, true, strict=True)],
                true,
                occurs,
            ).write(place / f"p/trials/{name}/holdout.npz")
            told.write(place / f"p/trials/{name}/test.npz")
        ledger.add(job_event("closed", **_closing()))
    return folds


def _predictions(
    contest: Contest,
    images: tuple[str, ...],
    found: list[NDArray[np.uint8]],
    masks: list[NDArray[Any]],
    occurs: Occurs | None,
) -> Predictions:
    sizes = np.array([mask.shape[:2] for mask in masks], np.float32)
    heads: dict[str, Any] = {MASKS: Planes.of(found), SIZES: sizes}
    if occurs is not None:
        heads[OCCURS] = np.stack([occurs(mask) for mask in masks]).astype(np.float32)
    return Predictions(images=images, classes=contest.classes, heads=heads)


def _closing() -> dict[str, Any]:
    ends = {"low": 0.9, "high": 1.0, "value": 1.0}
    arm = {"score": 1.0, "images": 9, "interval": None, "given_models": ends, "folds": {}}
    cost = {"wall": 1.0, "tracking": 0.0, "images": 1, "epochs": 1}
    cost |= {"trials/total": 1.0, "trials/beside": 0.0}
    cost |= {"trials/feed": 0.1, "trials/compute": 0.6, "trials/evaluate": 0.3}
    nothing = {"winner": None, "baseline": None, "optimism": None, "forecast": None}
    lists: dict[str, Any] = {"comparisons": [], "watched": [], "counts": {}}
    arms = {"s-000": {**arm, "chosen": None, "optimism": None}}
    return {"state": "finished", "cost": cost, **nothing, **lists, "arms": arms}
