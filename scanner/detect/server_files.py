"""
Servers told by the files and commands of the web: Docker's, npm's and PyPI's settings,
`.netrc`, `curl -u`.
"""

from __future__ import annotations

import re

from scanner.detect.server_kinds import FTP, Server, is_nothing

DOCKER, PYPI, WEB = "docker", "pypi", "web"
NPM_BASIC, NPM_TOKEN, NPM_PASSWORD = "npm.basic", "npm.token", "npm.password"  # kinds
HTTP, HTTPS, NETRC = "http", "https", "netrc"

_REACH = 700
_COMMAND = 1_000
_DOCKER = re.compile(
    rb"\\*\"(?P<place>[^\"\\\s]{1,250})\\*\"\s*:\s*\{(?:[^{}]{0,400})?\\*\"auth\\*\"\s*:\s*\\*\"\Z"
)
_NPM = re.compile(
    rb"(?<![:\w])//(?P<place>[^\s\"'=]{1,250}?)/?:(?P<how>_authToken|_auth|_password)\s*=\s*[\"']?\Z"
)
_NPM_BARE = re.compile(rb"(?:^|[\r\n])[ \t]*(?P<how>_auth)\s*=\s*[\"']?\Z")
_NPM_HOW = {b"_authToken": NPM_TOKEN, b"_auth": NPM_BASIC, b"_password": NPM_PASSWORD}
_REGISTRY = re.compile(rb"(?m)^[ \t]*(?:@[\w.-]+:)?registry\s*=\s*[\"']?(https?://[^\s\"']{1,250})")
_SECTION = re.compile(rb"(?m)^\[[^\]\r\n]{1,80}\][ \t]*\r?$")
_PYPI = re.compile(rb"(?m)^(repository|username|password)[ \t]*[:=][ \t]*(\S+)[ \t]*\r?$")
_PYPI_REST = re.compile(rb"[ \t]*\r?(?:\n|\Z)")
_NETRC = re.compile(rb"machine\s+(\S+)\s+((?:(?!machine\b|default\b|macdef\b)\S+\s+){0,6})\Z")
_NETRC_REST = re.compile(rb"\s+login\s+(\S+)")
_CURL = re.compile(rb"\bcurl\b(?:(?!\bcurl\b)[^;|&<>`\r\n]|\\\r?\n|(?<=\S)[&<>](?=\w))*")
_CURL_USER = re.compile(rb"(?:-u|--user)[ =]?[ ]?[\"']?(?P<user>[^\s:\"'$]{1,100}):[\"']?\{?\Z")
_CURL_BASIC = re.compile(rb"(?i)authorization:\s*basic\s+\Z")
# Anything but a plain GET.
_CURL_WRITES = re.compile(
    rb"\s(?:-X|--request|-d|--data[\w-]*|--json|-F|--form[\w-]*|-T|--upload-file|-G|--get)\b"
)
_URL = re.compile(rb"(?P<scheme>https?)://(?P<place>[^\s\"'@\\]{1,250})")
_PLACE = re.compile(
    rb"(?:(?P<scheme>https?)://)?(?P<host>[^/?#@\s]+)(?P<path>/[^?#\s]*)?(?P<rest>[?#].*)?\Z"
)


def from_file(data: bytes, start: int, end: int) -> Server | None:
    """
    Return the server of the entry or command that `data[start:end]` is the secret of.
    """
    for read in (_docker, _npm, _pypi, _netrc, _curl):
        found = read(data, start, end)
        if found is not None:
            return found
    return None


def _docker(data: bytes, start: int, end: int) -> Server | None:  # noqa: ARG001 # as the others
    if (
        b'"' not in data[max(0, start - 1) : start]
        or b"auth" not in data[max(0, start - 20) : start]
    ):
        return None
    # The nearest entry that opens before it: a search from the left could find an outer one.
    opened = data.rfind(b"{", max(0, start - _REACH), start)
    if opened < 0:
        return None
    low = data.rfind(b"{", max(0, opened - _REACH), opened) + 1
    entry = _DOCKER.search(data, max(low, opened - _REACH), start)
    # A bare word is a key of the file's own.
    if entry is None or not re.search(rb"[.:]", entry["place"]):
        return None
    return _server(DOCKER, entry["place"])


