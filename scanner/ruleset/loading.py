"""
Packs on disk → rules.  Whatever is wrong in a pack is told with file, rule and problem.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from scanner.errors import ConfigError, RuleError
from scanner.model import Confidence, Severity
from scanner.ruleset.companion_kinds import HOST, KINDS, LABEL, spelled_out
from scanner.ruleset.schema import CompanionSpec, Keyed, Rule

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PACK_KEYS = frozenset({"provider", "rules", "remediation", "references", "title"})
_MIN_ANCHOR = 3
_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BaseLoader):  # type: ignore[misc] # the C loader has no types
    """
    Safe YAML that does not let a second key replace the first in silence.
    """

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def pack_files(paths: Iterable[Path]) -> list[Path]:
    """
    Return the packs under `paths` (files, or folders of `*.yml`) in a fixed order.

    Folders are not entered: `rules/checks/` holds what `verify` may ask.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.iterdir() if file.suffix in {".yml", ".yaml"})
        elif path.is_file():
            files.append(path)
        else:
            raise ConfigError(f"no such rule file or folder: {path}")
    return files


def load_rules(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """
    Return every rule of the packs under `paths`.
    """
    rules: dict[str, Rule] = {}
    for file in pack_files(paths):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read: {error}") from error
        for rule in parse_pack(text, str(file)):
            if rule.id in rules:
                raise RuleError(str(file), rule.id, f"is in {rules[rule.id].origin} already")
            rules[rule.id] = rule
    return tuple(rules.values())


def parse_pack(text: str, origin: str) -> list[Rule]:
    """
    Return the rules of one pack.
    """
    try:
        pack = yaml.load(text, Loader=_Loader)  # noqa: S506 # derived from the safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(pack, dict) or not isinstance(pack.get("rules"), list):
        raise ConfigError(f"{origin}: a pack is a mapping with `provider` and a list `rules`")
    unknown = sorted(str(key) for key in pack.keys() - _PACK_KEYS)
    if unknown:
        raise ConfigError(f"{origin}: unknown key {unknown[0]!r}")
    defaults: dict[object, object] = {
        key: pack[key] for key in ("provider", "remediation", "references") if key in pack
    }
    return [_rule(entry, defaults, origin) for entry in pack["rules"]]


def _rule(entry: object, defaults: dict[object, object], origin: str) -> Rule:
    if not isinstance(entry, dict):
        raise RuleError(origin, "?", "a rule is a mapping")
    rule_id = entry.get("id")
    if not isinstance(rule_id, str) or not _ID.fullmatch(rule_id):
        raise RuleError(origin, str(rule_id), "`id` is lower-case words joined by `-`")
    try:
        rule = Rule(**_fields(Rule, {**defaults, **entry}), origin=origin)
        _check(rule)
    except ValueError as error:
        raise RuleError(origin, rule_id, str(error)) from error
    return rule


def _fields(kind: type[Any], entry: dict[object, object]) -> dict[str, Any]:
    declared = {field.name: field for field in dataclasses.fields(kind) if field.name != "origin"}
    values = {}
    for key, value in entry.items():
        if key not in declared:
            raise ValueError(f"unknown key {key!r}")
        name = str(key)
        converter = _CONVERTERS[str(declared[name].type)]
        try:
            values[name] = converter(value)
        except TypeError as error:
            raise ValueError(f"`{name}` {error}") from error
    missing = [
        name
        for name, field in declared.items()
        if field.default is dataclasses.MISSING and name not in values
    ]
    if missing:
        raise ValueError(f"`{missing[0]}` is missing")
    return values


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("must be text")
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise TypeError("must be a list of texts")
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise TypeError("must be a whole number above 0")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("must be a number")
    return float(value)


def _mapping(value: object) -> dict[object, object]:
    if not isinstance(value, dict):
        raise TypeError("must be a mapping")
    return value


def _level(kind: type[Any]) -> Callable[[object], Any]:
    levels = {member.label: member for member in kind}

    def convert(value: object) -> Any:
        if value not in levels:
            raise TypeError(f"must be one of {', '.join(levels)}")
        return levels[value]

    return convert


def _keyed(value: object) -> Keyed:
    return Keyed(**_fields(Keyed, _mapping(value)))


def _companions(value: object) -> tuple[CompanionSpec, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list of mappings")
    return tuple(CompanionSpec(**_fields(CompanionSpec, _mapping(item))) for item in value)


_CONVERTERS: dict[str, Callable[[object], Any]] = {
    "str": _text,
    "str | None": _text,
    "tuple[str, ...]": _texts,
    "bool": _flag,
    "int": _whole,
    "float | None": _number,
    "Severity": _level(Severity),
    "Confidence": _level(Confidence),
    "Keyed | None": _keyed,
    "tuple[CompanionSpec, ...]": _companions,
}


def _check(rule: Rule) -> None:
    ways = [rule.pattern, rule.keyed, rule.detector]
    if sum(way is not None for way in ways) != 1:
        raise ValueError("exactly one of `pattern`, `keyed` and `detector` says how it is found")
    if rule.pattern is not None:
        _check_pattern(rule)
    if rule.keyed is not None:
        _compiled("keyed.value", rule.keyed.value)
        if any(len(_letters(word)) < _MIN_ANCHOR for word in rule.keyed.words):
            raise ValueError(f"each of `keyed.words` needs {_MIN_ANCHOR} letters or digits")
        if not rule.keyed.words:
            raise ValueError("`keyed.words` is empty")
    for companion in rule.companions:
        _check_companion(companion)


def _check_companion(companion: CompanionSpec) -> None:
    what = f"companion {companion.name!r}"
    if companion.kind is not None and companion.kind not in KINDS:
        raise ValueError(f"{what}: `kind` is one of {', '.join(sorted(KINDS))}")
    if companion.kind is None and (companion.pattern is None) == (not companion.names):
        raise ValueError(f"{what} is found by one of `pattern`, `names` and `kind`")
    if companion.kind is not None and (companion.pattern or companion.value or companion.own):
        raise ValueError(f"{what}: `kind` says how its value looks and where it stands")
    if companion.ends and companion.kind not in (HOST, LABEL):
        raise ValueError(f"{what} has `ends` without `kind: host` or `kind: label`")
    if companion.pattern is not None and (companion.value is not None or companion.own):
        raise ValueError(f"{what} has `value` or `own` without `names`")
    if companion.every and companion.pattern is None:
        raise ValueError(f"{what} has `every` without `pattern`")
    for plain in spelled_out(companion):
        if plain.value is not None:
            _compiled(what, plain.value)
        if plain.pattern is not None and "value" not in _compiled(what, plain.pattern).groupindex:
            raise ValueError(f"{what} has no group named `value`")


def _check_pattern(rule: Rule) -> None:
    pattern = _compiled("pattern", rule.pattern or "")
    if "secret" not in pattern.groupindex:
        raise ValueError("`pattern` has no group named `secret`")
    if pattern.match(b""):
        raise ValueError("`pattern` matches the empty text")
    if not rule.anchors:
        raise ValueError("`anchors` is empty: name a literal of at least 3 characters")
    for anchor in rule.anchors:
        if len(anchor) < _MIN_ANCHOR:
            raise ValueError(f"anchor {anchor!r} is shorter than {_MIN_ANCHOR} characters")
        if not anchor.isascii():
            raise ValueError(f"anchor {anchor!r} is not ASCII")


def _compiled(what: str, pattern: str) -> re.Pattern[bytes]:
    # `re` reads a subset of what `regex` reads, and warns of what is doubtful;
    # keeping to it lets `ruleset.expression` take the pattern apart.
    try:
        return re.compile(pattern.encode("ascii"))
    except UnicodeEncodeError as error:
        raise ValueError(f"`{what}` is not ASCII: write other bytes as \\xNN") from error
    except re.error as error:
        raise ValueError(f"`{what}` is no pattern: {error}") from error


def _letters(word: str) -> str:
    return "".join(character for character in word if character.isalnum())


def select(rules: Sequence[Rule], selected: Sequence[str], ignored: Sequence[str]) -> list[Rule]:
    """
    Return the rules that a run asked for; an id that no rule has is an error.
    """
    known = {rule.id for rule in rules}
    for rule_id in (*selected, *ignored):
        if rule_id not in known:
            raise ConfigError(f"no such rule: {rule_id}", hint="see `unsealed rules list`")
    return [
        rule for rule in rules if (not selected or rule.id in selected) and rule.id not in ignored
    ]
