"""
Which checks serve a finding: by provider, then by the words for the kind of credential.

Only a check that surely is for this kind may say `inactive`: a live key is refused by
the endpoint of another kind too.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scanner.model import Finding
from scanner.ruleset.schema import Rule
from scanner.verify.checks import PLACEHOLDER, Check

_MOST_GUESSES = 3
_WORD = re.compile(r"[a-z0-9]+")
# Words that tell one kind from another nowhere: half the providers say "key", half "token".
_NOISE = frozenset(
    _WORD.findall(
        "api key keys token tokens access secret credential credentials auth authentication "
        "the a an of for or and old new current legacy format value v1 v2 v3 id"
    )
)
_GENERIC = frozenset({"id", "key", "api_key", "account", "user", "name", "app_id", "appid"})
_HOSTS = frozenset(
    {"host", "domain", "url", "hostname", "server", "instance", "base_url", "uri", "site"}
)
_HOST_LIKE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_COUNTRY, _SECOND_LEVEL = 2, 3
_SAME = (
    frozenset({"user", "username", "login", "email", "user_name", "account"}),
    frozenset({"client_id", "clientid", "id", "key", "app_id", "appid", "api_key", "consumer_key"}),
    frozenset({"host", "domain", "url", "hostname", "server", "instance", "base_url", "uri"}),
)


@dataclass(frozen=True, slots=True)
class Link:
    """
    A check that may serve, and the values it would use.
    """

    check: Check
    values: dict[str, str]
    sure: bool
    """It is for this kind of credential, and asks about the secret alone."""

    def __repr__(self) -> str:
        return f"Link({self.check.id}, sure={self.sure})"


def links(finding: Finding, rule: Rule | None, checks: Sequence[Check]) -> list[Link]:
    """
    Return the checks to ask: those for its kind of credential, else a few guesses.
    """
    found: list[tuple[bool, Link]] = []
    for check in checks:
        values = _values(finding, check)
        if values is None:
            continue
        fits = serves(check, rule)
        # An id that stood near the secret may be another's: the refusal of a pair says
        # that it is no pair, and nothing of the secret.
        found.append((fits, Link(check, values, fits and not is_pair(check))))
    right = [link for fits, link in found if fits]
    return right or [link for _, link in found[:_MOST_GUESSES]]


def missing(finding: Finding, checks: Iterable[Check]) -> list[str]:
    """
    Return the companions that these checks wanted and the finding lacks.
    """
    wanted = {name for check in checks for name in check.companions()}
    had = {_normal(companion.name) for companion in finding.companions}
    return sorted(wanted - had)


def is_pair(check: Check) -> bool:
    """
    Say whether the check needs a companion besides a host that the finding names.
    """
    whole = check.host()
    return any(f"{{{name}}}" != whole and name != "dc" for name in check.companions())


def host_of_link(link: Link) -> str:
    """
    Return the host that a link would ask, without port; what is filled in may be anything.
    """
    host = PLACEHOLDER.sub(lambda found: link.values.get(found[1], ""), link.check.host())
    return _bare(host)


def elsewhere(finding: Finding, asked: Iterable[str]) -> str | None:
    """
    Return a host that is named beside the secret and is nobody's of those asked.

    A token of a self-hosted server looks like one of the public service, which calls it bad.
    """
    known = list(asked)
    for companion in finding.companions:
        if _normal(companion.name) not in _HOSTS:
            continue
        host = _bare(companion.value.reveal().decode("utf-8", errors="replace"))
        if _HOST_LIKE.fullmatch(host) and not any(same_owner(host, one) for one in known):
            return host
    return None


def same_owner(one: str, other: str) -> bool:
    """
    Say whether two hosts are under one registered domain, by a careful guess.
    """
    if one == other:
        return True
    mine, its = one.split("."), other.split(".")
    if mine[-1].isdigit() or its[-1].isdigit():
        return False
    # `co.uk`, `com.au`: two labels that nobody owns.
    depth = 3 if len(mine[-1]) == _COUNTRY and len(mine[-2]) <= _SECOND_LEVEL else 2
    return len(mine) >= depth and mine[-depth:] == its[-depth:]


def _bare(host: str) -> str:
    host = host.lower().removeprefix("https://").removeprefix("http://")
    return re.split(r"[/:?#]", host, maxsplit=1)[0].rstrip(".")


def serves(check: Check, rule: Rule | None) -> bool:
    """
    Say whether the check is for the kind of credential that the rule finds.
    """
    if rule is None:
        return False
    if any(fnmatch.fnmatchcase(rule.id, pattern) for pattern in check.rules):
        return True
    provider = set(_WORD.findall(check.provider))
    mine = [_kind(text, provider) for text in (rule.id, rule.title)]
    return any(_kind(part, provider) in mine for part in check.credential.split(";"))


def _kind(text: str, provider: set[str]) -> frozenset[str]:
    plain = re.sub(r"\([^)]*\)?", " ", text.lower())
    return frozenset(set(_WORD.findall(plain)) - _NOISE - provider)


def _values(finding: Finding, check: Check) -> dict[str, str] | None:
    if finding.secret is None:
        return None
    values = {"secret": finding.secret.reveal().decode("utf-8", errors="replace")}
    named: dict[str, list[str]] = {}
    for companion in finding.companions:
        text = companion.value.reveal().decode("utf-8", errors="replace")
        row = named.setdefault(_normal(companion.name), [])
        if text not in row:
            row.append(text)
    for name in check.companions():
        choices = _derived(name, values["secret"]) or _choices(name, named, check)
        if not choices:
            return None
        values[name] = choices[0]
    return values


def _derived(name: str, secret: str) -> list[str]:
    # Mailchimp writes its data centre into the key, after the last hyphen.
    found = re.fullmatch(r"[0-9a-f]+-(us\d{1,3})", secret) if name == "dc" else None
    return [found[1]] if found else []


def _choices(name: str, named: dict[str, list[str]], check: Check) -> list[str]:
    short = name.removeprefix(f"{_normal(check.provider)}_")
    for candidate in (name, short, f"{_normal(check.provider)}_{short}"):
        if candidate in named:
            return named[candidate]
    for group in _SAME:
        if short in group:
            hits = [value for key in sorted(named) if key in group for value in named[key]]
            if hits:
                return hits
    if short in _GENERIC and len(named) == 1 and len(check.companions()) == 1:
        return next(iter(named.values()))
    return []


def _normal(name: str) -> str:
    return "_".join(_WORD.findall(name.lower()))
