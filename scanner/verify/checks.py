"""
Declarative checks as data: one request, and what each answer means.

`rules/checks/<provider>.yml` holds them, read only for the providers of the findings
at hand.  docs/verification.md describes the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from scanner.errors import RuleError

NEEDS = frozenset({"costs", "login", "found-host"})
BASES = frozenset({"reading", "emulator", "server"})
_METHODS = frozenset({"GET", "HEAD", "POST"})
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)(\|base64)?\}")
_URL = re.compile(r"https://(?P<host>[^/?#\s@]+)(?P<path>/[\x21-\x7e]*|\?[\x21-\x7e]*|)\Z")
_FIXED_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?\Z")
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_REQUIRED = frozenset({"id", "credential", "url", "active"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """
    What a reply must look like; everything stated must hold.
    """

    status: tuple[int, ...] = ()
    """Empty: any success."""

    has: tuple[str, ...] = ()
    """Each is a key, a `key:value` pair or a text of the body."""

    any_of: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    json: tuple[tuple[str, str], ...] = ()
    """Dotted path → value; `*` for anything but empty."""

    @property
    def is_named(self) -> bool:
        """
        Say whether it asks for words, and not for a number alone.
        """
        return bool(self.has or self.any_of or self.json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One harmless question to a provider about one kind of credential.
    """

    id: str
    provider: str
    credential: str
    """What it is called, to link it with rules."""

    url: str
    active: tuple[Condition, ...]
    inactive: tuple[Condition, ...] = ()
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    basic: tuple[str, str] | None = None
    form: tuple[tuple[str, str], ...] = ()
    json: Any = None
    rules: tuple[str, ...] = ()
    """Patterns of rule ids that it surely serves."""

    identity: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    last_used: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    calibrate: bool = True
    """Send a token that cannot exist first, and trust no `active` that it gets too."""

    basis: str = "reading"
    """Proven against a real server, a faithful emulator, or our reading of the documentation."""

    def companions(self) -> frozenset[str]:
        """
        Return the names of the values that it needs beside the secret.
        """
        texts = [self.url, *(v for _, v in self.headers), *(self.basic or ())]
        texts += [v for _, v in self.form]
        texts += _strings(self.json)
        names = {found[1] for text in texts for found in PLACEHOLDER.finditer(text)}
        return frozenset(names - {"secret"})

    def host(self) -> str:
        """
        Return the host of the URL, placeholders and all.
        """
        found = _URL.match(self.url)
        assert found is not None, self.id  # noqa: S101 # the loader saw to it
        return found["host"]

    def guesses_host(self) -> bool:
        """
        Say whether its host stood near the secret, and may be another's.

        `dc` does not: Mailchimp writes its data centre into the key itself.
        """
        names = {found[1] for found in PLACEHOLDER.finditer(self.host())}
        return bool(names - {"dc"})

    def path(self) -> str:
        """
        Return path and query of the URL, placeholders and all.
        """
        path = self.url.removeprefix(f"https://{self.host()}")
        return path if path.startswith("/") else f"/{path}"


def load_checks(folder: Path, provider: str) -> tuple[Check, ...]:
    """
    Return the checks of one provider; none if it has no file.

    Raise `RuleError` if the file is not as it must be.
    """
    if not _PROVIDER.match(provider):
        return ()
    file = folder / f"{provider}.yml"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(str(file), provider, "the checks cannot be read") from error
    return parse_checks(text, origin=str(file), provider=provider)


