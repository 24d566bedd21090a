"""A team's own functions, named as ``module:function`` on the command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaces.digest import digest
from spaces.errors import InputError, unknown

if TYPE_CHECKING:
    from results.records.trials import Trial
    from trainables.networks.timm_network import BuildModel


def load_function(reference: str, key: str) -> Callable[..., Any]:
    """Imports a function.

    Only references that stand on the command line may come here: a file that is read back must
    never cause an import.

    Args:
        reference: ``module:function``; the current folder is searched first.
        key: The option it was given for, for messages.

    Raises:
        InputError: If the reference is malformed, or there is no such module or function.
    """
    module_name, separator, name = reference.partition(":")
    if not separator or not module_name or not name:
        raise InputError(f"{key}={reference}: write module:function")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module may raise whatever it likes on import
        kind = "" if isinstance(error, ImportError) else f"{type(error).__name__}: "
        raise InputError(
            f"{key}={reference}: cannot import {module_name!r}: {kind}{error}"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        choices = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise unknown("function", name, choices, f"{key}={reference}")
    return function  # type: ignore[no-any-return]


def source_digest(references: Iterable[str]) -> str:
    """Digest of the sources of functions that were loaded before; empty if there are none."""
    modules = sorted({r.partition(":")[0] for r in references if ":" in r})
    files = [getattr(sys.modules[name], "__file__", None) for name in modules]
    return digest([Path(f).read_text() if f else "" for f in files]) if files else ""


def own_model(trial: Trial, given: str) -> BuildModel:
    """What builds a trial's network: timm, or the team's own function, given once more.

    Raises:
        InputError: If the trial was trained with another one.
    """
    from trainables.networks.timm_network import build_model

    trained = trial.config.model
    if trained != given:
        raise InputError(
            f"{trial.id} was trained with model={trained or chr(39) * 2}: say so on the command "
            "line, since nothing is imported because a file says so"
        )
    return load_function(given, "model") if given else build_model
