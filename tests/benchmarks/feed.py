"""How fast images are fed: python -m tests.benchmarks.feed [runs] [folder with train.csv]

Images per second of our loader (stored pixels, albumentations with draws that belong to the image)
against what a user would write instead: a Dataset that decodes each file with OpenCV, its threads
switched off, and runs the same albumentations pipeline, seeded once. Each with the number of loader
processes that is best for it, up to one per core, by turns. The files are JPEGs of 600 pixels that
are seen at 224, and of 128 that are seen at 64, made of the embedded digits, or those of a folder;
and drawn scenes of 600 pixels with their masks in PNG files, which turn and bend along. Ours are
stored at the size of the network (`store.side=`), which does where no policy crops, and at the
default side.

Then what it takes to have the first batch of a second trial, after how many epochs the store has
paid for being built, and how much memory the images of four trials take beside those of one.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import torch
from albumentations.core.serialization import SERIALIZABLE_REGISTRY
from torch.utils.data import DataLoader, Dataset

from results.masks.mask_form import MaskForm
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.trial_config import TrialConfig
from tests.benchmarks.machine import machine
from trainables.augment import Augmenter
from trainables.data.contest import Contest, load_contest
from trainables.data.digits import make_digits
from trainables.data.image_store import ImageStore, store_side
from trainables.data.loader import TrainingLoader
from trainables.data.scenes import Scene, mask_of
from trainables.data.store_building import build_store
from trainables.data.training_set import TrainingSet
from trainables.portable.preparation import Preparation

RUNS, IMAGES, BATCH = 5, 512, 32
FILES = 256
"""Images of a contest that is made."""

WORKERS = tuple(range((os.cpu_count() or 1) + 1))
POLICIES = {
    "none": AugPolicy(),
    "light": AugPolicy(
        stages=(
            Stage(choices=(Choice(operation="rotate", limit=15.0),), probability=0.5),
            Stage(choices=(Choice(operation="brightness", limit=0.3),), probability=0.5),
        )
    ),
    "TrivialAugment": trivial_augment(),
}
LIBRARY_S_OWN = {kind.__name__: kind for kind in (A.Affine, A.Perspective)}
"""What a script's pipeline has where ours samples faster (`trainables.augment.warps`)."""

FRAMES = 8
"""Of a sequence of drawn scenes."""


class Plain(Dataset[Any]):
    """Decode, augment, return: one image at a time."""

    def __init__(self, contest: Contest, pipeline: Any) -> None:
        self.contest, self.pipeline = contest, pipeline

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor | int]:
        row = index % len(self.contest.train_images)
        path = self.contest.paths[row]
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        if self.contest.truth is None:
            view = self.pipeline(image=picture)["image"]
            return torch.from_numpy(view), int(self.contest.labels[row])
        mask = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_GRAYSCALE)
        seen = self.pipeline(image=picture, mask=mask)
        return torch.from_numpy(seen["image"]), torch.from_numpy(seen["mask"])


def photographs(folder: Path, side: int) -> Path:
    """A contest of JPEGs: the digits' photos, as large as asked for and as grainy as photos are."""
    small = make_digits(folder / "digits")
    contest = load_contest(name="digits", root=small)
    rng = np.random.default_rng(0)
    root = folder / f"{side} px"
    (root / "train").mkdir(parents=True)
    lines = ["image,label"]
    for row in range(FILES):
        photo = cv2.resize(cv2.imread(str(contest.paths[row])), (side, side))
        grain = rng.normal(0, 6, photo.shape)
        name = f"train/{row:04d}.jpg"
        cv2.imwrite(str(root / name), np.clip(photo + grain, 0, 255).astype(np.uint8))
        lines.append(f"{name},{contest.classes[contest.labels[row]]}")
    (root / "train.csv").write_text("\n".join(lines) + "\n")
    return root


def scenes(folder: Path, side: int) -> Path:
    """A contest of JPEGs with masks: drawn scenes, whose masks lie beside them in PNG files."""
    rng = np.random.default_rng(0)
    root = folder / f"masks, {side} px"
    (root / "train").mkdir(parents=True)
    lines = ["image,mask"]
    for row in range(FILES):
        if row % FRAMES == 0:
            scene = Scene.draw(side, side, rng)
        photo, shapes = scene.frame(row % FRAMES, empty=False, rng=rng)
        name = f"train/{row:04d}"
        cv2.imwrite(str(root / f"{name}.jpg"), photo)
        cv2.imwrite(str(root / f"{name}.png"), mask_of(shapes, side, side))
        lines.append(f"{name}.jpg,{name}.png")
    (root / "train.csv").write_text("\n".join(lines) + "\n")
    return root


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Both loaders of a contest under a policy."""

    contest: Contest
    store: ImageStore
    config: TrialConfig

    def ours(self, workers: int) -> TrainingLoader:
        """The loader that trainings use."""
        rows = np.resize(np.arange(len(self.contest.train_images)), IMAGES)
        strata = self.contest.labels
        targets = np.eye(1 + int(strata.max()), dtype=np.float32)[strata]
        learned = TrainingSet(rows=rows, targets=targets, strata=strata)
        return TrainingLoader(self.config, ImageStore(self.store.path), learned, workers)

    def plain(self, workers: int) -> DataLoader[Any]:
        """The loader that a script has."""
        policy, size, side = self.config.policy, self.config.data.size, self.config.data.store_side
        with mock.patch.dict(SERIALIZABLE_REGISTRY, LIBRARY_S_OWN):
            pipeline = A.from_dict(Augmenter(policy, size, 0, side).to_json()["pipeline"])
        return DataLoader(
            Plain(self.contest, pipeline),
            batch_size=BATCH,
            shuffle=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_quiet,
        )


def _quiet(_: int) -> None:
    cv2.setNumThreads(0)


def seconds(batches: Any) -> float:
    """Time for an epoch of `IMAGES` images."""
    begun = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - begun


def first_batch(make: Callable[[], Iterator[Any]]) -> float:
    """Time from nothing to a loader's first batch."""
    begun = time.perf_counter()
    next(make())
    return time.perf_counter() - begun


