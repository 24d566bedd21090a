"""An option: its default, what --help says of it, and what a job does with it, in one place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

ABOUT = "about"
"""Key of `About` in a field's metadata."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of an option.

    Attributes:
        words: What --help says; empty for a group of options.
        recorded: Whether it belongs to the job, not to one start of it.
        decides: Whether it decides what is trained beside what shows in space and baseline, so
            that a resumed job must have the same.
        may_change: Whether a resumed job may have another, which is recorded.
        names_code: Whether it may name code of the user's, which only a command line may do.
    """

    words: str = ""
    recorded: bool = True
    decides: bool = False
    may_change: bool = False
    names_code: bool = False


def option(default: Any, words: str, **about: bool) -> Any:
    """A field of a dataclass of options.

    Args:
        default: The default, or what makes it, such as ``list``.
        words: What --help says.
        **about: Further fields of `About`.
    """
    known = About(words=words, **about)
    if isinstance(default, Callable):  # type: ignore[arg-type]
        return dataclasses.field(default_factory=default, metadata={ABOUT: known})
    return dataclasses.field(default=default, metadata={ABOUT: known})


def group(options: type[Any], words: str = "", **about: bool) -> Any:
    """A field that holds further options, written behind its name and a dot.

    Args:
        options: Their dataclass.
        words: What --help says of its name alone, where that may be given, too.
        **about: Further fields of `About`.
    """
    known = About(words=words, **about)
    return dataclasses.field(default_factory=options, metadata={ABOUT: known})


def about(schema: type[Any]) -> dict[str, About]:
    """What is known of a command's options, by the name of the field; groups have one entry."""
    return {f.name: f.metadata.get(ABOUT, About()) for f in dataclasses.fields(schema)}


def keys(schema: type[Any], prefix: str = "") -> Iterator[tuple[str, Any, About]]:
    """Dotted name, type and description of every option, those of a command itself first."""
    hints = get_type_hints(schema)
    known = {f.name: f for f in dataclasses.fields(schema)}
    own_first = [
        name
        for kind in schema.__mro__
        for name in vars(kind).get("__annotations__", {})
        if name in known
    ]
    for name in dict.fromkeys(own_first):
        key, kind = f"{prefix}{name.rstrip('_')}", hints[name]
        told = known[name].metadata.get(ABOUT, About())
        if not (dataclasses.is_dataclass(kind) and isinstance(kind, type)):
            yield key, kind, told
            continue
        if told.words:
            yield key, kind, told
        yield from keys(kind, f"{key}.")
