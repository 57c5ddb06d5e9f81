"""
Whom the transport trusts: certificate authorities, and a proxy if the user names one.

The environment has no say: not SSL_CERT_FILE, not HTTPS_PROXY.
"""

from __future__ import annotations

import base64
import ssl
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from scanner.errors import ConfigError
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
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
