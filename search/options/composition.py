"""Hydra's composition of checked overrides, and its errors in words a user can act on."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from search.options.embedded import DEFAULT, EMBEDDED
from search.options.groups import DataConfig
from search.options.recorded import Recorded
from spaces.errors import InputError, unknown

C = TypeVar("C")


def compose_config(
    schema: type[C],
    overrides: list[str],
    config_dir: Path | None,
    recorded: Recorded | None,
) -> C:
    """Composes options from defaults, YAML files and overrides.

    Args:
        schema: Dataclass of the options.
        overrides: As Hydra wants them, names checked.
        config_dir: Folder of the user's YAML files.
        recorded: For commands with ``resume=``: where their other options come from.

    Raises:
        InputError: Naming the option, what is wrong with it, and the choices.
    """
    name, plain = _stored(schema)  # type: ignore[arg-type]
    GlobalHydra.instance().clear()
    # Not `initialize`, which reads the sources of all callers to find out who calls.
    start = (
        initialize_config_dir(str(config_dir.resolve()), version_base="1.3")
        if config_dir
        else initialize_config_module(__package__, version_base="1.3")
    )
    with start:
        try:
            composed = compose(name, overrides)
            fields = {key: composed[key] for key in composed if key != "defaults"}
            typed = OmegaConf.merge(plain, OmegaConf.create(fields))
            if recorded is not None and typed.resume:
                typed = _resumed(plain, typed, overrides, recorded)
            result = OmegaConf.to_object(typed)
        except InputError as error:
            raise InputError(str(error).splitlines()[0]) from None
        except MissingConfigException as error:
            group, _, name = str(error.missing_cfg_file).partition("/")
            choices = GlobalHydra.instance().config_loader().get_group_options(group)
            folders = "; folders of classes: data=csv data.root=… data.train=<folder>"
            place = f"{group}={name}{folders if group == 'data' else ''}"
            raise unknown(group, name, choices, place) from None
        except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
            raise _explain(error, config_dir) from None
    assert isinstance(result, schema)
    _check_numbers(result)
    return _at_home(result)  # type: ignore[no-any-return]


def _check_numbers(options: Any, prefix: str = "") -> None:
    """Raises InputError for what Python takes for a number and no option or record can hold."""
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            _check_numbers(value, f"{prefix}{field.name}.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{prefix}{field.name}={value}: a finite number is needed")


def _at_home(value: Any) -> Any:
    """An option's value with the user's home for the ``~`` of paths, wherever they come from."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            setattr(value, field.name, _at_home(getattr(value, field.name)))
        return value
    if isinstance(value, dict):
        return {name: _at_home(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_at_home(inner) for inner in value]
    is_path = isinstance(value, str) and value.startswith("~/")
    return str(Path(value).expanduser()) if is_path else value


@functools.cache
def _stored(schema: type[Any]) -> tuple[str, Any]:
    """Puts what a command's options are composed of where Hydra finds it.

    Returns:
        Its name there, and the typed options with their defaults, which `OmegaConf.merge` copies.
    """
    store = ConfigStore.instance()
    defaults: list[Any] = ["_self_"]
    if "data" in get_type_hints(schema):
        for name, node in {**EMBEDDED, "csv": DataConfig}.items():
            store.store(group="data", name=name, node=node)
        defaults = ["_self_", {"data": DEFAULT}]
    primary = dataclasses.make_dataclass(
        "Primary",
        [("defaults", list[Any], dataclasses.field(default_factory=lambda: defaults))],
        bases=(schema,),
        kw_only=True,
    )
    name = f"{schema.__module__}-{schema.__qualname__}"
    store.store(name=name, node=primary)
    return name, OmegaConf.structured(schema)


def _resumed(plain: Any, typed: Any, overrides: Sequence[str], recorded: Recorded) -> Any:
    """What a job was started with, changed by the options that were given now."""
    known = recorded(_at_home(OmegaConf.to_object(typed)))
    base = OmegaConf.merge(plain, OmegaConf.create(dict(known)))
    for override in overrides:
        key = override.lstrip("+").partition("=")[0]
        if key == "resume":  # "latest" has become a name
            continue
        OmegaConf.update(base, key, OmegaConf.select(typed, key), force_add=True)
    return base


def _explain(error: Exception, config_dir: Path | None) -> InputError:
    """Keeps of Hydra's and OmegaConf's messages what a user can act on."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, InputError):
        return InputError(str(cause).splitlines()[0])
    if isinstance(error, OverrideParseException):
        return InputError(
            f"{str(error.override).lstrip('+')}: this is not a value that can be read"
        )
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return InputError(f"{mark.name}, line {mark.line + 1}: {error.problem}")
    if isinstance(error, UnicodeDecodeError | YAMLError):
        return InputError(f"--config-dir {config_dir}: a YAML file there is not text in UTF-8")
    named = re.search(r"full_key: (\S+)", str(error))
    key = getattr(cause, "full_key", None) or (named and named[1])
    lines = (str(cause).strip() or str(error).strip()).splitlines()
    first = " ".join(lines[: 2 if lines[0].endswith(":") else 1])
    in_file = re.fullmatch(r"In '(.+)': \w+ raised while composing config: (.+)", first)
    if in_file and config_dir:
        place, first = config_dir / f"{in_file[1]}.yaml", in_file[2]
        if strange := re.match(r"Key '(.+)' not in 'DataConfig'", first):
            names = [field.name for field in dataclasses.fields(DataConfig)]
            return unknown("option", strange[1], names, str(place))
        return InputError(f"{place}: {key}: {first}" if key else f"{place}: {first}")
    return InputError(f"{key}: {first}" if key and key not in first else first)
