"""
Private keys: PEM (PKCS#1, SEC1, PKCS#8), OpenSSH, PuTTY, OpenPGP, age; sealed by a passphrase or
open.
"""

from __future__ import annotations

import re

from scanner.detect.sealed import pgp, pgp_keys
from scanner.detect.sealed.evidence import Lines, from_base64, from_hex, is_filler, is_readable
from scanner.detect.sealed.private_key_der import SCHEMES, der_size, judge_der
from scanner.model import SealRecord

FORMAT = "private-key"
_BEGIN = re.compile(rb"-----BEGIN (?P<kind>(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----")
_MAX_BODY = 40_000  # bytes
_PUTTY = re.compile(rb"^PuTTY-User-Key-File-(?P<version>[123]): [^\r\n]+", re.MULTILINE)
_PUTTY_BODY = re.compile(
    rb"^Private-Lines: \d+\r?\n(?P<body>(?:[A-Za-z0-9+/=]+(?:\r?\n|\Z))*)", re.MULTILINE
)
_PUTTY_LAST = re.compile(rb"^Private-(?:MAC|Hash): [0-9a-f]+", re.MULTILINE)
_MAX_PUTTY = 20_000  # bytes
_AGE = re.compile(rb"\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\b")
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*: ?.*")
_JOINED = re.compile(rb"""\A[\s+.]*["']|["'][\s+.,;)]*\Z""")
"""What joins the literals of a key that is written over several lines."""

_MENTIONED = re.compile(
    rb"""`|["')\]]*[ \t]*(?:\.[*+]|\[\^|\(|(?:or|and|is|are|in|block|header)\b|[,;:.](?:\s|\Z))"""
    rb"""|(?:\\[rn])*["'][ \t]*[.+&][ \t]*\r?\n[ \t]*[A-Za-z_$][\w.:]*\("""
)
"""What goes on behind the first line of a key that is only spoken of."""

