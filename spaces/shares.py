"""Batches that processes share out."""

from __future__ import annotations

from spaces.errors import InputError
from spaces.trial_config import TrialConfig


def share_of(config: TrialConfig, processes: int) -> TrialConfig:
    """What each of several processes computes that share a training's forward passes evenly.

    Raises:
        InputError: If they cannot be shared out so.
    """
    if processes == 1:
        return config
    whole, pairs = config.run.images_at_once, getattr(config.mix, "pairs", False)
    if whole % (2 * processes if pairs else processes):
        even = f"in pairs, which mix={config.mix.kind} mixes" if pairs else "evenly"
        raise InputError(
            f"batch={config.run.batch}: {processes} processes cannot share {whole} images at "
            f"once {even}"
        )
    return config.replace(micro_batch=whole // processes)
