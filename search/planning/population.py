"""Schedules of augmentation that a population of trainings finds (population based training).

A member's training is cut into segments, trials of an interval each that start from a checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution

from results.records.events import Why
from results.records.population import Lineage, PopulationFound, TakenOver
from results.records.trial import Trial
from results.records.trials import Search
from search.planning.spread import spread_draw
from search.planning.truncation import explored, takeovers
from spaces.augmentation.pba import points_of
from spaces.errors import InputError
from spaces.sections.run import Run
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig


def check_schedules(space: SearchSpace, fix: Mapping[str, Any], run: Run) -> int:
    """The intervals into which a population's trainings are cut.

    Args:
        space: What is searched: schedules of the family ``pba`` and nothing else.
        fix: Pinned parameters.
        run: Of the baseline.

    Returns:
        Their number, that of a schedule's points.

    Raises:
        InputError: If a population cannot train these.
    """
    usual = "such as 'space=pba(points=4,held=True)'"
    for param in space.params:
        if (param.name != "policy" and not param.name.startswith("pba.")) or param.when:
            raise InputError(
                f"mode=population finds schedules of pba alone, and space={space.name} searches "
                f"{param.name}, too; take one {usual}"
            )
    policies = space["policy"].categories if "policy" in space else (fix.get("policy"),)
    held = space["pba.held"].categories if "pba.held" in space else (fix.get("pba.held"),)
    if policies != ("pba",) or held != (True,):
        raise InputError(f"mode=population needs strengths that are held, {usual}")
    found = points_of(n for n in (*(p.name for p in space.params), *fix) if n.startswith("pba."))
    searched = {n: s for n, s in found.items() if any(name in space for name in s.values())}
    intervals = max((max(schedule) for schedule in searched.values()), default=0)
    for name, schedule in searched.items():
        lacking = [i for i in range(1, intervals + 1) if i not in schedule]
        if lacking:
            raise InputError(f"mode=population needs pba.{name}{lacking[0]}, as others have it")
        for point in schedule.values():
            if point in space and not isinstance(space[point].distribution, FloatDistribution):
                raise InputError(f"mode=population shifts {point}, which has to be a range")
    if intervals < 2:
        raise InputError(f"mode=population needs schedules of at least 2 points, {usual}")
    if run.kind != "train":
        raise InputError(f"action={run.kind}: mode=population has an action of its own")
    if run.epochs % intervals:
        raise InputError(
            f"epochs={run.epochs} cannot be cut into {intervals} intervals alike, one for each "
            f"point of {space.name}: take epochs={math.ceil(run.epochs / intervals) * intervals}"
        )
    return intervals


class Population:
    """Trains a population in segments and proposes the schedules of its best lineages.

    Generations are synchronous: an interval begins once all members have ended the one before, so
    that who takes over from whom depends on the record alone. Every member has a seed of its own.
    What a schedule says of later intervals is what it says of the present one until these come.

    Args:
        search: The record.
        space: Of schedules.
        baseline: What they are a part of.
        fix: Pinned parameters.
        members: How many.
        seed: Of all draws.
    """

    why: Why = "segment"

    def __init__(
        self,
        search: Search,
        space: SearchSpace,
        baseline: TrialConfig,
        fix: Mapping[str, Any],
        members: int,
        seed: int,
    ) -> None:
        self._search, self._space, self._baseline, self._fix = search, space, baseline, fix
        self._members, self._seed = members, seed
        self._intervals = check_schedules(space, fix, baseline.run)
        self._every = baseline.run.epochs // self._intervals
        schedules = points_of(p.name for p in space.params)
        self._points = [
            {name: s[i] for name, s in schedules.items() if i in s}
            for i in range(1, self._intervals + 1)
        ]
        self._due: list[dict[str, Any]] = []
        self._proposed = len(search.of("sampled"))

    @property
    def expected(self) -> int:
        """Segments in all."""
        return self._members * self._intervals

    def due(self) -> Sequence[Mapping[str, Any]]:
        """The segments of the intervals so far, and of the next one if the last has ended."""
        while len(self._due) < self.expected:
            begun = len(self._due) // self._members
            if begun and not any(t.state == "finished" for t in self._ended(begun - 1)):
                break
            self._due += self._next(begun) if begun else self._first()
        return self._due

    def proposals(self) -> int | None:
        """How many different schedules there are at the end; none if all members have failed."""
        intervals = len(self.due()) // self._members
        last = self._ended(intervals - 1)
        if not last:
            return None
        return len(self._best()) if intervals == self._intervals else 0

    def ask(self, trial_id: str) -> dict[str, Any]:
        """The best schedule that was not proposed yet."""
        self._proposed += 1
        return dict(self._best()[self._proposed - 1].params)

    def tell(self, trial: Trial) -> None:
        """What becomes of a trial changes no lineage."""

    def found(self) -> PopulationFound:
        """What it cost, who took over from whom, and what schedules were worth from the start."""
        segments = self._search.of("segment")
        epochs = sum(len(t.epochs) for t in segments)
        sampled = {frozenset(t.params.items()): t for t in self._search.of("sampled")}
        lineages = []
        for segment in self._best():
            trial = sampled.get(frozenset(segment.params.items()))
            ended = trial is not None and trial.state == "finished"
            lineages.append(
                Lineage(
                    members=self._lineage(segment),
                    score=_known(self._search.score(segment)),
                    trial=trial.id if trial else None,
                    again=self._search.score(trial) if trial and ended else None,
                )
            )
        return PopulationFound(
            members=self._members,
            every=self._every,
            trainings=epochs / self._baseline.run.epochs,
            takeovers=tuple(
                TakenOver(epoch=t.segment.done, member=_member(t), source=source)
                for t in segments
                if t.segment.parent
                and (source := _member(self._search.trials[t.segment.parent])) != _member(t)
            ),
            lineages=tuple(lineages),
        )

    def _first(self) -> list[dict[str, Any]]:
        """Every member's first segment, its strengths drawn at random, away from the others'."""
        later = {name for points in self._points[1:] for name in points.values()}
        params = tuple(p for p in self._space.params if p.name not in later)
        space = SearchSpace(name=self._space.name, params=params)
        drawn: list[dict[str, Any]] = []
        for member in range(self._members):
            drawn.append(spread_draw(space, drawn, [self._seed, member]))
        return [self._segment(0, member, params) for member, params in enumerate(drawn)]

    def _next(self, interval: int) -> list[dict[str, Any]]:
        """The segments after an interval that has ended: some take over and explore."""
        before = self._ended(interval - 1)
        scores = [
            None if t.state != "finished" else self._search.sign * _known(self._search.score(t))
            for t in before
        ]
        generator = np.random.default_rng([self._seed, self._members, interval])
        sources = takeovers(scores, generator)
        found = []
        for member in range(self._members):
            parent = before[sources.get(member, member)]
            params = dict(parent.params)
            for name, point in self._points[interval].items():
                param, last = self._space[point], self._strength(params, name, interval)
                if member in sources:
                    params[point] = explored(last, param, generator)
                else:
                    params[point] = min(max(last, param.smallest), param.largest)
            found.append(self._segment(interval, member, params, parent))
        return found

    def _segment(
        self, interval: int, member: int, params: Mapping[str, Any], parent: Trial | None = None
    ) -> dict[str, Any]:
        """A member's training over an interval, as fields of `Planned`."""
        filled = dict(params)
        for later in range(interval + 1, self._intervals):
            for name, point in self._points[later].items():
                filled[point] = self._strength(filled, name, later)
        config = self._baseline.with_params({**self._fix, **filled}).replace(
            action="segment",
            seed=self._baseline.run.seed + member,
            parent=parent.id if parent else "",
            parent_digest=parent.asked.state_digest if parent else "",
            done=interval * self._every,
            until=(interval + 1) * self._every,
        )
        return {"config": config, "params": params, "arm": f"member {member + 1}"}

    def _strength(self, params: Mapping[str, Any], name: str, interval: int) -> float:
        """What a schedule says of the interval before one."""
        point = f"pba.{name}{interval}"
        return float(params[point] if point in params else self._fix[point])

    def _ended(self, interval: int) -> list[Trial]:
        """An interval's segments in the order of members; none unless all have ended."""
        first = interval * self._members
        segments = self._search.of("segment")[first : first + self._members]
        ended = all(t.state not in ("running", "interrupted") for t in segments)
        return segments if ended and len(segments) == self._members else []

    def _best(self) -> list[Trial]:
        """The last segments of lineages with different schedules, the best first."""
        last = [t for t in self._ended(self._intervals - 1) if t.state == "finished"]
        last.sort(key=lambda t: -self._search.sign * _known(self._search.score(t)))
        best: dict[Any, Trial] = {}
        for trial in last:
            best.setdefault(frozenset(trial.params.items()), trial)
        return list(best.values())

    def _lineage(self, segment: Trial) -> tuple[int, ...]:
        """The members that trained a schedule, interval by interval."""
        path = [segment]
        while path[-1].segment.parent:
            path.append(self._search.trials[path[-1].segment.parent])
        return tuple(_member(t) for t in reversed(path))


def _member(trial: Trial) -> int:
    return int(trial.arm.rpartition(" ")[2])


def _known(score: float | None) -> float:
    """The score of a segment that ran to its end."""
    assert score is not None
    return score
