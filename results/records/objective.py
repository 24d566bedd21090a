"""What the trials of a job are compared by: which of their scores and predictions."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.errors import unknown


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What the trials of a job are compared by.

    Attributes:
        name: As an option says it.
        prefix: Of the metric in reports of epochs.
        part: Of a trial's predictions.
        label: Before the metric's name, in tables.
        images: What a sentence about the winner holds on.
    """

    name: str
    prefix: str
    part: str
    label: str
    images: str

    def key(self, metric: str) -> str:
        """Name of the score in reports of epochs."""
        return f"{self.prefix}/{metric}"


METRIC, STRESS = "metric", "stress"

OBJECTIVES = {
    METRIC: Objective(
        name=METRIC,
        prefix="val",
        part="holdout",
        label="",
        images="images like the hold-out, which did not choose it",
    ),
    STRESS: Objective(
        name=STRESS,
        prefix="stress",
        part="stress",
        label="stress/",
        images="images like the hold-out under the stress that moves them towards the test, which "
        "did not choose it",
    ),
}


def objective(name: str) -> Objective:
    """Looks an objective up.

    Raises:
        InputError: If there is none of that name; the message lists them.
    """
    if name not in OBJECTIVES:
        raise unknown("objective", name, OBJECTIVES, f"objective={name}")
    return OBJECTIVES[name]
