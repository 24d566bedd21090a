"""Windows: python -m tests.benchmarks.window_overlap <contest> <test masks> [folder] [fix.…=…]

One network is trained in windows of 96 pixels on all folds but one of a contest with masks
(``train.csv`` with image, mask and sequence, by which folds go; void is 255). Overlap and weights
of windows matter only where it predicts, so the same network predicts held-out images, and the
test images that the folder of test masks knows, in every way: mean IoU, how far it is from
the windows that are the default (with its standard error, over images), and the processor's
seconds. What a folder holds of an earlier run is not trained again. Options with ``=`` are those
of ``search.train``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from results.leaderboard.mask_solution import read_solution
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
        table(config, context, model, parts(context, masks, folder))


def table(
    config: TrialConfig, context: TrainingContext, model: torch.nn.Module, known: Parts
) -> None:
    """Prints a row for each way."""
    device = Device.pick(config)
    model = device.placed(model)
    print(
        f"| windows | {' | '.join(f'{n} ({len(t.images)})' for n, (_, t) in known.items())} "
        "| seconds an image |"
    )
    print("|---|---|---|---|")
    counts: dict[tuple[str, float], list[NDArray[np.float32]]] = {}
    rows = []
    for how, overlap in [DEFAULT, *(way for way in WAYS if way != DEFAULT)]:
        made = config.replace(window_overlap=overlap, window_weights=how)
        begun, images = time.process_time(), 0
        told = []
        for of, truth in known.values():
            found = predict(model, made, context.store, of, device, context.task)
            planes = found[context.task.head]
            assert isinstance(planes, Planes)
            told.append((planes, truth))
            images += len(of)
        seconds = (time.process_time() - begun) / images
        counts[how, overlap] = [truth.counts(p, edges=False) for p, truth in told]
        cells = [
            compared(*pair) for pair in zip(counts[how, overlap], counts[DEFAULT], strict=True)
        ]
        rows.append((overlap, how, [*cells, f"{seconds:.2f}"]))
    for overlap, how, cells in sorted(rows, key=lambda row: (row[0], row[1] != "gaussian", row[1])):
        print(f"| overlap {overlap:g}, {how} | {' | '.join(cells)} |")


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
