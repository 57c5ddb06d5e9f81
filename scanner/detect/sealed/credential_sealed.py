"""
Credential files that can be sealed in a way of their own (Rails, Laravel), and vault password
files, which may be scripts.
"""

from __future__ import annotations

import json
import re

from scanner.detect.sealed.evidence import ValueKind, from_base64, is_readable, value_kind

_PRINTED = re.compile(
    r"""(?mx)^\s*(?:
        (?:echo|printf)\s+(?:-[neE]+\s+|'%s(?:\\n)?'\s+|"%s(?:\\n)?"\s+)?(?P<word>[^|;&>\n]+)
      | (?:print|puts|say|console\.log|(?:sys|process)\.stdout\.write)[ (]+
        (?P<quote>["'])(?P<text>[^"'\n]+)(?P=quote)
      | cat\s+<<-?[ \t]*["']?(?P<end>\w+)["']?[ \t]*\n(?P<line>[^\n]+)\n(?P=end)\b
    )"""
)
_VARIABLE = re.compile(r"\$\{?(?P<name>\w+)\}?")
_LONGEST = 4096
_GCM_NONCE, _GCM_TAG = 12, 16


def password_file(text: str) -> tuple[str, str, int] | None:
    """
    Judge a file that is one password, or a script that fetches it; it is read, never run.
    """
    value = text.strip()
    if not value:
        return None
    if value.startswith("#!"):
        return _script(text)
    first = value.split("\n", 1)[0].strip()
    if value_kind(first) is not ValueKind.LITERAL or len(value) > _LONGEST:
        return "reference", "names a password kept elsewhere", 1
    return "plaintext", "holds a password that opens what is sealed with it", 1


def _script(text: str) -> tuple[str, str, int]:
    for found in _PRINTED.finditer(text):
        group = next(name for name in ("word", "text", "line") if found[name] is not None)
        word = found[group].strip().strip("\"'")
        variable = _VARIABLE.fullmatch(word)
        if variable:
            word = _assigned(text, variable["name"])
        if word and value_kind(word) is ValueKind.LITERAL and not word.startswith(("$", "`")):
            line = text.count("\n", 0, found.start(group)) + 1
            return "plaintext", "a script that prints a password which stands in it", line
    return "reference", "a script that fetches the password", 1


def _assigned(text: str, name: str) -> str:
    """
    Return what a script's own variable holds; blank if it comes from elsewhere.
    """
    found = re.search(rf"(?m)^\s*(?:export\s+|readonly\s+)?{name}=(?P<value>[^;&|\n]*)", text)
    return found["value"].strip().strip("\"'") if found else ""


def rails(text: str) -> tuple[str, str, int] | None:
    """
    Judge the encrypted credentials of Rails: ciphertext, nonce and code, each in base64.
    """
    value = text.strip()
    if not value:
        return None
    parts = [from_base64(part.encode("utf-8", "replace")) for part in value.split("--")]
    if is_readable(parts[0] or b"", minimum=1):
        return "fake", "is base64 of text that anyone can read", 1
    if parts[0] is None:
        if re.match(r"[A-Za-z0-9+/=]{40,}(?:--|\Z)", value):
            return "broken", "its ciphertext is no whole base64: cut off or altered", 1
        return "fake", "named as encrypted, and text that anyone can read", 1
    if len(parts) != 3 or None in parts[1:]:
        return "broken", "it is cut off: ciphertext, nonce and code are not all there", 1
    if [len(part or b"") for part in parts[1:]] != [_GCM_NONCE, _GCM_TAG]:
        return "broken", "its nonce or code is damaged", 1
    return "sealed", "sealed under the master key of Rails", 1


def laravel(text: str) -> tuple[str, str, int] | None:
    """
    Judge what `artisan env:encrypt` writes: base64 of JSON with a vector, a ciphertext, a code.
    """
    value = text.strip()
    if not value:
        return None
    raw = from_base64(value.encode("utf-8", "replace"))
    if raw is None:
        if re.fullmatch(r"eyJpdiI6[A-Za-z0-9+/=\s]+", value):
            return "broken", "it is cut off or altered: no whole base64", 1
        return "fake", "named as encrypted, and text that anyone can read", 1
    try:
        parts = json.loads(raw)
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, dict) or not {"iv", "value"} <= parts.keys():
        state = "broken" if raw.startswith(b'{"iv"') else "fake"
        return state, "what it decodes to is not sealed by Laravel", 1
    sealed = from_base64(str(parts["value"]).encode("utf-8", "replace"))
    if sealed is None or not sealed:
        return "broken", "its ciphertext is damaged", 1
    if is_readable(sealed, minimum=1):
        return "fake", "its ciphertext is base64 of text that anyone can read", 1
    if not parts.get("mac") and not parts.get("tag"):
        return "broken", "it has no authentication code", 1
    return "sealed", "sealed under a key of Laravel", 1
