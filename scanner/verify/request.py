"""
A request and a reply, as verifiers see them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scanner.secret import Secret

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
"""POST is here because many identity endpoints want it; each check's endpoint reads only."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_VISIBLE = re.compile(r"[\x20-\x7e]*\Z")
_TARGET = re.compile(r"/[\x21-\x7e]*\Z")


class RefusedError(Exception):
    """
    A request that is not sent: it would leave its place, its host or its permission.
    """


class TransportError(Exception):
    """
    A request that got no usable answer; the text names no secret.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """
    Whom one server is trusted by, and what we show it: a kubeconfig has all of this.
    """

    authorities: bytes | None = None
    """PEM; these alone instead of the system's."""

    certificate: bytes | None = None
    """Our own, with its chain, in PEM."""

    key: Secret | None = None
    """Its key in PEM, without a password."""

    name: str | None = None
    """The name in the server's certificate, where it is not the host's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What is sent.  Its `repr` holds nothing that a secret went into.
    """

    host: str
    path: str = field(repr=False)
    """With the query, percent-encoded."""

    shown: str
    """The same with placeholders where secrets and companions went: this is logged."""

    finding: str
    """Fingerprint of the finding it is about, or `calibration`."""

    method: str = "GET"
    port: int = 443
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    found_host: bool = False
    """The host stands in the finding, and not in one of our packs."""

    tls: bool = True
    once: bool = False
    """Sent once whatever comes of it: a login that is repeated may lock a user out."""

    trust: Trust | None = field(default=None, repr=False)
    """`None`: the system's authorities, and no certificate of ours."""

    def refuse_if_unsound(self) -> None:
        """
        Raise `RefusedError` if any part could break out of its place.
        """
        if self.method not in READ_METHODS:
            raise RefusedError(f"the method {self.method} may write")
        if not _TARGET.match(self.path):
            raise RefusedError("the path holds characters that a URL may not")
        if self.trust is not None and not (self.found_host and self.tls):
            raise RefusedError("a certificate of a finding is only for its own host")
        for name, value in self.headers.items():
            if not _HEADER_NAME.match(name):
                raise RefusedError("a header's name holds characters that it may not")
            if not _VISIBLE.match(value):
                raise RefusedError("the secret holds characters that a header may not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    What came back, whole.  Bodies may echo a secret, so `repr` leaves them out.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""

    body: bytes = field(default=b"", repr=False)

    def text(self) -> str:
        """
        Return the body as text, with U+FFFD for what is not UTF-8.
        """
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """
        Return the body as JSON; `None` if it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def is_page(self) -> bool:
        """
        Say whether it is a page for people: what captive portals and block pages send.
        """
        kind = self.headers.get("content-type", "").lower()
        start = self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
        return "html" in kind or start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))
