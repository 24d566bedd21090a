"""Suspicious labels by a promotion's out-of-fold predictions: drawn, and written as tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from results.labels.labels_page import LABELS, SHOWN, Shown, ShownSuspect
from results.labels.suspects import Suspects, find_suspects
from results.labels.suspects_page import suspects_page
from results.predictions import Predictions
from trainables.audit.looks import appearance_of
from trainables.audit.thumbnails import thumbnail
from trainables.data.contest import Contest
from trainables.data.corrections import Corrections
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore

NEIGHBOURS = 4
"""Images that look like a suspect."""

SHOWN_CONFUSIONS = 24
"""Pairs of classes on the page."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundLabels:
    """Suspicious labels with what there is to say of them.

    Attributes:
        contest: The training images.
        folds: Their labels as given, and folds.
        suspects: By row of the training table.
        near: int64 (suspects, neighbours), rows of the training images that look like each.
        settled: What a person decided before, if that was recorded with the promotion.
    """

    contest: Contest
    folds: Folds
    suspects: Suspects
    near: NDArray[np.int64]
    settled: Corrections | None

    @staticmethod
    def of(
        contest: Contest,
        folds: Folds,
        predictions: Predictions,
        store: ImageStore,
        settled: Corrections | None,
    ) -> FoundLabels:
        """Looks for suspects among the images that no person has looked at yet."""
        suspects = unsettled_suspects(predictions.probabilities, folds, settled)
        near = _neighbours(store, len(folds.images), suspects.rows)
        return FoundLabels(
            contest=contest, folds=folds, suspects=suspects, near=near, settled=settled
        )

    @property
    def share(self) -> float:
        """Of the training images."""
        return len(self.suspects.rows) / len(self.folds.images)

    @property
    def headline(self) -> str:
        """How many they are."""
        count, images = len(self.suspects.rows), len(self.folds.images)
        return f"{count:,} of {images:,} labels are suspicious"

    @property
    def table(self) -> pd.DataFrame:
        """A row per suspect; ``row`` is the line of the training table."""
        s = self.suspects
        return pd.DataFrame(
            {
                "image": [self.folds.images[row] for row in s.rows],
                "row": s.rows + 2,
                "fold": self.folds.fold[s.rows],
                "given": [self.label(row) for row in s.rows],
                "label": [self.contest.classes[c] for c in s.proposed],
                "sureness": s.sureness.round(6),
                "score": s.score.round(6),
                "looks_like": ["; ".join(self.label(n) for n in rows) for rows in self.near],
            }
        )

    @property
    def proposals(self) -> pd.DataFrame:
        """What a person edits: decisions of before, then a proposal per suspect."""
        new = self.table[["image", "given", "label", "score"]]
        return new if self.settled is None else pd.concat([self.settled.table, new])

    @property
    def confusions(self) -> list[tuple[str, str, int]]:
        """Label, what it is taken for, and how many; the most frequent first."""
        pairs = Counter(zip(self.table["given"], self.table["label"], strict=True))
        return [(given, taken_for, count) for (given, taken_for), count in pairs.most_common()]

    def page(self, source: str, command: str) -> str:
        """The page, as HTML."""
        return suspects_page(
            LABELS,
            name=self.contest.name,
            headline=self.headline,
            source=source,
            command=command,
            confusions=self.confusions[:SHOWN_CONFUSIONS],
            suspects=self.shown(),
            count=len(self.suspects.rows),
        )

    def label(self, row: int) -> str:
        """The label of a training image as it is given."""
        return str(self.contest.classes[self.folds.labels[row]])

    def shown(self) -> list[ShownSuspect]:
        """The most suspicious with pictures."""
        s = self.suspects
        return [
            ShownSuspect(
                **self._picture(row),
                fold=int(self.folds.fold[row]),
                proposed=self.contest.classes[s.proposed[i]],
                sureness=float(s.sureness[i]),
                score=float(s.score[i]),
                near=tuple(Shown(**self._picture(n)) for n in self.near[i].tolist()),
            )
            for i, row in enumerate(s.rows[:SHOWN].tolist())
        ]

    def _picture(self, row: int) -> dict[str, Any]:
        return {
            "image": self.folds.images[row],
            "row": row + 2,
            "given": self.label(row),
            "picture": thumbnail(self.contest.paths[row]),
        }


def unsettled_suspects(
    probabilities: NDArray[np.floating], folds: Folds, settled: Corrections | None
) -> Suspects:
    """Suspects among the images that no person has looked at yet.

    Args:
        probabilities: float (n, classes), of all training images out of fold.
        folds: Their labels as given.
        settled: What a person decided before; counts in the place of labels as given.
    """
    if settled is None:
        return find_suspects(folds.labels, probabilities)
    used = np.flatnonzero(~settled.left_out)
    found = find_suspects(settled.labels[used], probabilities[used]).of_rows(used)
    return found.only(~np.isin(found.rows, settled.looked_at))


def _neighbours(store: ImageStore, trained: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Training images that look most like some of them, nearest first, without themselves.

    By the audit's appearance, not by a network's embeddings: it is a second witness, which needs no
    weights.
    """
    count = min(NEIGHBOURS, trained - 1)
    if not len(rows):
        return np.zeros((0, count), np.int64)
    looks = np.stack([appearance_of(picture) for picture in store.pixels[:trained]])
    order = NearestNeighbors(n_neighbors=count + 1).fit(looks).kneighbors(looks[rows])[1]
    others = [near[near != row][:count] for row, near in zip(rows, order, strict=True)]
    return np.asarray(np.stack(others), np.int64)
