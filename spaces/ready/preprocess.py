"""What is done to every picture before augmentation and network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import CategoricalDistribution

from spaces.param import Param
from spaces.sections.data import PREPROCESSINGS
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "a function of your own (prepare=)": (),
    "how images become one size (data.shape=)": (),
}


def preprocess(kinds: Sequence[str] = PREPROCESSINGS) -> SearchSpace:
    """One parameter, to be joined with others: ``'space=[aug_policy,preprocess]'``."""
    kind = Param(name="preprocess", distribution=CategoricalDistribution(tuple(kinds)))
    return SearchSpace(name="preprocess", left_out=LEFT_OUT, params=(kind,))
