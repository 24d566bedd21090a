"""Loaders: batches of stored images, augmented for training, only resized for evaluation."""

from __future__ import annotations

import functools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from spaces.augmentation.stress import Stress
from spaces.trial_config import TrialConfig
from trainables.augment import Augmenter
from trainables.augment.batches import augmented
from trainables.augment.drawing import Drawing
from trainables.augment.rounds import rounds_of
from trainables.augment.stressed import Stressed
from trainables.data.batch import Batch
from trainables.data.focus import Boxed, marked
from trainables.data.image_store import ImageStore
from trainables.data.samplings import SAMPLINGS, Draw
from trainables.data.training_set import TrainingSet
from trainables.data.training_views import TrainingViews
from trainables.inference.views import look

Shown = tuple[int, int, int]
"""Epoch, store row, and how often it was shown before in this epoch."""

Mine = Callable[[int], bool]
"""Whether a micro-batch is loaded here, by its number in the epoch, from 0."""

REPEAT = 28
"""Bits for rows in the number that an image's draws depend on; those above count repeats."""

DIED = "DataLoader worker (pid unknown) died"
"""As torch begins what it says of a process that is gone."""

DEATH = 5.0
"""Seconds within which the system tells of a process that has closed its sockets."""


class _Training(Dataset[Batch]):
    """Whole batches at once: one item is a list of (epoch, row, how often it was shown before)."""

    def __init__(
        self,
        config: TrialConfig,
        store: ImageStore,
        learned: TrainingSet,
        focus: Boxed | None,
    ) -> None:
        self.store, self.focus = store, focus
        self.targets, self.further = learned.targets, learned.masks
        self.corrected = learned.corrected
        kind = Drawing if config.data.augment_on == "batch" else Augmenter
        self.views = TrainingViews(config, store.side, kind)

    def __getitem__(self, batch: list[Shown]) -> Batch:
        pixels = self.store.pixels
        seen = [
            self.views.drawn(pixels[row], self._mask(row), epoch, _draws(row, n))
            for epoch, row, n in batch
        ]
        views, steps = zip(*seen, strict=True)
        targets = self.targets[[row for _, row, _ in batch]]
        masks = [view["mask"] for view in views if "mask" in view]
        found = Batch(
            pictures=torch.from_numpy(np.stack([view["image"] for view in views])),
            targets=torch.from_numpy(targets),
            masks=torch.from_numpy(np.stack(masks)) if masks else None,
            rounds=rounds_of(steps),
        )
        return found if self.focus is None or found.rounds else found.boxed()

    def _mask(self, row: int) -> NDArray[np.uint8] | None:
        """What goes along with an image: its mask, or a box as one."""
        if self.focus is not None:
            return marked(self.focus[row], self.store.side)
        masks = self.store.masks
        if masks is None:
            return None
        if row < len(masks):
            return masks[row] if self.corrected is None else self.corrected(row, masks[row])
        assert self.further is not None
        height, width = self.store.pixels[row].shape[:2]
        return self.further(row, (height, width))


def _draws(row: int, repeat: int) -> int:
    """The number that an image's draws depend on."""
    return row + (repeat << REPEAT)


class _Evaluation(Dataset[Batch]):
    def __init__(
        self,
        config: TrialConfig,
        store: ImageStore,
        rows: NDArray[np.int64],
        batch: int,
        view: str,
        stress: Stress | None,
        augmented: bool,
    ) -> None:
        self.data, self.store = config.data, store
        self.rows, self.batch, self.view, self.stress = rows, batch, view, stress
        self.augmented = TrainingViews(config, store.side) if augmented else None
        self.last = config.run.epochs

    @functools.cached_property
    def _stressed(self) -> Stressed | None:
        side = self.store.side
        return Stressed(self.stress.at_side(side), side) if self.stress is not None else None

    def __getstate__(self) -> dict[str, Any]:
        return {name: v for name, v in self.__dict__.items() if name != "_stressed"}

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch)

    def __getitem__(self, index: int) -> Batch:
        rows = self.rows[index * self.batch : (index + 1) * self.batch]
        pictures = np.stack([self._seen(int(r)) for r in rows])
        return Batch(torch.from_numpy(pictures), torch.from_numpy(rows))

    def _seen(self, row: int) -> NDArray[np.uint8]:
        picture = self.store.pixels[row]
        if self.augmented is not None:
            return self.augmented(picture, None, self.last, row)["image"]
        if self._stressed is not None:  # what another camera would have given
            picture = self._stressed.moved(picture, row)
        return look(picture, self.view, self.data)