_COMMENT = re.compile(rb"^[ \t]*(?:\*|//|#|--|;)[ \t]*\Z", re.MULTILINE)
_OPENSSH = b"openssh-key-v1\0"
_BLOCKS = (8, 16)
GIT_CRYPT_KEY = b"\0GITCRYPTKEY\0"
_RINGS = frozenset({b"\x94", b"\x95", b"\x96", b"\xc5"})
"""First bytes of a secret key packet, in both forms."""


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record for each private key in `data` that can be told sealed or open.
    """
    del path
    where = Lines(data)
    records = _binary(data)
    for found in _BEGIN.finditer(data):
        body = data[found.end() : found.end() + _MAX_BODY]
        cut = body.find(b"-----")
        ended = body[cut:].startswith(b"-----END " + found["kind"]) if cut >= 0 else False
        judged = _pem(found["kind"], body[: cut if cut >= 0 else None], ended=ended)
        if judged and not (judged[0] in ("fake", "broken") and _is_explained(data, found.start())):
            records.append(_record(*judged, where.at(found.start()), _kind(found["kind"])))
    for found in _PUTTY.finditer(data):
        judged = _putty(data[found.start() : found.start() + _MAX_PUTTY])
        records.append(_record(*judged, where.at(found.start()), "PuTTY"))
    records += [
        _record("plaintext", "an age identity lies open", where.at(found.start()), "age")
        for found in _AGE.finditer(data)
        if len(set(found[0])) > 12
    ]
    return records


def sealed_spans(data: bytes) -> list[tuple[int, int]]:
    """
    Return where keys stand that claim to be sealed: they are judged here, and by no rule.
    """
    spans = []
    for found in _BEGIN.finditer(data):
        body = data[found.end() : found.end() + _MAX_BODY]
        cut = body.find(b"-----")
        ended = body[cut:].startswith(b"-----END " + found["kind"]) if cut >= 0 else False
        judged = _pem(found["kind"], body[: cut if cut >= 0 else None], ended=ended)
        if judged and judged[0] != "plaintext":
            end = data.find(b"\n", found.end() + max(cut, 0))
            spans.append((found.start(), len(data) if end < 0 or cut < 0 else end))
    for found in _PUTTY.finditer(data):
        text = data[found.start() : found.start() + _MAX_PUTTY]
        if _putty(text)[0] != "plaintext":
            last = _PUTTY_LAST.search(text)
            spans.append((found.start(), found.start() + (last.end() if last else len(text))))
    return sorted(spans)


def _is_explained(data: bytes, start: int) -> bool:
    """
    Return whether what stands at `start` is in a comment, a sentence or an expression: it tells
    what a key looks like.
    """
    if _COMMENT.search(data[max(0, start - 80) : start]) is not None:
        return True
    begin = _BEGIN.match(data, start)
    return begin is not None and _MENTIONED.match(data, begin.end()) is not None


def _kind(kind: bytes) -> str:
    return kind.decode().removesuffix(" BLOCK").removesuffix("PRIVATE KEY").strip() or "PKCS#8"


def _record(state: str, reason: str, line: int, kind: str) -> SealRecord:
    return SealRecord(
        format=FORMAT, state=state, reason=reason, line=line, detail=(("kind", kind),)
    )


def _pem(kind: bytes, body: bytes, *, ended: bool) -> tuple[str, str] | None:
    text = body.replace(b"\\r", b"").replace(b"\\n", b"\n")
    lines = [_JOINED.sub(b"", line).strip(b" \t\r\"',;\\") for line in text.split(b"\n")]
    lines = [line for line in lines if line not in (b"+", b".")]
    headers = [line for line in lines if _HEADER.fullmatch(line)]
    rest = [line for line in lines if line and not _HEADER.fullmatch(line)]
    if kind.endswith(b"BLOCK"):
        judged = _openpgp(rest)
        if judged and judged[0] == "sealed" and not ended:
            return "broken", "the armor's last line is gone"
        return judged
    raw = from_base64(b"".join(rest))
    claims = kind.startswith(b"ENCRYPTED") or any(
        line.startswith(b"Proc-Type:") and b"ENCRYPTED" in line for line in headers
    )
    if raw is None or len(raw) < 24:
        if kind == b"OPENSSH PRIVATE KEY":
            joined = b"".join(rest)
            head = from_base64(joined[: len(joined) // 4 * 4]) or b""
            if head.startswith(_OPENSSH + b"\0\0\0") and b"none" not in head[:32]:
                return "broken", "the body is cut off or altered: no whole base64"
        if not claims:
            return None  # an example in a text, or a key that the generic rules judge
        return _damaged(rest, raw)
    if kind == b"OPENSSH PRIVATE KEY":
        return _openssh(raw, ended=ended)
    if kind.startswith(b"ENCRYPTED"):
        return _pkcs8(raw, ended=ended)
    if claims:
        return _legacy(kind, raw, headers, ended=ended)
    if raw[:1] != b"\x30":
        return None
    return "plaintext", "an open private key: no passphrase protects it"


def _damaged(rest: list[bytes], raw: bytes | None) -> tuple[str, str]:
    joined = b"".join(rest)
    if raw is not None and is_readable(raw, minimum=4):
        return "fake", "says that it is encrypted, and is base64 of text that anyone can read"
    head = from_base64(joined[: min(len(joined), 60) // 4 * 4])
    if joined and (head is None or is_readable(head, minimum=4)):
        return "fake", "says that it is encrypted, and is text that anyone can read"
    return "broken", "the body is cut off or altered: no whole base64"


def _pkcs8(raw: bytes, *, ended: bool) -> tuple[str, str]:
    size = der_size(raw)
    if size is None:
        if is_readable(raw, minimum=1):
            return "fake", "says that it is encrypted, and is base64 of text that anyone can read"
        return "broken", "the body is no DER: altered"
    if not any(scheme in raw[:64] for scheme in SCHEMES):
        if b"\x02\x01\x00" in raw[:12] or b"\x02\x01\x01" in raw[:12]:
            return "fake", "says that it is encrypted, and holds an open key"
        return "broken", "names no scheme of encryption: altered"
    if len(raw) != size or not ended:
        return "broken", f"ends early or late: {len(raw)} of {size} bytes"
    if is_readable(raw[-48:]):
        return "fake", "its ciphertext is text that anyone can read"
    return "sealed", "encrypted PKCS#8"


def _legacy(kind: bytes, raw: bytes, headers: list[bytes], *, ended: bool) -> tuple[str, str]:
    info = next((line for line in headers if line.startswith(b"DEK-Info:")), b"")
    cipher, _, vector = info[9:].strip().partition(b",")
    if der_size(raw) == len(raw) and raw[4:7] in (b"\x02\x01\x00", b"\x02\x01\x01"):
        return "fake", "says that it is encrypted, and holds an open key"
    if raw[:1] == b"\x30" and der_size(raw) is not None and b"\x02\x01" in raw[2:8]:
        return "fake", "says that it is encrypted, and holds an open key"
    if is_readable(raw, minimum=1):
        return "fake", "says that it is encrypted, and is base64 of text that anyone can read"
    iv = from_hex(vector.strip())
    if not cipher or iv is None or len(iv) not in _BLOCKS:
        return "broken", "no cipher or no initial vector: nobody can open it"
    if len(raw) % len(iv):
        return "broken", f"it ends inside a block: {len(raw)} bytes"
    if kind.startswith(b"RSA") and not _rsa_size(len(raw), len(iv)):
        return "broken", f"{len(raw)} bytes are no whole RSA key: lines are missing"
    if not ended:
        return "broken", "its last line is gone"
    return "sealed", f"legacy PEM encryption ({cipher.decode('ascii', 'replace')[:20]})"


def _rsa_size(size: int, block: int) -> bool:
    """
    Whether an RSA key of some usual length is `size` bytes once it is padded.
    """
    for bits in (768, *range(512, 16_385, 512)):
        # Modulus and private exponent, five halves, a few bytes around each.
        whole = bits // 8 * 2 + bits // 16 * 5 + 40
        if whole - 20 <= size <= whole + block + 4:
            return True
    return False


def _openssh(raw: bytes, *, ended: bool) -> tuple[str, str] | None:
    if not raw.startswith(_OPENSSH):
        return None
    fields = _strings(raw[len(_OPENSSH) :], 3)
    if fields is None:
        return "broken", "it ends inside the header"
    cipher, kdf, _ = fields
    if cipher == b"none":
        return "plaintext", "an open private key: no passphrase protects it"
    position = len(_OPENSSH) + sum(4 + len(field) for field in fields) + 4
    last = _strings(raw[position:], 2)
    if last is None or not ended:
        return "broken", "it ends inside the key, or its last line is gone"
    # An open key starts with one number twice, so that a reader can tell a wrong passphrase.
    same = last[1][:4] == last[1][4:8]
    if kdf == b"none" or same or is_readable(last[1]) or is_filler(last[1]):
        return "fake", "names a cipher, and its key is not encrypted"
    return (
        "sealed",
        f"{cipher.decode('ascii', 'replace')[:30]} under {kdf.decode('ascii', 'replace')[:20]}",
    )


def _strings(raw: bytes, count: int) -> list[bytes] | None:
    found = []
    position = 0
    for _ in range(count):
        size = int.from_bytes(raw[position : position + 4], "big")
        part = raw[position + 4 : position + 4 + size]
        if len(part) != size or position + 4 > len(raw):
            return None
        found.append(part)
        position += 4 + size
    return found


def _putty(text: bytes) -> tuple[str, str]:
    fields = dict(re.findall(rb"^([A-Za-z0-9-]+): ?([^\r\n]*)", text, re.MULTILINE))
    cipher = fields.get(b"Encryption", b"")
    count = fields.get(b"Private-Lines", b"0")
    after = _PUTTY_BODY.search(text)
    lines = after["body"].split() if after else []
    if cipher == b"none":
        return "plaintext", "an open private key: no passphrase protects it"
    if not cipher:
        return "broken", "names no encryption"
    raw = from_base64(b"".join(lines))
    if raw is None or not count.isdigit() or len(lines) != int(count):
        return "broken", f"{len(lines)} of {count.decode('ascii', 'replace')[:6]} private lines"
    if b"Private-MAC" not in fields and b"Private-Hash" not in fields:
        return "broken", "no authentication code"
    if _is_open_putty(raw) or is_readable(raw):
        return "fake", "names a cipher, and its key is not encrypted"
    if len(raw) % 16:
        return "broken", f"it ends inside a block: {len(raw)} bytes"
    return "sealed", f"{cipher.decode('ascii', 'replace')[:20]}"


def _is_open_putty(raw: bytes) -> bool:
    """
    Whether the private part is a row of numbers, each behind its length, and at most padding.
    """
    count = 0
    while (fields := _strings(raw, count + 1)) is not None:
        count += 1
        if sum(4 + len(field) for field in fields) > len(raw) - 16:
            return True
    return False


def _binary(data: bytes) -> list[SealRecord]:
    """
    Judge a file that is a key ring of OpenPGP, a key of git-crypt or one in DER.
    """
    if data.startswith(GIT_CRYPT_KEY):
        return [_record("plaintext", "a git-crypt key lies open", 1, "git-crypt")]
    if data[:1] == b"\x30":
        key = judge_der(data)
        return [_record(*key, 1, "DER")] if key else []
    if data[:1] not in _RINGS:
        return []
    judged = _judged_ring(data)
    return [_record(*judged, 1, "OpenPGP")] if judged else []


def _openpgp(rest: list[bytes]) -> tuple[str, str] | None:
    if rest and rest[-1].startswith(b"="):
        rest = rest[:-1]
    raw = from_base64(b"".join(rest))
    return None if raw is None else _judged_ring(raw)


def _judged_ring(raw: bytes) -> tuple[str, str] | None:
    try:
        keys = [packet for packet in pgp.packets(raw) if packet.tag in (5, 7)]
    except ValueError:
        return None
    protections = [protection(packet.body) for packet in keys]
    if keys and not keys[-1].whole and "open" not in protections:
        return "broken", "it ends inside a packet"
    if "open" in protections:
        return "plaintext", "an open OpenPGP key: no passphrase protects it"
    if "sealed" in protections:
        return "sealed", "an OpenPGP key under a passphrase"
    return ("reference", "an OpenPGP key whose secret part is elsewhere") if keys else None


def protection(body: bytes) -> str:
    """
    Whether a secret key packet is `open`, `sealed` or a `stub` (its secret is on a card).
    """
    position = pgp_keys.public_part_size(body)
    if position is None or position >= len(body):
        return "stub"
    usage = body[position]
    if usage == 0:
        return "open"
    if usage in (253, 254, 255) and body[position + 2 : position + 3] == b"\x65":
        return "stub"  # GNU dummy: gpg --export-secret-subkeys, or a card
    return "sealed"
