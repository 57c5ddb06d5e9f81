"""
Whom the transport trusts: certificate authorities, and a proxy if the user names one.

The environment has no say: not SSL_CERT_FILE, not HTTPS_PROXY.
"""

from __future__ import annotations

import base64
import secrets
import ssl
import tempfile
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from scanner.errors import ConfigError
from scanner.secret import Secret
from scanner.verify.request import Trust
from scanner.verify.transport_address import Addresses, system_resolver


@dataclass(frozen=True, slots=True)
class Proxy:
    """
    An HTTP proxy, from the command line alone.
    """

    host: str
    port: int
    authorization: str | None = field(repr=False)

    def address(self) -> str:
        """
        Return where the proxy is; the user named it, so it may be inside.
        """
        return Addresses(system_resolver, allow_private=True, timeout=5.0).of(self.host, self.port)


def parse_proxy(url: str) -> Proxy:
    """
    Return the proxy that a URL names.

    Raise `ConfigError` if it is of another form.
    """
    form = "--proxy: not of the form http://[user:password@]host:port"
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or 8080
    except ValueError as error:
        raise ConfigError(form) from error
    if parts.scheme != "http" or not parts.hostname:
        raise ConfigError(form)
    authorization = None
    if parts.username is not None:
        pair = ":".join(map(urllib.parse.unquote, (parts.username, parts.password or "")))
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(parts.hostname, port, authorization)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """
    Return a context that trusts the system's authorities, or those of one file.

    Raise `ConfigError` if they cannot be loaded.
    """
    context = _context()
    try:
        if ca_file is None:
            _system_authorities(context)
        else:
            context.load_verify_locations(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{ca_file or 'certificates'}: cannot be loaded as authorities"
        ) from error
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class TrustError(Exception):
    """
    A certificate or key of a finding cannot be used; the text names no secret.
    """


def found_context(trust: Trust, ca_file: Path | None) -> ssl.SSLContext:
    """
    Return a context for a server with authorities or a client certificate of a finding.

    Where the finding names no authorities, the usual ones count.  Raise `TrustError`.
    """
    context = tls_context(ca_file) if trust.authorities is None else _context()
    try:
        if trust.authorities is not None:
            context.load_verify_locations(cadata=trust.authorities.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise TrustError("the authorities beside it cannot be read") from error
    if trust.certificate is not None and trust.key is not None:
        _show(context, trust.certificate, trust.key)
    return context


def _show(context: ssl.SSLContext, certificate: bytes, key: Secret) -> None:
    # The library takes files alone: the key lies in one for a moment, under a password
    # that is never written.
    password = secrets.token_hex(32)
    try:
        loaded = serialization.load_pem_private_key(key.reveal(), None)
        sealed = loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()),
        )
        with tempfile.TemporaryDirectory(prefix="unsealed-") as folder:
            file = Path(folder) / "client.pem"
            file.write_bytes(certificate + b"\n" + sealed)
            context.load_cert_chain(file, password=password)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TrustError("the certificate and the key do not make a pair") from error


def _system_authorities(context: ssl.SSLContext) -> None:
    # Not `load_default_certs` alone: it honours SSL_CERT_FILE and SSL_CERT_DIR.
    paths = ssl.get_default_verify_paths()
    file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    if file.is_file() or folder.is_dir():
        context.load_verify_locations(
            cafile=str(file) if file.is_file() else None,
            capath=str(folder) if folder.is_dir() else None,
        )
    else:
        context.load_default_certs()
