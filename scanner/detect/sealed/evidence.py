"""
What tells ciphertext from text, and a credential from a word that stands for one.
"""

from __future__ import annotations

import binascii
import bisect
import enum
import json
import re

TEMPLATE = "\ue000"
"""Stands in a value for a template expression that was cut out before parsing."""

_TEXT_BYTES = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}
_PLAIN_RUN = re.compile(rb"[\t\r\n\x20-\x7e]{40,}")
_COMPRESSED = (b"\x1f\x8b\x08", b"PK\x03\x04", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh9")
_MIN_READABLE = 12  # bytes; 12 random ones are all printable once in 100,000 times
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_TELLING = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase|code)?s?|pwd|pw|secrets?|token|credentials?|cred|dsn"
    r"|(?:api|app|access|account|auth|encryption|encrypt|signing|sign|private|priv|master|root"
    r"|deploy|shared|service|storage|session|cookie|crypt|ssh|secret|license|hmac|jwt|webhook)"
    r"[-_. ]?keys?(?:[-_]base)?|secret[-_]?key[-_]?base|connection[-_]?string|conn[-_]?str"
    r"|auth(?:orization)?|pin|salt|key)$"
)
_BARE = re.compile(r"(?i)^(?:key|auth|pin|salt|pw|token)$")
_PUBLIC = re.compile(
    r"(?i)pub(?:lic)?[-_. ]?(?:key|token|cert)"
    r"|(?:^|[-_.])(?:index|partition|sort|hash|range|routing|primary|foreign|unique)[-_.]?key$"
)
_SWITCH = re.compile(
    r"(?i)^(?:true|false|yes|no|on|off|null|none|~|omit|nil|disabled?|enabled?|required"
    r"|optional|present|absent|\d{1,3})$"
)
_REFERENCE = re.compile(
    r"(?i)^(?:<path:|vault:|ref\+|secretref\+|op://|secret://|aws-?sm|arn:aws[a-z-]*:"
    r"(?:secretsmanager|ssm|kms):|projects/[^/]+/secrets/|gcp-?sm:|keyvault:|@microsoft\.keyvault\("
    r"|!(?:ref|sub|getatt|vault|env|var)|\{?resolve:|env(?:iron(?:ment)?)?[:(\[.]|file:"
    r"|/run/secrets/|/var/run/secrets/|lookup\(|data\.|var\.|local\.|module\.|process\.env"
    r"|os\.environ|secrets\.|bws:|doppler:|infisical:|akeyless:|berglas:|sm://|cyberark:)"
)
_EXPRESSION = re.compile(
    r"\{\{|\{%|<%|\$\{|\$\(|\$\[|%\(|#\{|\[\[|^\$[A-Za-z_]\w*$|^%\w+%$|^@\w+@$"
)
_PLACEHOLDER = re.compile(
    r"(?i)^(?:<[^<>]*>|\[[^\[\]]*\]|\.{3,}|x{3,}|\*{3,}|-+|_+|\?+|#+|…|to-?do:?.*|tbd|redacted"
    r"|(?:please[-_ ]?)?replace[-_ ]?.*|your[-_ ].*|(?:insert|enter|put|add|fill|update)[-_ ].*"
    r"|change[-_ ]?(?:me|this)\b.*|(?:(?:my|super|very|top)[-_ ])+secret(?:[-_ ].*)?"
    r"|(?:base64|b64)[-_ ](?:encoded|of|value).*|placeholder.*|dummy.*|n/?a)$"
)


class ValueKind(enum.Enum):
    """
    What stands where a secret could.
    """

    EMPTY = "empty"
    TEMPLATE = "template"
    REFERENCE = "reference"
    PLACEHOLDER = "placeholder"
    LITERAL = "literal"


