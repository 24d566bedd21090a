"""``views=auto``: every view that models can look in is tried, and those that pay are taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from results.ensemble.stack import PredictionStack
from results.ensemble.view_choice import choose_views
from results.reporting.blend_report import view_choice_lines
from search.competition.standing import Standing
from search.promotion.ensemble_members import Member
from search.promotion.views import predict_views, usable_views
from spaces.errors import InputError
from trainables.inference.views import SCALES

AUTO = "auto"


def chosen_views(
    standing: Standing, members: Sequence[Member], model: str, prepare: str
) -> list[str]:
    """Tries views on held-out images, prints what they gain, and returns those to use.

    Args:
        standing: Where the competition stands.
        members: Models as they are.
        model: A team's own network, as ``module:function``; empty for timm's.
        prepare: A team's own function of decoded images; empty for none.

    Raises:
        InputError: If no model can be asked, or it cannot be asked again.
    """
    own = [member for member in members if member.search is not None and not member.view]
    views = usable_views(own)
    if not own or not views:
        raise InputError("views=auto: a promotion is needed, whose networks can look once more")
    print(f"views=auto: trying {len(views)} views on held-out images: {', '.join(views)}")
    seen = {view: [member.seen(view) for member in own] for view in views}
    every = [member for some in seen.values() for member in some]
    predict_views(standing, every, model, prepare, parts=("holdout",))
    metric = standing.task.example_metric(standing.metric, standing.search.truth)
    plain = {member.name: member.read(standing) for member in own}
    found: dict[str, NDArray[np.float32]] = {}
    for view, some in seen.items():  # one at a time: predictions of masks are large
        both = {**plain, **{member.name: member.read(standing) for member in some}}
        stack = PredictionStack.of(both, standing.task, standing.search.truth)
        found[view] = stack.oof[len(own) :].mean(axis=0)
    costs = {view: SCALES.get(view, 1.0) ** 2 for view in views}
    choice = choose_views(metric, stack, stack.oof[: len(own)].mean(axis=0), found, costs)
    print("\n".join(view_choice_lines(choice, costs)), flush=True)
    return list(choice.views)
