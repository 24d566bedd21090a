"""Of masks: whether regions of other images are pasted, and into how many images."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import CategoricalDistribution, FloatDistribution

from spaces.param import Param, When
from spaces.space import SearchSpace

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "how often each class is pasted": (),
    "CutMix of masks (mixing)": ("mix.cutmix",),
}


def copy_paste() -> SearchSpace:
    """One dimension or two, to be joined with others: no mixing or copy-paste."""
    return SearchSpace(
        name="copy_paste",
        left_out=LEFT_OUT,
        params=(
            Param(name="mix", distribution=CategoricalDistribution(("none", "copy_paste"))),
            Param(
                name="paste_probability",
                distribution=FloatDistribution(0.2, 1.0),
                when=(When(parameter="mix", values=("copy_paste",)),),
            ),
        ),
    )
