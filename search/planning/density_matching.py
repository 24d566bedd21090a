"""Trials whose policies a network without augmentation understands best (density matching)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.matched_policies import MatchedPolicies
from results.records.closing import Matching
from results.records.events import Why
from results.records.trial import Trial
from results.records.trials import Search
from results.stats.correlation import kendall_interval
from results.tasks.classification import Classification
from search.planning.spread import spread_draw
from spaces.augmentation.candidates import Candidates
from spaces.augmentation.families import is_policy_parameter
from spaces.augmentation.policy import AugPolicy
from spaces.errors import InputError
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig

FEWEST = 5
"""Trials that ran to their end, below which ranks say nothing."""


def check_scorable(space: SearchSpace, task: str) -> None:
    """Raises InputError unless inference can score what a space searches.

    Args:
        space: What is searched; it may have parameters of policies only.
        task: What the targets are.
    """
    if task != Classification.name:
        raise InputError("mode=inference scores classes of images; these have masks")
    others = [p.name for p in space.params if not is_policy_parameter(p.name)]
    if others:
        usual = TrialConfig().flat()
        pins = " ".join(f"fix.{name}={usual[name]}" for name in others if name in usual)
        raise InputError(
            f"mode=inference scores augmentation per image alone, and space={space.name} searches "
            f"{', '.join(others)}, too: pin what else it searches, such as {pins}"
        )


def draw_candidates(
    space: SearchSpace, baseline: TrialConfig, fix: Mapping[str, Any], count: int, seed: int
) -> Candidates:
    """Draws policies at random, each away from those before it.

    Args:
        space: Of policies.
        baseline: What they are a part of.
        fix: Pinned parameters, which complete what is drawn.
        count: How many.
        seed: Of the draws.
    """
    params: list[dict[str, Any]] = []
    for number in range(count):
        params.append(spread_draw(space, params, [seed, number]))
    configs = [baseline.with_params({**fix, **drawn}) for drawn in params]
    return Candidates(params=tuple(params), policies=tuple(c.policy for c in configs))


def matchers(baseline: TrialConfig, candidates: Candidates, count: int) -> list[TrialConfig]:
    """Trainings without augmentation, on seeds of their own, that score the candidates."""
    return [
        baseline.replace(
            policy=AugPolicy(),
            mix="none",
            action="density_matching",
            candidates=candidates.file,
            seed=baseline.run.seed + number,
        )
        for number in range(count)
    ]


class DensityMatching:
    """Proposes candidates, those that matched best first.

    Their score is the mean over the networks that were trained to the end.

    Args:
        search: The record.
        candidates: What was drawn.
        matchers: Trainings of the networks.
    """

    why: Why = "matcher"

    def __init__(
        self, search: Search, candidates: Candidates, matchers: Sequence[TrialConfig]
    ) -> None:
        self._search, self._candidates = search, candidates
        self._matchers = [{"config": config} for config in matchers]
        self._proposed = len(search.of("sampled"))

    @property
    def expected(self) -> int:
        """Networks that are trained."""
        return len(self._matchers)

    def due(self) -> Sequence[Mapping[str, Any]]:
        """The networks' trainings."""
        return self._matchers

    def proposals(self) -> int | None:
        """The candidates, unless all networks failed; None as long as they are trained."""
        states = [t.state for t in self._search.of("matcher")]
        if len(states) < self.expected or {"running", "interrupted"} & set(states):
            return None
        return len(self._candidates.params) if "finished" in states else 0

    def ask(self, trial_id: str) -> dict[str, Any]:
        """Parameters of the best candidate that was not proposed yet."""
        order = np.argsort(-self._search.sign * self._scores(), kind="stable")
        number, self._proposed = int(order[self._proposed]), self._proposed + 1
        return dict(self._candidates.params[number])

    def tell(self, trial: Trial) -> None:
        """What becomes of a trial changes no score."""

    def found(self) -> Matching | None:
        """What it cost, and how its scores rank the trials that were trained to their end.

        Returns:
            None if no network was trained to the end.
        """
        networks = self._networks()
        if not networks:
            return None
        drawn = [frozenset(params.items()) for params in self._candidates.params]
        scores = dict(zip(drawn, self._scores(), strict=True))
        ended = [t for t in self._search.of("sampled") if t.state == "finished"]
        pairs = [
            (scores[frozenset(t.params.items())], score)
            for t in ended
            if (score := self._search.score(t)) is not None
        ]
        seconds = [sum(e.seconds.total for e in t.epochs) for t in ended]
        spent = sum(sum(e.seconds.total for e in t.epochs) for t in self._search.of("matcher"))
        spent += sum(m.seconds for m in networks)
        tau = kendall_interval(*np.array(pairs).T) if len(pairs) >= FEWEST else None
        return Matching(
            policies=len(self._candidates.params),
            models=len(networks),
            trainings=spent / float(np.mean(seconds)) if seconds else None,
            tau=tau if tau is not None and np.isfinite(tau.value) else None,
            trials=len(pairs),
        )

    def _networks(self) -> Sequence[MatchedPolicies]:
        found = []
        for trial in self._search.of("matcher"):
            if trial.state == "finished":
                folder = self._search.trial_folder(trial)
                found.append(MatchedPolicies.read(folder, self._candidates.file))
                if len(found[-1].scores) < len(self._candidates.params):
                    raise InputError(f"{folder} has no scores of {self._candidates.file} any more")
        return found

    def _scores(self) -> NDArray[np.float64]:
        """Mean scores of all candidates, float64 (n,)."""
        found = np.array([m.scores for m in self._networks()], dtype=np.float64)
        return np.asarray(found.mean(axis=0), dtype=np.float64)
