"""How reports and configurations look in MLflow: flat names, groups behind slashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def epoch_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Metrics of an epoch's report, seconds among them."""
    seconds = {f"seconds/{k}": float(v) for k, v in report["seconds"].items()}
    return {**{k: float(v) for k, v in report["metrics"].items()}, **seconds}


def flat_params(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as flat parameters; the policy, a structure, is an artifact instead."""
    flat = {k: v for k, v in config.items() if k != "policy"}
    return {**flat, "size": "x".join(map(str, config["size"])), "stages": len(config["policy"])}
