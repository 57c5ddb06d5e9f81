"""
The key beside the lock: every candidate secret of a repository tried on its sealed files,
offline and within bounds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scanner.detect.sealed import (
    age_key,
    ansible_vault,
    ansible_vault_key,
    git_crypt,
    git_crypt_key,
    pgp,
    pgp_keys,
    private_key,
    sealed_secret_key,
    sops_key,
)
from scanner.detect.sealed.evidence import from_base64, from_hex
from scanner.detect.sealed.registry import seal_records
from scanner.model import Document, Limit, Match, Position, SealRecord

RULE_ID = "key-beside-lock"
WEAK_RULE_ID = "ansible-vault-weak-password"
_MAX_PASSWORD = 256  # bytes
_MAX_TRIALS = 5_000  # of a vault password; each costs some 5 ms
_MAX_LOCKS_A_LABEL = 3
_PGP_KEY = re.compile(
    rb"-----BEGIN PGP PRIVATE KEY BLOCK-----(?P<body>[^-]+)-----END PGP PRIVATE KEY BLOCK-----"
)
_DOTENVX = re.compile(rb"DOTENV_PRIVATE_KEY(?:_\w+)?[ \t]*=[ \t]*[\"']?(?P<key>[0-9a-fA-F]{64})")
_DOTENVX_PUBLIC = re.compile(
    rb"DOTENV_PUBLIC_KEY(?:_\w+)?[ \t]*=[ \t]*[\"']?(?P<key>[0-9a-fA-F]{66})"
)
_RAILS = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{64}")
_RAILS_FILE = re.compile(rb"(?P<text>[\w+/=]+)--(?P<iv>[\w+/=]{16})--(?P<tag>[\w+/=]{24})\s*")

# What people type when they mean to choose later; tried on request only.
WEAK_PASSWORDS = tuple(
    (word + tail).encode()
    for word in ("password", "secret", "vault", "ansible", "changeme", "admin", "test", "letmein",
                 "qwerty", "welcome", "devops", "root", "default", "passw0rd", "hunter2", "")
    for tail in ("", "1", "123", "1234", "12345", "123456", "!")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A text that may be, or hold, a key: a secret that was found, or a small file.
    """

    data: bytes
    document: Document
    line: int = 1


@dataclass(frozen=True, slots=True)
class Lock:
    """
    A sealed document of the repository.
    """

    data: bytes
    document: Document
    records: tuple[SealRecord, ...]

    @property
    def name(self) -> str:
        """How it is called in a message."""
        path = self.document.path
        return self.document.blob or "?" if path is None else path.decode("utf-8", "replace")


@dataclass(slots=True)
class Unlocking:
    """
    What was proven, and which bound bit.
    """

    matches: list[Match] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)


def lock_of(data: bytes, document: Document) -> Lock | None:
    """
    Return the document as a lock; `None` if nothing in it is sealed.
    """
    records = tuple(
        record
        for record in seal_records(data, document.path)
        if record.state in ("sealed", "partly-sealed") or _rails(data)
    )
    if not records and not _rails(data):
        return None
    return Lock(data, document, records)


def unlock(
    candidates: Iterable[Candidate], locks: list[Lock], *, trials: int = _MAX_TRIALS
) -> Unlocking:
    """
    Try every candidate on every lock of its kind; each proof is a critical match.
    """
    done = Unlocking()
    vaults = list(_vaults(locks))
    known: dict[bytes, list[bool]] = {}
    left = trials
    seen: set[bytes] = set()
    for candidate in candidates:
        if candidate.data in seen:
            continue
        seen.add(candidate.data)
        opened = list(_openings(candidate.data, locks))
        for kind in dict.fromkeys(kind for kind, _ in opened):
            fits = [lock for name, lock in opened if name == kind]
            done.matches.append(_match(candidate, kind, fits))
        for password in passwords(candidate.data) if vaults and not opened else ():
            if password not in known and left < len(vaults):
                done.limits.append(Limit(
                    name="vault-trials", path=candidate.document.path,
                    reason=f"only {trials} trials of vault passwords were made",
                ))  # fmt: skip
                return done
            if password not in known:
                left -= len(vaults)
                known[password] = _tried(vaults, password)
            fits = [
                lock
                for (_, lock), opened_it in zip(vaults, known[password], strict=True)
                if opened_it
            ]
            if fits:
                done.matches.append(_match(candidate, "Ansible Vault password", fits))
                break
    return done


