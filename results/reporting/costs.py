"""What a job cost, and what made its trials fail, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from results.records.closing import Closed
from results.records.confirmation import is_baseline
from results.records.trials import Search
from results.reporting.text import format_seconds, gain

SHOWN = 5
"""Reasons of failure that are named."""

SAMPLING = ("matcher", "segment", "sampled")
"""What is trained to find the winner."""


def failures(search: Search) -> list[str]:
    """What made trials fail, each reason once."""
    reasons = Counter(
        t.reason.splitlines()[0] for t in search.trials.values() if t.state == "failed"
    )
    return [f"{n} failed: {reason}" for reason, n in reasons.most_common(SHOWN)]


PARTS = {"feed": "feeding", "transfer": "moving to the device", "compute": "computing"}
"""Of an epoch's seconds, besides evaluating."""

BESIDE = {"checkpoint": "checkpoints", "wait": "waiting for the driver"}
"""Of the seconds between two epochs."""


def shares(spent: Mapping[str, float]) -> str:
    """What training time went into, in words.

    Args:
        spent: Seconds by part of an epoch, ``total`` among them; that is not 0.
    """
    found = {name: spent.get(part, 0.0) / spent["total"] for part, name in PARTS.items()}
    found["evaluating"] = 1 - sum(found.values())
    return ", ".join(f"{share:.0%} {name}" for name, share in found.items() if share >= 0.005)


def between_epochs(spent: Mapping[str, float]) -> str:
    """What time between epochs went into, in words; empty where that is less than a second."""
    found = {name: spent.get(part, 0.0) for part, name in BESIDE.items()}
    return ", ".join(f"{name} {format_seconds(s)}" for name, s in found.items() if s >= 0.5)


def costs(closed: Closed) -> list[str]:
    cost = closed.cost
    wall, trained = cost["wall"], cost["trials/total"]
    if not trained:
        ended = f" ({_states(closed)})" if closed.counts else ""  # nothing, if all was taken over
        return [f"It took {format_seconds(wall)}; no epoch was trained{ended}."]
    spent_on = {k.removeprefix("trials/"): v for k, v in cost.items() if k.startswith("trials/")}
    between = between_epochs(spent_on)
    spent = ", ".join(
        f"{name} {format_seconds(cost[f'why/{name}'])}"
        for name in ("baseline", *SAMPLING, "confirm", "single", "fold")
        if f"why/{name}" in cost
    )
    sampling = sum(cost.get(f"why/{name}", 0.0) for name in SAMPLING)
    gained = [c for c in closed.comparisons if is_baseline(c.control)]
    return [
        *(
            f"Sampling took {format_seconds(sampling)} of training and gained "
            f"{gain(c)} points over the baseline."
            for c in gained
        ),
        f"It took {format_seconds(wall)} ({_states(closed)}); training time: {spent}; besides, "
        f"trials took {format_seconds(cost['trials/beside'])} to start, write files and predict the"
        f" test images{f' ({between})' if between else ''}.",
        f"{cost['images'] / wall:,.0f} images/s over {cost['epochs']} "
        f"epoch{'s' if cost['epochs'] != 1 else ''}; "
        f"training time was {shares(spent_on)}; tracking took {cost['tracking'] / wall:.1%} of one "
        "core.",
    ]


def _states(closed: Closed) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(closed.counts.items()))
