"""Looks at all images of a contest, for jobs that cannot do without any of them."""

from __future__ import annotations

import os

import numpy as np

from search.execution.say import Say, every_second
from spaces.errors import InputError
from trainables.audit.looks import Looks, look_at
from trainables.data.contest import Contest


def whole_looks(contest: Contest, asked: str, say: Say) -> Looks:
    """Looks at every image of a contest, the test's included.

    Args:
        contest: Its tables.
        asked: The option that needs it, for messages.
        say: Told how far it is.

    Raises:
        InputError: If an image cannot be read.
    """
    looks = look_at(contest, every_second(say, "looking at images"), os.cpu_count() or 1)
    for row in np.flatnonzero(~looks.readable):
        line = looks.table.iloc[row]
        place = f"{line['image']} ({line['table']} row {line['row']})"
        raise InputError(f"{asked}: {place} is {line['problem']}")
    return looks
