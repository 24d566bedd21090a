"""What a page expects of the test, in a line."""

from __future__ import annotations

from results.records.closing import ForecastRecord


def expected_words(
    expected: ForecastRecord | None, metric: str, than: str, whose: str = ""
) -> list[str]:
    """What the test score of a winner, promotion or blend will be, without a label.

    Args:
        expected: As it was recorded; None where nobody predicted the test images.
        metric: Name of the contest's metric.
        than: What it is compared with, such as ``on the hold-out``.
        whose: Name of the trial, where there are several.
    """
    if expected is None or expected.winner is None:
        return []
    how, score = "worse" if expected.gap >= 0 else "better", expected.winner
    named = f" for {whose}" if whose else ""
    if expected.held_out is not None:
        than += f" ({expected.held_out:.4f}, all of its trainings merged)"
    return [
        f"On the {expected.images:,} unlabelled test images {metric} is expected to be "
        f"{abs(expected.gap):.1f} points {how} than {than}: {score.score:.4f} ({score.low:.4f} to "
        f"{score.high:.4f}){named}; python -m search.forecast says why"
    ]
