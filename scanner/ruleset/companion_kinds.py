"""
The kinds of companion that many packs want, spelled out: `kind: host` is three lookups.
"""

from __future__ import annotations

import dataclasses
import re

from scanner.ruleset.schema import CompanionSpec

HOST, LABEL, EMAIL = "host", "label", "email"
KUBECONFIG = "kubeconfig"
"""Found by `detect.kubeconfig`, which reads how the file is put together."""

SERVER = "server"
"""Made by `detect.server` of the host, user and port that stand beside a password."""

KINDS = frozenset({HOST, LABEL, EMAIL, KUBECONFIG, SERVER})

_HOST_NAMES = (
    "url", "api url", "base url", "api base url", "host", "host name", "server", "server url",
    "endpoint", "instance", "instance url", "domain", "address", "uri", "site", "site url",
    "api endpoint", "api host", "api base",
)  # fmt: skip
_LABEL_NAMES = (
    "sub domain", "domain", "account", "account name", "organization", "org", "workspace",
    "site", "tenant", "company", "instance", "team", "id",
)  # fmt: skip
_EMAIL_NAMES = ("email", "email address", "user email", "mail", "user name", "user", "login")
_HOST_VALUE = (
    r"(?i)(?:https?://)?(?:[^/@\s]{1,64}@)?(?P<value>[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}"
    r"(?::\d{1,5})?)(?:[/?#].*)?"
)
_LABEL_VALUE = r"(?i)(?P<value>[a-z0-9][a-z0-9-]{0,62})"
_EMAIL_VALUE = r"(?i)[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}"
# `https://developers.acme.com` in a comment is nobody's account.
_NOBODY = (
    r"(?i)(?<![\w.-])(?!(?:www|api|docs?|help|support|developers?|status|blog|app|community|cdn|"
    r"static|login|auth|learn|info|go|your[\w-]{0,20}|my[\w-]{0,20}|subdomain|example)\.)"
)


def spelled_out(spec: CompanionSpec) -> tuple[CompanionSpec, ...]:
    """
    Return the plain entries that an entry stands for, the better ones first.
    """
    plain = dataclasses.replace(spec, kind=None, ends=(), names=())
    if spec.kind == EMAIL:
        names = (*spec.names, *_EMAIL_NAMES)
        return (dataclasses.replace(plain, names=names, value=_EMAIL_VALUE),)
    if spec.kind in (HOST, LABEL):
        host = spec.kind == HOST
        entries = []
        if spec.ends:
            pattern = _hosts(spec.ends) if host else _labels(spec.ends)
            entries.append(dataclasses.replace(plain, pattern=pattern))
        named = dataclasses.replace(plain, value=_HOST_VALUE if host else _LABEL_VALUE)
        if spec.names:
            entries.append(dataclasses.replace(named, names=spec.names))
        general = _HOST_NAMES if host else _LABEL_NAMES
        return (*entries, dataclasses.replace(named, names=general, own=True))
    return (spec,)


def _hosts(ends: tuple[str, ...]) -> str:
    return rf"{_NOBODY}(?P<value>(?:[a-z0-9-]{{1,63}}\.){{1,3}}(?:{_any(ends)}))(?![\w-])"


def _labels(ends: tuple[str, ...]) -> str:
    return rf"{_NOBODY}(?P<value>[a-z0-9][a-z0-9-]{{0,62}})\.(?:{_any(ends)})(?![\w-])"


def _any(ends: tuple[str, ...]) -> str:
    return "|".join(re.escape(end) for end in ends)
