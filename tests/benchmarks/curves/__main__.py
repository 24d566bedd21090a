"""Early stopping replayed on recorded curves: python -m tests.benchmarks.curves [seeds] [set …]

Every method meets the same configurations in the same random order, two at a time, so that nothing
but early stopping differs; the last rows let Optuna's TPE propose, and take the configuration
nearest to what it proposes. Told are the epochs until a training that ran to its end scores within
`NEAR` of the best of all; by how many points the best that ran to its end within so many epochs is
worse than that; and for searches of few trials their epochs and by how many points the best that
ran to its end is worse than the best that was drawn. Epochs of the untuned configuration
count where a method trains it. Intervals cover 95 % of bootstrapped means over the seeds.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import numpy as np
import optuna
from numpy.typing import NDArray

from results.stats.correlation import kendall
from search.jobs.search_job import PACE_SHARE
from search.planning.asha import Asha
from search.planning.early_stopping import EarlyStopping
from search.planning.pace import Pace
from tests.benchmarks.curves.proposals import nearest_to_tpe, random_order
from tests.benchmarks.curves.recorded import EPOCHS, Curves
from tests.benchmarks.machine import machine

SETS = ("digits", "perceptrons", "camera", "groceries")
"""Settings of ``pace`` were chosen on the first two, the quarter that goes on on three."""

NEAR = 0.01
"""Score within which a training counts as good as the best."""

FEW = (12, 16, 30)
"""Trials of small searches."""

BUDGETS = (150, 250, 400)
"""Epochs of searches that go on until these are spent."""

WORKERS = 2


class Rule(Protocol):
    """Early stopping.

    Attributes:
        baseline: Whether the untuned configuration is trained.
        share: One in so many trials of a search runs to its end whatever the rule says.
    """

    baseline: bool
    share: float

    def judge(self, trial_id: str, epoch: int, score: float) -> bool: ...

    def watch(self, epoch: int, score: float) -> None: ...


@dataclass
class ToTheEnd:
    """Stops nothing."""

    baseline: bool = False
    share: float = math.inf

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        return False

    def watch(self, epoch: int, score: float) -> None: ...


class ByMedian(ToTheEnd):
    """Optuna's MedianPruner with its defaults."""

    def __init__(self) -> None:
        super().__init__()
        self._study = optuna.create_study(
            direction="maximize", pruner=optuna.pruners.MedianPruner()
        )
        self._live: dict[str, optuna.Trial] = {}

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        live = self._live[trial_id] = self._study.ask() if epoch == 1 else self._live[trial_id]
        live.report(score, epoch)
        if epoch == EPOCHS:
            self._study.tell(live, score)
            return False
        if live.should_prune():
            self._study.tell(live, state=optuna.trial.TrialState.PRUNED)
            return True
        return False


class Ours(ToTheEnd):
    """A rule of the search, beside its baseline."""

    def __init__(self, rule: EarlyStopping, share: float = math.inf) -> None:
        super().__init__(baseline=True, share=share)
        self.judge, self.watch = rule.judge, rule.watch  # type: ignore[method-assign]


RULES: dict[str, Callable[[], Rule]] = {
    "random, all to the end": ToTheEnd,
    "MedianPruner": ByMedian,
    "ASHA": lambda: Ours(Asha(epochs=EPOCHS, grace=7, reduction=3)),
    "pace": lambda: Ours(Pace(epochs=EPOCHS, grace=3), PACE_SHARE),
}


@dataclass
class Outcome:
    """What a search came to.

    Attributes:
        spent: Epochs.
        finished: Curves that ran to their end.
        when: Epochs spent by then, of each of them.
        reached: Epochs done of every trial that began, by its number, and its curve.
    """

    spent: int = 0
    finished: list[int] = field(default_factory=list)
    when: list[int] = field(default_factory=list)
    reached: dict[int, tuple[int, int]] = field(default_factory=dict)


def search(
    curves: Curves,
    proposals: Iterator[int],
    rule: Rule,
    baseline: NDArray[np.float64],
    enough: float = np.inf,
    tell: Callable[[int, int], None] = lambda curve, epochs: None,
) -> Outcome:
    """Runs a search with as many trials as are proposed, or until one scores enough."""
    found = Outcome()
    running: list[tuple[int, int]] = []  # number and curve; the baseline has the number -1
    if rule.baseline:
        running.append((-1, -1))
    done = {-1: 0}
    while True:
        while len(running) < WORKERS and (curve := next(proposals, None)) is not None:
            number = len(found.reached)
            running.append((number, curve))
            found.reached[number], done[number] = (0, curve), 0
        if not running:
            return found
        for number, curve in list(running):
            done[number] += 1
            epoch = done[number]
            found.spent += 1
            if number < 0:
                rule.watch(epoch, baseline[epoch - 1])
                stop = False
            else:
                found.reached[number] = epoch, curve
                stop = rule.judge(str(number), epoch, curves.scores[curve, epoch - 1])
            if epoch == EPOCHS or stop:
                running.remove((number, curve))
                if number >= 0:
                    tell(curve, epoch)
                if epoch == EPOCHS and number >= 0:
                    found.finished.append(curve)
                    found.when.append(found.spent)
                    if curves.scores[curve, -1] >= enough:
                        return found


