"""What mattered in a search, in words."""

from __future__ import annotations

from results.records.closing import Matching, WhatMattered
from results.reporting.text import enumerated, table
from results.stats.early_ranks import WORTHLESS

SHOWN = 5
"""Parameters, and operations, that are told at most."""


def mattered_lines(found: WhatMattered | None) -> list[str]:
    """Parameters and operations that stand out from chance, and what early ranks were worth."""
    if found is None:
        return []
    after = f"after {found.epoch} epochs" if found.epoch > 1 else "after an epoch"
    by = f"by the score {after}, which all {found.trials} trials reached"
    out = [i for i in found.importances if i.mattered][:SHOWN]
    if out:
        rows = [["parameter", "importance", "chance", "trials"]]
        rows += [[i.parameter, f"{i.value:.3f}", f"{i.chance:.3f}", str(i.trials)] for i in out]
        lines = [f"What mattered, {by}:", *(f"  {line}" for line in table(rows))]
    else:
        nearest = f" ({found.importances[0].parameter} comes nearest)" if found.importances else ""
        lines = [f"No parameter stands out from chance, {by}{nearest}."]
    clear = [e for e in found.operations if abs(e.gain) > e.margin]
    if clear:
        told = [f"{e.name} {e.gain:+.1f} ± {e.margin:.1f} points" for e in clear[:SHOWN]]
        lines.append(f"Trials with an operation against those without: {enumerated(told)}.")
    elif found.operations:
        lines.append("No operation makes a difference beyond noise.")
    if found.early:
        taus = [
            f"after {e.epoch} epochs {e.tau.value:.2f} ({e.tau.low:.2f} to {e.tau.high:.2f})"
            for e in found.early
        ]
        lines.append(
            f"Kendall's tau of early with final scores, over the {found.early[0].trials} trials "
            f"that ran to the end: {enumerated(taus)}."
        )
    if found.grace:
        lines.append(
            "warning: early stopping began when ranks still said little; "
            f"scheduler.grace={found.grace} would stop fewer good trials"
        )
    elif found.early and found.early[0].tau.value < WORTHLESS:
        lines.append(
            "warning: early stopping began when ranks still said little, and later ones say "
            "hardly more; scheduler.rule=none stops nothing"
        )
    return lines


def matching_lines(found: Matching | None) -> list[str]:
    """What density matching took, and whether its scores rank trials as trainings do."""
    if found is None:
        return []
    by = f"{found.models} networks" if found.models > 1 else "one network"
    took = "" if found.trainings is None else f" took as long as {found.trainings:.1f} trials and"
    line = f"Scoring {found.policies} policies with {by}{took} chose the trials"
    if found.tau is None:
        few = f"{found.trials} trials ran to the end, too few, or too alike, to say how well"
        return [f"{line}; {few}."]
    tau = found.tau
    return [
        f"{line}; Kendall's tau with the scores after training, over the {found.trials} trials "
        f"that ran to the end: {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})."
    ]
