"""What records on disk are made of: frozen models, told apart by a tag, checked when read."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)

from spaces.errors import InputError
from spaces.names import check_inside, check_name


def _checked_name(value: str, info: ValidationInfo) -> str:
    check_name(value, str(info.field_name))
    return value


def _checked_path(value: str, info: ValidationInfo) -> str:
    check_inside(value, str(info.field_name))
    return value


Count = NonNegativeInt
Name = Annotated[str, AfterValidator(_checked_name)]
"""Of a folder or a file."""

MaybeName = Annotated[str, AfterValidator(lambda v, info: v and _checked_name(v, info))]
"""Of a folder or a file; empty for none."""

PathInside = Annotated[str, AfterValidator(_checked_path)]
"""That does not leave the folder it starts from; empty for none."""


class Record(BaseModel):
    """Part of a record: strict about the fields that readers rely on, blind to any others."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )


class Event(Record):
    """Something that happened; each kind is a class of its own, with its name as the tag.

    Attributes:
        event: Its kind.
        at: When it was added to a ledger, seconds since the epoch.
    """

    event: str
    at: float = 0.0

    def stamped(self) -> Self:
        """The event as one of this moment."""
        return self.model_copy(update={"at": round(time.time(), 3)})

    def line(self) -> bytes:
        """The event as a ledger has it: what was given, and nothing of what is assumed otherwise.

        Raises:
            ValueError: For a number that JSON lacks.
        """
        fields = {"event": self.event, **self.model_dump(exclude_unset=True)}
        text = json.dumps(fields, allow_nan=False, ensure_ascii=False)
        # A file name that is no text may stand in a message: JSON has an escape for that.
        return f"{text}\n".encode(errors="backslashreplace")


_ANY = TypeAdapter(Event)


def read_event(line: bytes, kinds: TypeAdapter[Any], path: Path, number: int) -> Event:
    """Reads a line of a ledger.

    Args:
        line: The line.
        kinds: The union of the record's events, told apart by their tag.
        path: The ledger, for messages.
        number: Of the line, for messages.

    Returns:
        The event; of a kind that is not among these, its name and time alone.

    Raises:
        InputError: Saying what is damaged, and where in the event.
    """
    try:
        event = _validated(line, kinds)
        if "at" in event.model_fields_set:
            return event
        damage = f" ({event.event}) is damaged: at: when it happened is missing"
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        kind, *inside = first["loc"] or ("",)
        if inside == ["format"] and first["type"] != "missing":
            damage = (
                f": it was written in format {first['input']}, by another version of the program; "
                f"this one reads format {first['ctx']['expected']}"
            )
        elif kind in ("", "event"):
            damage = f" is damaged: {line[:80]!r}"
        else:
            damage = f" ({kind}) is damaged: {_in_words(first, '/'.join(map(str, inside)))}"
    raise InputError(f"{path}, line {number}{damage}")


def _validated(line: bytes, kinds: TypeAdapter[Any]) -> Event:
    try:
        return kinds.validate_json(line)  # type: ignore[no-any-return]
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["type"]
        if problem == "union_tag_invalid":
            return _ANY.validate_json(line)
        if problem != "json_invalid":
            raise
        try:  # what reads quickly knows no escapes of file names that are no text
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise error from None
        return kinds.validate_python(found, strict=False)  # type: ignore[no-any-return]


def _in_words(problem: Any, place: str) -> str:
    if problem["type"] == "missing":
        return f"{place} is missing"
    if problem["type"] == "value_error":
        words = str(problem["ctx"]["error"])
    else:
        words = f"{problem['msg']}, not {repr(problem['input'])[:80]}"
    return f"{place}: {words}" if place else words
