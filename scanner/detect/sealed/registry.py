"""
The checkers of sealed formats, in order, each with what calls it: literals in the text, or
the file's name.

A checker's module is named and not imported: it is loaded when it is called for, so the
hook pays for YAML only when a manifest is staged.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from scanner.detect.sealed.private_key_starts import DER_STARTS
from scanner.model import SealRecord
from scanner.records import replace


class Check(Protocol):
    """
    A pure function of a document's bytes.
    """

    def __call__(self, data: bytes, path: bytes | None = None) -> list[SealRecord]:
        """Return what there is to say of the document; nothing if the format is not there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """
    One format (or family), and when to ask for it.
    """

    name: str
    formats: tuple[str, ...]
    literals: tuple[bytes, ...] = ()
    """Expressions for bytes, in the subset that the first pass takes; any of them calls it."""

    words: tuple[bytes, ...] = ()
    """Bytes, some of which stand in every text that a literal fits: looking for them is cheap."""

    starts: tuple[bytes, ...] = ()
    """Expressions as well, but for the very start of the document."""

    path: str | None = None
    """A pattern for the whole path in lower case; a file of that name is always judged."""

    def hits(self, data: bytes) -> bool:
        """
        Whether one of its literals stands in `data`, or one of its starts at the start.
        """
        if self.starts and re.match(b"|".join(self.starts), data, re.DOTALL):
            return True
        if not any(word in data for word in self.words):
            return False
        return re.search(b"|".join(self.literals), data, re.DOTALL) is not None

    def check(self, data: bytes, path: bytes | None) -> list[SealRecord]:
        """
        Load the checker's module and ask it.
        """
        module = importlib.import_module(f"scanner.detect.sealed.{self.name}")
        function: Check = module.check
        return function(data, path)


CHECKERS: tuple[Checker, ...] = (
    Checker(
        name="ansible_vault",
        formats=("ansible-vault",),
        words=(
            b"$ANSIBLE_VAULT",
            b"!vault",
        ),
        literals=(rb"\$ANSIBLE_VAULT", rb"!vault(?:-encrypted)?[ \t]+[|>\"']"),
        path=r"(?:group_vars|host_vars|vars)/(?:.*/)?[^/]*vault[^/]*\.ya?ml$|\.vault$",
    ),
    Checker(
        name="sops",
        formats=("sops",),
        words=(
            b"ENC[AES256_GCM",
            b"sops",
        ),
        literals=(
            rb"ENC\[AES256_GCM",
            rb"sops[\"']?:",
            rb"\[sops\]",
            rb"sops_(?:mac|version|lastmodified)",
        ),
    ),
    Checker(
        name="kubernetes",
        formats=("kubernetes-secret", "sealed-secret", "external-secret"),
        words=(
            b"kind",
            b"secretGenerator",
            b"vault.hashicorp.com/",
        ),
        literals=(
            rb"kind[\"']?[ \t]*:[ \t\r\n]*[\"']?[A-Za-z]*(?:Secret|OnePasswordItem)",
            rb"secretGenerator",
            rb"vault\.hashicorp\.com/",
        ),
        path=r"(?:^|/)kustomization\.ya?ml$",
    ),
    Checker(name="git_crypt", formats=("git-crypt",), starts=(rb"\x00GITCRYPT\x00",)),
    Checker(
        name="age",
        formats=("age",),
        words=(b"-----BEGIN AGE",),
        literals=(rb"-----BEGIN AGE ENCRYPTED",),
        starts=(rb"age-encryption\.org/",),
        path=r"\.age$",
    ),
    Checker(
        name="pgp",
        formats=("pgp",),
        words=(b"-----BEGIN PGP",),
        literals=(rb"-----BEGIN PGP (?:MESSAGE|SIGNED)",),
        path=r"\.(?:gpg|pgp|asc)$",
    ),
    Checker(
        name="dotenvx",
        formats=("dotenvx",),
        words=(
            b"DOTENV_",
            b"encrypted:",
        ),
        literals=(
            rb"DOTENV_(?:PUBLIC|PRIVATE)_KEY",
            rb"DOTENV_VAULT_",
            rb"=[ \t]*[\"']?encrypted:",
        ),
    ),
    Checker(
        name="transcrypt",
        formats=("transcrypt",),
        starts=(rb"U2FsdGVkX1", rb"Salted__"),
    ),
    Checker(
        name="private_key",
        formats=("private-key",),
        words=(
            b"PRIVATE KEY",
            b"PuTTY-User-Key",
            b"AGE-SECRET-KEY",
        ),
        literals=(
            rb"-----BEGIN (?:[A-Z0-9]{2,12} )?PRIVATE KEY",
            rb"PuTTY-User-Key-File-[123]:",
            rb"AGE-SECRET-KEY-1",
        ),
        starts=(
            rb"\x00GITCRYPTKEY\x00",
            rb"[\x94-\x96].{1,4}[\x03-\x06].{4}[\x01-\x1c]",
            rb"\xc5.{1,5}[\x03-\x06].{4}[\x01-\x1c]",
            *DER_STARTS,
        ),
    ),
    Checker(
        name="keystore",
        formats=("keystore",),
        starts=(
            rb"\xfe\xed\xfe\xed",
            rb"\xce\xce\xce\xce",
            rb"\x03\xd9\xa2\x9a",
            rb"\x30[\x80-\x84].{0,4}\x02\x01\x03\x30",
        ),
        path=r"\.(?:p12|pfx|jks|jceks|keystore|kdbx)$",
    ),
    Checker(
        name="credential_file",
        formats=("credential-file",),
        words=(b"Config",),
        literals=(rb"kind[\"']?[ \t]*:[ \t\r\n]*[\"']?Config[\"' \t\r\n,]",),
        path=r"vault[-_.]?(?:pass|pw|key|secret)|(?:^|/)\.env(?:\.|$)|\.env$|(?:^|/)[._]netrc$|pgpass"
        r"|\.npmrc$|\.pypirc$|kubeconfig|\.kube/config$|(?:admin|kubelet|controller-manager"
        r"|scheduler)\.conf$|\.docker(?:/config\.json|cfg|config)|dockerconfig(?:json|\.json)$"
        r"|\.tfstate(?:\.|$)|\.tfvars(?:\.json)?$|\.yarnrc\.yml$|\.vault-token$|(?:credentials(?:/[\w-]+)?|secrets)\.yml\.enc$|secrets/(?:master\.key|hudson\.util\.secret)$|master\.key$"
        r"|config/credentials/[^/]+\.key$|credentials\.xml$|settings(?:-security)?\.xml$"
        r"|aws[-_/]credentials|\.boto$|\.s3cfg$|application_default_credentials\.json$"
        r"|(?:service[-_]?account|gcp|gcloud|google)[^/]*\.json$|\.azure/[^/]+\.(?:json|bin)$"
        r"|\.git-credentials$|\.my(?:login)?\.cnf$|\.terraformrc$|terraform\.rc$"
        r"|credentials\.tfrc\.json$|\.gem/credentials$|\.cargo/credentials|(?:^|/)auth\.json$"
        r"|rclone\.conf$",
    ),
)
_BY_PATH = tuple((re.compile(one.path), one) for one in CHECKERS if one.path)


