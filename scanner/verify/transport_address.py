"""
Which addresses may be reached: resolved once a run, refused when they lead inside.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port in, addresses out; raises `OSError`."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*\Z"
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.ip_network("::/96")
# Where clouds answer questions about the machine itself: never, whatever the flags say.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    )
)


class AddressError(Exception):
    """
    A host has no address, or one that must not be reached.
    """


def host_of(text: str) -> str:
    """
    Return a host name or address in lower case.

    Raise `AddressError` if it is neither: user info, a port, a path, other scripts.
    """
    name = text.lower().removesuffix(".")
    if _HOST.match(name):
        # "0x7f.1" and "2130706433" are addresses to a C library and names to us.
        last = name.rpartition(".")[2]
        if last[:1].isdigit() and (last.isdigit() or last.startswith("0x")):
            _parse(name)
        return name
    if ":" in name:
        return str(_parse(name.removeprefix("[").removesuffix("]")))
    raise AddressError("not a host name")


def _parse(text: str) -> IpAddress:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise AddressError("not an address in its usual form") from error


def refusal(address: str, *, allow_private: bool) -> str | None:
    """
    Return why an address must not be reached, or `None`.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    for inner in (ip, *_embedded(ip)):
        if inner in _METADATA:
            return "a metadata service"
        if inner.is_multicast or inner.is_unspecified:
            return "a multicast or unspecified address"
        if not allow_private and not inner.is_global:
            return "a loopback, private, link-local or reserved address"
    return None


def _embedded(ip: IpAddress) -> list[IpAddress]:
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found: list[IpAddress] = []
    if ip.ipv4_mapped:
        found.append(ip.ipv4_mapped)
    if ip.sixtofour:
        found.append(ip.sixtofour)
    if ip.teredo:
        found.extend(ip.teredo)
    low = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _NAT64 or ip in _NAT64_LOCAL or (ip in _COMPATIBLE and int(ip) > 1):
        found.append(low)
    return found


def system_resolver(host: str, port: int) -> list[str]:
    """
    Return the addresses that the system gives, IPv4 first.
    """
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    rows.sort(key=lambda row: row[0] != socket.AF_INET)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class Addresses:
    """
    The address of each host, asked for once and kept for the run: a name that
    answers differently the second time (rebinding) is never asked a second time.
    """

    def __init__(self, resolve: Resolver, *, allow_private: bool, timeout: float) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._timeout = timeout
        self._lock = threading.Lock()
        self._known: dict[str, str | AddressError] = {}
        self._asking: dict[str, threading.Lock] = {}

    def of(self, host: str, port: int) -> str:
        """
        Return the one address of this host.

        Raise `AddressError` if there is none, or if any of its addresses is refused.
        """
        with self._lock:
            turn = self._asking.setdefault(host, threading.Lock())
        with turn:
            known = self._known.get(host)
            if known is None:
                try:
                    known = self._ask(host, port)
                except AddressError as error:
                    known = error
                self._known[host] = known
        if isinstance(known, AddressError):
            raise AddressError(str(known))
        return known

    def _ask(self, host: str, port: int) -> str:
        found = self._within_time(host, port)
        if not found:
            raise AddressError("the name has no address")
        for address in found:
            # One bad address is enough: which of them is used is not ours to trust.
            reason = refusal(address, allow_private=self._allow_private)
            if reason is not None:
                raise AddressError(f"the name leads to {reason}")
        return found[0]

    def _within_time(self, host: str, port: int) -> list[str]:
        # getaddrinfo takes no timeout; a daemon thread may be left behind.
        box: list[list[str] | OSError | UnicodeError] = []

        def ask() -> None:
            try:
                box.append(list(self._resolve(host, port)))
            except (OSError, UnicodeError) as error:
                box.append(error)

        thread = threading.Thread(target=ask, daemon=True, name="unsealed-resolve")
        thread.start()
        thread.join(self._timeout)
        if not box:
            raise AddressError("the name was not resolved in time")
        if isinstance(box[0], list):
            return box[0]
        raise AddressError("the name does not resolve")
