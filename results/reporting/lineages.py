"""What a population of trainings found, in words."""

from __future__ import annotations

from itertools import combinations, groupby

from results.records.population import Lineage, PopulationFound
from results.reporting.text import enumerated, table

SHOWN = 5
"""Lineages that are told at most, unless more were trained from the start."""


def lineage_lines(found: PopulationFound | None, sign: float) -> list[str]:
    """Its cost, its lineages, who took over from whom, and whether scores held from the start.

    Args:
        found: As the record has it; None without a population.
        sign: 1 where a larger score is better, else -1.
    """
    if found is None:
        return []
    every = f"{found.every} epochs" if found.every > 1 else "an epoch"
    took = f"Training a population of {found.members} took as many epochs as "
    lines = [f"{took}{found.trainings:.1f} trials, {every} at a time."]
    if not found.lineages:
        return [*lines, "No member has run to its end."]
    shown = found.lineages[: max(SHOWN, sum(one.trial is not None for one in found.lineages))]
    rows = [["members, interval by interval", "score", "from the start", "trial"]]
    for one in shown:
        path = " → ".join(map(str, one.members))
        again = "–" if one.again is None else f"{one.again:.4f}"
        rows.append([path, f"{one.score:.4f}", again, one.trial or "not trained"])
    different = (
        f"{len(found.lineages)} different schedules" if found.lineages[1:] else "One schedule"
    )
    beginning = f"{different} at its end, the best first:"
    lines += [beginning, *(f"  {line}" for line in table(rows)), *_takeovers(found)]
    lines.append("Picture of the members: population.png in the search's folder, and in MLflow.")
    return [*lines, _agreement([one for one in shown if one.again is not None], sign)]


def _takeovers(found: PopulationFound) -> list[str]:
    by_epoch = [(e, list(some)) for e, some in groupby(found.takeovers, lambda t: t.epoch)]
    return [
        f"After epoch {epoch} "
        + enumerated([f"member {t.member} went on from {t.source}" for t in some])
        + "."
        for epoch, some in by_epoch
    ]


def _agreement(again: list[Lineage], sign: float) -> str:
    """Whether schedules rank from the start as they did in the population, in words."""
    if len(again) < 2:
        return "Too few were trained from the start to say whether the population's order holds."
    pairs = list(combinations(again, 2))
    gains = [sign * ((first.again or 0.0) - (second.again or 0.0)) for first, second in pairs]
    same = sum(gain > 0 for gain in gains)
    order = "keep" if same == len(pairs) else "do not keep"
    return (
        f"Trained from the start, these {len(again)} {order} the population's order ({same} of "
        f"{len(pairs)} pairs); so few say little."
    )
