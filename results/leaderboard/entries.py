"""What a leaderboard's record is made of: submissions, blends, notes, the yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["trial", "import", "promotion", "blend"]
Origin = Literal["leaderboard", "solution"]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A file that was, or may be, handed in.

    Attributes:
        id: ``s001`` and so on, in the order of making.
        trial: Id of the trial, promotion or blend whose test predictions it holds; for an import, a
            name of its own.
        source: Whether it comes from a trial, a promotion or a blend, or was made elsewhere.
        file: Path of the file.
        sha256: Digest of the file.
        holdout: For an import, its hold-out predictions, relative to the competition's folder;
            empty if there are none.
        oof: For an import, its out-of-fold predictions; empty if there are none.
        test: For an import with those, its test predictions.
        by: Who made it.
        at: When it was made, seconds since the epoch.
        public: Newest public score; None before there is one.
        private: Newest private score.
        images: Number of images behind the public score; 0 when not known.
        origin: Whether the leaderboard gave the score or a local solution file.
        handed_in: When it was handed in, as far as known; None before there is a score.
        scored_at: When the first public score came.
        turn: Position of that score among all first public scores, from 1; 0 before there is one.
    """

    id: str
    trial: str
    file: str
    sha256: str
    at: float
    source: Source = "trial"
    holdout: str = ""
    oof: str = ""
    test: str = ""
    by: str = ""
    public: float | None = None
    private: float | None = None
    images: int = 0
    origin: Origin = "leaderboard"
    handed_in: float | None = None
    scored_at: float | None = None
    turn: int = 0


@dataclass(frozen=True, kw_only=True)
class BlendRecord:
    """A blend that was made.

    Attributes:
        id: ``b001`` and so on.
        members: Names of the models in it.
        recipe: How they are merged.
        score: Its honest out-of-fold score.
        at: When it was made, seconds since the epoch.
    """

    id: str
    members: tuple[str, ...]
    recipe: str
    score: float
    at: float


@dataclass(frozen=True, kw_only=True)
class Note:
    """What somebody thought of a search or a trial.

    Attributes:
        about: Id of the search or trial.
        hypothesis: What it was to find out.
        conclusion: What came out.
        by: Who said so last.
    """

    about: str
    hypothesis: str = ""
    conclusion: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """The validation that was trusted, from then on the yardstick.

    Attributes:
        validation: Name of the validation score.
        metric: Name of the metric.
        folds: Digest of the folds.
        at: Since when, seconds since the epoch.
    """

    validation: str
    metric: str
    folds: str
    at: float
