"""
A server's own authorities, and certificates of ours: for one request, and no other.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from scanner.secret import Secret
from scanner.verify.request import RefusedError, Request, TransportError, Trust
from scanner.verify.transport import Options, Route, Transport
from tests.verify.clients import Clients
from tests.verify.conftest import QUICK, Leap, Notes
from tests.verify.provider import Authority, Provider

HOST = "kube.shop.example"
CLIENTS = Clients()


def ours(clients: Clients = CLIENTS, **more: object) -> Trust:
    certificate, key = clients.issue("web")
    return Trust(certificate=certificate.encode(), key=Secret(key.encode()), **more)  # type: ignore[arg-type]


class Asking(Authority):
    """Its servers want a client's certificate."""

    def context(self, host: str, *, expired: bool = False) -> ssl.SSLContext:
        made = super().context(host, expired=expired)
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=CLIENTS.pem)
        return made


@pytest.fixture
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, Asking]]:
    authority = Asking(tmp_path_factory.mktemp("asking"))
    server = Provider(authority)
    yield server, authority
    server.close()


def transport(server: Provider, **options: object) -> Transport:
    given = Options(allow_found_hosts=True, limits=QUICK, **options)  # type: ignore[arg-type]
    leap = Leap()
    return Transport(
        Notes(), given, routes={HOST: server.route()}, sleep=leap.sleep, clock=leap.clock
    )


def request(trust: Trust | None, **more: object) -> Request:
    return Request(
        host=HOST, path="/", shown="/", finding="f", found_host=True, trust=trust, **more
    )  # type: ignore[arg-type]


def test_the_servers_own_authority_is_trusted_for_it_alone(
    provider: Provider, authority: Authority
) -> None:
    room = transport(provider)
    own = Trust(authorities=authority.ca_file.read_bytes())

    assert room.send(request(own)).status == 200
    with pytest.raises(TransportError, match="certificate is refused"):
        room.send(request(None))
    room.close()


def test_other_authorities_do_not_count_where_the_finding_names_its_own(
    provider: Provider, authority: Authority
) -> None:
    room = transport(provider, ca_file=authority.ca_file)

    with pytest.raises(TransportError, match="certificate is refused"):
        room.send(request(Trust(authorities=CLIENTS.pem.encode())))
    room.close()


def test_a_name_that_the_finding_gives_is_the_one_that_is_checked(
    authority: Authority,
) -> None:
    server = Provider(authority, certificate="other.example")
    room = transport(server, ca_file=authority.ca_file)

    assert room.send(request(Trust(name="other.example"))).status == 200
    with pytest.raises(TransportError, match="certificate is refused"):
        room.send(request(None))
    room.close()
    server.close()


def test_a_certificate_is_shown_to_who_asks_for_it(asking: tuple[Provider, Asking]) -> None:
    server, authority = asking
    room = transport(server, ca_file=authority.ca_file)

    assert room.send(request(ours())).status == 200
    with pytest.raises(TransportError):
        room.send(request(None))
    with pytest.raises(TransportError):
        room.send(request(ours(Clients())))
    room.close()


@pytest.mark.parametrize(
    "trust",
    [
        Trust(authorities=b"no PEM"),
        Trust(certificate=CLIENTS.pem.encode(), key=Secret(b"no key")),
        Trust(certificate=b"no PEM", key=Secret(CLIENTS.key_pem.encode())),
        Trust(
            certificate=CLIENTS.issue("a")[0].encode(), key=Secret(CLIENTS.issue("b")[1].encode())
        ),
    ],
    ids=["authorities", "key", "certificate", "not a pair"],
)
def test_what_cannot_be_used_is_told_without_a_secret(provider: Provider, trust: Trust) -> None:
    with pytest.raises(TransportError) as error:
        transport(provider).send(request(trust))

    assert "PRIVATE" not in str(error.value)
    assert not provider.asked


def test_a_certificate_of_a_finding_goes_to_no_host_of_ours(provider: Provider) -> None:
    fixed = Request(host=HOST, path="/", shown="/", finding="f", trust=ours())

    with pytest.raises(RefusedError):
        transport(provider).send(fixed)
    with pytest.raises(RefusedError):
        transport(provider, allow_private=True).send(request(ours(), tls=False))


def test_a_connection_with_a_certificate_is_not_used_for_another_request(
    asking: tuple[Provider, Asking],
) -> None:
    server, authority = asking
    room = transport(server, ca_file=authority.ca_file)
    room.send(request(ours()))

    with pytest.raises(TransportError):
        room.send(request(None))
    room.close()


def test_what_is_sent_once_is_sent_once(provider: Provider) -> None:
    from tests.verify.provider import Say

    provider.behave = lambda asked: Say(503)
    room = transport(provider, ca_file=provider._authority.ca_file)

    room.send(request(None, once=True))

    assert len(provider.asked) == 1
    room.close()


def test_a_route_is_no_way_around_consent(provider: Provider) -> None:
    room = Transport(Notes(), Options(), routes={HOST: Route("127.0.0.1", provider.port)})

    with pytest.raises(RefusedError, match="--allow-found-hosts"):
        room.send(request(ours()))
