"""
Records are what `dataclasses` would make of the same classes.
"""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import subprocess
import sys

import pytest

from scanner import model, records
from scanner.detect import generic, generic_forms, overlap, registry, score_tables
from scanner.ruleset import expression, schema
from scanner.sources import batch

KINDS = [
    kind
    for module in (model, schema, registry, batch, overlap, expression, generic, generic_forms, score_tables)
    for kind in vars(module).values()
    if inspect.isclass(kind) and "__dataclass_fields__" in vars(kind) and kind.__module__ == module.__name__
]  # fmt: skip


@records.dataclass(frozen=True, slots=True)
class Frozen:
    """One of each kind of field."""

    name: str
    size: int = 3
    parts: list[str] = records.field(default_factory=list)

    def __post_init__(self) -> None:
        """Be called."""
        if self.size < 0:
            raise ValueError("size")


@dataclasses.dataclass(frozen=True, slots=True)
class Real:
    """The same."""

    name: str
    size: int = 3
    parts: list[str] = dataclasses.field(default_factory=list)


@records.dataclass(slots=True, kw_only=True)
class Open:
    """One that may change."""

    name: str = "x"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_the_parameters_are_those_of_the_fields(kind: type):
    fields = dataclasses.fields(kind)
    parameters = list(inspect.signature(kind).parameters.values())
    assert [one.name for one in fields] == [one.name for one in parameters] == list(kind.__slots__)
    for field, parameter in zip(fields, parameters, strict=True):
        wanted = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        assert wanted == (parameter.default is parameter.empty)
        assert field.kw_only == (parameter.kind is parameter.KEYWORD_ONLY)


def test_a_record_is_what_the_real_one_is():
    ours, real = Frozen("a", parts=["b"]), Real("a", parts=["b"])
    assert repr(ours) == repr(real).replace("Real", "Frozen")
    assert dataclasses.asdict(ours) == dataclasses.asdict(real)
    assert (
        dataclasses.replace(ours, size=4) == records.replace(ours, size=4) == Frozen("a", 4, ["b"])
    )
    assert ours == Frozen("a", 3, ["b"])
    assert ours != Frozen("a", 5, ["b"])
    assert ours != real
    assert hash(Frozen("a", 3, ())) == hash(Real("a", 3, ()))  # type: ignore[arg-type]
    assert Frozen("a").parts is not Frozen("a").parts
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert Frozen.__match_args__ == Real.__match_args__


def test_a_frozen_one_stays_as_it_is():
    one = Frozen("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.name
    with pytest.raises(ValueError, match="size"):
        Frozen("a", -1)
    with pytest.raises(TypeError, match="argument"):
        Frozen()  # type: ignore[call-arg]


def test_an_open_one_may_change():
    one = Open(name="a")
    one.name = "b"
    assert one == Open(name="b")
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    with pytest.raises(AttributeError):
        one.other = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="positional"):
        Open("a")  # type: ignore[misc]


def test_what_a_record_cannot_be_is_refused():
    with pytest.raises(TypeError, match="slots"):
        records.dataclass(type("Loose", (), {}))


def test_records_do_without_dataclasses():
    code = "import sys, scanner.detect.generic; sys.exit('dataclasses' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
