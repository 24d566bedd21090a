"""What the trials of a job are compared by: which of their scores and predictions, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from spaces.errors import InputError, unknown

CostName = Literal["ms_per_image", "parameters", "mb"]
"""What of a network can be weighed against the metric; the smaller, the better."""


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


def objectives(asked: str | Sequence[str]) -> tuple[Objective, CostName | None]:
    """What trials are compared by, and what of their networks is weighed against it.

    Args:
        asked: ``metric`` or ``stress``, alone or as a list with a cost after it.

    Raises:
        InputError: For anything else.
    """
    asked = [asked] if isinstance(asked, str) else list(map(str, asked))
    told = f"objective={asked[0]}" if len(asked) == 1 else f"objective=[{','.join(asked)}]"
    costs = get_args(CostName)
    for name in asked:
        if name not in (*OBJECTIVES, *costs):
            raise unknown("objective", name, (*OBJECTIVES, *costs), told)
    if len(asked) == 2 and asked[0] in OBJECTIVES and asked[1] in costs:
        return OBJECTIVES[asked[0]], asked[1]  # type: ignore[return-value]  # just looked up
    if len(asked) == 1 and asked[0] in OBJECTIVES:
        return OBJECTIVES[asked[0]], None
    raise InputError(
        f"{told}: one of {' and '.join(OBJECTIVES)}, alone or with one of {', '.join(costs)} after "
        f"it, such as objective=[{METRIC},{costs[0]}]"
    )
