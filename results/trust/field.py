"""All scores that are compared with the leaderboard, on the same submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.trust.tournament import Contender, tournament
from results.trust.trust import SHOWN
from results.trust.unlabelled import Unlabelled
from results.trust.validation import PLAIN
from results.trust.witnesses import Witnesses


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """What takes part: the more there are, the more one of them has to be ahead.

    Attributes:
        witnesses: The scored submissions, (n,).
        competing: Which of them compete by the plain score, bool (n,).
        validated: Scores of the witnesses on the hold-out in points, float (n,), by name; the plain
            one first.
        unlabelled: Scores on unlabelled test images, by name.
        watched: Scores that not all trials have, larger is better, by name and trial.
    """

    witnesses: Witnesses
    competing: NDArray[np.bool_]
    validated: Mapping[str, NDArray[np.float64]]
    unlabelled: Mapping[str, Unlabelled]
    watched: Mapping[str, Mapping[str, float]]

    def contenders(self, band: NDArray[np.bool_]) -> list[Contender]:
        """Those that may be in force, the plain one first.

        What unlabelled images say is to rank the trials that compete on the hold-out, so its
        advantage is judged by these.

        Args:
            band: Which of the witnesses are in the competitive band, bool (n,).
        """
        held = tournament(self.validated, self.witnesses, band, self._rivals)
        told = self.unlabelled.values()
        return held + [self._alone(u.name, u.values, band, self.competing) for u in told]

    def beside(self, band: NDArray[np.bool_]) -> tuple[Contender, ...]:
        """Those that are never in force.

        Args:
            band: Which of the witnesses are in the competitive band, bool (n,).
        """
        return tuple(self._alone(name, of, band) for name, of in self.watched.items())

    def leaders(
        self, beside: Sequence[Contender], band: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """What watched scores that are surely ahead of the plain one hold best of a band.

        Args:
            beside: What the watched scores came to.
            band: Ids of the trials that compete.

        Returns:
            Up to `SHOWN` ids, best first, by name of the score.
        """
        found = {}
        for contender in beside:
            if contender.advantage is not None and contender.advantage.low > 0:
                of = self.watched[contender.name]
                best = sorted(of.keys() & set(band), key=lambda i: (-of[i], i))
                found[contender.name] = tuple(best[:SHOWN])
        return found

    @property
    def _rivals(self) -> int:
        """How many are compared with the plain one."""
        return len(self.validated) - 1 + len(self.unlabelled) + len(self.watched)

    def _alone(
        self,
        name: str,
        of: Mapping[str, float],
        band: NDArray[np.bool_],
        ranked: NDArray[np.bool_] | None = None,
    ) -> Contender:
        """One that is no function of the hold-out, beside the plain one on the trials that have it.

        Args:
            name: What it is called.
            of: By trial.
            band: Which of the witnesses are in the competitive band, bool (n,).
            ranked: Which of them it is to rank, bool (n,); all, if None.
        """
        rows = self.witnesses.among(of)
        seen = self.witnesses.only(rows)
        both = {
            PLAIN.name: self.validated[PLAIN.name][rows],
            name: np.array([of[i] for i in seen.trials]),
        }
        to_rank = None if ranked is None else ranked[rows]
        _, found = tournament(both, seen, band[rows], self._rivals, to_rank)
        return found
