"""
One SSH login over a pinned socket: by password or by key, tried once, and nothing is run.

Protocol: https://www.rfc-editor.org/rfc/rfc4252
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from scanner.errors import ConfigError
from scanner.verify.protocols.target import Target
from scanner.verify.request import RefusedError, TransportError

_ASKED = "keyboard-interactive"
_METHODS = ("publickey", "password", _ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How the login ended.
    """

    accepted: bool
    host_key: str
    """Its fingerprint, as `ssh-keygen -l` shows it."""

    refused: bool = False
    """The server said no to the credential itself, and would hear another."""

    change: bool = False
    """The password is right, and must be changed before it is of use."""

    unasked: bool = False
    """Nobody asked for the credential: anybody is let in."""

    banner: str = ""


class Client(asyncssh.SSHClient):
    """
    Answers what the server asks, each thing once.
    """

    def __init__(self, known: HostKeys, *, password: str | None, key: Any | None) -> None:
        self._known = known
        self._password = password
        self._key = key
        self._way = ""
        self.refused = False
        self.change = False
        self.host_key = ""
        self.stranger = False
        self.banner = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
        """
        Record the host's key, and say whether it may be talked to.
        """
        self.host_key = str(key.get_fingerprint())
        self.stranger = not self._known.accept(host, addr, port, key)
        return not self.stranger

    def auth_banner_received(self, msg: str, lang: str) -> None:  # noqa: ARG002 # a protocol
        """
        Keep what the server says to everybody, or of an account that has ended.
        """
        self.banner = (self.banner + msg)[:400]

    def public_key_auth_requested(self) -> Any | None:
        """
        Give the key once; a second request says that it was refused.
        """
        return self._once(self._key, "publickey")

    def password_auth_requested(self) -> str | None:
        """
        Give the password once; a second request says that it was refused.
        """
        answer: str | None = self._once(self._password, "password")
        return answer

    def kbdint_auth_requested(self) -> str | None:
        """
        Agree to be asked, where a password alone was not asked for.
        """
        if self._way == _ASKED:
            self.refused = True
        return None if self.tried or self._password is None else ""

    def kbdint_challenge_received(
        self,
        name: str,  # noqa: ARG002 # a protocol
        instructions: str,  # noqa: ARG002 # a protocol
        lang: str,  # noqa: ARG002 # a protocol
        prompts: Any,
    ) -> list[str] | None:
        """
        Answer one question for a password, and no other.
        """
        if not prompts:
            return []
        if len(prompts) == 1 and "password" in prompts[0][0].lower() and not prompts[0][1]:
            answer = self._once(self._password, _ASKED)
            return None if answer is None else [answer]
        return None

    def password_change_requested(self, prompt: str, lang: str) -> Any:  # noqa: ARG002 # a protocol
        """
        Note that the password was right; nothing is changed.
        """
        self.change = True
        return NotImplemented

    @property
    def tried(self) -> bool:
        """
        Whether the credential was given.
        """
        return self._way != ""

    def _once(self, credential: Any | None, way: str) -> Any | None:
        if credential is None:
            return None
        if self.tried:
            # Only who refuses it asks for the same again: a server that took it, and wants
            # a second factor, goes on to another way.
            self.refused = self.refused or self._way == way
            return None
        self._way = way
        return credential


class HostKeys:
    """
    Which hosts' keys are known, from the file that the user named; no other is read.
    """

    def __init__(self, file: Path | None, *, needed: bool) -> None:
        self._needed = needed
        self._file = None if file is None else _read(file)

    def accept(self, host: str, addr: str, port: int, key: Any) -> bool:
        """
        Say whether a host may be talked to: with its known key, or unknown if none is needed.
        """
        trusted: list[Any] = []
        revoked: list[Any] = []
        if self._file is not None:
            trusted, _, revoked, *_ = self._file.match(host, addr, port)
        if key in revoked:
            return False
        return key in trusted if trusted else not self._needed


def _read(file: Path) -> Any:
    try:
        return asyncssh.read_known_hosts(str(file))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: no list of known hosts") from error


def log_in(sock: socket.socket, target: Target, client: Client, *, seconds: float) -> Outcome:
    """
    Log in and leave.

    Raise `RefusedError` where the host's key is not to be trusted, `TransportError` where
    nothing was settled.
    """
    sock.setblocking(False)  # the library's signature
    return asyncio.run(_log_in(sock, target, client, seconds))


async def _log_in(sock: socket.socket, target: Target, client: Client, seconds: float) -> Outcome:
    accepted = False
    try:
        connection = await asyncio.wait_for(
            asyncssh.connect(
                target.host, target.port, sock=sock, client_factory=lambda: client,
                username=target.user, config=None,
                known_hosts=([], [], []), client_keys=None, agent_path=None, password=None,
                client_host_keys=None, preferred_auth=_METHODS, gss_auth=False, gss_kex=False,
                host_based_auth=False, compression_algs=None,
            ),
            seconds,
        )  # fmt: skip
        connection.abort()
        accepted = True
    except asyncssh.PermissionDenied:
        pass
    except asyncssh.HostKeyNotVerifiable as error:
        raise RefusedError("the host's key is not known: --known-hosts names the file") from error
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise TransportError("no whole answer in time") from error
    except (asyncssh.Error, OSError, ValueError) as error:
        if client.tried and not client.change:
            raise TransportError("the connection broke after the login") from error
        if not client.change:
            raise TransportError("the answer is not SSH, or of another kind") from error
    return Outcome(
        accepted=accepted,
        host_key=client.host_key,
        refused=client.refused,
        change=client.change,
        unasked=accepted and not client.tried,
        banner=client.banner,
    )