def _npm(data: bytes, start: int, end: int) -> Server | None:  # noqa: ARG001 # as the others
    line = max(data.rfind(b"\n", 0, start) + 1, start - _REACH)
    if data.find(b"_auth", line, start) < 0 and data.find(b"_password", line, start) < 0:
        return None
    entry = _NPM.search(data, line, start)
    registries = dict.fromkeys(_REGISTRY.findall(data))
    if entry is None:
        bare = _NPM_BARE.search(data, max(0, line - 1), start)
        if bare is None or len(registries) != 1:
            return None
        return _server(NPM_BASIC, next(iter(registries)))
    place, user = entry["place"], b""
    if entry["how"] == b"_password":
        of_it = re.compile(rb"//" + re.escape(place) + rb"/?:username\s*=\s*[\"']?([^\s\"']+)")
        users = set(of_it.findall(data))
        if len(users) != 1:
            return None
        user = users.pop()
    host = place.partition(b"/")[0]
    plain = any(r.startswith(b"http://" + host) for r in registries)
    return _server(_NPM_HOW[entry["how"]], (b"http://" if plain else b"https://") + place, user)


def _pypi(data: bytes, start: int, end: int) -> Server | None:
    """
    Read a section of a `.pypirc`: `repository`, `username` and `password`.
    """
    low = max(0, start - _REACH)
    if data.find(b"repository", low) < 0:
        return None
    heads = list(_SECTION.finditer(data, low, start))
    if not heads or _PYPI_REST.match(data, end) is None:
        return None
    after = _SECTION.search(data, end)
    rows = _PYPI.findall(data[heads[-1].end() : after.start() if after else len(data)])
    found = dict(rows)
    if len(found) != len(rows) or found.get(b"password") != data[start:end]:
        return None
    if b"repository" not in found or b"username" not in found:
        return None
    return _server(PYPI, found[b"repository"], found[b"username"])


def _netrc(data: bytes, start: int, end: int) -> Server | None:
    at = data.rfind(b"machine", max(0, start - _REACH), start)
    before = _NETRC.match(data, at, start) if at >= 0 else None
    if before is None:
        return None
    words = before[2].split()
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    if words[-1:] != [b"password"]:
        return None
    after = _NETRC_REST.match(data, end)
    user = pairs.get(b"login") or (after[1] if after else b"")
    if before[1].lower().startswith(b"ftp"):
        return Server(kind=FTP, host=before[1], user=user, remark=NETRC)
    return _server(WEB, before[1], user, remark=NETRC) if user else None


def _curl(data: bytes, start: int, end: int) -> Server | None:
    at = data.rfind(b"curl", max(0, start - _COMMAND), start)
    call = _CURL.match(data, at) if at >= 0 else None
    if call is None or call.end() < end or _CURL_WRITES.search(call[0]):
        return None
    by_user = _CURL_USER.search(data, call.start(), start)
    by_header = _CURL_BASIC.search(data, call.start(), start)
    urls = {(m["scheme"], m["place"]) for m in _URL.finditer(call[0])}
    if (by_user is None and by_header is None) or len(urls) != 1:
        return None
    ((scheme, place),) = urls
    return _server(WEB, scheme + b"://" + place, b"" if by_user is None else by_user["user"])


def _server(kind: str, place: bytes, user: bytes = b"", *, remark: str = "") -> Server | None:
    said = _PLACE.match(place)
    # A query may ask for a deed, and without it the request is another one.
    if said is None or said["rest"] or (user and is_nothing(user)):
        return None
    scheme = HTTP if said["scheme"] == b"http" else HTTPS
    path = (said["path"] or b"").strip(b"/")
    return Server(kind=kind, host=said["host"], user=user, path=path, remark=remark or scheme)
