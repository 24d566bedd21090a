"""Windows: python -m tests.benchmarks.window_overlap <contest> <test masks> [folder] [fix.…=…]

One network is trained in windows of 96 pixels on all folds but one of a contest with masks
(``train.csv`` with image, mask and sequence, by which folds go; void is 255). Overlap and weights
of windows matter only where it predicts, so the same network predicts held-out images, and the
test images that the folder of test masks knows, in every way: mean IoU, how far it is from
the windows that are the default (with its standard error, over images), and the processor's
seconds. Then means of views, in the default windows and in others: whether a view in other windows
is worth its time where the view, and the windows, have been taken. What a folder holds of an
earlier run is not trained again. Options with ``=`` are those of ``search.train``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from results.leaderboard.mask_solution import read_solution
from results.masks.label_map import at_size
from results.masks.merging import Blend, merged_pixels
from results.masks.metrics import MASK_METRICS
from results.masks.planes import Planes
from results.masks.truth import Truth
from search.jobs.baseline import base_config
from search.jobs.contest_data import read_contest
from search.options.command_line import parse
from search.options.training import TrainConfig
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from trainables.data.folds import make_folds
from trainables.data.store_building import build_store
from trainables.inference.predict import load_trained, predict
from trainables.portable.preparation import Preparation
from trainables.tasks.tasks import training_task
from trainables.training.context import TrainingContext
from trainables.training.device import Device
from trainables.training.fit import fit

WAYS = [("gaussian", 0.0), *((how, share) for share in (0.25, 0.5) for how in ("gaussian", "cut"))]
DEFAULT = ("gaussian", 0.25)

VIEWS = ("", "hflip", "scale_0.75", "hflip_scale_0.75")

OWN, OTHER = 0.25, 0.5
"""Overlaps: the default, and another one, in which views are looked at."""

MEANS: dict[str, list[tuple[str, float]]] = {
    "as they are": [("", OWN)],
    "and hflip": [("", OWN), ("hflip", OWN)],
    "and overlap_0.5": [("", OWN), ("", OTHER)],
    "and hflip, overlap_0.5": [("", OWN), ("hflip", OWN), ("", OTHER)],
    "and hflip, overlap_0.5, hflip in it": [(v, o) for o in (OWN, OTHER) for v in VIEWS[:2]],
    "and hflip, scale_0.75, hflip_scale_0.75": [(view, OWN) for view in VIEWS],
    "the same and overlap_0.5": [*((view, OWN) for view in VIEWS), ("", OTHER)],
    "the same and all of them in it": [(view, o) for o in (OWN, OTHER) for view in VIEWS],
}
"""Views, and the overlap of windows in each of them, that are averaged."""

METRIC = MASK_METRICS["mean_iou"]
RESAMPLES = 1000

EVERY = 3
"""One of so many held-out images is predicted in every way: frames of a video are much alike."""

OPTIONS = [
    "data=csv",
    "data.mask=mask",
    "data.void=255",
    "data.group=sequence",
    "data.shape=native",
    "fix.size=96",
    "fix.backbone=resnet10t",
    "fix.decoder=fpn",
    "fix.decoder_width=0.5",
    "epochs=10",
]

Parts = dict[str, tuple[NDArray[np.int64], Truth]]
"""Rows of the store and their true masks, by what they are called."""


def opened(folder: Path, root: Path, options: list[str]) -> tuple[TrialConfig, TrainingContext]:
    """The baseline in windows, and data in folds of whole sequences."""
    asked = parse(TrainConfig, [*OPTIONS, f"data.root={root}", *options])
    config = base_config(asked).replace(framing="windows", shape="native")
    contest = read_contest(asked.data, folder)
    context = TrainingContext(
        task=training_task(contest.task),
        store=build_store(contest, Preparation(side=0, shape="native"), folder / "store"),
        folds=make_folds(contest, 3),
        classes=contest.classes,
        metric=METRIC,
        truth=contest.truth,
        predict_test=False,
    )
    return config, context


def parts(context: TrainingContext, masks: Path, folder: Path) -> Parts:
    """Some held-out images, and test images whose masks are known."""
    truth, store = context.truth, context.store
    assert truth is not None
    rows = context.folds.held_out(0)[::EVERY]
    found: Parts = {"hold-out": (rows, truth.of([store.images[row] for row in rows]))}
    files = {path.stem: path for path in sorted(masks.resolve().iterdir())}
    tests = {store.images[row]: row for row in context.test_rows.tolist()}
    known = [image for image in tests if Path(image).stem in files]
    table = pd.DataFrame({"image": known, "mask": [str(files[Path(i).stem]) for i in known]})
    table.to_csv(folder / "known.csv", index=False)
    sizes = {image: tuple(store.sizes[row].tolist()) for image, row in tests.items()}
    solution = read_solution(folder / "known.csv", [*tests], truth, sizes)
    found["test"] = (np.array([tests[image] for image in solution.images]), solution)
    return found


def main() -> None:
    """Trains what is not there yet and prints the table."""
    torch.set_num_threads(1)
    root, masks = Path(sys.argv[1]), Path(sys.argv[2])
    given = [word for word in sys.argv[3:] if "=" not in word]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given[0] if given else scratch)
        config, context = opened(folder, root, [word for word in sys.argv[3:] if "=" in word])
        begun = time.process_time()
        for epoch in fit(config, context, folder / "trained"):
            print(epoch.report["epoch"], end=" ", file=sys.stderr, flush=True)
        print(machine("torch", "segmentation-models-pytorch"))
        print(f"training took {(time.process_time() - begun) / 60:.1f} minutes of a processor")
        build = context.network
        model = load_trained(
            config, folder / "trained", len(context.classes), lambda c, _: build(c)
        )
        model, known = Device.pick(config).placed(model), parts(context, masks, folder)
        table(config, context, model, known)
        means(config, context, model, known)


def table(
    config: TrialConfig, context: TrainingContext, model: torch.nn.Module, known: Parts
) -> None:
    """Prints a row for each way."""
    head("windows", known)
    counts: dict[tuple[str, float], list[NDArray[np.float32]]] = {}
    rows = []
    for how, overlap in [DEFAULT, *(way for way in WAYS if way != DEFAULT)]:
        made = config.replace(window_overlap=overlap, window_weights=how)
        told, seconds = predicted(made, context, model, known)
        truths = [truth for _, truth in known.values()]
        pairs = zip(truths, told, strict=True)
        counts[how, overlap] = [truth.counts(masks, edges=False) for truth, masks in pairs]
        cells = [
            compared(*pair) for pair in zip(counts[how, overlap], counts[DEFAULT], strict=True)
        ]
        rows.append((overlap, how, [*cells, f"{seconds:.2f}"]))
    for overlap, how, cells in sorted(rows, key=lambda row: (row[0], row[1] != "gaussian", row[1])):
        print(f"| overlap {overlap:g}, {how} | {' | '.join(cells)} |")


def means(
    config: TrialConfig, context: TrainingContext, model: torch.nn.Module, known: Parts
) -> None:
    """Prints a row for each mean of views."""
    looks = list(dict.fromkeys(look for some in MEANS.values() for look in some))
    told = {
        (view, overlap): predicted(
            config.replace(window_overlap=overlap), context, model, known, view
        )
        for view, overlap in looks
    }
    head("mean of images", known)
    first: list[NDArray[np.float32]] = []
    for words, some in MEANS.items():
        counts = []
        for part, (_, truth) in enumerate(known.values()):
            seen = zip(*(told[look][0][part] for look in some), strict=True)
            counts.append(truth.counts(Planes.of(map(mean, seen)), edges=False))
        first = first or counts
        cells = [compared(*pair) for pair in zip(counts, first, strict=True)]
        seconds = sum(told[look][1] for look in some)
        print(f"| {words} | {' | '.join(cells)} | {seconds:.2f} |")


def mean(masks: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Of predictions of an image, as views are averaged."""
    same = np.stack([at_size(mask, *masks[0].shape[:2]) for mask in masks])
    return merged_pixels(same, Blend.mean(len(same)).apply, overlapping=False)


