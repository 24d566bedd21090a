"""What readers of a ledger rely on, so that a damaged one is refused where it is read."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from results.records.ledger import Event, OtherFormatError

Schema = dict[str, Any]

FORMAT = 3
"""Of ledgers; another one is refused where it is read."""

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_OBJECT: Schema = {"type": "object"}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least}


def _table(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _fields(optional: Schema | None = None, /, **required: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


_INTERVAL = _fields(low=_NUMBER, high=_NUMBER)
_KIND: Schema = {"enum": ["search", "train", "promotion"]}
_PROMOTION = _fields(
    {"changes": _OBJECT, "parents": _table(_TEXT)},
    arms=_table(_OBJECT),
    scores=_table(_NUMBER),
)
_OPENED = _fields(
    {
        "promotion": _PROMOTION,
        "trials": _COUNT,
        "confirm": _COUNT,
        "history": _list(_OBJECT),
        "options": _OBJECT,
        "space": _maybe(_OBJECT),
        "hypothesis": _TEXT,
    },
    kind=_KIND,
    search=_TEXT,
    competition=_TEXT,
    metric=_TEXT,
    direction={"enum": ["maximize", "minimize"]},
    points=_NUMBER,
    classes=_TEXTS,
    images=_fields(train=_COUNT, test=_COUNT),
    baseline=_OBJECT,
    data=_fields(
        {"test": _TEXT, "train_images": _TEXT, "test_images": _TEXT}, root=_TEXT, digest=_TEXT
    ),
    folds=_fields(file=_TEXT, digest=_TEXT, count=_COUNT, sizes=_list(_COUNT, 1)),
    digests=_table(_TEXT),
)
_OPENED |= {
    "if": {"properties": {"kind": {"const": "promotion"}}},
    "then": {"required": ["promotion"]},
}
_COMPARISON = _fields(
    control=_TEXT,
    gain=_NUMBER,
    margin=_maybe(_NUMBER),
    seeds=_COUNT,
    candidate_score=_NUMBER,
    control_score=_NUMBER,
    verdict={"enum": ["beats", "loses to", "indistinguishable from", "not ahead of"]},
    open={"type": "boolean"},
    forecast=_maybe(_NUMBER),
)
_FORECAST = _fields(
    models=_COUNT,
    images=_COUNT,
    gap=_NUMBER,
    winner=_maybe(_fields(score=_NUMBER, low=_NUMBER, high=_NUMBER)),
)
_ARM = _fields(
    score=_NUMBER,
    images=_COUNT,
    interval=_maybe(_INTERVAL),
    given_models=_INTERVAL,
    folds=_table(_NUMBER),
    chosen=_maybe(_NUMBER),
    optimism=_maybe(_NUMBER),
)
_CLOSED = _fields(
    {
        "reason": _TEXT,
        "arms": _table(_ARM),
        "proxies": _list(_fields(holdout=_NUMBER, full=_NUMBER)),
        "light_to_heavy": _list(_fields(light=_NUMBER, heavy=_NUMBER)),
    },
    state={"enum": ["finished", "interrupted"]},
    counts=_COUNTS,
    winner=_maybe(_TEXT),
    baseline=_maybe(_TEXT),
    optimism=_maybe(_NUMBER),
    comparisons=_list(_COMPARISON),
    forecast=_maybe(_FORECAST),
    cost={
        **_table(_NUMBER),
        "required": ["wall", "tracking", "trials/total", "images", "epochs"],
        "properties": {"wall": {"exclusiveMinimum": 0}},
    },
)
_RESUMED = _fields(changes=_table(_COUNT))
_STARTED = _fields(
    {"taken": _TEXT},
    trial=_TEXT,
    number=_COUNT,
    why={"enum": ["baseline", "sampled", "confirm", "single", "fold"]},
    arm=_TEXT,
    params=_OBJECT,
    config=_OBJECT,
)
_ENDED = _fields(
    {"fault": _TEXT, "micro_batch": {"type": "integer", "minimum": 1}},
    trial=_TEXT,
    state={"enum": ["finished", "stopped", "failed", "interrupted"]},
    reason=_TEXT,
)

_VALIDATORS = {
    name: Draft202012Validator({**schema, "$schema": Draft202012Validator.META_SCHEMA["$id"]})
    for name, schema in {
        "opened": _OPENED,
        "resumed": _RESUMED,
        "trial_started": _STARTED,
        "trial_ended": _ENDED,
        "closed": _CLOSED,
    }.items()
}


def check_shape(event: Event) -> None:
    """Raises ValueError, naming the place, unless an event has what its readers rely on."""
    if not isinstance(event.get("at"), int | float):
        raise ValueError("at: when it happened is missing")
    if event["event"] == "opened" and event.get("format") != FORMAT:
        raise OtherFormatError(
            f"it was written in format {event.get('format')}, by another version of the program; "
            f"this one reads format {FORMAT}"
        )
    validator = _VALIDATORS.get(event["event"])
    error = next(validator.iter_errors(event), None) if validator is not None else None
    if error is not None:
        place = "/".join(map(str, error.absolute_path))
        raise ValueError(f"{place}: {error.message[:200]}" if place else error.message[:200])
