"""A training that cannot go on."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """A training that cannot go on, such as one whose loss is not finite."""
