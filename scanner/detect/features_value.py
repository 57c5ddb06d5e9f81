"""
What the score sees of a value by itself: its statistics, its language, its shape, and what it says
undone.

Most lines of a repository that set something set nothing secret, so this is the work an audit does
most often: one pass of C over the bytes wherever it can be, and what repeats is remembered.
"""

from __future__ import annotations

import binascii
import math
import operator
from functools import lru_cache

from scanner.detect.score_placeholders import placeholder_likeness
from scanner.detect.score_tables import Tables
from scanner.expressions import expression

PARTS = expression(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LETTERS = expression(rb"[a-z]+")
_KINDS = bytes(
    ord("0") if chr(c).isdigit() and c < 128
    else ord("A") if 65 <= c <= 90
    else ord("a") if 97 <= c <= 122
    else ord(".")
    for c in range(256)
)  # fmt: skip
_STRETCH = expression(rb"0+|A+|a+|\.+")
_DIGITS = expression(rb"0+")
_BITS = (0.0, *(n * math.log2(n) for n in range(1, 4097)))
_HEX = expression(rb"(?:0x)?[0-9a-fA-F]+\Z")
_BASE64 = expression(rb"[A-Za-z0-9+/_-]+={0,2}\Z")
_IDENTIFIER = expression(rb"[A-Za-z_$][\w$]*\Z")
_DOTTED = expression(rb"[A-Za-z_$][\w$-]*(?:(?:\.|::|->)[A-Za-z_$][\w$-]*)+\Z")
_KEBAB = expression(rb"[A-Za-z][a-z]*(?:[-_.][A-Za-z]+)+\Z")
_UPPER_SNAKE = expression(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_PATHLIKE = expression(rb"(?:\A|[\w.])[/\\][\w.-]")
_ENDING = expression(rb"[\w)-]\.[A-Za-z][A-Za-z0-9]{1,7}\Z")
_FILE_ENDINGS = tuple(
    b".pem .key .crt .cert .json .yml .yaml .txt .py .js .ts .go .rb .java .php .htm .html .xml"
    b" .jks .p12 .conf .sh".split()
)
_URLLIKE = expression(rb"[a-z][a-z0-9+.-]*:/|(?:www\.|[\w-]+\.(?:com|org|net|io|dev)\b)")
_MAIL = expression(rb"[\w.]@[\w-]+\.")
_CALL = expression(rb"[\w\])]\(|\(\)")
_INTERPOLATION = expression(rb"\$\{|\{\{|#\{|%[sdv]|%\(|\{\d*\}|\$[A-Za-z_(]|<%|\{[a-z_.]+\}|@\{")
_VERSION = expression(rb"v?\d+(?:\.\d+)+")
_DATE = expression(rb"\d{4}-\d\d-\d\d|\d\d:\d\d")
_HASHED = expression(
    rb"(?i)\$(?:\d\w?|apr1|argon2\w*|pbkdf2\S*)\$|pbkdf2|\{S?SHA|sha\d+[:$-]|argon2|bcrypt"
)
_TELLING = expression(rb"pass|pwd|secret|token|api[_.-]?key|key|private|encrypt")
_WORDY = expression(rb"[A-Za-z][A-Za-z _.:/()\[\]*,>-]*\Z")
_DER = (b"MII", b"MIG", b"MHc", b"MC")
_SEQUENTIAL = b"abcdefghijklmnopqrstuvwxyz0123456789abcdef9876543210qwertyuiopasdfghjklzxcvbnm"
_FOURS = frozenset(_SEQUENTIAL[at : at + 4] for at in range(len(_SEQUENTIAL) - 3))
_ROUND = frozenset((16, 20, 24, 32, 40, 64, 128))
_HEAD = 200
_MEMORY = 4096

VALUE_NAMES: tuple[str, ...] = (
    # statistics
    "length", "entropy", "entropy_share", "digits", "upper", "lower", "symbols", "spaces",
    "switches", "repeats", "distinct", "classes", "not_ascii", "fours", "round_length",
    "first_kind", "last_digits", "humps",
    # language
    "rarity", "rarity_peak", "known", "covered", "longest_letters", "parts", "letters_per_part",
    "longest_digits", "vowels", "value_telling",
    # shape
    "is_hex", "is_base64", "padded", "is_identifier", "is_identifier_path", "is_kebab",
    "is_upper_snake", "is_path", "is_file", "has_ending", "is_url", "is_mail", "is_call",
    "interpolation", "is_version", "is_date", "angled", "listed", "bracketed", "backslashes",
    "dots", "dashes", "underscores", "equals", "odd_start", "is_hash",
    "placeholder", "sequence", "period", "is_der",
    # undone
    "leet_covered", "leet_placeholder",
    "decodes", "decoded_rarity", "decoded_covered", "decoded_placeholder", "decoded_pair",
)  # fmt: skip


@lru_cache(_MEMORY)
def value_features(value: bytes, tables: Tables) -> tuple[float, ...]:
    """
    Return one number for each of `VALUE_NAMES`.
    """
    kinds = value.translate(_KINDS)
    language = _language(value, tables)
    return (
        *_statistics(value, kinds),
        *language,
        *_shape(value),
        *_patterns(value),
        *_undone(value, tables, language[3]),
    )


def is_ordinary(value: bytes, tables: Tables) -> bool:
    """
    Return whether a value is so plainly made of ordinary words that its score need not be asked:
    a third to a half of all candidates are, and of the true ones two in a thousand.
    """
    if _WORDY.match(value) is None and _UPPER_SNAKE.match(value) is None:
        return False
    known = unknown = 0
    for part in PARTS.findall(value):
        if len(part) < 3:
            unknown += len(part)
        elif tables.knows(part):
            known += len(part)
        else:
            return False
    return known > 2 * unknown


@lru_cache(_MEMORY)
def parts_of(value: bytes) -> frozenset[bytes]:
    """
    Return the lower-case words and numbers that a name or the head of a value is made of.
    """
    return frozenset([part.lower() for part in PARTS.findall(value[:_HEAD])])


def _statistics(value: bytes, kinds: bytes) -> tuple[float, ...]:
    size = len(value)
    digits, upper, lower = kinds.count(b"0"), kinds.count(b"A"), kinds.count(b"a")
    symbols = size - digits - upper - lower
    distinct = set(value)
    entropy = math.log2(size) - sum([_BITS[value.count(c)] for c in distinct]) / size
    return (
        float(min(size, 300)),
        entropy,
        entropy / math.log2(size) if size > 1 else 0.0,
        digits / size,
        upper / size,
        lower / size,
        symbols / size,
        float(value.count(b" ")),
        (len(_STRETCH.findall(kinds, 0, 256)) - 1) / size,
        sum(map(operator.eq, value, value[1:])) / size,
        len(distinct) / size,
        float((digits > 0) + (upper > 0) + (lower > 0) + (symbols > 0)),
        float(not value.isascii()),
        float(size % 4 == 0),
        float(size in _ROUND),
        float(b"0Aa.".index(kinds[0])),
        float(size - len(kinds.rstrip(b"0"))),
        float(kinds.count(b"aA")),
    )


def _language(value: bytes, tables: Tables) -> tuple[float, ...]:
    head = value[:_HEAD]
    parts = PARTS.findall(head)
    lower = head.lower()
    letters = [part for part in parts if part[0] > 57]
    total = sum(map(len, letters)) or 1
    known = sum([len(part) for part in letters if len(part) > 2 and tables.knows(part)])
    runs = _LETTERS.findall(lower)
    covered = sum([tables.cover(run) for run in runs])
    mean, peak = tables.rarity(runs)
    return (
        mean,
        peak,
        known / total,
        covered / total,
        float(max(map(len, letters), default=0)),
        float(len(parts)),
        total / max(len(parts), 1),
        float(max([len(part) for part in parts if part[0] <= 57], default=0)),
        _vowels(runs),
        float(len(set(_TELLING.findall(lower)))),
    )


def _vowels(runs: list[bytes]) -> float:
    text = b"".join(runs)
    if not text:
        return -1.0
    return (len(text) - len(text.translate(None, b"aeiou"))) / len(text)


_PLAIN = (0.0,) * 22


def _shape(value: bytes) -> tuple[float, ...]:
    is_hex = 1.0 if _HEX.match(value) else 0.0
    if value.isalnum():
        # Most of what follows needs a symbol.
        return (is_hex, 1.0, 0.0, float(value[0] > 57), *_PLAIN)
    lower = value.lower()
    dots, dashes, underscores = value.count(b"."), value.count(b"-"), value.count(b"_")
    slash = b"/" in value or b"\\" in value
    braces = b"{" in value or b"$" in value or b"%" in value
    return (
        is_hex,
        float(_BASE64.match(value) is not None),
        float(value.endswith(b"=")),
        float(_IDENTIFIER.match(value) is not None),
        float(_DOTTED.match(value) is not None),
        float(_KEBAB.match(value) is not None),
        float(underscores > 0 and _UPPER_SNAKE.match(value) is not None),
        float(slash and _PATHLIKE.search(value) is not None),
        float(dots > 0 and lower.endswith(_FILE_ENDINGS)),
        float(dots > 0 and _ENDING.search(value) is not None),
        float((dots > 0 or slash) and _URLLIKE.match(lower) is not None),
        float(b"@" in value and _MAIL.search(value) is not None),
        float(b"(" in value and _CALL.search(value) is not None),
        float(braces and _INTERPOLATION.search(value) is not None),
        float(dots > 0 and _VERSION.match(value) is not None),
        float((dashes > 0 or b":" in value) and _DATE.search(value) is not None),
        float(b"<" in value or b">" in value),
        float(b"," in value or b";" in value),
        float(b"(" in value or b")" in value or b"[" in value),
        float(value.count(b"\\")),
        float(dots),
        float(dashes),
        float(underscores),
        float(value.count(b"=")),
        float(value[0] in b"/.-<$%:#"),
        float(_HASHED.match(value) is not None),
    )


def _patterns(value: bytes) -> tuple[float, float, float, float]:
    return (
        placeholder_likeness(value),
        float(_longest_sequence(value[:64].lower())),
        float(_period(value)),
        float(value.startswith(_DER)),
    )


def _longest_sequence(lower: bytes) -> int:
    starts = [at for at in range(len(lower) - 3) if lower[at : at + 4] in _FOURS]
    longest = count = 0
    before = -2
    for at in starts:
        count = count + 1 if at == before + 1 else 1
        longest = max(longest, count + 3)
        before = at
    return longest


def _period(value: bytes) -> int:
    """
    Return the length of the block that the value repeats, 0 if it repeats none.
    """
    head = value[:128]
    period = (head + head).find(head, 1)
    return 0 if period >= len(head) else period


_LEET = bytes.maketrans(b"0134578@$!|", b"oieastbasil")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_NOTHING_DECODED = (0.0, -1.0, 0.0, -1.0, 0.0)


def _undone(value: bytes, tables: Tables, covered: float) -> tuple[float, ...]:
    """
    Return what the value says with digits read as letters (`p4ssw0rd`), and with its base64 undone.
    """
    head = value[:64]
    plain = head.translate(_LEET)
    if plain == head:
        leet = covered, -1.0
    else:
        runs = _LETTERS.findall(plain.lower())
        total = sum(map(len, runs)) or 1
        leet = sum([tables.cover(run) for run in runs]) / total, placeholder_likeness(plain)
    decoded = _decoded(value)
    if not decoded:
        return (*leet, *_NOTHING_DECODED)
    inner = _LETTERS.findall(decoded.lower())
    return (
        *leet,
        1.0,
        tables.rarity(inner)[0],
        sum([tables.cover(run) for run in inner]) / (sum(map(len, inner)) or 1),
        placeholder_likeness(decoded),
        float(b":" in decoded),
    )


def _decoded(value: bytes) -> bytes:
    """
    Return the printable text that a base64 value hides, else nothing.
    """
    if not 8 <= len(value) <= 400 or not _BASE64.match(value):
        return b""
    body = value.rstrip(b"=").translate(_STANDARD)
    try:
        text = binascii.a2b_base64(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return b""
    # `isprintable` of text, for bytes: nothing outside the printable part of ASCII.
    return text if text.isascii() and not text.translate(None, _PRINTABLE) else b""


_PRINTABLE = bytes(range(32, 127))
