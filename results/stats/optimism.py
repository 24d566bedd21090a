"""How much the best of many trials flatters itself on the images that chose it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from results.metrics import Ints, Metric
from results.stats.bootstrap import bootstrap_weights

DRAWS = 500


def winner_optimism(
    metric: Metric,
    labels: Ints,
    finalists: Sequence[NDArray[np.floating]],
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> float | None:
    """Expected excess of the winner's hold-out score over its true one, in points.

    Bootstrap bias correction (Tsamardinos, Greasidou and Borboudakis, Machine Learning 107, 2018):
    choose the best on resampled images, score it on the images that were not drawn. Both the
    winner's lead here and there are taken over the mean of all finalists: a metric of few images,
    as macro F1 where classes are rare, is lower whatever was chosen, which is no optimism. It
    corrects for choosing among models on these images; that other seeds would choose otherwise is
    not in it.

    Args:
        metric: What chose the winner.
        labels: int (n,).
        finalists: Probabilities (n, classes) of every trial that could have won.
        groups: str (n,), or None; whole groups are drawn.
        seed: Of the bootstrap.
        draws: Resamples.

    Returns:
        The optimism, or None if the metric is undefined on half of the resamples.
    """
    drawn = bootstrap_weights(len(labels), draws, groups, seed)
    every = np.ones((1, len(labels)))
    left_out = (drawn == 0).astype(np.float64)
    inside, outside, whole = [], [], []
    for probabilities in finalists:
        p = probabilities.astype(np.float64)
        inside.append(metric.weighted(labels, p, drawn))
        outside.append(metric.weighted(labels, p, left_out))
        whole.append(float(metric.weighted(labels, p, every)[0]))
    sign = metric.sign
    drawn_scores, left_scores = np.stack(inside), np.stack(outside)
    defined = np.isfinite(drawn_scores).all(axis=0) & np.isfinite(left_scores).all(axis=0)
    if defined.sum() < draws / 2:
        return None
    inner, outer = sign * drawn_scores[:, defined], sign * left_scores[:, defined]
    chosen = np.argmax(inner, axis=0)
    honest = (outer[chosen, np.arange(len(chosen))] - outer.mean(axis=0)).mean()
    merits = sign * np.array(whole)
    return max(0.0, float(merits.max() - merits.mean() - honest) / metric.points)
