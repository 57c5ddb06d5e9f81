"""
A hostile finding for every provider: nothing it holds may lead a request astray.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner.model import Status
from scanner.verify.checks import Check
from scanner.verify.declarative import Declarative
from scanner.verify.registry import Consent
from scanner.verify.request import READ_METHODS
from scanner.verify.transport import Limits, Options, Transport
from tests.verify.cases import FOLDER, all_checks, companion_value, finding_for, rule_for, sample
from tests.verify.conftest import Notes
from tests.verify.provider import Asked, Provider, Say

CHECKS = all_checks()
SOME = sample(CHECKS, 80)
which = pytest.mark.parametrize(
    "checks",
    [pytest.param(SOME, id="some"), pytest.param(CHECKS, id="all", marks=pytest.mark.slow)],
)
EVERYTHING = Consent(found_hosts=True, login=True, costs=True, canaries=True)

ATTACKS = {
    "line break": "abc\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1",
    "bare line feed": "abc\nX-Evil: 1",
    "NUL": "abc\0def",
    "user info": "abc@evil.example",
    "another host": "evil.example/",
    "a whole URL": "https://evil.example/x",
    "out of the path": "../../../admin/delete",
    "encoded dots": "%2e%2e%2f%2e%2e%2fadmin",
    "dots alone": "..",
    "query": "a?delete=1&b=2",
    "fragment": "a#evil",
    "ampersand": "a&admin=true",
    "backslash": "\\\\evil.example\\x",
    "another script": "\u0430bc\u202e.example",
    "wide digits": "\uff11\uff12\uff17.0.0.1",
    "metadata": "169.254.169.254",
    "loopback": "127.0.0.1:22",
    "mapped": "[::ffff:169.254.169.254]",
    "decimal address": "2852039166",
    "template": "{secret}{host}{{7*7}}",
    "JSON": '","admin":true,"x":"',
    "space": "a b c",
    "empty": "",
    "long": "a" * 20_000,
}


class AstrayError(AssertionError):
    """A name that no request may lead to was asked for."""


def ask(check: Check, transport: Transport, secret: str, **values: str) -> Status:
    room = Declarative([FOLDER], lambda _: rule_for(check))
    room._checks[check.provider] = (check,)
    return room.verify(finding_for(check, secret, **values), transport, EVERYTHING).status


def template(check: Check) -> list[str]:
    """The fixed parts of the path: they must come through as they are."""
    path = check.path().partition("?")[0]
    return [part for part in path.split("/") if part and "{" not in part]


def astray(check: Check, asked: Asked) -> str | None:
    """What is wrong with a request that a hostile finding led to."""
    path = asked.target.partition("?")[0]
    if asked.method not in READ_METHODS or asked.method != check.method:
        return "the method"
    if "{" not in check.host() and asked.host != check.host():
        return "the host"
    if "x-evil" in asked.headers:
        return "a header of its own"
    if ".." in path.split("/") or "%2e%2e" in path.lower() or "\\" in path:
        return "out of the path"
    if len(path.split("/")) != len(check.path().partition("?")[0].split("/")):
        return "the path's depth"
    if any(part not in path.split("/") for part in template(check)):
        return "the path"
    given, stated = asked.target.count("&"), check.path().count("&")
    if given != stated or asked.target.count("?") != min(1, check.path().count("?")):
        return "the query"
    return None


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@which
def test_a_hostile_value_leads_nowhere(
    checks: list[Check],
    anywhere: Callable[..., Transport],
    provider: Provider,
    notes: Notes,
    attack: str,
) -> None:
    provider.behave = lambda asked: Say(302, headers={"Location": "https://169.254.169.254/"})
    transport = anywhere(allow_found_hosts=True)
    wrong = []
    for check in checks:
        for place in ("secret", *sorted(check.companions())):
            provider.asked.clear()
            hosts = {n: companion_value(check, n) for n in check.companions() if n != place}
            if place == "secret":
                status = ask(check, transport, attack, **hosts)
            else:
                status = ask(check, transport, "sound" * 6, **hosts, **{place: attack})
            wrong += [
                (check.id, place, fault) for a in provider.asked if (fault := astray(check, a))
            ]
            if status in (Status.ACTIVE, Status.INACTIVE):
                wrong.append((check.id, place, status))
            whole = f"{{{place}}}" == check.host()
            if (
                not whole
                and "{" + place + "}" in check.host()
                and any(
                    not asked.host.endswith(check.host().rpartition("}")[2])
                    for asked in provider.asked
                )
            ):
                wrong.append((check.id, place, "left the fixed end of its host"))
    assert not wrong
    paths = {str(line["path"]) for line in notes.lines}
    assert paths <= {check.path() for check in checks}


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "10.0.0.1", "100.64.0.1",
        "metadata.google.internal", "localhost", "0x7f.1", "2130706433", "evil.example@good.example",
        "good.example:99999", "good.example/x", "a..b", "", "-a.example", "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_a_found_host_inside_is_never_reached(host: str, notes: Notes) -> None:
    def resolve(name: str, port: int) -> list[str]:
        if name == "metadata.google.internal":
            return ["169.254.169.254"]
        if name == "localhost":
            return ["127.0.0.1"]
        if ":" in name or name.rpartition(".")[2].isdigit():
            return [name]
        raise AstrayError(name)

    transport = Transport(
        notes, Options(allow_found_hosts=True, limits=Limits(tries=1)), resolve=resolve
    )
    for check in [c for c in CHECKS if c.host() in {f"{{{n}}}" for n in c.companions()}]:
        name = check.host()[1:-1]
        assert ask(check, transport, "sound" * 6, **{name: host}) is Status.UNKNOWN, check.id
    assert not notes.lines
