"""What a network costs where it predicts, as it was measured before anything was trained."""

from __future__ import annotations

from results.records.objective import CostName
from results.records.record import Count, Record

UNITS: dict[CostName, str] = {
    "ms_per_image": "ms per image",
    "parameters": "parameters",
    "mb": "MiB of weights",
}
"""What costs are counted in."""

FORMS: dict[CostName, str] = {"ms_per_image": ",.4g", "parameters": ",.0f", "mb": ",.4g"}
"""How they are written."""


def cost_words(name: CostName, value: float) -> str:
    """A cost with its unit."""
    return f"{value:{FORMS[name]}} {UNITS[name]}"


class NetworkCost(Record):
    """What one network costs at the size at which it predicts.

    Attributes:
        parameters: Numbers that are learned.
        mb: Of its weights as they are stored, in MiB.
        ms_per_image: Milliseconds per image, in batches; None if nobody asked.
    """

    parameters: Count
    mb: float
    ms_per_image: float | None = None

    def of(self, name: CostName) -> float:
        """One of them by its name; a time that was not measured is infinite."""
        value = getattr(self, name)
        return float("inf") if value is None else float(value)

    def times(self, networks: int) -> NetworkCost:
        """Of so many that predict together."""
        took = None if self.ms_per_image is None else networks * self.ms_per_image
        return NetworkCost(
            parameters=networks * self.parameters, mb=networks * self.mb, ms_per_image=took
        )
