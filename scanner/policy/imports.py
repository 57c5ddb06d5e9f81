"""
Policies that a repository has already: `.sops.yaml`, `.gitattributes`, `ansible.cfg`.

What cannot be read is told in a notice and asks nothing: these files belong to other tools,
which say themselves what is wrong with them.
"""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Callable

import yaml

from scanner.model import Severity
from scanner.policy.model import MayNotExist, MustSeal, Policy
from scanner.policy.paths import compile_glob

_NESTED = re.compile(r"[+*}]\)*[+*{]")
_MAX_SIZE = 1 << 20  # bytes


def import_policy(path: bytes, data: bytes) -> Policy:
    """
    Return what a file of this path asks; an empty policy if it is none of those known.
    """
    folder, _, name = path.decode("utf-8", "replace").rpartition("/")
    reader = _READERS.get(name)
    if reader is None or len(data) > _MAX_SIZE:
        return Policy()
    return reader(data.decode("utf-8", "replace"), folder, path.decode("utf-8", "replace"))


def _sops(text: str, folder: str, origin: str) -> Policy:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            text = ""  # a bomb, or at least nothing that SOPS writes
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return Policy(notices=(f"{origin}: is not YAML, so it asks nothing",))
    rules = document.get("creation_rules") if isinstance(document, dict) else None
    must, notices = [], []
    for rule in rules if isinstance(rules, list) else []:
        pattern = rule.get("path_regex") if isinstance(rule, dict) else None
        if not isinstance(pattern, str):
            continue  # a rule for every file is a default, not a demand
        inner = _regex(pattern)
        if inner is None:
            notices.append(f"{origin}: the path_regex {pattern[:100]!r} cannot be used")
            continue
        if folder:
            inner = re.compile(re.escape(folder) + "/" + inner.pattern)
        must.append(MustSeal(pattern=inner, shown=pattern, formats=("sops",), origin=origin))
    return Policy(must_seal=tuple(must), notices=tuple(notices))


def _regex(pattern: str) -> re.Pattern[str] | None:
    # SOPS searches; we ask for the whole path.  Nested repetition might run for ever.
    if len(pattern) > 500 or _NESTED.search(pattern):
        return None
    start = "" if pattern.startswith("^") else "(?s:.*?)"
    try:
        return re.compile(f"{start}(?:{pattern.removeprefix('^')})(?s:.*)")
    except re.error:
        return None


def _attributes(text: str, folder: str, origin: str) -> Policy:
    must, notices = [], []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0].startswith("#") or ".gitattributes" in words[0]:
            continue
        pattern = words[0].strip('"')
        if {"!filter", "-filter"} & set(words[1:]):
            notices.append(f"{origin}: takes the filter from {pattern!r} again: it stays plain")
            continue
        fmt = _filter_format(words[1:])
        if fmt is None:
            continue
        free = "" if "/" in pattern else "**/"
        whole = f"{folder}/{free}{pattern.lstrip('/')}" if folder else pattern
        try:
            compiled = compile_glob(whole)
        except (ValueError, re.error) as error:
            notices.append(f"{origin}: the pattern {pattern!r} {error}")
            continue
        must.append(MustSeal(pattern=compiled, shown=pattern, formats=(fmt,), origin=origin))
    return Policy(must_seal=tuple(must), notices=tuple(notices))


def _filter_format(words: list[str]) -> str | None:
    for word in words:
        name = word.removeprefix("filter=")
        if name != word and re.match(r"git-crypt(?:-|$)", name):
            return "git-crypt"
        if name != word and re.match(r"crypt(?:_|-|$)", name):
            return "transcrypt"
    return None


def _ansible(text: str, folder: str, origin: str) -> Policy:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return Policy(notices=(f"{origin}: cannot be read, so it asks nothing",))
    named = []
    if parser.has_section("defaults"):
        value = parser.get("defaults", "vault_password_file", fallback="") or ""
        named.append(value)
        listed = parser.get("defaults", "vault_identity_list", fallback="") or ""
        named += [part.rpartition("@")[2] for part in listed.split(",")]
    forbidden = []
    for value in named:
        path = inside(folder, value.strip())
        if path is None:
            continue
        forbidden.append(MayNotExist(
            pattern=re.compile(re.escape(path)), shown=path, origin=origin,
            severity=Severity.CRITICAL,
            reason="the vault password file that ansible.cfg names lies in the repository",
        ))  # fmt: skip
    return Policy(forbidden=tuple(forbidden))


def inside(folder: str, value: str) -> str | None:
    """
    Return the path in the repository that a setting names; `None` if it is outside of it.
    """
    if not value or value.startswith(("~", "/", "$", "{")) or value == "prompt":
        return None
    path = posixpath.normpath(posixpath.join(folder, value))
    return None if path.startswith("..") else path


_READERS: dict[str, Callable[[str, str, str], Policy]] = {
    ".sops.yaml": _sops,
    ".sops.yml": _sops,
    ".gitattributes": _attributes,
    "ansible.cfg": _ansible,
}
NAMES = tuple(name.encode() for name in _READERS)
