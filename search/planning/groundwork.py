"""What a search trains before it samples: trainings that tell which configurations to propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from results.records.events import Why


class Groundwork(Protocol):
    """Trainings that sampling waits for; computed from the record, so that a resume is a replay."""

    @property
    def why(self) -> Why:
        """What they are for, as of a trial."""

    @property
    def expected(self) -> int:
        """Number of them in all."""

    def due(self) -> Sequence[Mapping[str, Any]]:
        """Those that can be told by now, in their order, as fields of `Planned`."""

    def proposals(self) -> int | None:
        """How many configurations there are to propose; None while trainings are to come."""
