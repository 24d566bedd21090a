"""Loaders: batches of stored images, augmented for training, only resized for evaluation."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from spaces.trial_config import TrialConfig
from trainables.augment import Augmenter
from trainables.data.image_store import ImageStore
from trainables.inference.views import look

Batch = tuple[torch.Tensor, torch.Tensor]
"""Images uint8 (n, height, width, 3) and labels int64 (n,)."""


class _Training(Dataset[Batch]):
    """Whole batches at once: one item is a list of (epoch, row)."""

    def __init__(self, config: TrialConfig, store: ImageStore, labels: NDArray[np.int64]) -> None:
        self.config, self.store, self.labels = config, store, labels
        self._augmenter: Augmenter | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_augmenter": None}

    def __getitem__(self, batch: list[tuple[int, int]]) -> Batch:
        if self._augmenter is None:  # once per worker
            c = self.config
            self._augmenter = Augmenter(c.policy, c.size, c.seed, self.store.side)
        pictures = np.stack(
            [self._augmenter(self.store.pixels[r], e, r)["image"] for e, r in batch]
        )
        labels = self.labels[[r for _, r in batch]]
        return torch.from_numpy(pictures), torch.from_numpy(labels)


class _Evaluation(Dataset[Batch]):
    def __init__(
        self, config: TrialConfig, store: ImageStore, rows: NDArray[np.int64], batch: int, view: str
    ) -> None:
        self.size, self.store, self.rows, self.batch = config.size, store, rows, batch
        self.view = view

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch)

    def __getitem__(self, index: int) -> Batch:
        rows = self.rows[index * self.batch : (index + 1) * self.batch]
        pictures = np.stack([look(self.store.pixels[r], self.view, self.size) for r in rows])
        return torch.from_numpy(pictures), torch.from_numpy(rows)


class _Order(Sampler[list[tuple[int, int]]]):
    """Shuffles rows by (seed, epoch) and cuts them into full batches of (epoch, row).

    The epoch travels with the rows, so that persistent workers know it.
    """

    def __init__(self, rows: NDArray[np.int64], batch: int, group: int, seed: int) -> None:
        self.rows, self.batch, self.group, self.seed, self.epoch = rows, batch, group, seed, 1

    def __len__(self) -> int:
        steps = max(1, len(self.rows) // (self.batch * self.group))
        return steps * self.group

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.rows)
        # Fewer images than one step needs: go round until it is full.
        order = np.resize(order, max(len(order), self.batch * self.group))
        for i in range(len(self)):
            part = order[i * self.batch : (i + 1) * self.batch]
            yield [(self.epoch, int(row)) for row in part]


class TrainingLoader:
    """Batches of one training; the same whatever the number of workers.

    Args:
        config: Size, policy, batch and seed.
        store: Images.
        labels: int64 (n_train,), class indices by store row.
        rows: Store rows to train on.
        workers: Loader processes; 0 loads in this process.
    """

    def __init__(
        self,
        config: TrialConfig,
        store: ImageStore,
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        workers: int,
    ) -> None:
        micro = min(config.batch, config.micro_batch)
        self._order = _Order(rows, micro, config.accumulation, config.seed)
        self._loader = _loader(
            _Training(config, store, labels), workers, sampler=self._order, persistent=True
        )

    def __len__(self) -> int:
        """Micro-batches per epoch, a multiple of the accumulation."""
        return len(self._order)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 1."""
        self._order.epoch = epoch
        return iter(self._loader)


def evaluation_batch(config: TrialConfig) -> int:
    """Images per forward pass when nothing is trained."""
    return 2 * min(config.batch, config.micro_batch)


def evaluation_loader(
    config: TrialConfig,
    store: ImageStore,
    rows: Sequence[int] | NDArray[np.int64],
    workers: int,
    view: str = "",
) -> DataLoader[Batch]:
    """Batches of resized images with their store rows, in the order of ``rows``."""
    batch = evaluation_batch(config)
    dataset = _Evaluation(config, store, np.asarray(rows, np.int64), batch, view)
    return _loader(dataset, workers)


def _loader(
    dataset: Dataset[Batch], workers: int, sampler: Sampler[Any] | None = None, **options: bool
) -> DataLoader[Batch]:
    # fork is 90 times quicker to the first batch than spawn, but unsafe on macOS.
    context = "fork" if workers and sys.platform == "linux" else None
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        multiprocessing_context=context,
        persistent_workers=options.get("persistent", False) and workers > 0,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_quiet_worker,
        generator=torch.Generator().manual_seed(0),  # leave torch's global generator alone
    )


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
