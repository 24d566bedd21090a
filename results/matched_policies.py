"""What a network's predictions of augmented images score, policy by policy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from spaces.errors import InputError
from spaces.files import write_whole


@dataclass(frozen=True, kw_only=True)
class MatchedPolicies:
    """What a network's predictions of augmented held-out images score, policy by policy.

    Attributes:
        candidates: Name of the file of policies.
        scores: The contest's metric, in their order; as many as were scored so far.
        seconds: That it took.
    """

    candidates: str
    scores: tuple[float, ...] = ()
    seconds: float = 0.0

    FILE: ClassVar[str] = "matched.json"

    def write(self, folder: Path) -> None:
        """Writes them into a trial's folder."""
        write_whole(json.dumps(asdict(self)), folder / self.FILE)

    @staticmethod
    def read(folder: Path, candidates: str) -> MatchedPolicies:
        """What a trial's folder has of these candidates, which may be nothing yet.

        Raises:
            InputError: If the file is damaged.
        """
        path = folder / MatchedPolicies.FILE
        try:
            found = json.loads(path.read_text())
            if found["candidates"] != candidates:
                return MatchedPolicies(candidates=candidates)
            scores = tuple(float(score) for score in found["scores"])
            return MatchedPolicies(
                candidates=candidates, scores=scores, seconds=float(found["seconds"])
            )
        except FileNotFoundError:
            return MatchedPolicies(candidates=candidates)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged ({error}); remove it and resume") from error