def _tried(vaults: Sequence[tuple[ansible_vault.Envelope, Lock]], password: bytes) -> list[bool]:
    # Deriving a key lets go of the interpreter, so threads share the work out.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(
            pool.map(lambda item: ansible_vault_key.opens(item[0], password), vaults, chunksize=1)
        )


def passwords(text: bytes) -> list[bytes]:
    """
    Return what of a text may be a vault password: all of it without blanks, and its first line.
    """
    whole = text.strip()
    first = whole.split(b"\n", 1)[0].strip()
    found = [part for part in (whole, first) if 0 < len(part) <= _MAX_PASSWORD]
    return [
        part for part in dict.fromkeys(found) if not part.startswith((b"#!", b"$ANSIBLE_VAULT"))
    ]


def try_weak(locks: list[Lock], *, trials: int = _MAX_TRIALS) -> Unlocking:
    """
    Try the dictionary of weak passwords on every vault; a match tells that one opens it, not which.
    """
    done = Unlocking()
    left = trials
    for lock in locks:
        left -= len(WEAK_PASSWORDS) * len(list(_vaults([lock])))
        if left < 0:
            done.limits.append(Limit(
                name="vault-trials", path=lock.document.path,
                reason=f"only {trials} trials of weak vault passwords were made",
            ))  # fmt: skip
            break
        if weak_password(lock) is not None:
            done.matches.append(_weak_match(lock))
    return done


def _weak_match(lock: Lock) -> Match:
    reason = "opens with a password that anyone would try (proven offline)"
    line = lock.records[0].line if lock.records else 1
    document = lock.document
    return Match(
        rule_id=WEAK_RULE_ID,
        secret=None,
        document=document,
        position=Position(line, 1, line, 2),
        reasons=(reason,),
        seal=SealRecord(
            format="ansible-vault", state="sealed", reason=reason, line=line,
            path=document.path, blob=document.blob,
        ),
        proven=True,
    )  # fmt: skip


def weak_password(lock: Lock) -> bytes | None:
    """
    Return the well-known password that opens a vault of this document; `None` if none does.
    """
    for envelope, _ in _vaults([lock]):
        for password in WEAK_PASSWORDS:
            if password and ansible_vault_key.opens(envelope, password):
                return password
    return None


def _vaults(locks: list[Lock]) -> Iterator[tuple[ansible_vault.Envelope, Lock]]:
    count: dict[str | None, int] = {}
    seen: set[bytes] = set()
    for lock in locks:
        for envelope in ansible_vault.envelopes(lock.data):
            parts = ansible_vault.parts_of(envelope)
            if parts is None or parts.code in seen:
                continue  # the same vault in another version of its file
            seen.add(parts.code)
            count[envelope.label] = count.get(envelope.label, 0) + 1
            if count[envelope.label] <= _MAX_LOCKS_A_LABEL:
                yield envelope, lock


def _openings(data: bytes, locks: list[Lock]) -> Iterator[tuple[str, Lock]]:
    identities = age_key.identities(data) if b"AGE-SECRET-KEY-1" in data else []
    crypts = git_crypt_key.keys_of(data)
    keys = sealed_secret_key.keys_of(data) if b"PRIVATE KEY" in data or b"tls.key" in data else []
    ids = pgp_ids(data)
    points = dotenvx_publics(data)
    rails = from_hex(data.strip()) if _RAILS.fullmatch(data.strip()) else None
    for lock in locks:
        kind = _opened(lock, identities, crypts, keys, ids)
        if kind is None and points & {
            one["key"].lower() for one in _DOTENVX_PUBLIC.finditer(lock.data)
        }:
            kind = "dotenvx private key"
        if kind is None and rails is not None and _opens_rails(lock.data, rails):
            kind = "Rails master key"
        if kind is not None:
            yield kind, lock


