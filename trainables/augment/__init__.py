"""Augmentation policies of ours as the albumentations pipelines that training runs."""

from __future__ import annotations

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # a training run must not phone home

from trainables.augment.augmenter import Augmenter

__all__ = ["Augmenter"]
