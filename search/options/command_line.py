"""Command lines: Hydra overrides over typed configuration, clear errors, fixed exit codes."""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import operator
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from search.options.embedded import DEFAULT
from search.options.exit_codes import BAD_INPUT, FAILED, OK, STOPPED
from search.options.option import keys
from search.options.recorded import Recorded
from spaces.errors import InputError, unknown

C = TypeVar("C")

_FIELDS = {"import": "import_", "holdout": "holdout.rows"}
"""Options that are no names of fields, and the fields behind them: words of Python, and groups
whose name alone says something."""

_ITEM = re.compile(
    r"""\s*(?:'[^']*'|"[^"]*")\s*(?=,|$)|(?:\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|[^,])+"""
)
"""Of a list; quoted, or in brackets, it may hold commas."""

_PLAIN = r"[\w./:+\-]*|[\[{'\"].*"
"""What Hydra reads as it is: words, numbers, lists, and what is quoted."""

NEW_OBJECTS = 50_000
"""After so many Python looks for garbage: importing makes half a million that stay, and with the
default of 700 a quarter of the time that imports take goes into looking."""

NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "a file is larger than files may be here",
}
"""Errors of writing that are no fault of ours."""

NAMED_WRONG = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
)
"""Errors of a path that may be there and cannot be what it is named for."""

_OPEN = ("fix", "narrow", "promote", "data.baseline")
"""Options under which users choose the names."""


def main(
    schema: type[C],
    run: Callable[[C], int],
    command: str,
    positional: str = "",
    recorded: Recorded | None = None,
) -> None:
    """Runs a command and exits with its code.

    Args:
        schema: Dataclass of the options.
        run: The command; returns an exit code.
        command: Module docstring of the command: what ``--help`` prints first.
        positional: Option that a bare word sets.
        recorded: For commands with ``resume=``: where their other options come from.
    """
    _quiet_environment()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is open is closed
    gc.set_threshold(NEW_OBJECTS)
    atexit.register(gc.freeze)  # which spares a process that ends three seconds of looking
    try:
        arguments = sys.argv[1:]
        if {"-h", "--help"} & set(arguments):
            print(help_text(schema, command))
            sys.exit(OK)
        config = parse(schema, arguments, positional, recorded)
        if getattr(config, "parts", ()):
            from search.options.user_code import load_parts

            load_parts(config.parts)  # type: ignore[attr-defined]
        if getattr(config, "pipelines", ()):
            from search.options.user_code import load_pipelines

            load_pipelines(config.pipelines)  # type: ignore[attr-defined]
        if not {"fix", "promote", "data"}.isdisjoint(vars(config)):
            from search.options.parameters import check_parameters

            check_parameters(config)
        code = run(config)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        code = BAD_INPUT
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        code = STOPPED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        if error.errno in NO_ROOM:
            then = "make room and try again, a job by resume="
            print(f"error: {NO_ROOM[error.errno]}{where}; {then}", file=sys.stderr)
            code = FAILED
        elif error.errno in NAMED_WRONG:
            print(f"error: {error.strerror}{where}", file=sys.stderr)
            code = BAD_INPUT
        else:
            raise
    sys.exit(code)


def parse(
    schema: type[C],
    arguments: Sequence[str],
    positional: str = "",
    recorded: Recorded | None = None,
) -> C:
    """Turns command-line arguments into a validated configuration.

    With ``resume=`` they change what the job was started with.

    Raises:
        InputError: Naming the argument, what is wrong with it, and the choices.
    """
    config_dir = None
    overrides = []
    known = {key: kind for key, kind, _ in keys(schema)}
    rest = iter(arguments)
    for argument in rest:
        if argument == "--config-dir" or argument.startswith("--config-dir="):
            named = argument.partition("=")[2] or next(rest, "")
            config_dir = Path(named).expanduser()
            if not named or not config_dir.is_dir():
                raise InputError(f"--config-dir {named!r}: there is no such folder")
        elif argument.startswith("-"):
            raise unknown("flag", argument, ["--help", "--config-dir"])
        elif "=" in argument:
            overrides.append(_override(argument, known))
        elif positional:
            overrides.append(_override(f"{positional}={argument}", known))
        else:
            raise InputError(f"{argument!r}: options are written as key=value; see --help")
    from search.options.composition import compose_config  # Hydra, once the names are known

    return compose_config(schema, overrides, config_dir, recorded)


def help_text(schema: type[Any], command: str) -> str:
    """What ``--help`` prints: the command's description, then its options with defaults."""
    lines = [command.strip(), "", "Options, written as key=value:"]
    defaults = schema()
    for key, _, told in keys(schema):
        if key == "data":
            name = f"data={DEFAULT}"
        elif key in _OPEN:
            name = f"{key}.<name>=…"
        else:
            name = f"{key}={_shown(operator.attrgetter(_FIELDS.get(key, key))(defaults))}"
        lines.append(f"  {name:<28} {told.words}")
    lines.append(
        "  --config-dir <folder>        where your own YAML files are, such as data/my.yaml"
    )
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "''"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _override(argument: str, known: Mapping[str, Any]) -> str:
    """Checks an option's name and writes it as Hydra wants it.

    Texts are quoted, so that ``name=2026_01`` stays what it is.
    """
    key, _, value = argument.partition("=")
    key = key.lstrip("+~")
    is_open = any(key.startswith(f"{name}.") and name in known for name in _OPEN)
    if key in _OPEN and key in known:
        raise InputError(f"{argument}: its settings are written by name, such as {key}.lr=1e-3")
    if not is_open and key not in known:
        raise unknown("option", key, sorted(known), argument)
    kind = known.get(_FIELDS.get(key, key), known.get(key))
    is_list = value.startswith("[") and value.endswith("]")
    if kind == list[str] or (is_list and kind is not str and key != "data"):
        written = _quoted if kind == list[str] else _readable
        parts = [part.strip() for part in _ITEM.findall(value[1:-1] if is_list else value)]
        value = f"[{','.join(map(written, filter(None, parts)))}]"
    else:
        value = _quoted(value) if kind is str or key == "data" else _readable(value)
    return f"++{key}={value}" if is_open else f"{_FIELDS.get(key, key)}={value}"


def _readable(value: str) -> str:
    """A number, a word or a text as Hydra can read it."""
    return value if re.fullmatch(_PLAIN, value, re.ASCII) else _quoted(value)


def _quoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quiet_environment() -> None:
    """No telemetry, no update checks, no library noise; before those libraries are imported."""
    for name, value in {
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "RAY_USAGE_STATS_ENABLED": "0",
        "GIT_PYTHON_REFRESH": "quiet",
    }.items():
        os.environ.setdefault(name, value)
    for noisy in ("mlflow", "alembic", "optuna", "matplotlib", "git"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
