"""
Paths as text: a git path is bytes, a report is not.
"""

from __future__ import annotations

import base64
import unicodedata
from urllib.parse import quote

_SAFE_IN_URI = "/-._~"
# Cc and Cf hold escapes and direction overrides, Zl and Zp break lines, Cs cannot be written.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def text_of(path: bytes) -> str:
    """
    Return a path for a person: UTF-8, with U+FFFD for what is not.
    """
    return path.decode("utf-8", errors="replace")


def base64_of(path: bytes) -> str | None:
    """
    Return the raw bytes in base64 if `text_of` loses any, else `None`.
    """
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(path).decode("ascii")
    return None


def bytes_of(text: str, raw: str | None) -> bytes:
    """
    Undo `text_of` and `base64_of`.  Raise `ValueError` if `raw` is not base64.
    """
    return text.encode("utf-8") if raw is None else base64.b64decode(raw, validate=True)


def visible(text: str) -> str:
    """
    Return `text` on one line with every control, escape and direction mark spelled out.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(character) for character in text)


def visible_lines(text: str) -> str:
    """
    Return `text` like `visible`, but with its line breaks.
    """
    return "\n".join(visible(line) for line in text.split("\n"))


def visible_path(path: bytes | None) -> str:
    r"""
    Return a path on one line; what is not UTF-8 or not printable is spelled `\x..`.
    """
    if path is None:
        return ""
    return visible(path.decode("utf-8", errors="backslashreplace"))


def uri_of(path: bytes) -> str:
    """
    Return a relative, percent-encoded URI reference for a path.
    """
    uri = quote(path.lstrip(b"/"), safe=_SAFE_IN_URI)
    # `a:b` would read as a scheme; quote() leaves no colon, and an empty path needs a name.
    return uri or "."


def _spelled(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}.get(character)
    if short is not None:
        return short
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
