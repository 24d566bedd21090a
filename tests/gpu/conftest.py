"""The contest of discs, which tests of trainings share."""

from tests.trainables.conftest import config, scenes

__all__ = ["config", "scenes"]
