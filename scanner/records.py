"""
`dataclass`, `field` and `replace` as `dataclasses` has them, for modules that the hook imports.

`dataclasses` imports `inspect`, which imports the compiler's insides, and writes six
functions for each class: together a third of a hook's time.  Here a class gets one
function written, its `__init__`; the others are shared.  To a type checker these are
the real ones, and `dataclasses.fields`, `replace` and `is_dataclass` know the classes.
"""

from __future__ import annotations

import importlib
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:

    def dataclass(cls: Any = None, **options: bool) -> Any:
        """
        Return the class with slots, as `dataclasses.dataclass(slots=True, ...)` does.
        """
        if cls is None:
            return lambda given: _made(given, **options)
        return _made(cls)

    def field(*, default_factory: Any) -> Any:
        """
        Return the default of a field that each instance has its own of.
        """
        return _Factory(default_factory)

    def replace(record: Any, /, **changes: object) -> Any:
        """
        Return another record, with some fields changed.
        """
        kept = {name: getattr(record, name) for name in type(record).__slots__}
        return type(record)(**{**kept, **changes})


__all__ = ["dataclass", "field", "replace"]

_NONE = object()


class _Factory:
    def __init__(self, make: Any) -> None:
        self.make = make


class _Fields:
    """
    `__dataclass_fields__`, told by `dataclasses` itself when somebody asks.
    """

    def __init__(self, names: tuple[str, ...], defaults: dict[str, Any], *, kw_only: bool) -> None:
        self._names = names
        self._defaults = defaults
        self._kw_only = kw_only
        self._told: dict[str, Any] | None = None

    def __get__(self, instance: object, owner: type) -> dict[str, Any]:
        if self._told is None:
            real = importlib.import_module("dataclasses")
            types = {name: owner.__annotations__[name] for name in self._names}
            body: dict[str, Any] = {"__annotations__": types, "__module__": owner.__module__}
            for name, default in self._defaults.items():
                factory = isinstance(default, _Factory)
                body[name] = real.field(default_factory=default.make) if factory else default
            plain = real.dataclass(kw_only=self._kw_only)(type(owner.__name__, (), body))
            self._told = plain.__dataclass_fields__
        return self._told


def _made(
    cls: Any, *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Any:
    if not slots or cls.__bases__ != (object,):
        raise TypeError("a record has slots and no base")
    body = dict(cls.__dict__)
    names = tuple(
        name
        for name, kind in body.get("__annotations__", {}).items()
        if not kind.startswith("ClassVar")
    )
    defaults = {name: body.pop(name) for name in names if name in body}
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    body["__slots__"] = names
    body["__qualname__"] = cls.__qualname__
    body["__dataclass_fields__"] = _Fields(names, defaults, kw_only=kw_only)
    if not kw_only:
        body["__match_args__"] = names
    told = _values(names)
    body.setdefault("__repr__", _repr(cls.__qualname__, names, told))
    if eq:
        body.setdefault("__eq__", _eq(told))
        body.setdefault("__hash__", _hash(told) if frozen else None)
    if frozen:
        body.update(_FROZEN, __getstate__=_getstate(told))
    made = type(cls)(cls.__name__, cls.__bases__, body)
    setters = {f"_set_{name}": made.__dict__[name].__set__ for name in names}
    if frozen:
        made.__setstate__ = _setstate(list(setters.values()))
    made.__init__ = _init(made, names, defaults, setters, kw_only=kw_only)
    return made


def _init(
    made: Any,
    names: tuple[str, ...],
    defaults: dict[str, Any],
    setters: dict[str, Any],
    *,
    kw_only: bool,
) -> Any:
    known: dict[str, Any] = {**setters, "_none": _NONE}
    asked, lines = ["self"], []
    if kw_only and names:
        asked.append("*")
    for name in names:
        value = name
        if name not in defaults:
            asked.append(name)
        elif isinstance(defaults[name], _Factory):
            known[f"_make_{name}"] = defaults[name].make
            asked.append(f"{name}=_none")
            value = f"_make_{name}() if {name} is _none else {name}"
        else:
            known[f"_default_{name}"] = defaults[name]
            asked.append(f"{name}=_default_{name}")
        # A slot's own setter takes half the time that `object.__setattr__` takes.
        lines.append(f" _set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append(" self.__post_init__()")
    source = f"def __init__({', '.join(asked)}):\n" + "\n".join(lines or [" pass"])
    exec(source, known)  # noqa: S102 # of our own names, as `dataclasses` does
    init: Any = known["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _values(names: tuple[str, ...]) -> Any:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple([getattr(self, name) for name in names])


def _repr(title: str, names: tuple[str, ...], told: Any) -> Any:
    def __repr__(self: Any) -> str:  # noqa: N807
        pairs = zip(names, told(self), strict=True)
        return f"{title}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    return __repr__


def _eq(told: Any) -> Any:
    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        return told(self) == told(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(told: Any) -> Any:
    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(told(self))

    return __hash__


def _getstate(told: Any) -> Any:
    def _dataclass_getstate(self: Any) -> list[Any]:
        return list(told(self))

    return _dataclass_getstate  # the name by which `workers` knows what is usual


def _setstate(setters: list[Any]) -> Any:
    def __setstate__(self: Any, state: list[Any]) -> None:  # noqa: N807
        for put, value in zip(setters, state, strict=True):
            put(self, value)

    return __setstate__


def _refused(_self: object, name: str, _value: object = None) -> None:
    error = importlib.import_module("dataclasses").FrozenInstanceError
    raise error(f"cannot assign to field {name!r}")


_FROZEN = {"__setattr__": _refused, "__delattr__": _refused}