def parse_checks(text: str, *, origin: str, provider: str) -> tuple[Check, ...]:
    """
    Return the checks that a YAML text declares.

    Raise `RuleError` on anything unknown, missing or of the wrong kind.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(text, Loader=loader)  # noqa: S506 # a safe loader, in C where there is one
    except yaml.YAMLError as error:
        raise RuleError(origin, provider, "not YAML") from error
    reader = _Reader(origin, provider)
    pack = reader.mapping(data, {"provider", "checks"}, {"provider", "checks"})
    if pack["provider"] != provider:
        raise RuleError(origin, provider, f"the pack is for {pack['provider']!r}")
    if not isinstance(pack["checks"], list):
        raise RuleError(origin, provider, "`checks` is not a list")
    checks = tuple(reader.check(entry, provider) for entry in pack["checks"])
    ids = [check.id for check in checks]
    if len(set(ids)) < len(ids):
        raise RuleError(origin, provider, "two checks have one id")
    return checks


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return []


class _Reader:
    """
    Turns parsed YAML into checks, and says where it does not fit.
    """

    def __init__(self, origin: str, name: str) -> None:
        self._origin = origin
        self._name = name

    def check(self, entry: Any, provider: str) -> Check:
        allowed = set(Check.__dataclass_fields__) - {"provider"}
        data = self.mapping(entry, allowed, set(_REQUIRED))
        self._name = str(data["id"])
        check = Check(
            id=self._text(data, "id"),
            provider=provider,
            credential=self._text(data, "credential"),
            url=self._text(data, "url"),
            active=self._conditions(data, "active"),
            inactive=self._conditions(data, "inactive"),
            method=self._text(data, "method", "GET"),
            headers=self._pairs(data, "headers"),
            basic=self._basic(data),
            form=self._pairs(data, "form"),
            json=data.get("json"),
            rules=self._texts(data, "rules"),
            identity=self._texts(data, "identity"),
            scopes=self._texts(data, "scopes"),
            expires=self._texts(data, "expires"),
            created=self._texts(data, "created"),
            last_used=self._texts(data, "last_used"),
            needs=frozenset(self._texts(data, "needs")),
            calibrate=self._flag(data, "calibrate"),
            basis=self._text(data, "basis", "reading"),
        )
        self._sound(check)
        return check

    def _sound(self, check: Check) -> None:
        url = _URL.match(check.url)
        if url is None:
            self.fail("`url` is not https://host/path")
        if check.method not in _METHODS:
            self.fail(f"the method {check.method} may write")
        if check.needs - NEEDS:
            self.fail(f"`needs` knows only {', '.join(sorted(NEEDS))}")
        if check.basis not in BASES:
            self.fail(f"`basis` knows only {', '.join(sorted(BASES))}")
        if not _FIXED_HOST.match(url["host"]) and "found-host" not in check.needs:
            self.fail("a host that is not fixed needs `found-host`")
        if not check.active:
            self.fail("`active` is empty")
        for condition in check.inactive:
            if not condition.is_named and condition.status != (401,):
                self.fail("`inactive` without words of the issuer is for a plain 401 alone")
            if not condition.is_named and check.guesses_host():
                self.fail("a plain 401 of a host from the finding proves nothing: name its words")

    def _conditions(self, data: Mapping[str, Any], key: str) -> tuple[Condition, ...]:
        entries = data.get(key, [])
        if not isinstance(entries, list):
            self.fail(f"`{key}` is not a list")
        return tuple(self._condition(entry) for entry in entries)

    def _condition(self, entry: Any) -> Condition:
        data = self.mapping(entry, {"status", "has", "any", "lacks", "json"}, set())
        status = data.get("status", [])
        if not isinstance(status, list) or not all(type(n) is int for n in status):
            self.fail("`status` is not a list of numbers")
        return Condition(
            status=tuple(status),
            has=self._texts(data, "has"),
            any_of=self._texts(data, "any"),
            lacks=self._texts(data, "lacks"),
            json=self._pairs(data, "json"),
        )

    def mapping(self, data: Any, allowed: set[str], required: set[str]) -> Mapping[str, Any]:
        if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
            self.fail("not a mapping of names")
        if unknown := sorted(set(data) - allowed):
            self.fail(f"unknown: {', '.join(unknown)}")
        if missing := sorted(required - set(data)):
            self.fail(f"missing: {', '.join(missing)}")
        return data

    def _text(self, data: Mapping[str, Any], key: str, default: str = "") -> str:
        value = data.get(key, default)
        if not isinstance(value, str):
            self.fail(f"`{key}` is not a text")
        return value

    def _flag(self, data: Mapping[str, Any], key: str) -> bool:
        value = data.get(key, True)
        if not isinstance(value, bool):
            self.fail(f"`{key}` is neither true nor false")
        return value

    def _texts(self, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            self.fail(f"`{key}` is not a list of texts")
        return tuple(value)

    def _pairs(self, data: Mapping[str, Any], key: str) -> tuple[tuple[str, str], ...]:
        value = data.get(key, {})
        if not isinstance(value, dict) or not all(
            isinstance(part, str) for pair in value.items() for part in pair
        ):
            self.fail(f"`{key}` is not a mapping of texts")
        return tuple(value.items())

    def _basic(self, data: Mapping[str, Any]) -> tuple[str, str] | None:
        value = self._texts(data, "basic")
        if len(value) not in {0, 2}:
            self.fail("`basic` is not a user and a password")
        return (value[0], value[1]) if value else None

    def fail(self, problem: str) -> NoReturn:
        raise RuleError(self._origin, self._name, problem)
