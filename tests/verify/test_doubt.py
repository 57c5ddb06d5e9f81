"""
Checks whose refusal proves nothing may not call a credential dead.
"""

from __future__ import annotations

import re

from scanner.verify.checks import Check
from tests.verify.cases import all_checks

REGION = re.compile(
    r"(?:^|[.-])(?:us|eu|uk|au|ca|ap|fra|in|sg|us\d|eu\d|us-(?:east|west)\S*|eu-\S+)(?=[.-])"
)
ONE_PLACE = {
    "api.finage.co.uk": "a country's domain",
    "api.signable.co.uk": "a country's domain",
}
NO_SUCH_PLACE = re.compile(r"sandbox|staging|(?:^|[.-])(?:stage|test|qa|ote|demo)(?=[.-])")


def by_number(check: Check) -> bool:
    return any(not condition.is_named for condition in check.inactive)


def alone() -> list[Check]:
    return [check for check in all_checks() if not check.companions()]


def test_a_region_speaks_for_itself_alone() -> None:
    wrong = {c.id: c.host() for c in alone() if by_number(c) and REGION.search(c.host())}

    assert {name: host for name, host in wrong.items() if host not in ONE_PLACE} == {}


def test_a_sandbox_speaks_for_itself_alone() -> None:
    assert [c.id for c in alone() if by_number(c) and NO_SUCH_PLACE.search(c.host())] == []


def test_a_basic_credential_has_its_colon() -> None:
    # base64 of a bare key is no user and password: everybody refuses that.
    bare = [
        check.id
        for check in all_checks()
        if any(value == "Basic {secret|base64}" for _, value in check.headers) and by_number(check)
    ]
    assert bare == []


def test_introspection_needs_a_client_of_its_own() -> None:
    # RFC 7662: a 401 there refuses whoever asks, and not the token asked about.
    asking = [c for c in alone() if "introspect" in c.path() and by_number(c)]

    assert [c.id for c in asking] == []
