"""Post-processing in words: what each step does, gains and takes, and whether it helps."""

from __future__ import annotations

from collections.abc import Sequence

from results.leaderboard.entries import Postprocessed
from results.masks.postprocess import Postprocess
from results.masks.postprocess_verdict import Verdict
from results.masks.truth import Truth
from results.metrics import Metric
from results.reporting.text import table

_UNUSUAL = {"weights": 1.0, "thresholds": 0.5, "components": 0.0}
"""What a class has that nothing was chosen for."""


def postprocess_page(
    record: Postprocessed, judged: Verdict, truth: Truth, metric: Metric, grouped: bool
) -> list[str]:
    """The page that ``search.postprocess`` prints.

    Args:
        record: What is recorded of it.
        judged: What it is worth.
        truth: True masks, which name the classes.
        metric: The contest's metric.
        grouped: Whether groups of images were resampled.
    """
    units = "groups" if grouped else "images"
    lines = [
        f"{record.source}: {metric.name} {record.plain:.4f} without, on {record.images:,} images"
    ]
    rows = [["step", "chosen", "in sample", "honest", "ms per image", ""]]
    for step in judged.steps:
        rows.append(
            [
                step.name,
                _in_words(step.name, step.settings, truth.classes),
                f"{step.flattered:+.2f} points",
                f"{step.honest:+.2f} points",
                f"{step.milliseconds:.1f}",
                "",
            ]
        )
    lines += ["", *table(rows), ""]
    lines.append(
        f"Honest: {metric.name} {record.honest:.4f}, {record.gain:+.2f} points ({record.low:+.2f} "
        f"to {record.high:+.2f}; {judged.units} {units}), each fold processed as the others chose; "
        f"{judged.milliseconds:.1f} ms per image."
    )
    if judged.helps:
        lines.append(f"{record.id}: it helps beyond noise.")
    else:
        lines.append(f"{record.id}: it does not help beyond noise; leave masks as they are.")
    return lines


def _in_words(name: str, settings: Postprocess, classes: Sequence[str]) -> str:
    """A setting, for the classes that have one of their own."""
    value = getattr(settings, name)
    if not isinstance(value, tuple):
        return f"{value:g}" if value else "by some folds only"
    told = [f"{c} {v:g}" for c, v in zip(classes, value, strict=True) if v != _UNUSUAL[name]]
    if not told and not value:
        return "by some folds only"
    if len(told) > 3 and len(set(value)) <= 2:
        return f"{max(value):g} each"
    return ", ".join(told)
