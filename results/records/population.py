"""What a population of trainings found: its lineages, and what they were worth."""

from __future__ import annotations

from results.records.record import Count, Record


class TakenOver(Record):
    """A member goes on with the weights and the schedule of another.

    Attributes:
        epoch: After which one.
        member: Who, from 1.
        source: From whom.
    """

    epoch: Count
    member: Count
    source: Count


class Lineage(Record):
    """A schedule that a population found, with the members that trained it, interval by interval.

    Attributes:
        members: By interval.
        score: After the last epoch, in the population.
        trial: Trained with it from the start; None if none is.
        again: That trial's score; None if it did not run to its end.
    """

    members: tuple[Count, ...]
    score: float
    trial: str | None
    again: float | None


class PopulationFound(Record):
    """What a population cost, and was worth.

    Attributes:
        members: How many.
        every: Epochs of an interval.
        trainings: Full trainings that have as many epochs.
        takeovers: Who went on from whom.
        lineages: Different schedules at the end, the best first.
    """

    members: Count
    every: Count
    trainings: float
    takeovers: tuple[TakenOver, ...]
    lineages: tuple[Lineage, ...]
