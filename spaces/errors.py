"""Errors that a user can mend: one message, the value, its place and the choices."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave is wrong; commands print the message alone and exit with 2."""


def unknown(what: str, value: object, choices: Iterable[str], place: str = "") -> InputError:
    """Builds the error for a name that is not among the known ones, nearest names first.

    Args:
        what: The kind of thing, such as ``"space"``.
        value: The name given.
        choices: All valid names.
        place: Where it was given, such as ``"space=aug_polcy"``; left out when empty.
    """
    names = sorted(map(str, choices))
    near = difflib.get_close_matches(str(value), names, n=3, cutoff=0.5)
    near = near or [name for name in names if value and str(value) in name][:3]
    where = f" (in {place})" if place else ""
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    shown = ", ".join(names[:40]) + (f", … ({len(names)} in all)" if len(names) > 40 else "")
    return InputError(f"unknown {what} {str(value)!r}{where}: {hint}choices: {shown or '(none)'}")
