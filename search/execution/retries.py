"""Kinds of faults, and how often a trial goes on after each."""

from __future__ import annotations

RETRIES = {"death": 2, "hang": 1, "memory": 1, "device": 1}
"""By kind; the next one of the kind fails the trial.

``death``: its worker died; ``hang``: it gave no sign of life and was killed; ``memory``: it ran out
of memory, and goes on with half the micro-batch; ``device``: its GPU context broke.
"""
