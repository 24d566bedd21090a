"""Options that a suggested command repeats."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from results.records.secrets import without_password
from search.options.embedded import DEFAULT, EMBEDDED, embedded_name
from search.options.groups import DataConfig, HoldoutConfig
from search.options.shared import TrackedConfig
from search.options.training import JobConfig


def same_place(config: TrackedConfig, tracking: bool = False) -> str:
    """The options that make a following command look at the same folder and tracking store.

    A password in a tracking URI is not repeated.
    """

    words = [] if config.runs == "runs" else [f"runs={config.runs}"]
    if tracking and config.tracking:
        words.append(f"tracking={without_password(config.tracking)}")
    return "".join(f" {shlex.quote(word)}" for word in words)


def same_contest(config: JobConfig) -> str:
    """The options that make a following command train on the same images, folds and metric.

    Wherever they came from: files of ``--config-dir`` are written out.
    """
    chosen = embedded_name(config.data) or "csv"
    words = [] if chosen == DEFAULT else [f"data={chosen}"]
    words += _changed("data", config.data, DataConfig if chosen == "csv" else type(config.data))
    words += _changed("holdout", config.holdout, HoldoutConfig)
    if config.metric:
        words.append(f"metric={config.metric}")
    if config.prepare:
        words.append(f"prepare={config.prepare}")
    if config.direction:
        words.append(f"direction={config.direction}")
    return "".join(f" {shlex.quote(word)}" for word in words)


def recorded_contest(options: Mapping[str, Any], embedded: Path) -> str:
    """`same_contest` of a search that was recorded.

    Args:
        options: Its recorded options.
        embedded: Where the embedded contest lies, which needs no options.
    """
    data = {**options["data"], "corrections": ""}
    kind = DataConfig
    if data["root"] == str(embedded.resolve()):
        kind, data["root"] = EMBEDDED.get(data["name"], DataConfig), ""
    config = JobConfig(
        data=kind(**data),
        holdout=HoldoutConfig(**options["holdout"]),
        metric=options["metric"],
        direction=options["direction"],
        prepare=options["prepare"],
    )
    return same_contest(config)


def _changed(name: str, group: Any, schema: type[Any]) -> Iterator[str]:
    """The options of a group that are not the defaults of a schema."""
    for field in dataclasses.fields(schema):
        value = getattr(group, field.name)
        default = (
            field.default_factory()
            if field.default_factory is not dataclasses.MISSING
            else field.default
        )
        if value != default:
            yield from _written(f"{name}.{field.name}".replace("holdout.rows", "holdout"), value)


def _written(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _written(f"{key}.{name}", inner)
    elif isinstance(value, list):
        items = (f"'{item}'" if "," in str(item) else str(item) for item in value)
        yield f"{key}=[{','.join(items)}]"
    else:
        yield f"{key}={value}"
