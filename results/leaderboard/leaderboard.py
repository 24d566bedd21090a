"""Submissions, their scores and what was concluded: an append-only record of a competition."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results.leaderboard.entries import (
    EVENTS,
    Assessed,
    Blended,
    Noted,
    Origin,
    Postprocessed,
    Rules,
    Scored,
    Source,
    Submission,
    Submitted,
)
from results.leaderboard.quota import Allowance, Quota, allowance
from results.records.ledger import Ledger, replay
from results.records.record import Event
from spaces.errors import InputError, unknown

PATIENCE = 20.0
"""Seconds to wait for another process that is recording something."""


@dataclass(kw_only=True)
class Leaderboard:
    """All submissions of a competition, reduced from its events.

    Attributes:
        path: ``runs/<competition>/leaderboard.jsonl``.
        submissions: By id, in order.
        blends: By id, in order.
        postprocesses: Post-processing of masks by id, in order.
        notes: By the search or trial that they are about.
        quota: How many may be handed in; None if nobody said.
        test_images: Whether the rules allow test images to be looked at before the end.
        assessed: The newest conclusion on trust; None before there is one.
        frozen: That whose validation was trusted, and is the yardstick; None before one was.
    """

    path: Path
    submissions: dict[str, Submission] = field(default_factory=dict)
    blends: dict[str, Blended] = field(default_factory=dict)
    postprocesses: dict[str, Postprocessed] = field(default_factory=dict)
    notes: dict[str, Noted] = field(default_factory=dict)
    quota: Quota | None = None
    test_images: bool = True
    assessed: Assessed | None = None
    frozen: Assessed | None = None
    _events: int = 0

    @staticmethod
    def read(folder: Path) -> Leaderboard:
        """Reads the record of a competition's folder; it is empty before the first submission."""
        leaderboard = Leaderboard(path=folder / "leaderboard.jsonl")
        leaderboard._catch_up()
        return leaderboard

    def __getitem__(self, name: str) -> Submission:
        if name not in self.submissions:
            raise unknown("submission", name, self.submissions, f"submission={name}")
        return self.submissions[name]

    def of_trial(self, trial: str) -> Submission | None:
        """The submission of a trial, if there is one."""
        return next((s for s in self.submissions.values() if s.trial == trial), None)

    def scored(self) -> list[Submission]:
        """Submissions with a public score, in the order in which the scores came."""
        found = [s for s in self.submissions.values() if s.public is not None]
        return sorted(found, key=lambda s: s.turn)

    def check_test_images(self, what: str = "") -> None:
        """Raises InputError, with what asks for it, unless test images may be looked at."""
        if not self.test_images:
            place = f"{what}: " if what else ""
            raise InputError(
                f"{place}the rules forbid looking at test images (rules.test_images=false, as "
                "recorded)"
            )

    def allowance(self) -> Allowance | None:
        """What the quota leaves now; None without one."""
        return None if self.quota is None else allowance(self.quota, self.spent(), time.time())

    def spent(self) -> list[tuple[float, str]]:
        """When each submission was handed in, and by whom; those scored locally cost nothing."""
        return [
            (s.handed_in, s.by)
            for s in self.submissions.values()
            if s.handed_in is not None and s.origin == "leaderboard"
        ]

    def add_submission(
        self,
        trial: str,
        draft: Path,
        by: str = "",
        *,
        source: Source = "trial",
        predictions: Mapping[str, Path] | None = None,
        positive: str = "",
    ) -> Submission:
        """Gives a file its id and its place in ``submissions/``, and records it.

        Several may be submitted at once: ids are given under the record's lock.

        Args:
            trial: Trial, promotion or blend; for an import, a name of its own.
            draft: The file, checked, on the same file system; it is moved.
            by: Who made it.
            source: Where it comes from.
            predictions: Of an import, files by what they predict (``holdout``, ``oof``, ``test``),
                on the same file system; they are moved to ``imports/``.
            positive: The class that its only column of probabilities is of, where somebody said it.

        Returns:
            The submission; the earlier one, and the draft is removed, if the trial has one.

        Raises:
            InputError: If an import's name is taken.
        """
        with self._writing() as ledger:
            before = self.of_trial(trial)
            if before is not None:
                draft.unlink()
                if source == "import":
                    raise InputError(f"name={trial}: that is {before.id} already")
                return before
            name = f"s{len(self.submissions) + 1:03d}"
            file = self.path.parent / "submissions" / f"{name}-{trial}{draft.suffix}"
            file.parent.mkdir(exist_ok=True)
            draft.replace(file)
            submitted = Submitted(
                submission=name,
                trial=trial,
                source=source,
                file=str(file.resolve()),
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
                by=by,
                positive=positive,
            )
            for part, path in (predictions or {}).items():
                place = Path("imports") / f"{name}-{trial}-{part}.npz"
                (self.path.parent / place.parent).mkdir(exist_ok=True)
                path.replace(self.path.parent / place)
                submitted = submitted.model_copy(update={part: place.as_posix()})
            self._append(ledger, submitted)
            return self.submissions[name]

    def add_score(
        self,
        submission: str,
        *,
        public: float | None,
        private: float | None,
        images: int = 0,
        origin: Origin = "leaderboard",
        handed_in: float | None = None,
    ) -> None:
        """Records scores; a later score corrects an earlier one, which stays on record.

        Raises:
            InputError: If there is no such submission, or it has these very scores already.
        """
        given = {"public": public, "private": private}
        with self._writing() as ledger:
            known = self[submission]
            new: dict[str, Any] = {
                k: v for k, v in given.items() if v is not None and v != getattr(known, k)
            }
            if not new:
                raise InputError(f"submission={submission} has that score already")
            if handed_in is not None:
                new["handed_in"] = handed_in
            told = Scored(submission=submission, images=images, origin=origin, **new)
            self._append(ledger, told)

    def add_blend(
        self, draft: Path, members: tuple[str, ...], recipe: str, score: float
    ) -> Blended:
        """Gives a blend its id and its place in ``blends/``, and records it.

        Args:
            draft: Folder of its files, on the same file system; it is moved.
            members: Names of the models in it.
            recipe: How they are merged.
            score: Its honest out-of-fold score.
        """
        with self._writing() as ledger:
            name = f"b{len(self.blends) + 1:03d}"
            folder = self.path.parent / "blends" / name
            folder.parent.mkdir(exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)  # of a command killed before the record
            draft.rename(folder)
            self._append(ledger, Blended(blend=name, members=members, recipe=recipe, score=score))
            return self.blends[name]

    def add_postprocess(self, draft: Postprocessed) -> Postprocessed:
        """Records post-processing under an id of its own; what is known already keeps its id."""
        with self._writing() as ledger:
            for known in self.postprocesses.values():
                if known.says(draft):
                    return known
            name = f"m{len(self.postprocesses) + 1:03d}"
            self._append(ledger, draft.model_copy(update={"id": name}))
            return self.postprocesses[name]

    def add_note(self, about: str, hypothesis: str, conclusion: str, by: str) -> Noted:
        """Records what somebody thought; what is empty stays as it was."""
        self._record(Noted(about=about, hypothesis=hypothesis, conclusion=conclusion, by=by))
        return self.notes[about]

    def set_quota(self, quota: Quota) -> None:
        """Records how many may be handed in."""
        self._record(quota)

    def set_rules(self, *, test_images: bool | None) -> None:
        """Records what the contest's rules allow, if that is something else; None says nothing."""
        if test_images not in (None, self.test_images):
            self._record(Rules(test_images=bool(test_images)))

    def add_assessment(self, conclusion: Assessed) -> None:
        """Records a conclusion on trust, if it is another than the last."""
        with self._writing() as ledger:
            if conclusion.says_more_than(self.assessed):
                self._append(ledger, conclusion)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Ledger]:
        """The record's lock, once what others recorded meanwhile has been read."""
        with contextlib.closing(Ledger(self.path, patience=PATIENCE)) as ledger:
            self._catch_up()
            yield ledger

    def _catch_up(self) -> None:
        """Takes in what others have recorded since the record was last read."""
        if self.path.exists():
            replay(self.path, EVENTS, self._apply, skip=self._events)

    def _record(self, event: Event) -> None:
        with self._writing() as ledger:
            self._append(ledger, event)

    def _append(self, ledger: Ledger, event: Event) -> None:
        event = ledger.add(event)
        ledger.commit()
        self._apply(event)

    def _apply(self, event: Event) -> None:
        self._events += 1
        match event:
            case Submitted():
                self.submissions[event.id] = Submission(**dict(event))
            case Scored():
                before = self.submissions[event.submission]
                told = event.model_dump(include={"public", "private"}, exclude_none=True)
                after = before.model_copy(
                    update={
                        **told,
                        "images": event.images or before.images,
                        "origin": event.origin,
                        "handed_in": event.handed_in or before.handed_in or event.at,
                        "told_at": event.at,
                    }
                )
                if before.public is None and after.public is not None:
                    turn = {"scored_at": event.at, "turn": len(self.scored()) + 1}
                    after = after.model_copy(update=turn)
                self.submissions[before.id] = after
            case Blended():
                self.blends[event.id] = event
            case Postprocessed():
                self.postprocesses[event.id] = event
            case Noted():
                known = self.notes.get(event.about, event)
                self.notes[event.about] = event.model_copy(
                    update={
                        "hypothesis": event.hypothesis or known.hypothesis,
                        "conclusion": event.conclusion or known.conclusion,
                    }
                )
            case Quota():
                self.quota = event
            case Rules():
                self.test_images = event.test_images
            case Assessed():
                self.assessed = event
                self.frozen = event if event.frozen else self.frozen
