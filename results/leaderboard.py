"""Submissions and their scores: an append-only record beside the searches of a competition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from results.ledger import Event, Ledger, read_ledger
from spaces.errors import InputError, unknown

PATIENCE = 20.0
"""Seconds to wait for another process that is recording something."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A file that was, or may be, handed in.

    Attributes:
        id: ``s001`` and so on, in the order of making.
        trial: Id of the trial whose test predictions it holds.
        file: Path of the file.
        sha256: Digest of the file.
        at: When it was made, seconds since the epoch.
        public: Newest public score; None before there is one.
        private: Newest private score.
        images: Number of images behind the public score; 0 when not known.
        scored_at: When the first public score came.
        turn: Position of that score among all first public scores, from 1; 0 before there is one.
    """

    id: str
    trial: str
    file: str
    sha256: str
    at: float
    public: float | None = None
    private: float | None = None
    images: int = 0
    scored_at: float | None = None
    turn: int = 0


@dataclass(kw_only=True)
class Leaderboard:
    """All submissions of a competition, reduced from its events.

    Attributes:
        path: ``runs/<competition>/leaderboard.jsonl``.
        submissions: By id, in order.
    """

    path: Path
    submissions: dict[str, Submission] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path) -> Leaderboard:
        """Reads the record of a competition's folder; it is empty before the first submission."""
        board = Leaderboard(path=folder / "leaderboard.jsonl")
        if board.path.exists():
            for event in read_ledger(board.path):
                board._apply(event)
        return board

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

    def next_id(self) -> str:
        """Id of the next submission."""
        return f"s{len(self.submissions) + 1:03d}"

    def add_submission(self, trial: str, file: Path, sha256: str) -> Submission:
        """Records a file and returns its submission."""
        name = self.next_id()
        self._append("submitted", submission=name, trial=trial, file=str(file), sha256=sha256)
        return self.submissions[name]

    def add_score(
        self, submission: str, *, public: float | None, private: float | None, images: int = 0
    ) -> None:
        """Records scores; a later score corrects an earlier one, which stays on record.

        Raises:
            InputError: If there is no such submission, or it has these very scores already.
        """
        known = self[submission]
        given: Mapping[str, float | None] = {"public": public, "private": private}
        new = {k: v for k, v in given.items() if v is not None and v != getattr(known, k)}
        if not new:
            raise InputError(f"submission={submission} has that score already")
        self._append("scored", submission=submission, images=images, **new)

    def _append(self, kind: str, **fields: object) -> None:
        ledger = Ledger(self.path, patience=PATIENCE)
        try:
            event = ledger.add(kind, **fields)
        finally:
            ledger.close()
        self._apply(event)

    def _apply(self, event: Event) -> None:
        kind, name = event["event"], event.get("submission", "")
        if kind == "submitted":
            self.submissions[name] = Submission(
                id=name,
                trial=event["trial"],
                file=event["file"],
                sha256=event["sha256"],
                at=event["at"],
            )
        elif kind == "scored":
            before = self.submissions[name]
            after = replace(
                before,
                public=event.get("public", before.public),
                private=event.get("private", before.private),
                images=event["images"] or before.images,
            )
            if before.public is None and after.public is not None:
                after = replace(after, scored_at=event["at"], turn=len(self.scored()) + 1)
            self.submissions[name] = after