class _Order(Sampler[list[Shown]]):
    """Draws rows by (seed, epoch) and cuts them into full batches.

    The epoch travels with the rows, so that persistent workers know it; and so does how often a row
    was shown before in it, so that a repeated image is augmented anew.
    """

    def __init__(self, config: TrialConfig, draw: Draw, mine: Mine) -> None:
        self.draw, self.mine, self.seed, self.epoch = draw, mine, config.run.seed, 1
        self.images = len(draw(np.random.default_rng(0)))
        self.batch, self.group = config.run.images_at_once, config.run.accumulation

    def __len__(self) -> int:
        steps = max(1, self.images // (self.batch * self.group))
        return steps * self.group

    def __iter__(self) -> Iterator[list[Shown]]:
        order = self.draw(np.random.default_rng([self.seed, self.epoch]))
        # Fewer images than one step needs: go round until it is full.
        order = np.resize(order, max(len(order), self.batch * self.group))
        shown: Counter[int] = Counter()
        for i in range(len(self)):
            batch = []
            for row in order[i * self.batch : (i + 1) * self.batch].tolist():
                batch.append((self.epoch, row, shown[row]))
                shown[row] += 1
            if self.mine(i):
                yield batch


class TrainingLoader:
    """Batches of one training; the same whatever the number of workers.

    Args:
        config: Size, policy, batch and seed.
        store: Images.
        learned: Which of them are trained on, and their targets.
        workers: Loader processes; 0 loads in this process.
        draw: What an epoch shows; the configuration's sampling unless given.
        focus: Boxes by row of the store, where batches have them.
        device: Where whole batches are augmented.
        mine: Which micro-batches of an epoch are loaded.
    """

    def __init__(
        self,
        config: TrialConfig,
        store: ImageStore,
        learned: TrainingSet,
        workers: int,
        draw: Draw | None = None,
        focus: Boxed | None = None,
        device: torch.device | None = None,
        mine: Mine = lambda number: True,
    ) -> None:
        self._fill, self._focus = config.data.fill, focus
        self._device = device or torch.device("cpu")
        draw = draw or SAMPLINGS.of(config.sampling)(config, learned)
        self._order = _Order(config, draw, mine)
        self._loader = _loader(
            _Training(config, store, learned, focus),
            workers,
            sampler=self._order,
            persistent=True,
        )

    def __len__(self) -> int:
        """Micro-batches per epoch, whoever loads them; a multiple of the accumulation."""
        return len(self._order)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 1."""
        self._order.epoch = epoch
        return map(self._finished, self._loader)

    def _finished(self, batch: Batch) -> Batch:
        """The batch with nothing left to do."""
        if not batch.rounds:
            return batch
        pixels = batch.pictures, batch.masks
        pictures, masks = augmented(*pixels, batch.rounds, self._fill, self._device)
        done = Batch(pictures, batch.targets, masks)
        return done if self._focus is None else done.boxed()


def evaluation_batch(config: TrialConfig) -> int:
    """Images per forward pass when nothing is trained."""
    return 2 * config.run.images_at_once


def evaluation_loader(
    config: TrialConfig,
    store: ImageStore,
    rows: Sequence[int] | NDArray[np.int64],
    workers: int,
    view: str = "",
    stress: Stress | None = None,
    augmented: bool = False,
) -> Batches:
    """Batches of resized images with their store rows, in the order of ``rows``.

    They are looked at as they are, in a view, under a stress, or as the last epoch augments.
    """
    batch = evaluation_batch(config)
    wanted = np.asarray(rows, np.int64)
    dataset = _Evaluation(config, store, wanted, batch, view, stress, augmented)
    return _loader(dataset, min(workers, len(dataset) // 8))  # fewer are not worth starting one


class Batches:
    """What a loader gives; a loader process that dies is one error, raised once.

    Args:
        loader: Loads whole batches.
    """

    def __init__(self, loader: DataLoader[Batch]) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[Batch]:
        try:
            yield from self._loader
        except (ConnectionError, EOFError) as error:
            # A dying process closes its sockets first. Torch, whose handler raises wherever this
            # process is when the death is told, shall raise here and nowhere later; where it was
            # in a callback of the garbage collector, which lets nothing through, it has.
            time.sleep(DEATH)
            raise RuntimeError(f"{DIED}: {str(error) or 'its connection ended'}") from error


def _loader(
    dataset: Dataset[Batch], workers: int, sampler: Sampler[Any] | None = None, **options: bool
) -> Batches:
    # fork is 90 times quicker to the first batch than spawn, but unsafe on macOS.
    context = "fork" if workers and sys.platform == "linux" else None
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        multiprocessing_context=context,
        persistent_workers=options.get("persistent", False) and workers > 0,
        pin_memory=torch.cuda.is_available(),
        collate_fn=_as_it_is,
        worker_init_fn=_quiet_worker,
        generator=torch.Generator().manual_seed(0),  # leave torch's global generator alone
    )
    return Batches(loader)


def _as_it_is(batch: Any) -> Any:
    """What was drawn stays arrays: a process would open a file for every tensor that it sends."""
    return batch


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
