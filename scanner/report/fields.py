"""
Typed access to a JSON object, with an error that names the place.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from scanner.errors import ConfigError

EnumT = TypeVar("EnumT", bound=enum.Enum)
KindT = TypeVar("KindT")
_LONGEST_QUOTE = 40


class Fields:
    """
    One JSON object of a report and where it stands.
    """

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise ConfigError(f"{where}: expected an object, not {_quoted(data)}")
        self._data: Mapping[str, Any] = data
        self.where = where

    def text(self, name: str) -> str:
        """Return a required string."""
        value = self.maybe_text(name)
        if value is None:
            raise self.error(name, "is missing")
        return value

    def maybe_text(self, name: str) -> str | None:
        """Return a string or `None` if it is absent."""
        return self._typed(name, str, "a string")

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.maybe_number(name)
        if value is None:
            if default is None:
                raise self.error(name, "is missing")
            return default
        return value

    def maybe_number(self, name: str) -> int | None:
        """Return a whole number that is not negative, or `None` if it is absent."""
        value = self._typed(name, int, "a whole number")
        if isinstance(value, bool) or (value is not None and value < 0):
            raise self.error(name, f"must be a whole number from 0, not {_quoted(value)}")
        return value

    def real(self, name: str) -> float:
        """Return a number, 0 if it is absent."""
        value = self._data.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(name, f"must be a number, not {_quoted(value)}")
        return float(value)

    def maybe_flag(self, name: str) -> bool | None:
        """Return true, false, or `None` if it is absent."""
        return self._typed(name, bool, "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings, empty if it is absent."""
        values = self._typed(name, list, "a list") or []
        if not all(isinstance(value, str) for value in values):
            raise self.error(name, "must be a list of strings")
        return tuple(values)

    def choice(self, name: str, labels: Mapping[str, EnumT]) -> EnumT:
        """Return the member that a required label stands for."""
        label = self.text(name)
        if label not in labels:
            raise self.error(name, f"must be one of {', '.join(labels)}, not {_quoted(label)}")
        return labels[label]

    def inner(self, name: str) -> Fields:
        """Return an object of this one, empty if it is absent."""
        return Fields(self._data.get(name) or {}, f"{self.where}: {name}")

    def maybe_inner(self, name: str) -> Fields | None:
        """Return an object of this one, or `None` if it is absent."""
        return None if self._data.get(name) is None else self.inner(name)

    def each(self, name: str) -> Iterator[Fields]:
        """Yield the objects of a list, none if it is absent."""
        for index, value in enumerate(self._typed(name, list, "a list") or []):
            yield Fields(value, f"{self.where}: {name}[{index}]")

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield names and raw values."""
        yield from self._data.items()

    def error(self, name: str, problem: str) -> ConfigError:
        """Return the error to raise about one member."""
        return ConfigError(f"{self.where}: {name!r} {problem}")

    def _typed(self, name: str, kind: type[KindT], words: str) -> KindT | None:
        value = self._data.get(name)
        if value is None or isinstance(value, kind):
            return value
        raise self.error(name, f"must be {words}, not {_quoted(value)}")


def _quoted(value: object) -> str:
    # A report may hold secrets and anything else: only the kind of long values is told.
    if isinstance(value, str) and len(value) <= _LONGEST_QUOTE:
        return repr(value)
    return {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(
        type(value), repr(value)
    )
