"""
What an official library's HTTP layer is replaced with: its request, through our transport.

A verifier wraps this in whatever its library takes (a session, a callable, an
adapter), so that the library signs and parses, and opens no connection of its own.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from scanner.verify.request import RefusedError, Reply, Request
from scanner.verify.transport import Transport

# The transport writes these itself.
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """
    Sends a library's requests for one finding, to the hosts that its verifier named.
    """

    transport: Transport
    finding: str
    hosts: frozenset[str]
    """Where requests may go: whatever a leaked file says, nowhere else."""

    found_host: bool = False
    tls: bool = True

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        shown: str | None = None,
    ) -> Reply:
        """
        Return the reply to a library's request.

        `shown` is the path for the log where the path itself may hold a secret; the
        query is never logged.  Raise like `Transport.send`.
        """
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise RefusedError("not a URL") from error
        host = (parts.hostname or "").lower()
        if parts.scheme != ("https" if self.tls else "http") or parts.username is not None:
            raise RefusedError("not a URL that a check may ask")
        if host not in self.hosts:
            raise RefusedError("the library asked for a host that is not its provider's")
        path = parts.path or "/"
        return self.transport.send(
            Request(
                host=host,
                port=port or (443 if self.tls else 80),
                path=f"{path}?{parts.query}" if parts.query else path,
                shown=path if shown is None else shown,
                finding=self.finding,
                method=method.upper(),
                headers={k: v for k, v in (headers or {}).items() if k.lower() not in _OURS},
                body=body.encode() if isinstance(body, str) else body or b"",
                found_host=self.found_host,
                tls=self.tls,
            )
        )