def _opened(
    lock: Lock,
    identities: list[age_key.Identity],
    crypts: list[git_crypt_key.GitCryptKey],
    keys: list[RSAPrivateKey],
    ids: frozenset[str],
) -> str | None:
    if lock.data.startswith(git_crypt.MAGIC):
        return (
            "git-crypt key" if any(git_crypt_key.opens(lock.data, key) for key in crypts) else None
        )
    for record in lock.records:
        if ids and record.format in ("pgp", "sops"):
            names = {name.rsplit(":", 1)[-1][-16:].upper() for name in record.recipients}
            if names & ids:
                return "OpenPGP key"
        outcome = None
        if identities and record.format == "age":
            outcome = age_key.outcome(lock.data, identities)
        elif identities and record.format == "sops":
            outcome = sops_key.outcome(lock.data, record, identities)
        elif keys and record.format == "sealed-secret":
            outcome = sealed_secret_key.outcome(lock.data, record.line, keys)
        if outcome is not None and outcome[0]:
            return "sealed-secrets key" if record.format == "sealed-secret" else "age identity"
    return None


def pgp_ids(data: bytes) -> frozenset[str]:
    """
    Return the ids of the secret keys in a text or key ring that no passphrase protects.
    """
    rings = []
    for found in _PGP_KEY.finditer(data):
        lines = [line.strip() for line in found["body"].split(b"\n")]
        body = [line for line in lines if line and b":" not in line and not line.startswith(b"=")]
        rings.append(from_base64(b"".join(body)) or b"")
    if not rings and data[:1] and data[0] & 0xFC in (0x94, 0xC4):
        rings.append(data)
    ids = set()
    for ring in rings:
        try:
            for packet in pgp.packets(ring):
                if packet.tag in (5, 7) and private_key.protection(packet.body) == "open":
                    name = pgp_keys.key_id(packet)
                    if name is not None:
                        ids.add(name)
        except ValueError:
            continue
    return frozenset(ids)


def dotenvx_publics(data: bytes) -> frozenset[bytes]:
    """
    Return the public keys that belong to the dotenvx private keys in a text.
    """
    found = set()
    for match in _DOTENVX.finditer(data):
        try:
            key = ec.derive_private_key(int(match["key"], 16), ec.SECP256K1())
        except ValueError:
            continue
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        found.add(point.hex().encode())
    return frozenset(found)


def _rails(data: bytes) -> bool:
    return len(data) < 1 << 20 and _RAILS_FILE.fullmatch(data) is not None


def _opens_rails(data: bytes, key: bytes) -> bool:
    found = _RAILS_FILE.fullmatch(data) if len(data) < 1 << 20 else None
    if found is None:
        return False
    text, nonce, tag = (from_base64(found[name]) for name in ("text", "iv", "tag"))
    if text is None or nonce is None or tag is None:
        return False
    try:
        AESGCM(key).decrypt(nonce, text + tag, b"")
    except (InvalidTag, ValueError):
        return False
    return True


def _match(candidate: Candidate, kind: str, locks: list[Lock]) -> Match:
    names = ", ".join(lock.name for lock in locks[:5])
    more = f" and {len(locks) - 5} more" if len(locks) > 5 else ""
    reason = f"{kind}: opens {names}{more} (proven offline)"
    document = candidate.document
    record = SealRecord(
        format="key", state="plaintext", reason=reason, line=candidate.line,
        detail=(("kind", kind), ("opens", names)), path=document.path, blob=document.blob,
    )  # fmt: skip
    return Match(
        rule_id=RULE_ID,
        secret=None,
        document=document,
        position=Position(candidate.line, 1, candidate.line, 2),
        reasons=(reason,),
        seal=record,
        proven=True,
    )
