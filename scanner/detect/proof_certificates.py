"""
What a certificate says about the private key that it belongs to: whether anybody can rely on it.

Names that nobody can own: https://www.rfc-editor.org/rfc/rfc6761 and rfc2606, rfc5737, rfc3849.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

_NOBODYS = re.compile(
    r"(?i)\*|(?:.*[.@])?(?:localhost|localdomain|test|example|invalid|example\.(?:com|org|net))"
)
"""Names of this machine, and those that are kept for examples and tests."""

_DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
_SAYS_SO = re.compile(
    r"(?i)(?:\A|[^a-z])(?:tests?|testing|testca|testclient|testserver|examples?|dummy|fake|demo"
    r"|snake-?oil|change-?me)(?:\Z|[^a-z])|Internet Widgits Pty Ltd"
)
"""Words for a test; the last is what OpenSSL fills in for who says nothing."""

_NAMES = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)
_BAD = (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature)


def for_nobody(certificate: x509.Certificate) -> bool:
    """
    Return whether a certificate names no server or person that there is: its names are this
    machine's or kept for examples, or it says that it is for tests.
    """
    names = _alternatives(certificate) or _of(certificate.subject, NameOID.COMMON_NAME)
    if names and all(map(_is_nobodys, names)):
        return True
    said = (*_every(certificate.subject), *_every(certificate.issuer))
    return any(_SAYS_SO.search(text) for text in said)


def expired(certificate: x509.Certificate, now: float) -> bool:
    """
    Return whether a certificate is no longer good at `now` (seconds since 1970).
    """
    return certificate.not_valid_after_utc < dt.datetime.fromtimestamp(now, dt.timezone.utc)


def made_by(certificate: x509.Certificate, others: Iterable[x509.Certificate]) -> bool:
    """
    Return whether one of `others`, or the key that it is for, has signed a certificate.
    """
    for other in (certificate, *others):
        try:
            certificate.verify_directly_issued_by(other)
        except _BAD:
            continue
        return True
    return False


def _alternatives(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, *_BAD):
        return []
    return [str(name.value) for name in found.value]


def _of(name: x509.Name, kind: x509.ObjectIdentifier) -> list[str]:
    return [_text(attribute.value) for attribute in name.get_attributes_for_oid(kind)]


def _every(name: x509.Name) -> Iterable[str]:
    return (text for kind in _NAMES for text in _of(name, kind))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _is_nobodys(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _NOBODYS.fullmatch(name) is not None
    return address.is_loopback or any(address in net for net in _DOCUMENTATION)
