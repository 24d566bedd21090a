"""What a job cost, and what made its trials fail, in words."""

from __future__ import annotations

from collections import Counter

from results.records.closing import Closed
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


def costs(closed: Closed) -> list[str]:
    cost = closed.cost
    wall, trained = cost["wall"], cost["trials/total"]
    if not trained:
        return [f"It took {format_seconds(wall)}; no epoch was trained ({_states(closed)})."]
    share = {k: cost[f"trials/{k}"] / trained for k in ("feed", "compute")}
    spent = ", ".join(
        f"{name} {format_seconds(cost[f'why/{name}'])}"
        for name in ("baseline", *SAMPLING, "confirm", "single", "fold")
        if f"why/{name}" in cost
    )
    sampling = sum(cost.get(f"why/{name}", 0.0) for name in SAMPLING)
    gained = [c for c in closed.comparisons if "the baseline" in c.control]
    return [
        *(
            f"Sampling took {format_seconds(sampling)} of training and gained "
            f"{gain(c)} points on the baseline."
            for c in gained
        ),
        f"It took {format_seconds(wall)} ({_states(closed)}); training time: {spent}; beside it "
        f"trials took {format_seconds(cost['trials/beside'])} to start, write files and predict the"
        " test.",
        f"{cost['images'] / wall:,.0f} images/s over {cost['epochs']} epochs; "
        f"of training time {share['feed']:.0%} feeding, {share['compute']:.0%} computing, "
        f"{1 - share['feed'] - share['compute']:.0%} evaluating; tracking took "
        f"{cost['tracking'] / wall:.1%} of one core.",
    ]


def _states(closed: Closed) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(closed.counts.items()))