def predicted(
    config: TrialConfig,
    context: TrainingContext,
    model: torch.nn.Module,
    known: Parts,
    view: str = "",
) -> tuple[list[Planes], float]:
    """Predictions of all parts, and the processor's seconds an image."""
    found, begun = [], time.process_time()
    for rows, _ in known.values():
        device = Device.pick(config)
        said = predict(model, config, context.store, rows, device, context.task, view=view)
        planes = said[context.task.head]
        assert isinstance(planes, Planes)
        found.append(planes)
    return found, (time.process_time() - begun) / sum(len(rows) for rows, _ in known.values())


def head(first: str, known: Parts) -> None:
    """Prints a table's first lines."""
    columns = [f"{name} ({len(truth.images)})" for name, (_, truth) in known.items()]
    print(f"| {' | '.join([first, *columns, 'seconds an image'])} |")
    print("|---|---|---|---|")


def compared(ours: NDArray[np.float32], default: NDArray[np.float32]) -> str:
    """A score in points, and how far it is from the default's."""
    a, b = ours.astype(np.float64), default.astype(np.float64)
    assert METRIC.reduce is not None
    score = 100 * float(METRIC.reduce(a.sum(axis=0)))
    if ours is default:
        return f"{score:.1f}"
    drawn = np.random.default_rng(0).multinomial(len(a), np.full(len(a), 1 / len(a)), RESAMPLES)
    differences = METRIC.reduce(drawn @ a) - METRIC.reduce(drawn @ b)
    gain = score - 100 * float(METRIC.reduce(b.sum(axis=0)))
    return f"{score:.1f} ({gain:+.1f} ± {100 * float(np.std(differences)):.1f})"


if __name__ == "__main__":
    main()
