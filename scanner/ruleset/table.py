"""
Rules by number, packed: a rule is unpacked when somebody asks for it.

A warm start reads a thousand rules and uses a handful.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scanner.errors import ConfigError
from scanner.model import Confidence, Severity
from scanner.ruleset.schema import CompanionSpec, Keyed, Rule


class RuleTable:
    """
    All rules of a run, in a fixed order.
    """

    __slots__ = ("_numbers", "_packed", "_read", "_unpacked", "ids")

    def __init__(self, ids: Sequence[str], read: Callable[[], Sequence[bytes]]) -> None:
        """
        `read` returns the packed rules; it is not called before somebody asks for one.
        """
        self.ids = ids
        self._read = read
        self._packed: Sequence[bytes] | None = None
        self._unpacked: dict[int, Rule] = {}
        self._numbers = {rule_id: number for number, rule_id in enumerate(ids)}

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> RuleTable:
        """
        Return the table of these rules.
        """
        packed = [_pack(rule) for rule in rules]
        return cls([rule.id for rule in rules], lambda: packed)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Rule]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Rule:
        rule = self._unpacked.get(number)
        if rule is None:
            rule = self._unpacked[number] = _unpack(self.packed[number])
        return rule

    def number(self, rule_id: str) -> int | None:
        """
        Return the number of the rule with this id, or `None`.
        """
        return self._numbers.get(rule_id)

    def by_id(self, rule_id: str) -> Rule:
        """
        Return the rule with this id; raise `KeyError` if there is none.
        """
        return self[self._numbers[rule_id]]

    def selection(self, selected: Sequence[str], ignored: Sequence[str]) -> frozenset[int]:
        """
        Return the numbers of the rules that a run asked for; an unknown id is an error.
        """
        for rule_id in (*selected, *ignored):
            if rule_id not in self._numbers:
                raise ConfigError(f"no such rule: {rule_id}", hint="see `unsealed rules list`")
        chosen = {self._numbers[rule_id] for rule_id in selected} or set(range(len(self)))
        return frozenset(chosen - {self._numbers[rule_id] for rule_id in ignored})

    def digest(self) -> str:
        """
        Return a digest that is equal for equal rules in the same order.
        """
        import hashlib  # noqa: PLC0415 # a warm start has the digest

        whole = hashlib.blake2b(digest_size=16)
        for packed in self.packed:
            whole.update(len(packed).to_bytes(4, "big") + packed)
        return whole.hexdigest()

    @property
    def packed(self) -> Sequence[bytes]:
        """What the table can be made from again, beside the ids."""
        if self._packed is None:
            self._packed = self._read()
        return self._packed


def _pack(rule: Rule) -> bytes:
    import dataclasses  # noqa: PLC0415 # a warm start packs nothing

    # Version 2 of the format writes equal values as equal bytes; later ones do
    # not, for they tell shared objects from equal ones.
    return marshal.dumps(_plain(dataclasses.asdict(rule)), 2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_plain(item) for item in value)
    return int(value) if isinstance(value, Severity | Confidence) else value


def _unpack(packed: bytes) -> Rule:
    fields = marshal.loads(packed)  # noqa: S302 # made here, or read from a cache with a keyed code
    fields["severity"] = Severity(fields["severity"])
    fields["confidence"] = Confidence(fields["confidence"])
    if fields["keyed"] is not None:
        fields["keyed"] = Keyed(**fields["keyed"])
    fields["companions"] = tuple(CompanionSpec(**item) for item in fields["companions"])
    return Rule(**fields)
