"""Registries: what a section of a configuration stands for in a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from spaces.errors import InputError, unknown
from spaces.own_kinds import register
from spaces.sections.section import Foreign, Section
from spaces.trial_config import SECTIONS

P = TypeVar("P", bound=Callable[..., Any])


class Parts(Generic[P]):
    """The makers of a section's kinds, by kind.

    Args:
        section: Key of the section, such as ``loss``.
        makers: By kind.
        other: Maker of kinds that are not listed, where the section has such.
    """

    def __init__(self, section: str, makers: Mapping[str, P], other: P | None = None) -> None:
        self.section, self._makers, self._other = section, dict(makers), other

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def register(self, kind: str, settings: type[Section], maker: P) -> None:
        """Adds a kind of the team's own, with its parameters.

        Args:
            kind: Its name, as in ``loss=<name>``.
            settings: Frozen dataclass of its parameters, derived from the section's base.
            maker: What the makers of this registry are.

        Raises:
            InputError: If a name is taken, or what is registered is not of this kind.
        """
        if not callable(maker):
            raise InputError(
                f"{self.section}={kind}: {type(maker).__name__} cannot be called; a function is "
                "needed"
            )
        register(self.section, kind, settings)
        self._makers[kind] = maker

    def of(self, settings: Section, own: Mapping[str, P] | None = None) -> P:
        """The maker of a section.

        Args:
            settings: The section.
            own: Functions named on the command line, by ``module:function``.

        Raises:
            InputError: If nothing here makes this kind.
        """
        key = SECTIONS[self.section].parameter
        if isinstance(settings, Foreign) and settings.kind in self._makers:
            raise InputError(
                f"{key}={settings.kind} was recorded with other settings than it has here: "
                f"{', '.join(settings.settings) or 'none'}"
            )
        found = (own or {}).get(settings.kind) or self._makers.get(settings.kind)
        if found is None and not settings.own:
            found = self._other
        if found is None and not settings.own and not isinstance(settings, Foreign):
            raise unknown(key, settings.kind, self._makers, f"{key}={settings.kind}")
        if found is None:
            how = f"{key}={settings.kind}" if settings.own else "parts=<module that registers it>"
            raise InputError(
                f"{key}={settings.kind} is your own: say {how} on the command line, since nothing "
                "is imported because a file says so"
            )
        return found
