"""What ends a trainer's process on purpose leaves word in the trial's folder, for the driver."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from search.execution.retries import RETRIES
from spaces.files import write_whole

_FILE = "exit_note.json"


@dataclass(frozen=True, kw_only=True)
class ExitNote:
    """Why a process was ended.

    Attributes:
        fault: Kind of fault, one of `RETRIES`.
        reason: One sentence.
        traceback: Where it was, if that is known.
    """

    fault: str
    reason: str
    traceback: str = ""

    def __post_init__(self) -> None:
        if self.fault not in RETRIES:
            raise ValueError(f"fault must be one of {', '.join(RETRIES)}, got {self.fault!r}")

    def write(self, folder: Path) -> None:
        """Leaves them in a trial's folder, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(json.dumps(asdict(self)), folder / _FILE)


def read_exit_note(folder: Path) -> ExitNote | None:
    """Takes them out of a trial's folder; None if there are none that can be read."""
    path = folder / _FILE
    try:
        return ExitNote(**{k: str(v) for k, v in json.loads(path.read_text()).items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
