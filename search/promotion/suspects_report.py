"""Suspicious labels by a promotion's out-of-fold predictions: printed, drawn, written as tables."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from results.labels.labels_page import LABELS, SHOWN, Shown, ShownSuspect
from results.labels.suspects import Suspects, find_suspects
from results.labels.suspects_page import suspects_page
from results.reporting.text import table
from search.competition.corrections import recorded_corrections
from search.competition.images import open_pictures
from search.competition.standing import open_standing
from search.competition.tracking import track_suspects
from search.options.analysis import LabelsConfig
from search.options.exit_codes import OK
from search.options.same_place import recorded_contest, same_place
from search.options.user_code import preparation_of
from search.promotion.ensemble_members import newest_promotion
from search.promotion.mask_suspects_report import FoundMasks
from search.promotion.merged import find_merged
from spaces.errors import InputError
from spaces.files import whole_file
from trainables.audit.looks import appearance_of
from trainables.audit.thumbnails import thumbnail
from trainables.data.contest import Contest
from trainables.data.corrections import Corrections
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore

NEIGHBOURS = 4
"""Images that look like a suspect."""

CONFUSIONS = 8
"""Pairs of classes that are printed."""

UNLIKELY = 1 / 3
"""Share of suspects from which it is more likely that models are wrong than labels."""

SHOWN_CONFUSIONS = 24
"""Pairs of classes on the page."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Suspects with what there is to say of them.

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


def suspect_labels(config: LabelsConfig) -> int:
    """Prints how many labels are suspicious, writes page and tables; returns the exit code.

    Raises:
        InputError: If there is no promotion that predicted every training image out of fold.
    """
    standing = open_standing(config)
    name = config.promotion or newest_promotion(standing)
    members = find_merged(standing, f"promotion:{name}", f"promotion={name}").members
    search = members[0].search
    assert search is not None
    folds = Folds.read(search.folds_file)
    assert search.opened.promotion is not None
    trained = search.opened.promotion.folds
    if trained < folds.count:
        raise InputError(
            f"promotion={search.id}: it trained {trained} of {folds.count} folds; every image has "
            f"to be predicted by a model that did not see it: python -m search.promote "
            f"folds={folds.count}"
        )
    settled = recorded_corrections(search, folds)
    predicted = standing.task.average([m.read(standing)[0].predictions for m in members])
    seen = search.of("fold")[0]
    preparation = preparation_of(seen.config, config.prepare, seen.id)
    contest, store = open_pictures(standing, preparation, seen.config.data.boxes, print)
    found: Found | FoundMasks
    if search.truth is None:
        suspects = unsettled_suspects(predicted.probabilities, folds, settled)
        near = _neighbours(store, len(folds.images), suspects.rows)
        found = Found(contest=contest, folds=folds, suspects=suspects, near=near, settled=settled)
    else:
        found = FoundMasks.of(contest, folds, predicted, search.truth, settled)
    folder = standing.folder / "labels" / search.id
    place = recorded_contest(standing.search.opened.options, standing.folder / "data")
    corrections = f" {shlex.quote(f'data.corrections={folder}/corrections.csv')}"
    command = f"python -m search.run space=labels{place}{corrections}"
    command += same_place(config)
    trials = "1 promoted trial" if len(members) == 1 else f"{len(members)} promoted trials"
    source = f"out-of-fold predictions of {search.id} ({trials}, {folds.count} folds)"
    kept = _write(found, folder, source, command)
    runs = Path(config.runs)
    problem = track_suspects(standing.folder.name, folder, found.share, config.tracking, runs)
    print(f"{standing.folder.name}: {found.headline}, by {source}")
    if found.share > UNLIKELY:
        print(
            "warning: so many are seldom wrong; more likely the models are, above all where groups "
            "are held out whole. Models of random folds judge labels better: the same training and "
            "promotion with data.group= left empty, under runs= of their own"
        )
    if found.confusions:
        rows = [["label", "taken for", "suspects"]]
        rows += [[given, other, str(n)] for given, other, n in found.confusions[:CONFUSIONS]]
        print("\n".join(f"  {line}" for line in table(rows)))
    if problem:
        print(f"warning: MLflow does not have it ({problem}); search.labels copies it again")
    print(f"\nPage: {folder / 'index.html'}   tables: suspects.csv, corrections.csv beside it")
    if kept:
        print("corrections.csv was edited and is kept as it is; remove it for new proposals")
    if len(found.proposals):
        print("A suspect is no proof: look at the page, edit corrections.csv. Next:")
        print(f"  {command}")
    if config.json:
        print(json.dumps({"id": search.id, "path": str(folder)}))
    return OK


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


def _write(found: Found | FoundMasks, folder: Path, source: str, command: str) -> bool:
    """Writes page and tables; returns whether a table that a person edited was kept."""
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / "index.html") as temporary:
        temporary.write_text(found.page(source, command), encoding="utf-8")
    with whole_file(folder / "suspects.csv") as temporary:
        found.table.to_csv(temporary, index=False)
    to, text = folder / "corrections.csv", found.proposals.to_csv(index=False)
    if to.exists() and to.read_text(encoding="utf-8") != text:
        return True
    with whole_file(to) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return False