def value_kind(value: str) -> ValueKind:
    """
    Return what a value is: only `LITERAL` can be a secret that lies open.
    """
    value = value.strip()
    bare = value.strip("\"'")
    if not bare:
        return ValueKind.EMPTY
    # Nearly every value of a large manifest is letters and digits alone.
    if not (bare.isalnum() and bare.isascii()) or bare.lower().startswith("awssm"):
        if TEMPLATE in bare or _EXPRESSION.search(bare[:4096]):
            return ValueKind.TEMPLATE
        if _REFERENCE.match(bare):
            return ValueKind.REFERENCE
    if _PLACEHOLDER.match(bare[:200]):
        return ValueKind.PLACEHOLDER
    return ValueKind.LITERAL


def tells(name: str, value: str) -> bool:
    """
    Whether `name` says that it holds a secret and `value` is one that lies open.
    """
    last = re.split(r"[.:/]", name)[-1] or name
    if not _TELLING.search(last) or _PUBLIC.search(last) or _BARE.match(last):
        return False
    bare = value.strip(" \t\"'").lower()
    if "_" in bare and last.lower().endswith(bare):
        return False  # `STRIPE_SECRET_KEY=secret_key`
    return not _SWITCH.match(value.strip()) and value_kind(value) is ValueKind.LITERAL


def is_readable(data: bytes, *, minimum: int = _MIN_READABLE) -> bool:
    """
    Whether `data` is text that anyone can read; short runs prove nothing and are not.
    """
    if len(data) < minimum:
        return False
    sample = data[:4096]
    if _TEXT_BYTES.issuperset(sample):
        return True
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    odd = sum(not (char.isprintable() or char in "\t\r\n") for char in text)
    return odd * 50 <= len(text)


def is_filler(data: bytes) -> bool:
    """
    Whether `data` is one or two bytes over and over: no cipher gives that.
    """
    return len(data) >= 16 and len(set(data)) <= 2


def plain_run(data: bytes) -> int | None:
    """
    Return where text that anyone can read begins in what should be ciphertext; `None`: nowhere.

    Noise has a run of 40 printable bytes once in 10**16 places.
    """
    found = _PLAIN_RUN.search(data)
    return found.start() if found else None


def is_padded_text(data: bytes) -> bool:
    """
    Whether whole blocks are text under a block cipher's padding, or a compressed file: never
    encrypted.
    """
    last = data[-1] if data else 0
    text = data[: -last or None] if 1 <= last <= 16 else data
    return is_readable(text) or data.startswith(_COMPRESSED)


def from_hex(text: bytes) -> bytes | None:
    """
    Return the bytes, or `None` if `text` is not an even run of hex digits.
    """
    if len(text) % 2 or not _HEX.fullmatch(text):
        return None
    return binascii.unhexlify(text)


def from_base64(text: bytes, *, padded: bool = True) -> bytes | None:
    """
    Return the bytes, or `None` if `text` is not base64 (no blanks, nothing after the padding).
    """
    if not _BASE64.fullmatch(text):
        return None
    if not padded:
        if text.endswith(b"="):
            return None
        text += b"=" * (-len(text) % 4)
    if len(text) % 4:
        return None
    try:
        return binascii.a2b_base64(text)
    except binascii.Error:
        return None


class Lines:
    """
    Line numbers, from 1, of offsets in one text.
    """

    __slots__ = ("_data", "_starts")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts: list[int] | None = None

    def at(self, offset: int) -> int:
        """
        Return the line that holds the byte at `offset`.
        """
        if self._starts is None:  # most texts are never asked
            self._starts = [found.end() for found in re.finditer(rb"\n", self._data)]
        return bisect.bisect_right(self._starts, offset) + 1


def read_json(text: str) -> object:
    """
    Return what a JSON text holds, `None` if it is none.
    """
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def line_of_key(text: str, key: str) -> int:
    """
    Return the line of a JSON text on which a key stands first.
    """
    return text.count("\n", 0, max(text.find(json.dumps(key)), 0)) + 1


def base_name(path: bytes | None) -> str:
    """
    Return the last part of a path, lower-cased; empty if the path is not known.
    """
    return (path or b"").rsplit(b"/", 1)[-1].decode("utf-8", "replace").lower()


def extension(path: bytes | None) -> str:
    """
    Return what follows the last dot of the name, lower-cased; empty if there is none.
    """
    name = base_name(path)
    return name.rsplit(".", 1)[1] if "." in name else ""
