"""Options of a job that goes on, read back from its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.records.secrets import HIDDEN
from search.options.option import about
from search.options.training import EngineConfig
from spaces.errors import InputError

if TYPE_CHECKING:
    from results.records.trials import Search

Recorded = Callable[[Any], Mapping[str, Any]]
"""Options that a job was started with, by the command line that resumes it."""


def recorded_options(kind: str) -> Recorded:
    """Reads the options of a job of one kind.

    Args:
        kind: ``search``, ``train`` or ``promotion``.
    """

    def read(given: EngineConfig) -> Mapping[str, Any]:
        search = find_job(given, kind)
        options = dict(search.opened.options)
        for key in (name for name, told in about(type(given)).items() if told.names_code):
            reference = options.get(key, "")
            names = reference if isinstance(reference, list) else [reference]
            if any(":" in str(name) or key == "parts" for name in names if name):
                if getattr(given, key) != reference:
                    raise InputError(
                        f"{search.id} was started with {key}={reference}: say so on the command "
                        "line, since nothing is imported because a file says so"
                    )
                del options[key]
        if HIDDEN in options.get("tracking", "") and not given.tracking:
            raise InputError(
                f"{search.id} was started with tracking={options['tracking']}: say so on the "
                "command line, since passwords are not recorded"
            )
        if kind == "promotion":
            options["competition"] = search.folder.parent.name
        return {**options, "runs": given.runs, "resume": search.id}

    return read


def find_job(config: EngineConfig, kind: str) -> Search:
    """The job that ``resume=`` names.

    Raises:
        InputError: If there is none, it is of another kind, or was started by a version that kept
            no options.
    """
    from results.records.searches import find_search
    from results.records.trials import Search
    from results.reporting.report import resume_command

    competition = getattr(config, "competition", "")
    name = f"{competition}/{config.resume}" if competition else config.resume
    search = Search.read(find_search(Path(config.runs), name))
    found = search.opened.kind
    if found != kind:
        raise InputError(
            f"resume={config.resume}: {search.id} is a {found}: {resume_command(search)}"
        )
    if not search.opened.options:
        raise InputError(f"resume={config.resume}: its record has no options to go on with")
    return search