def path_patterns() -> tuple[str, ...]:
    """
    Return patterns for whole paths in lower case: a file whose name fits one is judged by its name.
    """
    return tuple(one.path for one in CHECKERS if one.path)


def named(path: bytes | None) -> bool:
    """
    Whether a file of this path is judged by its name, whatever its text.
    """
    return any(True for _ in _called_by_name(path))


def _called_by_name(path: bytes | None) -> Iterator[Checker]:
    if path is not None:
        name = path.decode("utf-8", "replace").lower()
        yield from (checker for pattern, checker in _BY_PATH if pattern.search(name))


def called(data: bytes, path: bytes | None) -> list[Checker]:
    """
    Return the checkers that a document calls for, in order.
    """
    by_name = {checker.name for checker in _called_by_name(path)}
    return [checker for checker in CHECKERS if checker.name in by_name or checker.hits(data)]


def seal_records(
    data: bytes, path: bytes | None, *, checkers: list[Checker] | None = None
) -> list[SealRecord]:
    """
    Return a record for each sealed or sealable text of a document, by line.
    """
    data = _as_utf8(data)
    records: list[SealRecord] = []
    for checker in called(data, path) if checkers is None else checkers:
        records += [replace(record, path=path) for record in checker.check(data, path)]
    return sorted(_without_doubles(records), key=lambda record: record.line)


def _as_utf8(data: bytes) -> bytes:
    # What an editor of Windows wrote says the same in another coding.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError:
            return data
    return data


def _without_doubles(records: list[SealRecord]) -> list[SealRecord]:
    # A key inside a sealed file's metadata, or a vault in a credential file, is told
    # once: by the format whose checker stands first.
    formats = {record.format for record in records}
    inner = {"age", "pgp"} if "sops" in formats else set()
    if formats & {"sops", "dotenvx", "ansible-vault", "private-key"}:
        inner.add("credential-file")
    return [record for record in records if record.format not in inner]
