"""
Values that are base64 by the structure around them, whatever they hold: Kubernetes' `data:`,
HTTP basic authentication, Docker's `auth`, npm's `_auth` and `_password`, PowerShell's
`-EncodedCommand`.

The derived text keeps the name beside the value, so that a password without a shape is known by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scanner.detect.decode.base64_runs import decode
from scanner.detect.registry import Budget, Derived, Expression, Text

_SECRET, _LOGIN, _SCRIPT, _PASSWORD = range(4)
_MAX_VALUES = 10_000
_VALUE = re.compile(
    rb"""^[ \t-]*["']?(?P<name>[A-Za-z0-9_.\-]{1,253})["']?[ \t]*:[ \t]*
    ["']?(?P<value>[A-Za-z0-9+/]{4,}={0,2})["']?[ \t]*,?[ \t]*(?:\#.*)?\r?$""",
    re.MULTILINE | re.VERBOSE,
)
_COMPACT = re.compile(rb'"(?P<name>[A-Za-z0-9_.\-]{1,253})":"(?P<value>[A-Za-z0-9+/]{4,}={0,2})"')
_KIND = re.compile(rb"""["']?kind["']?\s*:\s*["']?Secret\b""")
_DATA = re.compile(rb"""["']?data["']?[ \t]*:""")
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{8,4096}={0,2}")


class EncodedValuesDeriver:
    """
    Decodes base64 values where the structure says that they are.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        run = rb"[A-Za-z0-9+/]{8}"
        return [
            Expression(
                pattern=rb"kind[\"']?[ \t]{0,4}:[ \t]{0,4}[\"']?Secret[^A-Za-z]", tag=_SECRET
            ),
            Expression(pattern=rb"basic[ \t]{1,4}" + run, tag=_LOGIN, caseless=True),
            Expression(pattern=rb"_?auth[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?" + run, tag=_LOGIN),
            Expression(pattern=rb"_password[ \t]{0,2}=[ \t]{0,2}[\"']?" + run, tag=_PASSWORD),
            Expression(
                pattern=rb"-e(?:nc|ncodedcommand)[ \t]{1,4}[\"']?[A-Za-z0-9+/]{24}",
                tag=_SCRIPT,
                caseless=True,
            ),
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if any(tag == _SECRET for _, tag in text.hits):
            yield from _kubernetes(data)
        done = 0
        for hit, tag in text.hits:
            if tag == _SECRET or hit <= done:
                continue
            start = hit - (24 if tag == _SCRIPT else 8)
            found = _RUN.match(data, start)
            if found is None or budget.bytes_left < len(found[0]):
                continue
            done = found.end()
            plain = _read(decode(found[0]), tag)
            if plain:
                yield Derived(data=plain, decoded=("base64",), start=start, end=done)


def _read(plain: bytes, tag: int) -> bytes:
    if tag == _SCRIPT:
        return plain.decode("utf-16-le", errors="replace").encode("utf-8", errors="replace")
    if not _is_text(plain):
        return b""
    if tag == _PASSWORD:
        return b'password = "' + plain + b'"\n'
    user, colon, password = plain.partition(b":")
    # A name on each half, for the password may have no shape of its own.
    return b'username = "' + user + b'"\npassword = "' + password + b'"\n' if colon else b""


def _is_text(plain: bytes) -> bool:
    try:
        return plain.decode("utf-8").isprintable() and bool(plain)
    except UnicodeDecodeError:
        return False


def _kubernetes(data: bytes) -> Iterator[Derived]:
    # A stream of manifests: only the documents that are secrets, and in these only `data`.
    count = 0
    offset = 0
    for part in re.split(rb"(?m)^(?=---)", data):
        if _KIND.search(part):
            section = _DATA.search(part)
            for found in _values(part, section.end() if section else len(part)):
                count += 1
                if count > _MAX_VALUES:
                    return
                plain = decode(found["value"])
                if plain:
                    line = found["name"] + b": " + plain + b"\n"
                    yield Derived(
                        data=line,
                        decoded=("base64",),
                        start=offset + found.start("value"),
                        end=offset + found.end("value"),
                    )
        offset += len(part)


def _values(part: bytes, start: int) -> Iterator[re.Match[bytes]]:
    pattern = _COMPACT if b'":"' in part else _VALUE
    return pattern.finditer(part, start)


DERIVER = EncodedValuesDeriver()
