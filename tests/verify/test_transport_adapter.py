"""
A library's requests go through our transport, to its provider's hosts alone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner.verify.request import RefusedError
from scanner.verify.transport import Transport
from scanner.verify.transport_adapter import Adapter
from tests.verify.conftest import Notes
from tests.verify.provider import Provider

HOSTS = frozenset({"sts.example.com"})


def test_a_request_is_passed_on_and_its_query_is_not_logged(
    anywhere: Callable[..., Transport], provider: Provider, notes: Notes
) -> None:
    adapter = Adapter(transport=anywhere(), finding="f", hosts=HOSTS)

    reply = adapter.send(
        "post",
        "https://sts.example.com/a?token=hidden7",
        headers={"X-A": "1", "Host": "evil.example", "Content-Length": "999"},
        body="b=c",
    )

    (asked,) = provider.asked
    assert reply.status == 200
    assert (asked.host, asked.target, asked.body) == ("sts.example.com", "/a?token=hidden7", b"b=c")
    assert asked.headers["x-a"] == "1"
    assert "hidden7" not in repr(notes.lines)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a",
        "http://sts.example.com/a",
        "https://sts.example.com@evil.example/",
        "https://ada:pw@sts.example.com/",
        "https://sts.example.com.evil.example/",
        "https://sts.example.com:x/",
        "file:///etc/passwd",
        "https://[/",
    ],
)
def test_elsewhere_is_refused(
    anywhere: Callable[..., Transport], provider: Provider, url: str
) -> None:
    adapter = Adapter(transport=anywhere(), finding="f", hosts=HOSTS)

    with pytest.raises(RefusedError):
        adapter.send("GET", url)
    assert not provider.asked


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_method_that_writes_is_refused(
    anywhere: Callable[..., Transport], provider: Provider, method: str
) -> None:
    adapter = Adapter(transport=anywhere(), finding="f", hosts=HOSTS)

    with pytest.raises(RefusedError, match="write"):
        adapter.send(method, "https://sts.example.com/")
    assert not provider.asked
