"""
Puts a secret and its companions into a check's request, so that neither can leave
its place: what could break out is refused, the rest is encoded for where it goes.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from scanner.verify.checks import PLACEHOLDER, Check
from scanner.verify.request import RefusedError, Request
from scanner.verify.transport_address import AddressError, host_of

_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,16382}[\x21-\x7e])?\Z")
_SEGMENT = re.compile(r"[A-Za-z0-9._~:@!$&'()*+,;=-]{1,4096}\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z", re.IGNORECASE)


def render(check: Check, values: Mapping[str, str], *, finding: str) -> Request:
    """
    Return the request with every placeholder filled from `values`.

    Raise `RefusedError` if a value cannot stand where it would go.
    """
    for name in ("secret", *sorted(check.companions())):
        if name not in values:
            raise RefusedError(f"{name} was not found beside the secret")
        if not _PLAIN.match(values[name]):
            raise RefusedError(f"{_what(name)} holds characters that no request may carry")
    host, port = _host(check, values)
    path, mark, query = check.path().partition("?")
    headers = {name: _fill(text, values, str) for name, text in check.headers}
    body = b""
    if check.basic is not None:
        headers["Authorization"] = f"Basic {_basic(check.basic, values)}"
    if check.form:
        pairs = [(key, _fill(text, values, str)) for key, text in check.form]
        body = urllib.parse.urlencode(pairs).encode("ascii")
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif check.json is not None:
        body = json.dumps(_fill_json(check.json, values)).encode("ascii")
        headers.setdefault("Content-Type", "application/json")
    return Request(
        host=host,
        port=port,
        path=_fill(path, values, _segment) + mark + _fill(query, values, _quoted),
        shown=check.path(),
        finding=finding,
        method=check.method,
        headers=headers,
        body=body,
        found_host="found-host" in check.needs,
    )


def _host(check: Check, values: Mapping[str, str]) -> tuple[str, int]:
    template = check.host()
    if not PLACEHOLDER.search(template):
        name, _, port = template.partition(":")
        return name, int(port or 443)
    whole = PLACEHOLDER.fullmatch(template)
    if whole is None:
        # A label of a name whose end is fixed: it must stay one label.
        return _fill(template, values, _label), 443
    return _found_host(values[whole[1]])


def _found_host(text: str) -> tuple[str, int]:
    rest = text.removeprefix("https://").removesuffix("/")
    if rest.startswith("http://") or not re.fullmatch(r"[\w.\[\]:-]+", rest, re.ASCII):
        raise RefusedError("the host in the finding is not one")
    name, port = rest, ""
    if found := re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(\d{1,5}))?", rest):
        name, port = found[1], found[2] or ""
    try:
        return host_of(name), int(port or 443)
    except AddressError as error:
        raise RefusedError("the host in the finding is not one") from error


def _fill(text: str, values: Mapping[str, str], encode: Callable[[str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        plain = values[found[1]]
        if found[2]:
            plain = base64.b64encode(plain.encode("ascii")).decode("ascii")
        return encode(plain)

    return PLACEHOLDER.sub(value, text)


def _fill_json(data: Any, values: Mapping[str, str]) -> Any:
    if isinstance(data, str):
        return _fill(data, values, str)
    if isinstance(data, dict):
        return {key: _fill_json(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [_fill_json(value, values) for value in data]
    return data


def _basic(pair: tuple[str, str], values: Mapping[str, str]) -> str:
    user = _fill(pair[0], values, str)
    if ":" in user:
        raise RefusedError("the user name holds a colon")
    both = f"{user}:{_fill(pair[1], values, str)}"
    return base64.b64encode(both.encode("ascii")).decode("ascii")


def _segment(value: str) -> str:
    # An encoded slash or dot is decoded by some servers before they route.
    if not _SEGMENT.match(value) or set(value) <= {"."}:
        raise RefusedError("a value holds characters that could leave its place in the path")
    return urllib.parse.quote(value, safe=":@~")


def _quoted(value: str) -> str:
    return urllib.parse.quote(value, safe="")


def _label(value: str) -> str:
    if not _LABEL.match(value):
        raise RefusedError("a value is no part of a host name")
    return value.lower()


def _what(name: str) -> str:
    return "the secret" if name == "secret" else f"{name}, found beside the secret,"