def epochs(sides: Sides, runs: int) -> dict[str, list[float]]:
    """Seconds of epochs of either side, with the number of processes that is best for it."""
    found: dict[tuple[str, int], list[float]] = {}
    for workers in WORKERS:
        ours, plain = sides.ours(workers), sides.plain(workers)
        for run in range(runs + 1):
            both = {"ours": seconds(ours.epoch(run + 1)), "plain": seconds(plain)}
            for side, took in both.items():
                if run:  # the first warms up
                    found.setdefault((side, workers), []).append(took)
    best = {}
    for side in ("ours", "plain"):
        workers = min(WORKERS, key=lambda w: statistics.median(found[side, w]))
        best[f"{side}, {workers}"] = found[side, workers]
    return best


def _looks(path: Path, seen: Any, over: Any) -> None:
    store = ImageStore(path)
    int(np.asarray(store.pixels).sum(dtype=np.int64))
    seen.release()
    over.wait()


def memory(store: ImageStore, trials: int) -> float:
    """Proportional set size, in MiB, of the stored pixels in so many processes that read them."""
    seen, over = multiprocessing.Semaphore(0), multiprocessing.Event()
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_looks, args=(store.path, seen, over)) for _ in range(trials)]
    for process in processes:
        process.start()
    for _ in processes:
        seen.acquire()
    total = 0
    for process in processes:
        maps = Path(f"/proc/{process.pid}/smaps").read_text()
        for block in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", maps):
            if f"{store.path.stem}.u8" in block.split("\n", 1)[0]:
                total += sum(int(kib) for kib in re.findall(r"^Pss: +(\d+) kB", block, re.M))
    over.set()
    for process in processes:
        process.join()
    return total / 1024


def rates(root: Path, contest: Contest, size: int, side: int, runs: int, scratch: Path) -> Sides:
    """Prints a row per policy for images that are stored at a side; returns both loaders."""
    begun = time.perf_counter()
    store = build_store(contest, Preparation(side=side), scratch / f"store {root.name} {side}")
    built = (time.perf_counter() - begun) / len(contest.train_images) * IMAGES
    config = TrialConfig.of(size=(size, size), store_side=side, batch=BATCH)
    for name, policy in POLICIES.items():
        sides = Sides(contest=contest, store=store, config=config.replace(policy=policy))
        (ours, mine), (theirs, plain) = epochs(sides, runs).items()
        ratios = [p / o for p, o in zip(plain, mine, strict=True)]
        speeds = [IMAGES / statistics.median(values) for values in (mine, plain)]
        pays = built / max(statistics.median(plain) - statistics.median(mine), 1e-9)
        print(
            f"| {root.name} to {size} | {side} | {name} | {speeds[0]:,.0f} ({ours.split()[-1]}) | "
            f"{speeds[1]:,.0f} ({theirs.split()[-1]}) | {statistics.median(ratios):.1f} "
            f"({min(ratios):.1f} to {max(ratios):.1f}) | {pays:.1f} |",
            flush=True,
        )
    return Sides(contest=contest, store=store, config=config)


def measure(root: Path, size: int, runs: int, scratch: Path, masks: MaskForm | None = None) -> None:
    """Prints what one contest says."""
    contest = load_contest(name="bench", root=root, test="", masks=masks)
    rates(root, contest, size, size, runs, scratch)
    sides = rates(root, contest, size, store_side(size), runs, scratch)
    begins = [
        (
            first_batch(lambda: sides.ours(0).epoch(1)),
            first_batch(lambda: sides.ours(1).epoch(1)),
            first_batch(lambda: iter(sides.plain(1))),
            first_batch(lambda: iter(sides.plain(0))),
        )
        for _ in range(runs)
    ]
    own, ours, plain, none = (1e3 * statistics.median(v) for v in zip(*begins, strict=True))
    print(
        f"first batch of a second trial, in its own process and from another that it starts: ours "
        f"{own:.1f} and {ours:.1f} ms, plain {none:.1f} and {plain:.1f} ms"
    )
    alone, four = memory(sides.store, 1), memory(sides.store, 4)
    print(
        f"stored pixels of one trial {alone:.0f} MiB, of four {four:.0f}: {four / alone:.2f} times"
    )


def main() -> None:
    """Prints a row per contest and policy."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    print(f"{runs} runs of {IMAGES} images; {machine('albumentations', 'opencv-python-headless')}")
    print(
        "| files | stored at | policy | ours, images/s (processes) | plain | times | pays after |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        if len(sys.argv) > 2:
            measure(Path(sys.argv[2]).resolve(), 64, runs, place)
            return
        for side, size in ((600, 224), (128, 64)):
            measure(photographs(place / str(side), side), size, runs, place)
        measure(scenes(place, 600), 224, runs, place, MaskForm(column="mask"))


if __name__ == "__main__":
    main()
