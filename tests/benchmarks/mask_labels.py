"""Wrong masks that are known: python -m tests.benchmarks.mask_labels [folds] [fix.…=… …]

A tenth of the masks of the embedded scenes is wrong: all outlines a pixel or two off, or a shape
forgotten. The baseline is trained on folds of whole sequences, and `search.labels` looks for
suspects: how many of these are wrong (precision), and how many of the wrong ones are among them
(recall). Outlines that are off are below what it looks for, so both kinds are told apart. Then a
person who knows the truth looks at the suspects, keeps the regions that are wrong and says what
they are, and the folds are trained again, in several ways, with the same seeds: gains of mean IoU
on the test images, whose masks are right, with Student's t over folds.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.leaderboard.mask_solution import read_solution
from results.masks.metrics import MASK_METRICS
from results.masks.rle import decode
from results.masks.truth import Truth
from results.predictions import Predictions, predictions_file
from results.records.trials import Search
from tests.benchmarks.command import run
from tests.benchmarks.embedded_digits import interval
from tests.benchmarks.machine import machine
from trainables.data import shapes
from trainables.data.scenes import CLASSES, Pixels, Shape, mask_of

OFF, FORGOTTEN = "outlines off", "a shape forgotten"
METRIC = MASK_METRICS["mean_iou"]
WAYS = {
    "as given": "",
    "relabel": "seen.csv",
    "drop": "seen.csv",
    "all proposals, unseen (relabel)": "corrections.csv",
}
"""Ways to train again, and what is then said of masks: by the person, or by nobody."""


class Wrong(NamedTuple):
    """A mask that is wrong: how, and as it should be."""

    kind: str
    true: Pixels


def wrong_masks(images: int) -> dict[int, Wrong]:
    """Masks that are wrong, by the number of the image, as they are drawn."""
    found: dict[int, Wrong] = {}
    drawn = 0
    before: list[Shape] = []
    mistaken = shapes._mistaken

    def noting(given: list[Shape], rng: Any) -> list[Shape]:
        before[:] = given
        return mistaken(given, rng)

    def counting(given: list[Shape], height: int, width: int) -> Pixels:
        nonlocal drawn
        mask = mask_of(given, height, width)
        true = mask_of(list(before), height, width)
        if before and (mask != true).any():
            found[drawn] = Wrong(FORGOTTEN if len(given) < len(before) else OFF, true)
        before.clear()
        drawn += 1
        return mask

    with mock.patch.multiple(shapes, _mistaken=noting, mask_of=counting):
        shapes.drawn_shapes()
    return {number: wrong for number, wrong in found.items() if number < images}


def seen(proposed: pd.DataFrame, images: list[str], wrong: Mapping[int, Wrong]) -> pd.DataFrame:
    """What a person who knows the truth makes of proposals: what most pixels of a region are."""
    said = proposed.copy()
    names = ("background", *CLASSES[1:])
    for place, row in proposed.iterrows():
        number = images.index(row["image"])
        said.loc[place, "use"] = "yes"
        if number not in wrong:
            continue
        true = wrong[number].true
        height, width = true.shape
        inside = true[decode(row["region"], height, width, "column")]
        is_of = names[np.bincount(inside).argmax()]
        if is_of != row["given"]:
            said.loc[place, ["use", "predicted"]] = "predicted", is_of
    return said


def test_scores(folder: Path, name: str, words: list[str], folds: int) -> NDArray[np.float64]:
    """Mean IoU of the test images by a training of each fold, in points."""
    scores = []
    for fold in range(folds):
        drawn = [f"fold={fold}", f"seed={fold}", f"name={name}-{fold}", "quiet=true"]
        run(folder, "train", "data=shapes", f"holdout.folds={folds}", *drawn, *words)
        contest = folder / "runs/shapes"
        search = Search.read(contest / f"{name}-{fold}")
        (trial,) = search.trials.values()
        found = Predictions.read(search.trial_folder(trial) / predictions_file("test"))
        truth = Truth.read(next(contest.glob("truth-*")))
        shapes_of = zip(found.images, found.sizes.astype(int).tolist(), strict=True)
        sizes = {image: (height, width) for image, (height, width) in shapes_of}
        known = read_solution(contest / "data/solution.csv", found.images, truth, sizes)
        judged = search.task.judged(found.of(known.images), known, edges=False).judged
        scores.append(100 * METRIC.score(known.strata, judged))
    return np.array(scores)


def main() -> None:
    """Trains, looks for suspects, trains again and prints the tables."""
    folds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = [f"holdout.folds={folds}", "name=t", "quiet=true", *sys.argv[2:]]
        run(folder, "train", "data=shapes", *options)
        run(folder, "promote", "select=t-000", "force=benchmark", "name=p", "quiet=true")
        run(folder, "labels", "promotion=p")
        table = pd.read_csv(folder / "runs/shapes/data/train.csv", dtype=str)
        suspects = next(folder.glob("runs/shapes/**/suspects.csv"))
        found = pd.read_csv(suspects, dtype={"image": str})
        images = list(table["image"])
        wrong = wrong_masks(len(table))
        recall(list(dict.fromkeys(map(images.index, found["image"]))), wrong, len(table))
        proposed = pd.read_csv(suspects.with_name("corrections.csv"), dtype=str)
        said = seen(proposed, images, wrong)
        said.to_csv(suspects.with_name("seen.csv"), index=False)
        kept = (said["use"] == "predicted").sum()
        print(f"{kept} of {len(said)} regions are kept as wrong; mean IoU of the test")
        before: NDArray[np.float64] | None = None
        for way, file in WAYS.items():
            words = list(sys.argv[2:])
            if file:
                kind = "drop" if way == "drop" else "relabel"
                words += [f"data.corrections={suspects.with_name(file)}", f"fix.labels={kind}"]
            scores = test_scores(folder, f"w{list(WAYS).index(way)}", words, folds)
            before = scores if before is None else before
            gains = (scores - before).tolist()
            print(f"  {way}: {scores.mean():.1f}, gain {interval(gains)}", flush=True)


def recall(suspects: list[int], wrong: Mapping[int, Wrong], images: int) -> None:
    """Prints what the suspects, the most suspicious first, are worth."""
    print(machine("torch", "segmentation-models-pytorch"))
    print(f"{len(wrong)} of {images} masks are wrong, {len(suspects)} are suspicious")
    right = len(set(suspects) & wrong.keys())
    print(f"precision {right / max(1, len(suspects)):.2f}, chance {len(wrong) / images:.2f}")
    for kind in (FORGOTTEN, OFF):
        of_kind = {number for number, found in wrong.items() if found.kind == kind}
        print(f"recall of {kind}: {len(of_kind & set(suspects))} of {len(of_kind)}")
    for first in (5, 10, 20):
        hits = np.isin(suspects[:first], list(wrong)).sum()
        print(f"of the first {min(first, len(suspects))}: {hits} wrong", flush=True)


if __name__ == "__main__":
    main()
