"""Suspicious masks by a promotion's out-of-fold predictions: drawn, and written as tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.labels.mask_page import MASKS, SHOWN, ShownMask
from results.labels.mask_suspects import MaskSuspect, find_mask_suspects
from results.labels.suspects_page import suspects_page
from results.masks.label_map import class_planes, label_map, nearest
from results.masks.overlay import colours, overlay
from results.masks.truth import Truth
from results.predictions import Predictions
from trainables.audit.thumbnails import encoded
from trainables.data.contest import Contest
from trainables.data.corrections import Corrections
from trainables.data.folds import Folds
from trainables.portable.images import decode, resize

SIDE = 240
"""Longest side of a picture on the page."""

FRAME = (255, 0, 255)
"""Colour of the frame around a region."""

COLUMNS = ["image", "use", "given", "predicted", "percent", "region"]
"""Of the table of proposals."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundMasks:
    """Suspicious masks with what there is to say of them.

    Attributes:
        contest: The training images.
        folds: Folds of the same images.
        predictions: Out of fold, of all of them.
        truth: Masks as given, in the same order.
        suspects: The most suspicious first.
        settled: What a person decided before, if that was recorded with the promotion.
    """

    contest: Contest
    folds: Folds
    predictions: Predictions
    truth: Truth
    suspects: list[MaskSuspect]
    settled: Corrections | None

    @staticmethod
    def of(
        contest: Contest,
        folds: Folds,
        predictions: Predictions,
        truth: Truth,
        settled: Corrections | None,
    ) -> FoundMasks:
        """Looks for suspects among the images that no person has looked at yet."""
        truth = truth.of(predictions.images)
        seen = set() if settled is None else {settled.images[row] for row in settled.looked_at}
        found = find_mask_suspects(predictions.masks, truth)
        return FoundMasks(
            contest=contest,
            folds=folds,
            predictions=predictions,
            truth=truth,
            suspects=[s for s in found if predictions.images[s.row] not in seen],
            settled=settled,
        )

    @property
    def share(self) -> float:
        """Of the training images."""
        return len(self.suspects) / len(self.folds.images)

    @property
    def headline(self) -> str:
        """How many they are."""
        return f"{len(self.suspects):,} of {len(self.folds.images):,} masks are suspicious"

    @property
    def table(self) -> pd.DataFrame:
        """A row per region; ``row`` is the line of the training table."""
        answers = self.truth.answers
        return pd.DataFrame(
            [
                {
                    "image": self.predictions.images[s.row],
                    "row": self._row(s) + 2,
                    "fold": int(self.folds.fold[self._row(s)]),
                    "given": answers[r.given],
                    "predicted": answers[r.predicted],
                    "pixels": r.pixels,
                    "share": round(r.share, 6),
                    "sureness": round(r.sureness, 4),
                    **dict(zip(("left", "top", "right", "bottom"), r.box, strict=True)),
                }
                for s in self.suspects
                for r in s.regions
            ]
        )

    @property
    def confusions(self) -> list[tuple[str, str, int]]:
        """Class, what regions of it are taken for, and how many; the most frequent first."""
        answers = self.truth.answers
        pairs = Counter((r.given, r.predicted) for s in self.suspects for r in s.regions)
        return [(answers[a], answers[b], count) for (a, b), count in pairs.most_common()]

    @property
    def proposals(self) -> pd.DataFrame:
        """What a person edits: decisions of before, then a proposal per region."""
        answers = self.truth.answers
        rows = [
            {
                "image": self.predictions.images[s.row],
                "use": "void",
                "given": answers[r.given],
                "predicted": answers[r.predicted],
                "percent": f"{100 * r.share:.2f}",
                "region": r.runs,
            }
            for s in self.suspects
            for r in s.regions
        ]
        found = pd.DataFrame(rows, columns=COLUMNS)
        if self.settled is None:
            return found
        return pd.concat([self.settled.table, found]).reindex(columns=COLUMNS, fill_value="")

    def page(self, source: str, command: str) -> str:
        """The page, as HTML."""
        palette = colours(len(self.truth.classes)).tolist()
        return suspects_page(
            MASKS,
            name=self.contest.name,
            headline=self.headline,
            source=source,
            command=command,
            classes=[
                (name, f"rgb({r}, {g}, {b})")
                for name, (r, g, b) in zip(self.truth.classes, palette, strict=True)
            ],
            suspects=[self._shown(s) for s in self.suspects[:SHOWN]],
            count=len(self.suspects),
        )

    def _row(self, suspect: MaskSuspect) -> int:
        """Row of the training table."""
        return self.folds.images.index(self.predictions.images[suspect.row])

    def _shown(self, suspect: MaskSuspect) -> ShownMask:
        row, answers = self._row(suspect), self.truth.answers
        return ShownMask(
            image=self.folds.images[row],
            row=row + 2,
            fold=int(self.folds.fold[row]),
            pictures=self._pictures(suspect, self.contest.paths[row]),
            regions=tuple(
                (answers[r.given], answers[r.predicted], r.share, r.sureness)
                for r in suspect.regions
            ),
        )

    def _pictures(self, suspect: MaskSuspect, path: Path) -> tuple[str, ...]:
        """The image with its regions framed, and both masks over it."""
        mask = self.truth.actual(suspect.row)
        tell = class_planes if self.truth.overlapping else label_map
        told = tell(self.predictions.masks[suspect.row], *mask.shape[:2])
        factor = SIDE / max(mask.shape[:2])
        height, width = (max(1, round(side * factor)) for side in mask.shape[:2])
        picture = resize(decode(path.read_bytes()), height, width)
        framed: NDArray[np.uint8] = picture.copy()
        for region in suspect.regions:
            left, top, right, bottom = (round(side * factor) for side in region.box)
            cv2.rectangle(framed, (left, top), (right - 1, bottom - 1), FRAME, 2)
        masks = [overlay(picture, nearest(m, height, width)) for m in (mask, told)]
        return tuple(encoded(shown) for shown in (framed, *masks))
