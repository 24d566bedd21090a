"""Whose a job's folder is: it is claimed before anything starts, and gone if nothing began."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from results.records.ledger import Ledger
from search.jobs.job import Prepared
from search.jobs.job_name import name_is_taken
from search.options.training import EngineConfig
from spaces.errors import InputError


@contextlib.contextmanager
def claimed(prepared: Prepared, config: EngineConfig) -> Iterator[tuple[Prepared, Ledger]]:
    """Holds a job's ledger for as long as the context lasts.

    Commands that start together find the same name free; one of them gets the ledger.

    Args:
        prepared: The job.
        config: Says whether it goes on, or was named.

    Yields:
        The job, under another name if date and time named it and somebody was faster; its ledger.

    Raises:
        InputError: If another command writes the job, or has begun one of the name that was given.
    """
    prepared, ledger = _claim(prepared, config)
    try:
        yield prepared, ledger
    finally:
        ledger.close()
        if not ledger.begun:
            with contextlib.suppress(OSError):  # the next one has it
                ledger.path.parent.rmdir()


def _claim(prepared: Prepared, config: EngineConfig) -> tuple[Prepared, Ledger]:
    first, number = prepared.job.name, 1
    while True:
        folder = Path(prepared.job.folder)
        try:
            ledger = Ledger(folder / "ledger.jsonl")
            if config.resume or not ledger.begun:
                return prepared, ledger
            ledger.close()
            raise name_is_taken(folder)
        except InputError:
            if config.resume or config.name:
                raise
        number += 1
        prepared = _renamed(prepared, f"{first}-{number}")


def _renamed(prepared: Prepared, name: str) -> Prepared:
    """The same job under another name."""
    folder = str(Path(prepared.job.folder).with_name(name))
    return dataclasses.replace(
        prepared,
        job=dataclasses.replace(prepared.job, name=name, folder=folder),
        opening=prepared.opening.model_copy(update={"search": name}),
    )
