"""A search space: parameters in the order in which they are drawn."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Protocol

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.augmentation.operations import OPERATIONS
from spaces.digest import digest
from spaces.errors import InputError, unknown
from spaces.param import Param, When
from spaces.value import Value

_NAME = re.compile(r"^[A-Za-z0-9_-]+(\+[A-Za-z0-9_-]+)*$")


class Suggester(Protocol):
    """The part of ``optuna.Trial`` that a space draws from."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = ..., log: bool = ...
    ) -> float: ...

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = ..., log: bool = ...
    ) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """What a search may change, as frozen data.

    Attributes:
        name: Short name, used in default search names.
        params: Parameters; a condition may refer only to parameters before it.
        starts: What is usual, to be tried before anything is drawn at random. A value that is not
            among the parameters' (any more), or is not named, is drawn.
        left_out: What one might look for here in vain, and where it is; each with names of
            parameters, or of choices (``mix.snapmix``), with ``*`` for any text: where one of them
            is searched, as in a joined space, it is not left out.
    """

    name: str
    params: tuple[Param, ...]
    starts: tuple[Mapping[str, Value], ...] = ()
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise InputError(f"space name {self.name!r}: only letters, digits, dash and underscore")
        seen: dict[str, Param] = {}
        for param in self.params:
            if param.name in seen:
                raise InputError(f"space {self.name!r} has the parameter {param.name!r} twice")
            for condition in param.when:
                if condition.parameter not in seen:
                    raise InputError(
                        f"space {self.name!r}: {param.name!r} depends on "
                        f"{condition.parameter!r}, which does not come before it"
                    )
                for value in condition.values:
                    if not seen[condition.parameter].contains(value):
                        raise InputError(
                            f"space {self.name!r}: {param.name!r} waits for "
                            f"{condition.parameter}={value!r}, which is never drawn"
                        )
            seen[param.name] = param

    def __getitem__(self, name: str) -> Param:
        for param in self.params:
            if param.name == name:
                return param
        raise unknown("parameter", name, [p.name for p in self.params])

    def __contains__(self, name: object) -> bool:
        return any(param.name == name for param in self.params)

    def suggest(self, trial: Suggester) -> dict[str, Value]:
        """Draws every living parameter from an ``optuna.Trial`` (or anything shaped like it)."""
        params: dict[str, Value] = {}
        for param in self.params:
            if not param.lives(params):
                continue
            d = param.distribution
            if isinstance(d, CategoricalDistribution):
                params[param.name] = trial.suggest_categorical(param.name, d.choices)
            elif isinstance(d, IntDistribution):
                params[param.name] = trial.suggest_int(
                    param.name, d.low, d.high, step=d.step, log=d.log
                )
            elif isinstance(d, FloatDistribution):
                params[param.name] = trial.suggest_float(
                    param.name, d.low, d.high, step=d.step, log=d.log
                )
            else:
                raise TypeError(f"unsupported distribution {d!r}")
        return params

    def read(self, values: Mapping[str, Any]) -> dict[str, Value] | None:
        """Picks what ``suggest`` would have drawn from values or texts; None if it could not.

        Args:
            values: By parameter name; what else there is does not matter.
        """
        params: dict[str, Value] = {}
        for param in self.params:
            if not param.lives(params):
                continue
            value = param.read(values.get(param.name))
            if value is None:
                return None
            params[param.name] = value
        return params

    def pin(self, fixed: Mapping[str, Value]) -> SearchSpace:
        """Removes the parameters named in ``fixed`` and settles the conditions on them.

        Names that the space does not search are left to ``TrialConfig.with_params``.
        """
        params = []
        for param in self.params:
            if param.name in fixed:
                continue
            settled = [w for w in param.when if w.parameter in fixed]
            if all(w.holds(fixed) or _is_strong(param, fixed[w.parameter]) for w in settled):
                rest = tuple(w for w in param.when if w.parameter not in fixed)
                params.append(replace(param, when=rest))
        # A parameter whose own condition was settled to "never" takes its dependants along.
        names = {p.name for p in params}
        while any(w.parameter not in names for p in params for w in p.when):
            params = [p for p in params if all(w.parameter in names for w in p.when)]
            names = {p.name for p in params}
        return replace(self, params=tuple(params))

    def narrow(self, ranges: Mapping[str, Any]) -> SearchSpace:
        """Restricts ranges or choices; dependants of choices that are gone are dropped.

        Raises:
            InputError: For an unknown parameter or a range that does not fit.
        """
        for name in ranges:
            if name not in self:
                raise unknown("parameter", name, [p.name for p in self.params], f"narrow.{name}")
        params: dict[str, Param] = {}
        for param in self.params:
            conditions = []
            for condition in param.when:
                parent = params.get(condition.parameter)
                left = tuple(v for v in condition.values if parent and parent.contains(v))
                if not left:
                    break
                conditions.append(When(parameter=condition.parameter, values=left))
            else:
                kept = replace(param, when=tuple(conditions))
                params[param.name] = (
                    kept.narrow(ranges[param.name]) if param.name in ranges else kept
                )
        return replace(self, params=tuple(params.values()))

    def drop(self, names: Sequence[str]) -> SearchSpace:
        """Leaves choices out, of every parameter that has them.

        Args:
            names: Choices, such as ``cutmix``, or of one parameter only, such as ``mix.cutmix``.

        Raises:
            InputError: For a choice that no parameter has, or if one is left without any.
        """
        known = [(p, c) for p in self.params for c in p.categories]
        left = {p.name: list(p.categories) for p in self.params}
        for name in names:
            found = [(p, c) for p, c in known if name in (str(c), f"{p.name}.{c}")]
            if not found and name in self:
                raise InputError(
                    f"drop=[{name}]: {name!r} is a parameter, of which fix.{name}=… leaves one "
                    f"value; drop leaves choices out, here {self[name].choices()}"
                )
            if not found:
                raise unknown("choice", name, {str(c) for _, c in known}, f"drop=[{name}]")
            for param, choice in found:
                left[param.name] = [c for c in left[param.name] if c is not choice]
                if not left[param.name]:
                    raise InputError(
                        f"drop=[{', '.join(names)}]: nothing is left of {param.name!r}, whose "
                        f"choices are {param.choices()}"
                    )
        fewer = {p.name for p in self.params if len(left[p.name]) < len(p.categories)}
        return self.narrow({name: left[name] for name in fewer})

    def join(self, other: SearchSpace, when: When | None = None) -> SearchSpace:
        """Returns both spaces as one.

        A parameter that both search over the same range is searched once, under the conditions
        of whichever states any.

        Args:
            other: The other one.
            when: A condition that is put on all of its parameters.

        Raises:
            InputError: If the two search the same parameter differently.
        """
        merged = {param.name: param for param in self.params}
        late = []
        theirs = [replace(p, when=(when, *p.when)) for p in other.params] if when else other.params
        for param in theirs:
            mine = merged.get(param.name)
            if mine is None:
                merged[param.name] = param
            elif mine.distribution != param.distribution or (
                mine.when and param.when and mine.when != param.when
            ):
                raise InputError(
                    f"spaces {self.name!r} and {other.name!r} search {param.name!r} differently: "
                    f"{mine.choices()} and {param.choices()}; pin it with fix.{param.name}=…"
                )
            elif param.when:
                late.append(param)
        for param in late:  # moved behind the parameters that its conditions name
            merged.pop(param.name)
            merged[param.name] = param
        nothing: Mapping[str, Value] = {}
        starts = zip_longest(self.starts, other.starts, fillvalue=nothing)
        return SearchSpace(
            name=f"{self.name}+{other.name}",
            params=tuple(merged.values()),
            starts=tuple({**theirs, **ours} for ours, theirs in starts),
            left_out={**self.left_out, **other.left_out},
        )

    def missing(self) -> list[str]:
        """Of what is left out, what is not searched."""
        found = {param.name for param in self.params}
        found |= {f"{p.name}.{choice}" for p in self.params for choice in p.categories}
        return [
            words
            for words, names in self.left_out.items()
            if not any(fnmatch.filter(found, name) for name in names)
        ]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        found: dict[str, Any] = {"name": self.name, "params": [p.to_json() for p in self.params]}
        return found | ({"starts": [dict(start) for start in self.starts]} if self.starts else {})

    @property
    def digest(self) -> str:
        """Identity of what is searched; the name does not count."""
        return digest([p.to_json() for p in self.params])


def _is_strong(param: Param, operation: Value) -> bool:
    """Whether it is the strength of an operation that may be pinned though it is not drawn."""
    known = OPERATIONS.get(str(operation)) if param.name.endswith(".strength") else None
    return known is not None and known.has_limit
