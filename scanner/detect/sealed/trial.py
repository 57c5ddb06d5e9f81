"""
Keys that the user gave, tried on what was found sealed: the structure proves encryption, the
authentication code proves that nothing was altered since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from scanner.detect.sealed import (
    age_key,
    ansible_vault,
    ansible_vault_key,
    git_crypt_key,
    sealed_secret_key,
    sops_key,
)
from scanner.detect.sealed.evidence import Lines
from scanner.model import SealRecord

_WRONG = "the password given does not open it"


@dataclass(slots=True)
class Keys:
    """
    What was given, and how often it opened something.
    """

    passwords: tuple[bytes, ...] = ()
    identities: tuple[age_key.Identity, ...] = ()
    crypts: tuple[git_crypt_key.GitCryptKey, ...] = ()
    sealers: tuple[RSAPrivateKey, ...] = ()
    tried: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, passwords: Sequence[bytes], key_files: Sequence[bytes]) -> Keys:
        """
        Read passwords (without blanks around them, as Ansible does) and the keys in files.
        """
        return cls(
            tuple(password.strip() for password in passwords),
            tuple(one for text in key_files for one in age_key.identities(text)),
            tuple(one for text in key_files for one in git_crypt_key.keys_of(text)),
            tuple(one for text in key_files for one in sealed_secret_key.keys_of(text)),
        )

    def remarks(self) -> list[str]:
        """
        Return what the user should know of the keys given.
        """
        said = []
        for kind, name in (("password", "vault password"), ("key", "key")):
            if self.tried[kind] and not self.opened[kind]:
                said.append(f"the {name} given opens none of {self.tried[kind]} files or values")
        return said


def with_keys(records: list[SealRecord], data: bytes, keys: Keys) -> list[SealRecord]:
    """
    Return the records of one document, those that a key can speak to judged by it.
    """
    if keys.passwords:
        records = _vaults(records, data, keys)
    if keys.identities or keys.crypts or keys.sealers:
        records = _others(records, data, keys)
    return records


def _vaults(records: list[SealRecord], data: bytes, keys: Keys) -> list[SealRecord]:
    where = Lines(data)
    envelopes = {where.at(one.start): one for one in ansible_vault.envelopes(data)}
    judged = []
    for record in records:
        is_vault = record.format == ansible_vault.FORMAT and any(
            name == "cipher" for name, _ in record.detail
        )
        envelope = envelopes.get(record.line) if is_vault else None
        if envelope is None or record.state not in ("sealed", "partly-sealed"):
            judged.append(record)
            continue
        keys.tried["password"] += 1
        if any(ansible_vault_key.opens(envelope, password) for password in keys.passwords):
            keys.opened["password"] += 1
            reason = record.reason if record.state != "sealed" else _proven(record)
            judged.append(replace(record, reason=reason))
        elif any(ansible_vault_key.altered(envelope, password) for password in keys.passwords):
            keys.opened["password"] += 1
            reason = "altered: its authentication code does not hold under the password given"
            judged.append(replace(record, state="broken", reason=reason))
        else:
            judged.append(replace(record, reason=f"{record.reason}; {_WRONG}"))
    return judged


def _proven(record: SealRecord) -> str:
    return f"{record.reason}; its authentication code holds under the key given"


def _others(records: list[SealRecord], data: bytes, keys: Keys) -> list[SealRecord]:
    judged = []
    for record in records:
        outcome = _outcome(record, data, keys) if record.state == "sealed" else None
        if outcome is None:
            judged.append(record)
            continue
        keys.tried["key"] += 1
        opened, problem = outcome
        keys.opened["key"] += opened
        if problem:
            judged.append(replace(record, state="broken", reason=problem))
        elif opened:
            judged.append(replace(record, reason=_proven(record)))
        else:
            judged.append(replace(record, reason=f"{record.reason}; no key given opens it"))
    return judged


def _outcome(record: SealRecord, data: bytes, keys: Keys) -> tuple[bool, str | None] | None:
    if record.format == "age" and keys.identities:
        return age_key.outcome(data, keys.identities)
    if record.format == "sops" and keys.identities:
        return sops_key.outcome(data, record, keys.identities)
    if record.format == "sealed-secret" and keys.sealers:
        return sealed_secret_key.outcome(data, record.line, list(keys.sealers))
    if record.format == "git-crypt" and keys.crypts:
        return git_crypt_key.outcome(data, keys.crypts)
    return None


def notices(records: Sequence[SealRecord]) -> list[str]:
    """
    Return what stands out across files: one salt in several vaults, several vault ids.
    """
    said = []
    salts: dict[str, list[SealRecord]] = {}
    labels: Counter[str] = Counter()
    for record in records:
        if record.format != ansible_vault.FORMAT or record.state != "sealed":
            continue
        labels[record.label or "default"] += 1
        for name, value in record.detail:
            if name == "salt":
                salts.setdefault(value, []).append(record)
    for same in salts.values():
        places = {(record.path, record.line) for record in same}
        if len(places) > 1:
            shown = ", ".join(
                sorted((path or b"-").decode("utf-8", "replace") for path, _ in places)
            )
            said.append(f"{len(places)} vaults share one salt: {shown[:200]}")
    if len(labels) > 1:
        told = ", ".join(f"{label} ({count})" for label, count in sorted(labels.items()))
        said.append(f"vault ids are mixed: {told[:200]}")
    return said
