"""Submissions, their scores and what was concluded: an append-only record of a competition."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from results.leaderboard.entries import (
    BlendRecord,
    Frozen,
    Note,
    Origin,
    Source,
    Submission,
)
from results.leaderboard.quota import Quota
from results.records.ledger import Event, Ledger, replay
from spaces.errors import InputError, unknown
from spaces.names import check_inside, check_name

PATIENCE = 20.0
"""Seconds to wait for another process that is recording something."""


@dataclass(kw_only=True)
class Leaderboard:
    """All submissions of a competition, reduced from its events.

    Attributes:
        path: ``runs/<competition>/leaderboard.jsonl``.
        submissions: By id, in order.
        blends: By id, in order.
        notes: By the search or trial that they are about.
        quota: How many may be handed in; None if nobody said.
        test_images: Whether the rules allow test images to be looked at before the end.
        assessed: The newest conclusion on trust; None before there is one.
        frozen: The validation that was trusted; None before one was.
    """

    path: Path
    submissions: dict[str, Submission] = field(default_factory=dict)
    blends: dict[str, BlendRecord] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    quota: Quota | None = None
    test_images: bool = True
    assessed: Event | None = None
    frozen: Frozen | None = None
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
        holdout: str = "",
        oof: str = "",
        test: str = "",
    ) -> Submission:
        """Gives a file its id and its place in ``submissions/``, and records it.

        Several may be submitted at once: ids are given under the record's lock.

        Args:
            trial: Trial, promotion or blend; for an import, a name of its own.
            draft: The file, checked, on the same file system; it is moved.
            by: Who made it.
            source: Where it comes from.
            holdout: For an import, its hold-out predictions.
            oof: For an import, its out-of-fold predictions.
            test: For an import, its test predictions.

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
            file = self.path.parent / "submissions" / f"{name}-{trial}.csv"
            file.parent.mkdir(exist_ok=True)
            draft.replace(file)
            self._append(
                ledger,
                "submitted",
                submission=name,
                trial=trial,
                source=source,
                file=str(file.resolve()),
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
                holdout=holdout,
                oof=oof,
                test=test,
                by=by,
            )
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
        given: Mapping[str, float | None] = {"public": public, "private": private}
        when = {} if handed_in is None else {"handed_in": handed_in}
        with self._writing() as ledger:
            known = self[submission]
            new = {k: v for k, v in given.items() if v is not None and v != getattr(known, k)}
            if not new:
                raise InputError(f"submission={submission} has that score already")
            self._append(
                ledger,
                "scored",
                submission=submission,
                images=images,
                origin=origin,
                **new,
                **when,
            )

    def add_blend(
        self, draft: Path, members: tuple[str, ...], recipe: str, score: float
    ) -> BlendRecord:
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
            self._append(
                ledger, "blended", blend=name, members=list(members), recipe=recipe, score=score
            )
            return self.blends[name]

    def add_note(self, about: str, hypothesis: str, conclusion: str, by: str) -> Note:
        """Records what somebody thought; what is empty stays as it was."""
        self._record("noted", about=about, hypothesis=hypothesis, conclusion=conclusion, by=by)
        return self.notes[about]

    def set_quota(self, quota: Quota) -> None:
        """Records how many may be handed in."""
        self._record("quota", **quota.to_json())

    def set_rules(self, *, test_images: bool) -> None:
        """Records what the contest's rules allow."""
        self._record("rules", test_images=test_images)

    def add_assessment(self, conclusion: Mapping[str, object], *, freeze: bool) -> None:
        """Records a conclusion on trust, if it is another than the last.

        Args:
            conclusion: ``verdict``, ``validation``, ``metric``, ``folds``, ``scored``, ``weights``
                towards the test and the ``network`` behind them, and figures.
            freeze: Whether its validation becomes the yardstick from now on.
        """
        key = ("verdict", "validation", "metric", "folds", "scored", "weights", "network")
        with self._writing() as ledger:
            last = self.assessed
            if freeze or last is None or any(last.get(k) != conclusion.get(k) for k in key):
                self._append(ledger, "assessed", frozen=freeze, **conclusion)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Ledger]:
        """The record's lock, once what others recorded meanwhile has been read."""
        with contextlib.closing(Ledger(self.path, patience=PATIENCE)) as ledger:
            self._catch_up()
            yield ledger

    def _catch_up(self) -> None:
        """Takes in what others have recorded since the record was last read."""
        if self.path.exists():
            replay(self.path, self._apply, skip=self._events)

    def _record(self, kind: str, /, **fields: object) -> None:
        with self._writing() as ledger:
            self._append(ledger, kind, **fields)

    def _append(self, ledger: Ledger, kind: str, /, **fields: object) -> None:
        event = ledger.add(kind, **fields)
        ledger.commit()
        self._apply(event)

    def _apply(self, event: Event) -> None:
        self._events += 1
        kind, name = event["event"], event.get("submission", "")
        if kind == "submitted":
            check_name(name, "submission")
            for part in ("holdout", "oof", "test"):
                check_inside(event.get(part, ""), part)
            self.submissions[name] = Submission(
                id=name,
                trial=event["trial"],
                source=event.get("source", "trial"),
                file=event["file"],
                sha256=event["sha256"],
                holdout=event.get("holdout", ""),
                oof=event.get("oof", ""),
                test=event.get("test", ""),
                by=event.get("by", ""),
                at=event["at"],
            )
        elif kind == "scored":
            before = self.submissions[name]
            after = replace(
                before,
                public=event.get("public", before.public),
                private=event.get("private", before.private),
                images=event["images"] or before.images,
                origin=event.get("origin", "leaderboard"),
                handed_in=event.get("handed_in", before.handed_in or event["at"]),
            )
            if before.public is None and after.public is not None:
                after = replace(after, scored_at=event["at"], turn=len(self.scored()) + 1)
            self.submissions[name] = after
        elif kind == "blended":
            check_name(event["blend"], "blend")
            self.blends[event["blend"]] = BlendRecord(
                id=event["blend"],
                members=tuple(event["members"]),
                recipe=event["recipe"],
                score=event["score"],
                at=event["at"],
            )
        elif kind == "noted":
            known = self.notes.get(event["about"], Note(about=event["about"]))
            self.notes[known.about] = Note(
                about=known.about,
                hypothesis=event["hypothesis"] or known.hypothesis,
                conclusion=event["conclusion"] or known.conclusion,
                by=event["by"],
            )
        elif kind == "quota":
            self.quota = Quota.from_json(event)
        elif kind == "rules":
            self.test_images = event["test_images"]
        elif kind == "assessed":
            self.assessed = event
            if event["frozen"]:
                yardstick = {k: event[k] for k in ("validation", "metric", "folds", "at")}
                self.frozen = Frozen(**yardstick)
