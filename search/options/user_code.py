"""A team's own functions, named as ``module:function`` on the command line."""

from __future__ import annotations

import functools
import hashlib
import importlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from spaces.augmentation.families import FILES, pipeline_name
from spaces.digest import digest
from spaces.errors import InputError, unknown
from spaces.own_kinds import register_pipeline

if TYPE_CHECKING:
    from results.records.trial import Trial
    from results.records.trials import Search
    from spaces.trial_config import TrialConfig
    from trainables.networks.networks import BuildModel
    from trainables.portable.preparation import Preparation


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
    module = _import(module_name, f"{key}={reference}")
    function = getattr(module, name, None)
    if not callable(function):
        choices = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise unknown("function", name, choices, f"{key}={reference}")
    return function  # type: ignore[no-any-return]


def _import(name: str, place: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    except (Exception, SystemExit) as error:  # a module may do whatever it likes on import
        kind = "" if isinstance(error, ImportError) else f"{type(error).__name__}: "
        raise InputError(f"{place}: cannot import {name!r}: {kind}{error}") from error


def source_digest(references: Iterable[str]) -> str:
    """Digest of the sources of modules that were loaded before; empty if there are none.

    Args:
        references: ``module:function``, or ``module:`` for one that registers parts; names of ours
            are left out.
    """
    modules = sorted({r.partition(":")[0] for r in references if ":" in r})
    files = [getattr(sys.modules[name], "__file__", None) for name in modules]
    return (
        digest([hashlib.sha256(Path(f).read_bytes()).hexdigest() if f else "" for f in files])
        if files
        else ""
    )


def own_functions(**references: str) -> dict[str, Callable[..., Any]]:
    """Those of some options that name a function, by ``module:function``, loaded."""
    return {ref: load_function(ref, key) for key, ref in references.items() if ":" in ref}


def load_parts(modules: Iterable[str]) -> None:
    """Imports modules that register a team's own losses, optimizers, networks, ….

    Raises:
        InputError: If there is no such module, or what it registers is refused.
    """
    import trainables.portable.torchvision_cure  # noqa: F401 (they may import timm)

    for name in modules:
        _import(name, f"parts={name}")


def load_pipelines(references: Iterable[str]) -> None:
    """Makes a team's own albumentations pipelines policies, by their names.

    Args:
        references: ``module:function``, or files that ``A.save`` wrote.

    Raises:
        InputError: If one is not there, is no pipeline of albumentations' own operations on
            pictures, or its name is taken.
    """
    named: dict[str, str] = {}
    for reference in references:
        name = pipeline_name(reference)
        if name in named:
            raise InputError(
                f"pipelines=[{named[name]},{reference}]: both are called {name!r}; rename one"
            )
        named[name] = reference
    for name, reference in named.items():
        from trainables.augment.pipelines import read_pipeline, written

        place = f"pipelines=[{reference}]"
        if reference.endswith(FILES):
            register_pipeline(read_pipeline(name, Path(reference), place))
        else:
            register_pipeline(written(name, load_function(reference, "pipelines"), place))


def check_given(whose: str, key: str, trained: str, given: str) -> None:
    """Raises InputError unless a function that something was trained with was given once more.

    Args:
        whose: What was trained.
        key: The option that names the function.
        trained: ``module:function``, as the record has it; empty for none.
        given: The same from the command line.
    """
    if trained != given:
        raise InputError(
            f"{whose} was trained with {key}={trained or chr(39) * 2}: say so on the command "
            "line, since nothing is imported because a file says so"
        )


def preparation_of(config: TrialConfig, given: str, whose: str) -> Preparation:
    """How the images of a training are prepared, the team's own function given once more.

    Args:
        config: The training.
        given: ``module:function`` or empty, from the command line; of no concern to a training
            without one.
        whose: What was trained, for messages.

    Raises:
        InputError: If it was trained with another function, or there is none of that name.
    """
    from trainables.portable.preparation import Preparation

    data = config.data.to_json()
    if not config.data.prepare:
        return Preparation.of(data)
    check_given(whose, "prepare", config.data.prepare, given)
    own = load_function(given, "prepare")
    return Preparation.of(data, own, f"{given} {source_digest([given])}")


def network_builder(search: Search, trial: Trial, given: str) -> BuildModel:
    """What builds a trial's network, the team's own function given once more.

    Raises:
        InputError: If the trial was trained with another one.
    """
    from trainables.tasks.tasks import training_task

    settings = trial.config.model
    check_given(trial.id, "model", settings.kind if settings.own else "", given)
    task = training_task(search.opened.task)
    return functools.partial(task.network, own=own_functions(model=given))