def loss(curves: Curves, found: Outcome, share: float) -> tuple[int, float]:
    """Epochs, and points by which the winner is worse than the best that was drawn.

    Where too few ran to their end, the best of those stopped go on, as in a search.
    """
    last = curves.scores[:, -1]
    drawn = max(last[curve] for _, curve in found.reached.values())
    stopped = [r for r in found.reached.values() if r[0] < EPOCHS]
    stopped.sort(key=lambda r: (r[0], curves.scores[r[1], r[0] - 1]), reverse=True)
    missing = max(1, math.ceil(len(found.reached) / share)) - len(found.finished)
    revived = stopped[: max(0, missing)]
    finished = [*found.finished, *(curve for _, curve in revived)]
    spent = found.spent + sum(EPOCHS - epochs for epochs, _ in revived)
    return spent, 100 * (drawn - max(last[curve] for curve in finished))


def after_one_epoch(curves: Curves, order: Sequence[int], enough: float) -> tuple[int, float]:
    """All for one epoch, then the best of them to the end, one after the other, until one scores
    enough; and points by which the first of those is worse than the best."""
    last = curves.scores[:, -1]
    ranked = sorted(order, key=lambda curve: -curves.scores[curve, 0])
    spent = len(order)
    for curve in ranked:
        spent += EPOCHS - 1
        if last[curve] >= enough:
            break
    return spent, 100 * (max(last[list(order)]) - last[ranked[0]])


def shown(values: Sequence[float], digits: int = 0) -> str:
    """A mean and its interval."""
    rng, array = np.random.default_rng(0), np.array(values)
    means = array[rng.integers(len(array), size=(2000, len(array)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{array.mean():.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def compare(name: str, seeds: int) -> None:
    """Prints a table of a set."""
    curves = Curves.read(name)
    last = curves.scores[:, -1]
    enough = float(last.max()) - NEAR
    taus = [kendall(curves.scores[:, e - 1], last) for e in (1, 3, 9)]
    print(
        f"\n{name}: {len(last)} curves of {EPOCHS} epochs, best {last.max():.4f}, "
        f"{int((last >= enough).sum())} within {NEAR:g} of it; Kendall's tau with the last score "
        f"after 1, 3, 9 epochs {taus[0]:.2f}, {taus[1]:.2f}, {taus[2]:.2f}; the untuned "
        f"configuration {curves.baselines[:, -1].mean():.4f}; {seeds} seeds"
    )
    print(
        "  method | epochs to the best | "
        + " | ".join(f"points missed in {n} epochs" for n in BUDGETS)
        + " | "
        + " | ".join(f"{n} trials: epochs, points lost" for n in FEW)
    )
    for label, rule in RULES.items():
        _row(label, [_once(curves, rule, seed, enough) for seed in range(seeds)])
    _row("all for one epoch, then the best", [_one_epoch(curves, s, enough) for s in range(seeds)])
    for label in ("MedianPruner", "ASHA", "pace"):
        _row(f"TPE, {label}", [_guided(curves, RULES[label], s, enough) for s in range(seeds)])


@dataclass(frozen=True)
class Found:
    """What a method came to with a seed.

    Attributes:
        spent: Epochs to the best.
        missed: Points below the best of all for each of `BUDGETS`.
        few: For each of `FEW` trials, epochs and points lost.
    """

    spent: int
    missed: tuple[float, ...] = ()
    few: tuple[tuple[int, float], ...] = ()


def _once(curves: Curves, rule: Callable[[], Rule], seed: int, enough: float) -> Found:
    baseline = curves.baselines[seed % len(curves.baselines)]
    whole = search(curves, random_order(curves, seed, 20), rule(), baseline, enough)
    few = []
    for trials in FEW:
        made, proposed = rule(), islice(random_order(curves, seed, 1), trials)
        few.append(loss(curves, search(curves, proposed, made, baseline), made.share))
    return Found(whole.spent, _missed(curves, whole), tuple(few))


def _missed(curves: Curves, found: Outcome) -> tuple[float, ...]:
    """Points below the best of all; a search that was over before had come near it."""
    last = curves.scores[:, -1]
    missed = []
    for budget in BUDGETS:
        ended = [last[c] for c, t in zip(found.finished, found.when, strict=True) if t <= budget]
        missed.append(100 * float(last.max() - max(ended, default=np.median(last))))
    return tuple(missed)


def _one_epoch(curves: Curves, seed: int, enough: float) -> Found:
    order = list(random_order(curves, seed, 1))
    few = tuple((n + EPOCHS - 1, after_one_epoch(curves, order[:n], np.inf)[1]) for n in FEW)
    return Found(after_one_epoch(curves, order, enough)[0], few=few)


def _guided(curves: Curves, rule: Callable[[], Rule], seed: int, enough: float) -> Found:
    """The same with proposals of TPE, which have no twin at random."""
    baseline = curves.baselines[seed % len(curves.baselines)]
    proposals, tell = nearest_to_tpe(curves, seed)
    whole = search(curves, proposals, rule(), baseline, enough, tell)
    return Found(whole.spent, _missed(curves, whole))


def _row(label: str, found: Sequence[Found]) -> None:
    cells = [shown([f.spent for f in found])]
    cells += [shown([f.missed[i] for f in found], 2) for i in range(len(found[0].missed))]
    for i in range(len(found[0].few)):
        lost = shown([f.few[i][1] for f in found], 2)
        cells.append(f"{np.mean([f.few[i][0] for f in found]):.0f}, {lost}")
    print(f"  {label} | " + " | ".join(cells), flush=True)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(machine("ray", "optuna"))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for which in sys.argv[2:] or SETS:
        compare(which, count)
