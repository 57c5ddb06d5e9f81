"""
What the score looks at: one row of numbers for a candidate, in plain Python.

Row = `CONTENT` features of the value, its name and its line, then `PATH` features, which are known
later in an audit (a blob is read before its path is known).
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Sequence
from itertools import pairwise

from scanner.detect.features_words import NAME_WORDS
from scanner.detect.generic_forms import Candidate, Form, words_after_telling
from scanner.detect.score_placeholders import placeholder_likeness
from scanner.detect.score_tables import Tables

_PARTS = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LETTERS = re.compile(rb"[A-Za-z]+")
_HEX = re.compile(rb"\A(?:0x)?[0-9a-fA-F]+\Z")
_BASE64 = re.compile(rb"\A[A-Za-z0-9+/_-]+={0,2}\Z")
_IDENTIFIER = re.compile(rb"\A[A-Za-z_$][\w$]*\Z")
_DOTTED = re.compile(rb"\A[A-Za-z_$][\w$-]*(?:(?:\.|::|->)[A-Za-z_$][\w$-]*)+\Z")
_KEBAB = re.compile(rb"\A[A-Za-z][a-z]*(?:[-_.][A-Za-z]+)+\Z")
_UPPER_SNAKE = re.compile(rb"\A[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_PATHLIKE = re.compile(rb"(?:\A|[\w.])[/\\][\w.-]")
_FILE_NAME = re.compile(
    rb"\.(?:pem|key|crt|cert|json|ya?ml|txt|py|js|ts|go|rb|java|php|html?|xml|jks|p12|conf|sh)\Z"
)
_URLLIKE = re.compile(rb"\A[a-z][a-z0-9+.-]*:/|\A(?:www\.|[\w-]+\.(?:com|org|net|io|dev)\b)")
_MAIL = re.compile(rb"[\w.]@[\w-]+\.")
_CALL = re.compile(rb"[\w\])]\(|\(\)")
_INTERPOLATION = re.compile(rb"\$\{|\{\{|#\{|%[sdv]|%\(|\{\d*\}|\$[A-Za-z_(]|<%|\{[a-z_.]+\}|@\{")
_VERSION = re.compile(rb"\Av?\d+(?:\.\d+)+")
_DATE = re.compile(rb"\d{4}-\d\d-\d\d|\d\d:\d\d")
_COMMENT = re.compile(rb"\A\s*(?:#|//|/?\*|--|;|<!--|\"\"\"|rem\b)")
_ASSERT = re.compile(
    rb"(?i)\b(?:assert\w*|expect\w*|should|test\w*|mock\w*|stub\w*|fake\w*|dummy|example|sample)"
)
_FUNCTION = re.compile(
    rb"\b(?:def|func|function|fn|sub|void|public|private|static|class|interface|import|"
    rb"require|return|if|for)\b"
)
_LOG = re.compile(
    rb"(?i)\b(?:print\w*|log\w*|echo|warn\w*|error\w*|throw|raise|message|description|"
    rb"title|label|text|placeholder|help)\b"
)
_COMPARE = re.compile(rb"[!=]==?|\b(?:eq|equals?|is)\b")
_HASHED = re.compile(
    rb"(?i)\$(?:\d\w?|apr1|argon2\w*|pbkdf2\S*)\$|pbkdf2|\{S?SHA|sha\d+[:$-]|argon2|bcrypt"
)
_SEQUENTIAL = b"abcdefghijklmnopqrstuvwxyz0123456789abcdef9876543210qwertyuiopasdfghjklzxcvbnm"

CONTENT_NAMES: tuple[str, ...] = (
    # the value: statistics
    "length", "entropy", "entropy_share", "digits", "upper", "lower", "symbols", "spaces",
    "switches", "repeats",
    "distinct", "classes", "not_ascii", "fours", "round_length",
    # the value: language
    "rarity", "rarity_peak", "known", "covered", "longest_letters", "parts", "letters_per_part",
    "longest_digits",
    "vowels",
    # the value: shape
    "is_hex", "is_base64", "padded", "is_identifier", "is_identifier_path", "is_kebab",
    "is_upper_snake",
    "is_path", "is_file", "is_url", "is_mail", "is_call", "interpolation", "is_version",
    "is_date", "placeholder",
    "sequence", "period", "odd_start", "angled", "listed", "bracketed", "backslashes", "dots",
    "dashes",
    "underscores", "equals", "is_der", "is_hash",
    # the value: undone
    "leet_covered",
    "leet_placeholder",
    "decodes",
    "decoded_rarity",
    "decoded_covered",
    "decoded_placeholder",
    "decoded_pair",
    # the name
    *(f"name.{name}" for name, _ in NAME_WORDS),
    "name_length", "name_parts", "name_shared", "name_unknown", "value_telling", "name_dots",
    "name_plural", "name_tail",
    # the syntax
    "form", "quote", "closed", "separator", "assigned", "called", "gap", "gap_blanks",
    "gap_escaped", "compared",
    "commented", "asserted", "declared", "logged", "indent", "line_length", "before_length",
    "last", "then_semicolon",
    "then_comma", "then_bracket", "then_more", "blanks", "words_after", "links", "nested",
    "local_url", "elided", "echoed",
)  # fmt: skip
CONTENT = len(CONTENT_NAMES)


def content_features(candidate: Candidate, tables: Tables) -> tuple[float, ...]:
    """
    Return the features that need no path.
    """
    return (
        *_statistics(candidate.value),
        *_language(candidate.value, tables),
        *_shape(candidate.value),
        *_undone(candidate.value, tables),
        *_name(candidate, tables),
        *_syntax(candidate),
    )


def _entropy(value: bytes) -> float:
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in map(value.count, set(value)))


def _statistics(value: bytes) -> Sequence[float]:
    size = len(value)
    digits = sum(48 <= c <= 57 for c in value)
    upper = sum(65 <= c <= 90 for c in value)
    lower = sum(97 <= c <= 122 for c in value)
    spaces = value.count(b" ")
    kinds = [_kind(c) for c in value[:256]]
    switches = sum(a != b for a, b in pairwise(kinds))
    repeats = sum(a == b for a, b in pairwise(value))
    entropy = _entropy(value)
    return (
        float(min(size, 300)),
        entropy,
        entropy / math.log2(size) if size > 1 else 0.0,
        digits / size,
        upper / size,
        lower / size,
        (size - digits - upper - lower) / size,
        float(spaces),
        switches / size,
        repeats / size,
        len(set(value)) / size,
        float((digits > 0) + (upper > 0) + (lower > 0) + (size > digits + upper + lower)),
        float(sum(c > 127 for c in value) > 0),
        float(size % 4 == 0),
        float(size in (16, 20, 24, 32, 40, 64, 128)),
    )


def _kind(char: int) -> int:
    if 48 <= char <= 57:
        return 0
    if 65 <= char <= 90:
        return 1
    if 97 <= char <= 122:
        return 2
    return 3


def _language(value: bytes, tables: Tables) -> Sequence[float]:
    head = value[:200]
    parts = _PARTS.findall(head)
    letters = [part for part in parts if part[0] > 57]
    total = sum(map(len, letters)) or 1
    known = sum(len(part) for part in letters if len(part) > 2 and tables.knows(part))
    longest = max(map(len, letters), default=0)
    runs = [run.lower() for run in _LETTERS.findall(head)]
    covered = sum(tables.cover(run) for run in runs)
    mean, low = tables.rarity(runs)
    return (
        mean,
        low,
        known / total,
        covered / total,
        float(longest),
        float(len(parts)),
        total / max(len(parts), 1),
        float(max((len(part) for part in parts if part[0] <= 57), default=0)),
        _vowels(runs),
    )


def _vowels(runs: Sequence[bytes]) -> float:
    text = b"".join(runs)
    return sum(map(text.count, (b"a", b"e", b"i", b"o", b"u"))) / len(text) if text else -1.0


def _shape(value: bytes) -> Sequence[float]:
    lower = value.lower()
    runs = max((len(run) for run in _sequential_runs(lower)), default=0)
    return (
        float(bool(_HEX.match(value))),
        float(bool(_BASE64.match(value))),
        float(value.endswith(b"=")),
        float(bool(_IDENTIFIER.match(value))),
        float(bool(_DOTTED.match(value))),
        float(bool(_KEBAB.match(value))),
        float(bool(_UPPER_SNAKE.match(value))),
        float(bool(_PATHLIKE.search(value))),
        float(bool(_FILE_NAME.search(lower))),
        float(bool(_URLLIKE.search(lower))),
        float(bool(_MAIL.search(value))),
        float(bool(_CALL.search(value))),
        float(bool(_INTERPOLATION.search(value))),
        float(bool(_VERSION.match(value))),
        float(bool(_DATE.search(value))),
        placeholder_likeness(value),
        float(runs),
        float(_period(value)),
        float(value[:1] in (b"/", b".", b"-", b"<", b"$", b"%", b":", b"#")),
        float(b"<" in value or b">" in value),
        float(b"," in value or b";" in value),
        float(b"(" in value or b")" in value or b"[" in value),
        float(value.count(b"\\")),
        float(value.count(b".")),
        float(value.count(b"-")),
        float(value.count(b"_")),
        float(value.count(b"=")),
        float(value.startswith((b"MII", b"MIG", b"MHc", b"MC"))),
        float(bool(_HASHED.match(value))),
    )


_LEET = bytes.maketrans(b"0134578@$!|", b"oieastbasil")


def _undone(value: bytes, tables: Tables) -> Sequence[float]:
    """
    Return what the value says with digits read as letters (`p4ssw0rd`), and with its base64 undone.
    """
    plain = value[:64].translate(_LEET)
    runs = [run.lower() for run in _LETTERS.findall(plain)]
    total = sum(map(len, runs)) or 1
    decoded = _decoded(value)
    inner = [run.lower() for run in _LETTERS.findall(decoded)]
    return (
        sum(tables.cover(run) for run in runs) / total,
        placeholder_likeness(plain),
        float(bool(decoded)),
        tables.rarity(inner)[0],
        sum(tables.cover(run) for run in inner) / (sum(map(len, inner)) or 1),
        placeholder_likeness(decoded) if decoded else -1.0,
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
    return text if all(32 <= char < 127 for char in text) else b""


_STANDARD = bytes.maketrans(b"-_", b"+/")


def _sequential_runs(lower: bytes) -> list[bytes]:
    runs: list[bytes] = []
    position = 0
    while position < min(len(lower), 64) - 3:
        size = 4
        if lower[position : position + size] in _SEQUENTIAL:
            while (
                position + size < len(lower)
                and lower[position : position + size + 1] in _SEQUENTIAL
            ):
                size += 1
            runs.append(lower[position : position + size])
            position += size
        else:
            position += 1
    return runs


def _period(value: bytes) -> int:
    """
    Return the length of the block that the value repeats, 0 if it repeats none.
    """
    period = (value[:128] + value[:128]).find(value[:128], 1)
    return 0 if period >= min(len(value), 128) else period


def _name(candidate: Candidate, tables: Tables) -> Sequence[float]:
    name = candidate.name
    parts = {part.lower() for part in _PARTS.findall(name)}
    value_parts = {part.lower() for part in _PARTS.findall(candidate.value[:200])}
    shared = len(parts & value_parts)
    unknown = sum(not tables.knows(part) for part in parts)
    telling_value = sum(1 for _, pattern in NAME_WORDS[:8] if pattern.search(candidate.value[:200]))
    return (
        *(float(bool(pattern.search(name))) for _, pattern in NAME_WORDS),
        float(len(name)),
        float(len(parts)),
        float(shared),
        float(unknown),
        float(telling_value),
        float(name.count(b".")),
        float(name[-1:] in (b"s", b"S")),
        float(words_after_telling(name)),
    )


_QUOTES = (b'"', b"'", b"`")
_SEPARATORS = (b"=", b":", b",", b"(", b">", b"==")


def _syntax(candidate: Candidate) -> Sequence[float]:
    line, start, end = candidate.line, candidate.start, candidate.end
    before, after = line[:start], line[end : end + 40]
    between = candidate.between
    bare = between.replace(b"\\", b"").strip(b" \t\"'`")
    quote = between.rstrip(b" ")[-1:]
    closing = after.lstrip(b"\\")[:1]
    tail = after.lstrip(b"\\\"'`")
    return (
        float(candidate.form),
        float(_QUOTES.index(quote) if quote in _QUOTES else -1),
        float(closing in _QUOTES),
        float(_SEPARATORS.index(bare[:2].strip()) if bare[:2].strip() in _SEPARATORS else -1),
        float(bare.endswith((b"=", b":"))),
        float(b"(" in between),
        float(min(len(between), 60)),
        float(between.count(b" ")),
        float(b"\\" in between),
        float(bool(_COMPARE.search(between))),
        float(bool(_COMMENT.match(line))),
        float(bool(_ASSERT.search(before))),
        float(bool(_FUNCTION.search(before))),
        float(bool(_LOG.search(before))),
        float(len(before) - len(before.lstrip())),
        float(min(len(line), 400)),
        float(min(len(before), 200)),
        float(tail[:1] in (b"", b"\n", b"\r")),
        float(tail[:1] == b";"),
        float(tail[:1] == b","),
        float(tail[:1] == b")"),
        float(tail.lstrip()[:1] in (b"+", b".", b"(", b"[", b"?", b"|")),
        float(line.count(b" ") / max(len(line), 1)),
        float(bool(_LETTERS.search(tail))),
        float(line.count(b"http")),
        float(b"{" in before or b"[" in before),
        float(candidate.form is Form.URL and b"localhost" in after),
        float(tail.startswith((b"...", b"\xe2\x80\xa6"))),
        float(candidate.value.lower() in before.lower()),
    )
