"""What all sections have in common: kinds by name, and setting them by flat parameters."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from spaces.errors import InputError, unknown
from spaces.size import parse_size

NAME = re.compile(r"^[a-z][a-z0-9_]*\Z")
"""Of kinds and of families of policies."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Settings of one part of a training.

    Attributes:
        kind: Which of the section's kinds this is; the tag in records.
    """

    kind: str

    @property
    def own(self) -> bool:
        """Whether the kind is a function of the team's, ``module:function``."""
        return ":" in self.kind

    def demand(self, ok: bool, name: str, rule: str) -> None:
        """Raises InputError, naming setting, rule and value, unless ``ok``."""
        if not ok:
            raise InputError(f"{name} must be {rule}, got {getattr(self, name)!r}")

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; `Kinds.read` reads it back."""
        settings = dataclasses.asdict(self).items()
        return {name: list(v) if isinstance(v, tuple) else v for name, v in settings}

    @property
    def identity(self) -> dict[str, Any]:
        """What a training depends on of it."""
        return self.to_json()


@dataclass(frozen=True, kw_only=True)
class Foreign(Section):
    """A kind that is not registered here: it can be read and shown, not trained.

    Attributes:
        settings: As they stand in the record.
    """

    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __getattr__(self, name: str) -> Any:
        """Settings read like those of a kind that is known."""
        settings = self.__dict__.get("settings", {})
        if name not in settings:
            raise AttributeError(f"{self.__dict__.get('kind')} has no setting {name!r}")
        return settings[name]

    def to_json(self) -> dict[str, Any]:
        """As it was read."""
        return {"kind": self.kind, **self.settings}


S = TypeVar("S", bound=Section)

Size = tuple[int, int]

SIMPLE = (int, float, bool, str, Size)
"""Types of settings, beside Literal."""


class Kinds(Generic[S]):
    """The kinds of one section by name.

    Users choose a kind by the section's parameter, such as ``optimizer=sgd``, and set its fields by
    their names, such as ``momentum=0.95``; ``sgd.lr`` is a field of that kind only.

    Args:
        parameter: Name of the parameter that chooses the kind.
        base: What all kinds derive from.
        kinds: Classes by name; several names may share one.
        other: Class of names that are not listed, if such are allowed.
        own: Class of a team's own ``module:function``, if such are allowed.
    """

    def __init__(
        self,
        parameter: str,
        base: type[S],
        kinds: Mapping[str, type[S]],
        *,
        other: type[S] | None = None,
        own: type[S] | None = None,
    ) -> None:
        self.parameter, self.base = parameter, base
        self._kinds, self._other, self._own = dict(kinds), other, own
        self._names = self._parameters()

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def add(self, kind: str, settings: type[S], taken: Collection[str]) -> None:
        """Registers a kind.

        Args:
            kind: Its name.
            settings: Its class.
            taken: Parameters of other sections.

        Raises:
            InputError: If a name is taken or no name, or the class is none of this section.
        """
        place = f"{self.parameter}={kind}"
        if not NAME.match(kind):
            raise InputError(f"{place}: a name like focal or my_loss2 is needed")
        if kind in self._kinds:
            raise InputError(f"{place}: the name is taken; choose another for your own")
        if not (isinstance(settings, type) and issubclass(settings, self.base)):
            raise InputError(f"{place}: its settings must derive from {self.base.__name__}")
        if not getattr(vars(settings).get("__dataclass_params__"), "frozen", False):
            raise InputError(f"{place}: its settings must be a frozen dataclass")
        for name in {*_types(settings)} & {*taken, self.parameter}:
            raise InputError(f"{place}: the parameter {name!r} is there already; rename yours")
        hints = get_type_hints(settings)
        for f in dataclasses.fields(settings):
            if f.default is dataclasses.MISSING:
                raise InputError(f"{place}: its setting {f.name!r} needs a default value")
            hint = hints[f.name]
            if hint not in SIMPLE and get_origin(hint) is not Literal:
                raise InputError(
                    f"{place}: its setting {f.name!r} is {hint}; a number, a text, true or false, "
                    "a size or a Literal is needed"
                )
        self._kinds[kind] = settings
        self._names = self._parameters()

    def settings(self, kind: str) -> type[S]:
        """The class of a kind.

        Raises:
            InputError: If there is none; the message lists the kinds.
        """
        found = self._kinds.get(kind) or (self._own if ":" in kind else self._other)
        if found is None:
            choices = [*self._kinds, *(("module:function",) if self._own else ())]
            raise unknown(self.parameter, kind, choices, f"{self.parameter}={kind}")
        return found

    def names(self) -> list[str]:
        """Every parameter of this section, without prefixes."""
        return list(self._names)

    def knows(self, name: str) -> bool:
        """Whether a parameter, maybe with the prefix of a kind, belongs to this section."""
        prefix, _, rest = name.rpartition(".")
        if not prefix:
            return rest in self._names
        return prefix in self._kinds and rest in _types(self._kinds[prefix])

    def has(self, kind: str, name: str) -> bool:
        """Whether a parameter of this section has an effect with a kind."""
        prefix, _, rest = name.rpartition(".")
        if prefix and prefix != kind:
            return False
        return rest == self.parameter or rest in _types(self.settings(kind))

    def change(self, section: S, params: Mapping[str, Any]) -> S:
        """A section with some parameters changed.

        Another kind keeps the settings that it shares with the present one; parameters of other
        kinds have no effect.

        Args:
            section: The present one.
            params: Values, or their texts, by parameter; all belong to this section.

        Raises:
            InputError: For an unknown kind or a value that does not fit.
        """
        kind = params.get(self.parameter, section.kind)
        if isinstance(section, Foreign) and kind == section.kind:
            changed = {k: v for k, v in params.items() if k in section.settings}
            return dataclasses.replace(section, settings={**section.settings, **changed})
        settings = self.settings(str(kind))
        types = _types(settings)
        values = {name: getattr(section, name) for name in types if hasattr(section, name)}
        for name in sorted(params, key=lambda n: "." in n):  # a kind's own beats the plain one
            field_name = name.rpartition(".")[2]
            if field_name in types and self.has(str(kind), name):
                values[field_name] = convert(types[field_name], params[name], name)
        return settings(kind=str(kind), **values)

    def read(self, data: Mapping[str, Any]) -> S:
        """Inverse of `Section.to_json`; a kind that is not known here becomes `Foreign`."""
        values = dict(data)
        kind = str(values.pop("kind"))
        try:
            settings = self.settings(kind)
        except InputError:
            settings = None
        if settings is None or set(values) != set(_types(settings)):
            return Foreign(kind=kind, settings=values)  # type: ignore[return-value]
        types = _types(settings)
        return settings(kind=kind, **{n: convert(types[n], v, n) for n, v in values.items()})

    def _parameters(self) -> dict[str, None]:
        """Names in order, of all kinds; a configuration asks for them with every change."""
        classes = {*self._kinds.values(), *filter(None, (self._other, self._own))}
        fields = {f.name: None for c in self._ordered(classes) for f in dataclasses.fields(c)}
        return {self.parameter: None} | {n: None for n in fields if n != "kind"}

    def _ordered(self, classes: set[type[S]]) -> list[type[S]]:
        order = list(self._kinds.values())
        return sorted(classes, key=lambda c: order.index(c) if c in order else len(order))


_evaluated: dict[type[Section], Mapping[str, Any]] = {}


def _types(settings: type[Section]) -> Mapping[str, Any]:
    """Types of a kind's settings by name, without the tag.

    They are texts until they are evaluated, which would be most of the cost of reading a record.
    """
    if settings not in _evaluated:
        hints = get_type_hints(settings)
        names = [f.name for f in dataclasses.fields(settings) if f.name != "kind"]
        _evaluated[settings] = {name: hints[name] for name in names}
    return _evaluated[settings]


def convert(kind: Any, value: Any, shown: str) -> Any:
    """Checks a value against the type of its field; whole floats pass as integers.

    Raises:
        InputError: If it does not fit.
    """
    if kind == Size:
        return parse_size(value)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise unknown(shown, value, get_args(kind), f"{shown}={value}")
        return value
    if kind is float and not isinstance(value, bool):
        try:
            number = float(value)  # of a text, too: PyYAML reads 1e-4 as one
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        raise InputError(f"{shown}={value!r:.40}: a number is needed")
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        raise InputError(f"{shown}={value!r}: {words[kind]} is needed")
    return value
