"""
Servers that a password or key opens by SSH: `sshpass`, `ssh -i`, a `Host` of a configuration,
settings beside a key.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from scanner.detect.companion_names import named_values
from scanner.detect.server_kinds import SSH, Server, is_nothing

_REACH = 1_200
_SSHPASS = re.compile(rb"\bsshpass\s+(?:-v\s+)?-p\s*[\"']?\Z")
_ENV = re.compile(rb"\bSSHPASS=[\"']?\Z")
_LINE = re.compile(rb"(?:[^\r\n\\;|]|\\(?!\r?\n)|\\\r?\n)*")
_LOGIN = re.compile(
    rb"(?<![\w.@/+-])(?P<user>[A-Za-z_][\w.-]{0,63})@(?P<host>[A-Za-z0-9][\w.-]{0,251}\w)(?![\w@])"
)
_URL = re.compile(
    rb"\b(?:ssh|sftp|git\+ssh)://(?P<user>[A-Za-z_][\w.-]{0,63})@(?P<host>[A-Za-z0-9][\w.-]{0,251})"
    rb"(?::(?P<port>\d{1,5}))?"
)
_PORT = re.compile(rb"(?:^|\s)(?:-[pP]\s*|-o\s*Port=)(\d{1,5})\b")
_CALL = re.compile(rb"(?m)(?:^|[\s;&|(`\"'])(?:ssh|scp|sftp|rsync|ssh-copy-id|autossh)\s")
_KEY = re.compile(rb"-----BEGIN|LS0tLS1CRUdJTi|PuTTY-User-Key-File-")
_CONFIG = re.compile(rb"(?im)^[ \t]*(hostname|user|port)[ \t]+(\S+)[ \t]*\r?$")
_HOST_NAMES = ("sshhost", "sshhostname", "sshserver", "sshaddress", "sftphost", "remotehost",
               "deployhost", "serverhost", "ansiblehost", "ansiblesshhost", "host", "hostname",
               "server")  # fmt: skip
_USER_NAMES = ("sshuser", "sshusername", "sshlogin", "sftpuser", "sftpusername", "remoteuser",
               "deployuser", "serveruser", "ansibleuser", "ansiblesshuser", "user", "username",
               "login")  # fmt: skip
_PORT_NAMES = ("sshport", "sftpport", "remoteport", "deployport", "ansibleport", "port")
_TELLING = re.compile(
    rb"(?i)ssh|sftp|scp|deploy|remote|ansible|id_(?:rsa|ed25519|ecdsa)|OPENSSH|PuTTY"
)


class _Login(NamedTuple):
    user: bytes
    host: bytes
    port: bytes


def is_key(data: bytes, start: int) -> bool:
    """
    Say whether a private key begins here.
    """
    return _KEY.match(data, start) is not None


def from_ssh(data: bytes, start: int, end: int) -> Server | None:
    """
    Return the server of the `sshpass` command that `data[start:end]` is the password of.
    """
    low = max(0, start - 60)
    if _SSHPASS.search(data, low, start) is None and _ENV.search(data, low, start) is None:
        return None
    rest = _LINE.match(data, end)
    return _one(_of_command(rest[0] if rest else b""))


def of_key(data: bytes, start: int, end: int) -> Server | None:
    """
    Return the one server that is named beside the key at `data[start:end]`.
    """
    around = data[max(0, start - _REACH) : start] + b"\n" + data[end : end + _REACH]
    logins = _of_config(around) | _of_settings(data, start, end)
    for call in _CALL.finditer(around):
        line = _LINE.match(around, call.end())
        logins |= _of_command(line[0] if line else b"")
    for url in _URL.finditer(around):
        logins.add(_Login(url["user"], url["host"], url["port"] or b""))
    return _one(logins)


def _one(logins: set[_Login]) -> Server | None:
    if len(logins) != 1:
        return None
    (login,) = logins
    if is_nothing(login.host) or is_nothing(login.user):
        return None
    return Server(kind=SSH, host=login.host, user=login.user, port=login.port)


def _of_command(line: bytes) -> set[_Login]:
    ports = set(_PORT.findall(line))
    if len(ports) > 1:
        return set()
    port = ports.pop() if ports else b""
    found = {_Login(m["user"], m["host"], port) for m in _LOGIN.finditer(line)}
    return {_Login(m["user"], m["host"], m["port"] or b"") for m in _URL.finditer(line)} or found


def _of_config(text: bytes) -> set[_Login]:
    rows = _CONFIG.findall(text)
    found = {name.lower(): value for name, value in rows}
    if len(found) != len(rows) or b"hostname" not in found or b"user" not in found:
        return set()
    return {_Login(found[b"user"], found[b"hostname"], found.get(b"port", b""))}


def _of_settings(data: bytes, start: int, end: int) -> set[_Login]:
    """
    Read a host and a user that are set beside the key, each once.
    """
    low = max(0, start - _REACH)
    text = data[low : end + _REACH]
    if not _TELLING.search(text):
        return set()
    hosts, users, ports = _Values(_HOST_NAMES), _Values(_USER_NAMES), _Values(_PORT_NAMES)
    for value in named_values(text, start - low):
        # What stands inside of the key is none.
        if value.end <= start - low or value.start >= end - low:
            for kind in (hosts, users, ports):
                kind.take(value.name, value.text)
    if len(hosts.values) != 1 or len(users.values) != 1 or len(ports.values) > 1:
        return set()
    return {_Login(users.values[0], hosts.values[0], (*ports.values, b"")[0])}


class _Values:
    """
    The distinct values under some names.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(name.encode() for name in names)
        self.values: list[bytes] = []

    def take(self, name: bytes, text: bytes) -> None:
        """
        Keep a value if its name is one of these.
        """
        joined = re.sub(rb"[^a-z0-9]+", b"", name.lower())
        if joined in self._names and text not in self.values:
            self.values.append(text)
