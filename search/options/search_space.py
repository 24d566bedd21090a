"""From ``space=``, ``fix.``, ``narrow.`` and ``drop=`` to a space."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from search.options.user_code import load_function
from spaces.errors import InputError
from spaces.ready import READY, ready_space
from spaces.space import SearchSpace


def resolve_space(
    value: Any,
    fix: Mapping[str, Any] | None = None,
    narrow: Mapping[str, Any] | None = None,
    drop: Sequence[str] = (),
) -> SearchSpace:
    """Looks spaces up, joins them, pins, narrows and leaves choices out.

    Args:
        value: Name, ``module:function``, or a list of those.
        fix: Pinned parameters, flat.
        narrow: Restricted ranges, flat.
        drop: Choices that are left out.

    Raises:
        InputError: For unknown names, spaces that do not join, a function that fails, or nothing
            left to search.
    """
    names = value if isinstance(value, list) else [value]
    if not names:
        raise InputError(f"space={value}: name at least one; choices: {', '.join(READY)}")
    twice = [name for name, count in Counter(map(str, names)).items() if count > 1]
    if twice:
        raise InputError(f"space={names}: {twice[0]} is there twice")
    for name in sorted({*(fix or ())} & {*(narrow or ())}):
        raise InputError(f"fix.{name}= and narrow.{name}=: what is pinned has no range; give one")
    # Pinned before they are joined: what is pinned may be searched over different ranges.
    parts = [_one(str(name)).pin(dict(fix or {})) for name in names]
    space = functools.reduce(SearchSpace.join, parts).narrow(dict(narrow or {})).drop(drop)
    if not space.params:
        raise InputError("everything that the space searches is fixed; use search.train instead")
    return space


def _one(name: str) -> SearchSpace:
    if ":" in name.partition("(")[0]:  # not within arguments
        function = load_function(name, "space")
        try:
            space = function()
        except Exception as error:
            raise InputError(f"space={name}: {type(error).__name__}: {error}") from error
        if not isinstance(space, SearchSpace):
            raise InputError(f"space={name} returned {type(space).__name__}, not a SearchSpace")
        return space
    return ready_space(name)
