"""
`.unsealed.yml` read into a `Policy`: unknown keys are errors, and nothing in it can loosen a check.
"""

from __future__ import annotations

import yaml

from scanner.detect.sealed.registry import CHECKERS
from scanner.errors import ConfigError
from scanner.model import Severity
from scanner.policy.model import MayNotExist, MustSeal, Policy
from scanner.policy.paths import compile_glob

NAME = b".unsealed.yml"
_MAX_SIZE = 1 << 20  # bytes
_TOP = frozenset({"version", "seal", "forbid", "fail_on"})
_SEAL = frozenset({"paths", "formats", "severity", "owner", "vault_id"})
_FORBID = frozenset({"paths", "reason", "severity", "owner"})
_LOOSENING = frozenset({"ignore", "allow", "exclude", "skip", "baseline", "disable", "allowlist"})


def load_policy(data: bytes, origin: str = ".unsealed.yml") -> Policy:
    """
    Return the policy in a file's bytes; raise `ConfigError` on anything it does not know.
    """
    document = _mapping(_parsed(data, origin), origin, _TOP)
    if document.get("version", 1) != 1:
        raise ConfigError(f"{origin}: version {document.get('version')!r} is not known, 1 is")
    must, forbidden = [], []
    for number, item in enumerate(_list(document.get("seal"), f"{origin}: seal")):
        must += _must_seal(item, origin, f"{origin}: seal[{number}]")
    for number, item in enumerate(_list(document.get("forbid"), f"{origin}: forbid")):
        forbidden += _forbidden(item, origin, f"{origin}: forbid[{number}]")
    bar = document.get("fail_on")
    fail_on = None if bar is None else _severity(bar, f"{origin}: fail_on")
    return Policy(must_seal=tuple(must), forbidden=tuple(forbidden), fail_on=fail_on)


def _parsed(data: bytes, origin: str) -> object:
    if len(data) > _MAX_SIZE:
        raise ConfigError(f"{origin}: larger than {_MAX_SIZE} bytes")
    try:
        text = data.decode("utf-8-sig")
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ConfigError(f"{origin}: aliases are not taken")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _no_doubles(root, origin)
        value: object = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{origin}: is not UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{origin}: is nested too deep") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{origin}: is not YAML: {' '.join(str(error).split())[:200]}") from error
    return {} if value is None else value


def _no_doubles(root: yaml.Node | None, origin: str) -> None:
    todo = [root] if root is not None else []
    while todo:
        node = todo.pop()
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            double = next((name for name in names if names.count(name) > 1), None)
            if double is not None:
                raise ConfigError(f"{origin}: {double!r} stands twice in one mapping")
            todo += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            todo += node.value


def _mapping(value: object, where: str, known: frozenset[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: must be a mapping")
    for key in value:
        if key in _LOOSENING:
            raise ConfigError(
                f"{where}: {key!r} would loosen the check, which a policy cannot",
                hint="accept findings in a baseline, which the one who scans names",
            )
        if key not in known:
            raise ConfigError(
                f"{where}: unknown key {key!r}", hint=f"known: {', '.join(sorted(known))}"
            )
    return {str(key): item for key, item in value.items()}


def _list(value: object, where: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError(f"{where}: must be a list")
    return value


def _words(value: object, where: str) -> list[str]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"{where}: must be text, or a list of texts")
    return words


def _severity(value: object, where: str) -> Severity:
    names = {severity.label: severity for severity in Severity}
    if not isinstance(value, str) or value not in names:
        raise ConfigError(f"{where}: {value!r} is none of {', '.join(names)}")
    return names[value]


def _text(value: object, where: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(f"{where}: must be text")


def _must_seal(item: object, origin: str, where: str) -> list[MustSeal]:
    entry = _mapping(item, where, _SEAL)
    formats = tuple(_words(entry["formats"], f"{where}: formats")) if "formats" in entry else ()
    known = {name for checker in CHECKERS for name in checker.formats}
    for name in formats:
        if name not in known:
            raise ConfigError(
                f"{where}: unknown format {name!r}", hint=f"known: {', '.join(sorted(known))}"
            )
    made = []
    for pattern in _words(entry.get("paths"), f"{where}: paths"):
        try:
            compiled = compile_glob(pattern)
        except ValueError as error:
            raise ConfigError(f"{where}: the path {pattern!r} {error}") from error
        made.append(MustSeal(
            pattern=compiled, shown=pattern, formats=formats, origin=origin,
            severity=_severity(entry.get("severity", "high"), f"{where}: severity"),
            owner=_text(entry.get("owner"), f"{where}: owner"),
            label=_text(entry.get("vault_id"), f"{where}: vault_id"),
        ))  # fmt: skip
    return made


def _forbidden(item: object, origin: str, where: str) -> list[MayNotExist]:
    entry = _mapping(item, where, _FORBID)
    made = []
    for pattern in _words(entry.get("paths"), f"{where}: paths"):
        try:
            compiled = compile_glob(pattern)
        except ValueError as error:
            raise ConfigError(f"{where}: the path {pattern!r} {error}") from error
        made.append(MayNotExist(
            pattern=compiled, shown=pattern, origin=origin,
            reason=_text(entry.get("reason"), f"{where}: reason"),
            severity=_severity(entry.get("severity", "high"), f"{where}: severity"),
            owner=_text(entry.get("owner"), f"{where}: owner"),
        ))  # fmt: skip
    return made
