"""
A rule as data: one kind of credential, its metadata and how to recognise it.
"""

from __future__ import annotations

from scanner.model import Confidence, Severity
from scanner.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanionSpec:
    """
    A value that belongs to the secret and stands near it.
    """

    name: str
    """Several entries may share one: the first that is found counts."""

    pattern: str | None = None
    """How it is found: with a group named `value`, for bytes."""

    names: tuple[str, ...] = ()
    """How it is found: what it is set under (`client id`, `user`), the better ones first."""

    value: str | None = None
    """With `names`: what the value looks like, all of it; a group `value` is the part to keep."""

    kind: str | None = None
    """How it is found: `host`, `label` (of a host) or `email`, see `companion_kinds`."""

    ends: tuple[str, ...] = ()
    """With `kind: host` and `kind: label`: domains that only this provider has."""

    own: bool = False
    """With `names`: the provider's word must be in the name, unless the secret's own name
    lacks it too and both stand in one block.  For hosts: a secret goes there."""

    within: int = 400
    """Bytes before and after the secret in which it is looked for."""

    required: bool = False
    """Without it there is no match."""

    every: bool = False
    """With `pattern`: all distinct values and not the nearest alone, four at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """
    A credential known only by the words around it: one mechanism for all of them.

    It matches `value` (the whole of an unbroken run) where one of `words`
    stands at most `distance` bytes before it, as part of a name or a host,
    in any case and with any of ` _-.` or nothing between its parts.
    """

    words: tuple[str, ...]
    value: str
    """A regular expression for the value alone, without groups or anchors."""

    names: tuple[str, ...] = ()
    """Further words (`key`, `token`), one of which must stand between word and value; none: any."""

    distance: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One entry of a pack.  Exactly one of `pattern`, `keyed`, `detector` says how it is found.
    """

    id: str
    title: str
    provider: str
    severity: Severity
    confidence: Confidence
    remediation: str
    origin: str
    """The pack's file name, for messages."""

    pattern: str | None = None
    """A regular expression for bytes with a group named `secret`."""

    keyed: Keyed | None = None
    detector: str | None = None
    """Name of code in `scanner/detect`, listed in its registry."""

    anchors: tuple[str, ...] = ()
    """Literals of at least three characters, one of which stands in every match of `pattern`."""

    context: tuple[str, ...] = ()
    """Words, any case, one of which must stand within `context_distance` bytes of the match."""

    context_distance: int = 200
    entropy: float | None = None
    """Floor of Shannon entropy of the secret, in bits a character."""

    checksum: str | None = None
    """Name of an offline checksum in `detect/checksums.py`."""

    companions: tuple[CompanionSpec, ...] = ()
    secret_part: bool = True
    """False for a public id: never a finding by itself, only a companion."""

    judged: bool = False
    """The confidence score has the say (rules whose shape alone proves little)."""

    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    deprecated: bool = False
    tags: tuple[str, ...] = ()
