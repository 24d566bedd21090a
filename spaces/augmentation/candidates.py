"""Policies of which inference is to tell the better ones, as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spaces.augmentation.policy import AugPolicy
from spaces.digest import digest
from spaces.errors import InputError
from spaces.files import write_whole


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Policies with the parameters that spell them out.

    Attributes:
        params: As they were drawn from a space, by name.
        policies: What they make, in the same order.
    """

    params: tuple[Mapping[str, Any], ...]
    policies: tuple[AugPolicy, ...]

    @cached_property
    def file(self) -> str:
        """Name of their file, with their digest."""
        return f"candidates-{digest(self._rows)}.json"

    @property
    def _rows(self) -> list[dict[str, Any]]:
        pairs = zip(self.params, self.policies, strict=True)
        return [{"params": dict(params), "policy": policy.to_json()} for params, policy in pairs]

    def write(self, folder: Path) -> Path:
        """Writes them into ``folder`` and returns the file's path."""
        path = folder / self.file
        if not path.exists():
            write_whole(json.dumps(self._rows, indent=1), path)
        return path

    @staticmethod
    def read(path: Path) -> Candidates:
        """Reads what `write` wrote.

        Raises:
            InputError: If it is missing or was changed.
        """
        try:
            rows = json.loads(path.read_text())
            found = Candidates(
                params=tuple(row["params"] for row in rows),
                policies=tuple(AugPolicy.from_json(row["policy"]) for row in rows),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} cannot be read: {error}") from error
        if found.file != path.name:
            raise InputError(f"{path} was changed: its contents belong into {found.file}")
        return found
