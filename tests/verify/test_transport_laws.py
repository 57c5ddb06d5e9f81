"""
What holds for every value and every address.
"""

from __future__ import annotations

import contextlib
import heapq
import ipaddress
import re

from hypothesis import given
from hypothesis import strategies as st

from scanner.verify.checks import parse_checks
from scanner.verify.checks_render import render
from scanner.verify.request import RefusedError
from scanner.verify.transport_address import AddressError, host_of, refusal
from scanner.verify.transport_pace import Pace

(CHECK,) = parse_checks(
    """
provider: acme
checks:
- id: acme-me
  credential: key
  needs: [found-host]
  url: https://{tenant}.acme.example/v1/{account}/me?key={secret}&x=1
  headers: {Authorization: "Bearer {secret}", X-Tenant: "{tenant}"}
  active: [{status: [200]}]
""",
    origin="acme.yml",
    provider="acme",
)
TEXT = st.text(max_size=60) | st.text(alphabet="ab/.%?#&@:\\\r\n\0;= ", max_size=20)


@given(secret=TEXT, account=TEXT, tenant=TEXT)
def test_no_value_leaves_its_place(secret: str, account: str, tenant: str) -> None:
    values = {"secret": secret, "account": account, "tenant": tenant}
    with contextlib.suppress(RefusedError):
        request = render(CHECK, values, finding="f")
        request.refuse_if_unsound()

        assert re.fullmatch(r"[a-z0-9-]+\.acme\.example", request.host)
        path, _, query = request.path.partition("?")
        assert re.fullmatch(r"/v1/[^/?#\\]+/me", path)
        assert path.split("/")[2] not in {".", ".."}
        assert re.fullmatch(r"key=[^&?#\s]+&x=1", query)
        assert not any("\n" in v or "\r" in v for v in request.headers.values())
        assert request.shown == "/v1/{account}/me?key={secret}&x=1"


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_every_plain_secret_has_its_place(secret: str) -> None:
    request = render(CHECK, {"secret": secret, "account": "a", "tenant": "t"}, finding="f")

    assert request.headers["Authorization"] == f"Bearer {secret}"


@given(st.ip_addresses(v=4))
def test_an_address_inside_is_refused_in_every_dress(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    dresses = [
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1),
        ipaddress.IPv6Address(0x64FF9B << 96 | number),
    ]
    if refusal(str(address), allow_private=False):
        assert all(refusal(str(dress), allow_private=False) for dress in dresses)


@given(TEXT)
def test_a_host_is_a_name_or_an_address(text: str) -> None:
    with contextlib.suppress(AddressError):
        assert re.fullmatch(r"[a-z0-9._:-]+", host_of(text))


@given(
    st.floats(0.3, 50),
    st.integers(1, 5),
    st.integers(1, 6),
    st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 3), st.floats(0, 1)), max_size=60),
)
def test_a_server_is_never_asked_above_the_rate(
    rate: float, burst: int, at_once: int, requests: list[tuple[float, float, float]]
) -> None:
    """Each is a gap, how long it takes, and at what part of that it arrives."""
    now = [100.0]
    pace = Pace(rate, burst=burst, clock=lambda: now[0])
    at_once = min(at_once, pace.most)
    under_way: list[float] = []
    arrived = []

    def end_of_the_first() -> None:
        now[0] = max(now[0], heapq.heappop(under_way))
        pace.done()

    for gap, takes, part in requests:
        now[0] += gap
        while len(under_way) >= at_once:
            end_of_the_first()
        while wait := pace.delay():
            if under_way and under_way[0] <= now[0] + wait:
                end_of_the_first()
            else:
                now[0] += wait
        arrived.append(now[0] + takes * part)
        heapq.heappush(under_way, now[0] + takes)

    arrived.sort()
    for first, later in zip(arrived, arrived[pace.most :], strict=False):
        assert later - first >= pace.most / rate - 1e-9
    assert pace.most <= max(1, rate)
