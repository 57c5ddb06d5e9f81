"""
What only looks like an assignment is none.
"""

from __future__ import annotations

import pytest

from scanner.detect.generic_forms import values_on
from tests.lookalikes import fill

LISTED = {
    "constant of a class": "class Ruby::RubyToken::TkBITXOR < Ruby::RubyToken::TkOp",
    "asked for": 'node.key?("eucalyptus")',
    "digest of a listed file": '    "lib/functions/has_key.rb": "{{hex:32}}",',
    "digest of the licence": '    "LICENSE": "{{hex:32}}",',
    "digest of a file of the system": "  /etc/passwd: {{hex:32}}",
    "id of a licence": '      "licenseId": "WTFNMFPL",',
}
SET = {
    "value after a path": "/etc/app/passwd: {{alnum:20}}",
    "digest as a value": "api_key: {{hex:32}}",
    "value of a setting in a file": 'key.rb: "{{alnum:24}}"',
    "argument of a method": 'valid_password?("{{alnum:12}}")',
    "value behind two colons": "password::{{alnum:14}}",
    "key of a licence": 'licenseKey: "{{alnum:24}}"',
}


@pytest.mark.parametrize("line", LISTED.values(), ids=LISTED)
def test_what_is_listed_is_no_candidate(line: str) -> None:
    assert values_on(fill(line).encode()) == []


@pytest.mark.parametrize("line", SET.values(), ids=SET)
def test_what_is_set_is(line: str) -> None:
    assert values_on(fill(line).encode())
