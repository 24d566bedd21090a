"""Options that a suggested command repeats."""

from __future__ import annotations

import shlex

from results.records.secrets import without_password
from search.options.training import EngineConfig


def same_place(config: EngineConfig, tracking: bool = False) -> str:
    """The options that make a following command look at the same folder and tracking store.

    A password in a tracking URI is not repeated.
    """

    words = [] if config.runs == "runs" else [f"runs={config.runs}"]
    if tracking and config.tracking:
        words.append(f"tracking={without_password(config.tracking)}")
    return "".join(f" {shlex.quote(word)}" for word in words)
