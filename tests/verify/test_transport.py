"""
The transport, against a server on the loopback and resolvers that lie.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator

import pytest

from scanner.errors import ConfigError
from scanner.verify.request import RefusedError, Request, TransportError
from scanner.verify.transport import Limits, Options, Route, Transport
from scanner.verify.transport_address import refusal
from tests.verify.conftest import QUICK, Notes
from tests.verify.provider import Asked, Authority, Provider, Say

HOST = "api.example.com"


def request(**changes: object) -> Request:
    return Request(**({"host": HOST, "path": "/me", "shown": "/me", "finding": "f"} | changes))  # type: ignore[arg-type]


@pytest.fixture
def routed(
    provider: Provider, notes: Notes, authority: Authority
) -> Iterator[Callable[..., Transport]]:
    """Return a maker of transports with limits, for which HOST alone is `provider`."""
    made: list[Transport] = []

    def make(**limits: object) -> Transport:
        given = {"seconds": 2.0, "rate": 1000.0, "burst": 100, "tries": 2, **limits}
        made.append(
            Transport(
                notes,
                Options(ca_file=authority.ca_file, limits=Limits(**given)),  # type: ignore[arg-type]
                routes={HOST: provider.route()},
            )
        )
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def test_a_request_arrives_as_written_and_is_logged(
    anywhere: Callable[..., Transport], provider: Provider, notes: Notes
) -> None:
    reply = anywhere().send(request(headers={"Authorization": "Bearer hidden"}))

    assert reply.status == 200
    assert provider.asked[0].headers["host"] == HOST
    assert provider.asked[0].headers["authorization"] == "Bearer hidden"
    assert notes.lines == [
        {"host": HOST, "method": "GET", "path": "/me", "finding": "f", "outcome": 200}
    ]
    assert "hidden" not in repr(request(headers={"Authorization": "Bearer hidden"}))


def test_a_connection_serves_several_requests(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    transport = anywhere()
    for _ in range(5):
        transport.send(request())

    assert len(provider.asked) == 5
    assert len(provider._open) == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({"method": "DELETE"}, "write", id="a method that writes"),
        pytest.param({"method": "PUT"}, "write", id="another"),
        pytest.param({"path": "/a\r\nX: y"}, "URL", id="line break in the path"),
        pytest.param({"path": "/a b"}, "URL", id="space in the path"),
        pytest.param({"path": "http://evil/"}, "URL", id="a whole URL as path"),
        pytest.param({"headers": {"A": "b\r\nC: d"}}, "header", id="line break in a header"),
        pytest.param({"headers": {"A": "b\0"}}, "header", id="NUL in a header"),
        pytest.param({"headers": {"A": "b\x7f"}}, "header", id="DEL in a header"),
        pytest.param({"headers": {"A": "ä"}}, "header", id="not ASCII"),
        pytest.param({"headers": {"A:b": "c"}}, "name", id="a colon in a name"),
        pytest.param({"host": "a@b.example"}, "host", id="user info"),
        pytest.param({"host": "a/b"}, "host", id="a path"),
        pytest.param({"host": "ex\u0430mple.com"}, "host", id="another script"),
        pytest.param({"port": 0}, "port", id="no port"),
        pytest.param({"tls": False}, "encrypted", id="no encryption"),
        pytest.param({"found_host": True}, "--allow-found-hosts", id="a found host"),
    ],
)
def test_is_not_sent(
    anywhere: Callable[..., Transport], provider: Provider, changes: dict[str, object], word: str
) -> None:
    with pytest.raises(RefusedError, match=word):
        anywhere().send(request(**changes))

    assert not provider.asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "169.254.1.1", "100.64.0.1", "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.0.192", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1", "fe80::1%eth0",
        "64:ff9b:1::a00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_refused(address: str, notes: Notes) -> None:
    transport = Transport(notes, resolve=lambda host, port: [address])

    with pytest.raises(RefusedError, match="leads to"):
        transport.send(request())
    assert not notes.lines


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "::ffff:169.254.169.254", "224.0.0.1"],
)
def test_metadata_is_refused_whatever_the_flags(address: str) -> None:
    assert refusal(address, allow_private=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "140.82.112.3"])
def test_a_public_address_is_not_refused(address: str) -> None:
    assert refusal(address, allow_private=False) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.1.1", "fc00::1"])
def test_a_flag_allows_the_house(address: str) -> None:
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]", "localhost", "0x7f000001"]
)
def test_a_host_that_is_an_address_inside_is_refused(host: str, notes: Notes) -> None:
    allowed = Options(allow_found_hosts=True)
    transport = Transport(notes, allowed, resolve=lambda name, port: ["127.0.0.1"])

    with pytest.raises(RefusedError):
        transport.send(request(host=host, found_host=True))


def test_one_bad_address_among_good_ones_is_enough(notes: Notes) -> None:
    transport = Transport(notes, resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])

    with pytest.raises(RefusedError, match="leads to"):
        transport.send(request())


def test_a_name_is_resolved_once_so_rebinding_gains_nothing(
    provider: Provider, notes: Notes, authority: Authority
) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]])
    transport = Transport(
        notes,
        Options(
            ca_file=authority.ca_file, allow_private=True, allow_found_hosts=True, limits=QUICK
        ),
        resolve=lambda host, port: next(answers),
    )
    for _ in range(3):
        transport.send(request(port=provider.port, found_host=True))
    transport.close()

    assert len(provider.asked) == 3
    assert next(answers) == ["169.254.169.254"]


def test_a_resolver_that_hangs_ends_in_time(notes: Notes) -> None:
    limits = Limits(resolve_seconds=0.1)
    told = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        told.wait(60)
        return []

    with pytest.raises(RefusedError, match="in time"):
        Transport(notes, Options(limits=limits), resolve=hang).send(request())
    told.set()


def test_a_name_that_does_not_resolve_is_told(notes: Notes) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(RefusedError, match="does not resolve"):
        Transport(notes, resolve=fail).send(request())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    anywhere: Callable[..., Transport], provider: Provider, status: int
) -> None:
    provider.behave = lambda asked: Say(status, headers={"Location": "https://evil.example/"})

    assert anywhere().send(request()).status == status
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        pytest.param("reset", "HTTP|broke", id="reset"),
        pytest.param("truncated", "cut short", id="truncated"),
        pytest.param("drip", "in time", id="a byte now and then"),
        pytest.param("huge", "too large|in time", id="without end"),
        pytest.param("garbage", "HTTP", id="not HTTP"),
        pytest.param("hang", "in time", id="silence"),
    ],
)
def test_an_answer_that_is_none(
    routed: Callable[..., Transport], provider: Provider, notes: Notes, fault: str, word: str
) -> None:
    provider.behave = lambda asked: Say(fault=fault, body=b"x" * 50)
    # Whoever waited for these ends would learn of another one: they come, but late.
    with pytest.raises(TransportError, match=word):
        routed(seconds=0.8).send(request())
    assert {line["host"] for line in notes.lines} == {HOST}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_is_tried_again_after_a_pause(
    routed: Callable[..., Transport], provider: Provider, notes: Notes, status: int
) -> None:
    replies = iter([Say(status, headers={"Retry-After": "0"}), Say(200)])
    provider.behave = lambda asked: next(replies)

    assert routed().send(request()).status == 200
    assert len(notes.lines) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_is_not_tried_again(
    anywhere: Callable[..., Transport], provider: Provider, status: int
) -> None:
    provider.behave = lambda asked: Say(status)

    assert anywhere().send(request()).status == status
    assert len(provider.asked) == 1


def test_retry_after_is_honoured(anywhere: Callable[..., Transport], provider: Provider) -> None:
    replies = iter([Say(429, headers={"Retry-After": "17"}), Say(200)])
    provider.behave = lambda asked: next(replies)
    transport = anywhere()
    slept: list[float] = []
    sleep = transport._sleep
    transport._sleep = lambda seconds: slept.append(seconds) or sleep(seconds)

    transport.send(request())

    assert 16 < sum(slept) <= 17


def test_a_retry_after_beyond_patience_ends_the_trying(
    routed: Callable[..., Transport], provider: Provider
) -> None:
    provider.behave = lambda asked: Say(429, headers={"Retry-After": "86400"})

    assert routed().send(request()).status == 429
    assert len(provider.asked) == 1


def test_the_budget_ends_the_asking(routed: Callable[..., Transport], provider: Provider) -> None:
    transport = routed(budget=3)
    for _ in range(3):
        transport.send(request())

    with pytest.raises(RefusedError, match="budget"):
        transport.send(request())
    assert len(provider.asked) == 3


def test_a_silent_host_is_asked_no_more(
    routed: Callable[..., Transport], provider: Provider
) -> None:
    provider.behave = lambda asked: Say(fault="garbage")
    transport = routed(patience=2, tries=1)
    for _ in range(5):
        with pytest.raises(TransportError):
            transport.send(request())

    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"certificate": "other.example"}, id="for another host"),
        pytest.param({"certificate": "expired.example", "expired": True}, id="expired"),
    ],
)
def test_a_wrong_certificate_is_refused(
    authority: Authority, notes: Notes, changes: dict[str, object]
) -> None:
    server = Provider(authority, **changes)  # type: ignore[arg-type]
    host = "expired.example" if "expired" in changes else HOST
    transport = Transport(notes, Options(ca_file=authority.ca_file), routes={host: server.route()})
    try:
        with pytest.raises(TransportError, match="certificate"):
            transport.send(request(host=host))
        assert not server.asked
    finally:
        server.close()


def test_an_unknown_authority_is_refused(provider: Provider, notes: Notes) -> None:
    transport = Transport(notes, routes={HOST: provider.route()})

    with pytest.raises(TransportError, match="certificate"):
        transport.send(request())
    assert not provider.asked


def test_the_environment_has_no_say(
    anywhere: Callable[..., Transport], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", "/nonexistent")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setenv("SSLKEYLOGFILE", "/nonexistent/keys")

    assert anywhere().send(request()).status == 200
    assert "authorization" not in provider.asked[0].headers


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_authority_of_the_environment_is_not_trusted(
    provider: Provider,
    notes: Notes,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv(name, str(authority.ca_file))

    with pytest.raises(TransportError, match="certificate"):
        Transport(notes, routes={HOST: provider.route()}).send(request())


@pytest.mark.parametrize(
    "url", ["https://proxy:1", "socks5://proxy:1", "proxy", "http://", "http://a:b"]
)
def test_a_proxy_of_another_form_is_refused(url: str, notes: Notes) -> None:
    with pytest.raises(ConfigError, match="--proxy"):
        Transport(notes, Options(proxy=url))


def test_a_pace_is_kept(provider: Provider, notes: Notes, authority: Authority) -> None:
    now = [0.0]
    arrived: list[float] = []

    def answer(asked: Asked) -> Say:
        arrived.append(now[0])
        now[0] += 5.0
        return Say()

    def sleep(seconds: float) -> None:
        now[0] += seconds

    provider.behave = answer
    limits = Limits(rate=0.1, run_seconds=1e9)
    with contextlib.closing(
        Transport(
            notes,
            Options(ca_file=authority.ca_file, limits=limits),
            routes={HOST: provider.route()},
            sleep=sleep,
            clock=lambda: now[0],
        )
    ) as transport:
        for _ in range(8):
            transport.send(request())

    # Ten seconds from the answer on: it may have arrived as late as that.
    assert arrived == [15.0 * turn for turn in range(8)]


def test_a_second_request_on_a_new_connection_waits_for_its_turn_and_is_logged(
    anywhere: Callable[..., Transport], provider: Provider, notes: Notes
) -> None:
    transport = anywhere(limits=dataclasses.replace(QUICK, budget=2))
    replies = iter([Say(), Say(fault="reset")])
    provider.behave = lambda asked: next(replies)
    transport.send(request())

    # It was kept, and ends with the second request, which may have been read.
    with pytest.raises(RefusedError, match="budget"):
        transport.send(request())
    assert [line["outcome"] for line in notes.lines] == [200, "the answer is not HTTP"]


def test_a_route_is_only_ever_given_in_code() -> None:
    fields = set(Options.__dataclass_fields__) | set(Limits.__dataclass_fields__)

    assert not {name for name in fields if "route" in name or name == "resolve"}
    assert Route("127.0.0.1", 1).port == 1


def test_what_a_driver_gets_is_pinned_and_logged(notes: Notes, provider: Provider) -> None:
    options = Options(allow_found_hosts=True, allow_private=True)
    transport = Transport(notes, options, resolve=lambda host, port: ["127.0.0.1"])

    with transport.connect("db.example", provider.port, finding="f", what="postgresql") as sock:
        assert sock.getpeername() == ("127.0.0.1", provider.port)
    assert notes.lines[0]["method"] == "postgresql"
    assert transport.pinned("db.example", 5432) == ("127.0.0.1", 5432)


def test_a_driver_gets_nothing_inside(notes: Notes) -> None:
    transport = Transport(
        notes, Options(allow_found_hosts=True), resolve=lambda host, port: ["10.0.0.1"]
    )

    with pytest.raises(RefusedError):
        transport.pinned("db.example", 5432)
    with pytest.raises(RefusedError):
        transport.connect("db.example", 5432, finding="f", what="redis")
