"""The events of a leaderboard's record: submissions, scores, what is made of them, trust."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from results.leaderboard.quota import Quota
from results.masks.postprocess import Postprocess
from results.records.record import Count, Event, Name, PathInside, Record

Source = Literal["trial", "import", "promotion", "blend", "postprocess"]
Origin = Literal["leaderboard", "solution"]


class Submitted(Event):
    """A file that may be handed in was made.

    Attributes:
        id: ``s001`` and so on, in the order of making.
        trial: Id of the trial, promotion, blend or post-processing whose test predictions it holds;
            for an import, a name of its own.
        source: Which of these it comes from, or whether it was made elsewhere.
        file: Path of the file.
        sha256: Digest of the file.
        holdout: For an import, its hold-out predictions, relative to the competition's folder;
            empty if there are none.
        oof: For an import, its out-of-fold predictions; empty if there are none.
        test: For an import with either, its test predictions.
        by: Who made it.
        positive: The class that its only column of probabilities is of, where somebody said it.
    """

    event: Literal["submitted"] = "submitted"
    id: Name = Field(alias="submission")
    trial: str
    source: Source = "trial"
    file: str
    sha256: str
    holdout: PathInside = ""
    oof: PathInside = ""
    test: PathInside = ""
    by: str = ""
    positive: str = ""


class Submission(Submitted):
    """A file that was made, and what became of it.

    Attributes:
        public: Newest public score; None before there is one.
        private: Newest private score.
        images: Number of images behind the public score; 0 when not known.
        origin: Whether the leaderboard gave the score or a local solution file.
        handed_in: When it was handed in, as far as known; None before there is a score.
        scored_at: When the first public score came.
        told_at: When the newest score came, which may correct an earlier one.
        turn: Position of that score among all first public scores, from 1; 0 before there is one.
    """

    public: float | None = None
    private: float | None = None
    images: Count = 0
    origin: Origin = "leaderboard"
    handed_in: float | None = None
    scored_at: float | None = None
    told_at: float | None = None
    turn: Count = 0


class Scored(Event):
    """A submission was scored; a later score corrects an earlier one.

    Attributes:
        submission: Its id.
        images: Number of images behind the public score; 0 when not known.
        origin: Whether the leaderboard gave it or a local solution file.
        public: Public score; None if it is not told.
        private: Private score; None if it is not told.
        handed_in: When the file was handed in, if that was told.
    """

    event: Literal["scored"] = "scored"
    submission: str
    images: Count
    origin: Origin = "leaderboard"
    public: float | None = None
    private: float | None = None
    handed_in: float | None = None


class Blended(Event):
    """A blend was made.

    Attributes:
        id: ``b001`` and so on.
        members: Names of the models in it.
        recipe: How they are merged.
        score: Its honest out-of-fold score.
    """

    event: Literal["blended"] = "blended"
    id: Name = Field(alias="blend")
    members: tuple[str, ...]
    recipe: str
    score: float


class Postprocessed(Event):
    """Post-processing of masks was chosen and judged.

    Attributes:
        id: ``m001`` and so on.
        source: ``promotion:<id>`` or ``blend:<id>``, whose out-of-fold masks chose it.
        settings: What all folds chose.
        plain: Score without it.
        honest: Score where every fold is processed as the others chose.
        gain: Points of the one over the other.
        low: Lower end of the interval of the gain.
        high: Its upper end.
        images: Images that chose and judged.
    """

    event: Literal["postprocessed"] = "postprocessed"
    id: Name = Field(alias="postprocess")
    source: str
    settings: Postprocess
    plain: float
    honest: float
    gain: float
    low: float
    high: float
    images: Count

    def says(self, other: Postprocessed) -> bool:
        """Whether another record says the same under another id."""
        name = {"id", "at"}
        return self.model_dump(exclude=name) == other.model_dump(exclude=name)

    @property
    def words(self) -> str:
        """What it is and what it is worth."""
        beyond = "beyond noise" if self.low > 0 else "not beyond noise"
        return f"post-processed, honestly {self.gain:+.2f} points ({beyond})"


class Noted(Event):
    """What somebody thought of a search or a trial.

    Attributes:
        about: Id of the search or trial.
        hypothesis: What it was to find out.
        conclusion: What came out.
        by: Who said so last.
    """

    event: Literal["noted"] = "noted"
    about: str
    hypothesis: str = ""
    conclusion: str = ""
    by: str = ""


class Rules(Event):
    """What a contest's rules allow.

    Attributes:
        test_images: Whether test images may be looked at before the end.
    """

    event: Literal["rules"] = "rules"
    test_images: bool


class EmbeddingNetwork(Record):
    """The network whose embeddings tell test images from the hold-out; a trial's own if empty."""

    backbone: str = ""
    weights: str = ""
    pretrained: bool = False


class Assessed(Event):
    """A conclusion on trust.

    Attributes:
        frozen: Whether its validation is the yardstick from then on.
        verdict: What was concluded.
        validation: Name of the validation score.
        metric: Name of the metric.
        folds: Digest of the folds.
        scored: Scored submissions behind it.
        evidence: E after the last score.
        chance: Chance of regret.
        weights: File with the weights towards the test; empty if there are none.
        network: The network behind them.
    """

    event: Literal["assessed"] = "assessed"
    frozen: bool
    verdict: str
    validation: str
    metric: str
    folds: str
    scored: Count
    evidence: float
    chance: float
    weights: str = ""
    network: EmbeddingNetwork = EmbeddingNetwork()

    def says_more_than(self, last: Assessed | None) -> bool:
        """Whether it concludes, or rests on, something else than the last one."""
        if self.frozen or last is None:
            return True
        figures = {"at", "frozen", "evidence", "chance"}
        return self.model_dump(exclude=figures) != last.model_dump(exclude=figures)


EVENTS: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        Submitted | Scored | Blended | Postprocessed | Noted | Quota | Rules | Assessed,
        Field(discriminator="event"),
    ]
)
"""What a leaderboard's record is made of."""
