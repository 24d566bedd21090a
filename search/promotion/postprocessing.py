"""Post-processing of masks: chosen on out-of-fold predictions, judged, printed and recorded."""

from __future__ import annotations

import json
import time

import numpy as np

from results.ensemble.out_of_fold import OutOfFold
from results.leaderboard.entries import Postprocessed
from results.masks.label_map import at_size
from results.masks.postprocess_choice import Counted, Load, Seen, candidates, nested
from results.masks.postprocess_verdict import choices, verdict
from results.masks.truth import Truth
from results.metrics import Ints
from results.predictions import OCCURS
from results.reporting.postprocess_report import postprocess_page
from results.reporting.text import format_seconds
from search.competition.standing import Standing, open_standing
from search.options.ensembles import PostprocessConfig
from search.options.exit_codes import OK
from search.promotion.ensemble_members import newest_promotion
from search.promotion.merged import Merged, find_merged
from spaces.errors import InputError
from spaces.files import write_whole

BUDGET = 300_000_000
"""Pixels times settings: minutes on two cores."""

FEWEST = 40
"""Images that choose at least, however large they are."""


def postprocess(config: PostprocessConfig) -> int:
    """Chooses and judges post-processing; returns the exit code.

    Raises:
        InputError: If these are no masks, or fewer than two folds were trained.
    """
    standing = open_standing(config)
    truth = standing.search.truth
    if truth is None:
        raise InputError(
            f"{standing.folder.name} is of classes of whole images; post-processing is for masks "
            "(data.mask=)"
        )
    merged = find_merged(standing, _selected(standing, config.select))
    oof = merged.out_of_fold(standing)
    if len(np.unique(oof.folds)) < 2:
        raise InputError(
            f"select={merged.name}: one fold was trained; post-processing is judged by folds that "
            "did not choose it: python -m search.promote"
        )
    auxiliary = OCCURS in oof.predictions.heads
    steps = len(candidates(truth.form, auxiliary))
    rows = _rows(oof, truth, config.most, steps)
    images = len(oof.folds)
    some = f"{len(rows):,} of {images:,}" if len(rows) < images else f"{images:,}"
    if not config.quiet:
        print(
            f"{standing.folder.name}, {merged.name}: {steps} steps on {some} "
            f"out-of-fold masks" + ("; most= takes more" if len(rows) < images else ""),
            flush=True,
        )
    folds = oof.folds[rows]
    groups = None if oof.groups is None else oof.groups[rows]
    looks = len(rows) * (steps + 1) * (len(np.unique(folds)) + 1)
    beat = _Progress(looks) if not config.quiet else lambda: None
    loads = [_load(oof, truth, row) for row in rows.tolist()]
    counted = Counted(loads, truth.form, standing.metric, beat, auxiliary)
    found = nested(counted, folds)
    if not choices(found):
        plain = "every class from one half on" if truth.overlapping else "the likeliest class"
        print(
            f"{merged.name}: {standing.metric.name} {found.plain:.4f}. Nothing gains: {plain} is "
            "as good as anything tried."
        )
        return OK
    judged = verdict(counted, found, folds, groups)
    record = standing.leaderboard.add_postprocess(
        Postprocessed(
            postprocess="m000",
            source=merged.name,
            settings=found.chosen,
            plain=found.plain,
            honest=found.honest,
            gain=judged.gain.value,
            low=judged.gain.low,
            high=judged.gain.high,
            images=len(rows),
        )
    )
    page = postprocess_page(record, judged, truth, standing.metric, groups is not None)
    print("\n".join(page))
    _write(standing, record, page)
    if judged.helps:
        print("Next:\n" + "\n".join(_commands(merged, record)))
    if config.json:
        path = standing.folder / "postprocess" / f"{record.id}.txt"
        print(json.dumps({"id": record.id, "path": str(path)}))
    return OK


def _selected(standing: Standing, select: str) -> str:
    """``promotion:<id>`` or ``blend:<id>``."""
    if ":" in select:
        return select
    return f"promotion:{select or newest_promotion(standing)}"


def _rows(oof: OutOfFold, truth: Truth, most: int, steps: int) -> Ints:
    """Images that choose, evenly from all folds and from what stands together in them."""
    order = np.argsort(oof.folds, kind="stable")
    shapes = truth.masks.shapes[[truth.rows[image] for image in oof.predictions.images]]
    allowed = int(BUDGET / (4 * steps * shapes.prod(axis=1).mean()))
    count = min(len(order), most or max(FEWEST, allowed))
    return np.sort(order[np.linspace(0, len(order) - 1, count).round().astype(np.int64)])


def _load(oof: OutOfFold, truth: Truth, row: int) -> Load:
    """An image's probabilities at its own size, its true mask, and which classes occur."""
    true = truth.actual(truth.rows[oof.predictions.images[row]])
    said = oof.predictions.heads.get(OCCURS)
    occurs = said[row] if isinstance(said, np.ndarray) else None

    def load() -> Seen:
        return Seen(at_size(oof.predictions.masks[row], *true.shape[:2]), true, occurs)

    return load


class _Progress:
    """Says every few seconds how far the choice is.

    Args:
        looks: Images that are looked at, at most: folds that agree share theirs.
    """

    def __init__(self, looks: int) -> None:
        self.looks, self.done = looks, 0
        self.begun = self.last = time.monotonic()

    def __call__(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.last >= 5:
            self.last = now
            left = (now - self.begun) / self.done * (self.looks - self.done)
            print(
                f"{self.done:,} looks at images, at most {self.looks:,}; at most "
                f"{format_seconds(left)} left",
                flush=True,
            )


def _write(standing: Standing, record: Postprocessed, page: list[str]) -> None:
    """Writes what was printed."""
    folder = standing.folder / "postprocess"
    folder.mkdir(exist_ok=True)
    write_whole("\n".join(page) + "\n", folder / f"{record.id}.txt")


def _commands(merged: Merged, record: Postprocessed) -> list[str]:
    """What may be done with it."""
    commands = []
    if (merged.folder / "test.npz").exists():
        commands.append(f"  python -m search.submit select=postprocess:{record.id}")
    if all(member.search is not None for member in merged.members):
        commands.append(f"  python -m search.predict postprocess={record.id} images=<folder>")
        commands.append(f"  python -m search.export postprocess={record.id} to=<folder>")
    return commands
