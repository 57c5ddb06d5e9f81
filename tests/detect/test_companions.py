"""
What belongs to a secret: found in the forms that files have, and nothing else taken for it.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.companions import Companions
from scanner.detect.engine import Engine
from scanner.errors import RuleError
from scanner.model import Document, Place
from scanner.ruleset.loading import parse_pack
from scanner.ruleset.schema import Rule
from scanner.sources.batch import ListBatch
from tests.lookalikes import fill

SECRET = fill("{{hex:32}}")
PACK = """
provider: acme
rules:
  - id: acme-key
    title: Acme key
    severity: high
    confidence: high
    remediation: roll it
    keyed:
      words: [acme]
      value: '[0-9a-f]{32}'
    companions:
COMPANIONS
"""
ID = "    - {name: id, names: [client id, id, user]}"
HOST = "    - {name: host, kind: host, ends: [acme.example.io]}"
LABEL = "    - {name: subdomain, kind: label, ends: [acme.io]}"
EMAIL = "    - {name: email, kind: email}"


@cache
def rule(companions: str = ID) -> Rule:
    return parse_pack(PACK.replace("COMPANIONS", companions), "acme.yml")[0]


@cache
def engine() -> Engine:
    return Engine.from_rules([rule()])


def found(text: str) -> str | None:
    data = text.replace("SECRET", SECRET).encode()
    batch = ListBatch([(Document(Place.FILE, path=b"a"), data)])
    matches = engine().scanner().scan(batch)
    assert matches, "the secret itself was not found"
    return next((c.value.reveal().decode() for c in matches[0].companions), None)


def near(text: str, companions: str = ID) -> str | None:
    """The same without the engine: for many texts."""
    data = text.replace("SECRET", SECRET).encode()
    start = data.index(SECRET.encode())
    companions_ = Companions(rule(companions)).near(data, start, start + len(SECRET))
    return next((c.value.reveal().decode() for c in companions_ or ()), None)


def test_every_value_is_kept_where_the_nearest_may_be_anothers() -> None:
    every = """    - {name: id, pattern: '(?P<value>AC[0-9]{4})', every: true, within: 60}"""
    text = f"AC1111 AC2222 AC3333 AC2222 acme_key={SECRET} AC4444 AC5555 {' ' * 60} AC6666"
    start = text.index(SECRET)

    found = Companions(rule(every)).near(text.encode(), start, start + len(SECRET))

    assert [c.value.reveal() for c in found or ()] == [b"AC4444", b"AC5555", b"AC2222", b"AC3333"]


def test_every_goes_with_a_pattern() -> None:
    with pytest.raises(RuleError, match="every"):
        rule("    - {name: id, names: [id], every: true}")


FORMS = {
    "env file": "ACME_CLIENT_ID=k7qm2x\nACME_KEY=SECRET\n",
    "after it": "ACME_KEY=SECRET\nACME_CLIENT_ID=k7qm2x\n",
    "shell": "export ACME_CLIENT_ID='k7qm2x'\nexport ACME_KEY='SECRET'\n",
    "flat JSON": '{"acme_client_id": "k7qm2x", "acme_key": "SECRET"}',
    "nested JSON": '{"acme": {"key": "SECRET", "clientId": "k7qm2x"}}',
    "YAML": "acme:\n  key: SECRET\n  client_id: k7qm2x\n",
    "YAML with a list": "acme:\n- key: SECRET\n  client-id: k7qm2x\n",
    "Kubernetes": "- name: ACME_KEY\n  value: SECRET\n- name: ACME_CLIENT_ID\n  value: k7qm2x\n",
    "task definition": '[{"name":"ACME_CLIENT_ID","value":"k7qm2x"},{"name":"ACME_KEY","value":"SECRET"}]',
    "properties": "acme.client.id=k7qm2x\nacme.key=SECRET\n",
    "TOML": '[acme]\nclient_id = "k7qm2x"\nkey = "SECRET"\n',
    "Python": 'ACME_CLIENT_ID = "k7qm2x"\nACME_KEY = "SECRET"\n',
    "a dict": "acme = dict(client_id='k7qm2x', key='SECRET')\n",
    "JavaScript": "const acme = { clientId: 'k7qm2x', key: 'SECRET' };\n",
    "camel case": "var acmeClientId = 'k7qm2x'; var acmeKey = 'SECRET';\n",
    "Go": 'acmeClientID := "k7qm2x"\nacmeKey := "SECRET"\n',
    "PHP": "$acme = ['client_id' => 'k7qm2x', 'acme_key' => 'SECRET'];\n",
    "Ruby": 'ENV["ACME_CLIENT_ID"] = "k7qm2x"\nENV["ACME_KEY"] = "SECRET"\n',
    "a call": 'os.Setenv("ACME_CLIENT_ID", "k7qm2x")\nos.Setenv("ACME_KEY", "SECRET")\n',
    "XML": "<acme><clientId>k7qm2x</clientId><key>SECRET</key></acme>\n",
    "app settings": '<add key="AcmeClientId" value="k7qm2x"/><add key="AcmeKey" value="SECRET"/>\n',
    "an option": "acme login --client-id k7qm2x --acme-key SECRET\n",
    "an option with a sign": "acme login --client-id=k7qm2x --key=SECRET\n",
    "a query": "https://api.acme.io/v1/me?client_id=k7qm2x&key=SECRET\n",
    "curl": "# acme\ncurl -u k7qm2x:SECRET https://api.io/v1\n",
    "user info": "acme: https://k7qm2x:SECRET@api.acme.io/\n",
    "its own prefix": "CRM_CLIENT_ID=k7qm2x\n# acme\nCRM_KEY=SECRET\n",
    "the better name": "ACME_USER=someuser9\nACME_CLIENT_ID=k7qm2x\nACME_KEY=SECRET\n",
    "the provider's before another's": "CLIENT_ID=other1\nACME_KEY=SECRET\nACME_CLIENT_ID=k7qm2x\n",
    "of its own block": (
        '[{"acme_id": "a1", "x": "1"}, {"acme_key": "SECRET", "much": "between", "acme_id": "k7qm2x"}]'
    ),
    "an ending for where it runs": "ACME_CLIENT_ID_PROD=k7qm2x\nACME_KEY_PROD=SECRET\n",
    "Windows": "ACME_CLIENT_ID=k7qm2x\r\nACME_KEY=SECRET\r\n",
}  # fmt: skip
NOT_FOUND = {
    "somebody else's": "OTHER_CLIENT_ID=k7qm2x\nACME_KEY=SECRET\n",
    "a reference": "ACME_CLIENT_ID=${CLIENT}\nACME_KEY=SECRET\n",
    "a variable": "acme_client_id = os.environ['X']\nacme_key = 'SECRET'\n",
    "a member": "clientId: process.env.ACME_ID,\nacmeKey: 'SECRET',\n",
    "a name": "client_id: acmeClientId, acme_key: 'SECRET'\n",
    "a template": "acme:\n  client_id: {{ .Values.id }}\n  key: SECRET\n",
    "a placeholder": "ACME_CLIENT_ID=<your-client-id>\nACME_KEY=SECRET\n",
    "a type": "client_id: string\nacme_key: SECRET\n",
    "null": '{"acme": {"client_id": null, "key": "SECRET"}}',
    "empty": "ACME_CLIENT_ID=\nACME_KEY=SECRET\n",
    "a call's result": "acme_client_id = get_id()\nacme_key = 'SECRET'\n",
    "the secret itself": "ACME_ID=SECRET\nACME_KEY=SECRET\n",
    "a part of a word": "ACME_VALID=k7qm2x\nACME_KEY=SECRET\n",
    "too far": "ACME_CLIENT_ID=k7qm2x\n" + "# nothing\n" * 60 + "ACME_KEY=SECRET\n",
    "prose": "The acme client id is on the page. acme key: SECRET\n",
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_companion_is_found(text: str) -> None:
    assert found(text) == "k7qm2x"


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_is_no_companion(text: str) -> None:
    assert found(text) is None


HOSTS = {
    "a URL": ("ACME_URL=https://acme.corp.test/x\nACME_KEY=SECRET\n", "acme.corp.test"),
    "a port": ("ACME_HOST=acme.corp.test:8443\nACME_KEY=SECRET\n", "acme.corp.test:8443"),
    "its domain": ("see https://t7.acme.example.io/x\nACME_KEY=SECRET\n", "t7.acme.example.io"),
    "an address": ("ACME_HOST=10.1.2.3\nACME_KEY=SECRET\n", "10.1.2.3"),
    "nested": ("acme:\n  url: https://a.corp.test\n  key: SECRET\n", "a.corp.test"),
    "another's": ("DB_HOST=db.corp.test\nACME_KEY=SECRET\n", None),
    "nobody's beside its own": ("host: db.corp.test\nacme_key: SECRET\n", None),
    "of another section": ("[db]\nhost = db.corp.test\n\n[acme]\nkey = SECRET\n", None),
    "the documentation": ("# https://docs.acme.example.io\nACME_KEY=SECRET\n", None),
    "an example": ("ACME_URL=https://example.com\nACME_KEY=SECRET\n", None),
    "one word": ("ACME_HOST=localhost\nACME_KEY=SECRET\n", None),
    "a path": ("ACME_URL=/api/v1\nACME_KEY=SECRET\n", None),
}


@pytest.mark.parametrize(("text", "expected"), HOSTS.values(), ids=HOSTS)
def test_a_host_is_its_own_or_none(text: str, expected: str | None) -> None:
    assert near(text, HOST) == expected


@pytest.mark.parametrize(
    ("companion", "text", "expected"),
    [
        pytest.param(LABEL, "https://t7.acme.io/\nACME_KEY=SECRET", "t7", id="label in a URL"),
        pytest.param(LABEL, "ACME_SUBDOMAIN=t7\nACME_KEY=SECRET", "t7", id="label by name"),
        pytest.param(LABEL, "https://api.acme.io/\nACME_KEY=SECRET", None, id="nobody's label"),
        pytest.param(EMAIL, "ACME_USER=a@b.test\nACME_KEY=SECRET", "a@b.test", id="email"),
        pytest.param(EMAIL, "ACME_USER=ada\nACME_KEY=SECRET", None, id="no email"),
        pytest.param(EMAIL, "ACME_EMAIL=you@example.com\nACME_KEY=SECRET", None, id="example"),
    ],
)
def test_kinds(companion: str, text: str, expected: str | None) -> None:
    assert near(text, companion) == expected


def test_the_first_entry_of_a_name_that_is_found_counts() -> None:
    both = "    - {name: id, pattern: '\\b(?P<value>AC[0-9]{4})\\b'}\n" + ID

    assert near("ACME_ID=k7qm2x\nAC1234\nACME_KEY=SECRET\n", both) == "AC1234"
    assert near("ACME_ID=k7qm2x\nACME_KEY=SECRET\n", both) == "k7qm2x"


def test_a_required_companion_decides_for_keyed_rules_too() -> None:
    strict = "    - {name: id, names: [client id], required: true}"
    scanner = Engine.from_rules([rule(strict)]).scanner()

    def count(text: str) -> int:
        data = text.replace("SECRET", SECRET).encode()
        return len(scanner.scan(ListBatch([(Document(Place.FILE, path=b"a"), data)])))

    assert count("ACME_CLIENT_ID=k7qm2x\nACME_KEY=SECRET\n") == 1
    assert count("ACME_KEY=SECRET\n") == 0


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        pytest.param("{name: id}", "one of", id="no way to find it"),
        pytest.param("{name: id, names: [id], pattern: '(?P<value>x)'}", "one of", id="two ways"),
        pytest.param("{name: id, pattern: 'x'}", "value", id="no value"),
        pytest.param("{name: id, pattern: '(?P<value>x)', own: true}", "own", id="own"),
        pytest.param("{name: id, kind: colour}", "kind", id="unknown kind"),
        pytest.param("{name: id, names: [id], ends: [a.io]}", "ends", id="ends without kind"),
        pytest.param("{name: id, kind: host, value: 'x'}", "kind", id="kind and value"),
        pytest.param("{name: id, names: [id], value: '('}", "pattern", id="broken value"),
    ],
)
def test_an_entry_is_refused(entry: str, word: str) -> None:
    with pytest.raises(RuleError, match=word):
        rule(f"    - {entry}")


@given(
    st.text(alphabet="abcXYZ019_-.:=,;{}[]()<>\"' \n\t/@$%", max_size=300),
    st.text(alphabet="abcXYZ019_-.:=,;{}[]()<>\"' \n\t/@$%", max_size=300),
)
def test_whatever_stands_around_it_a_companion_is_no_part_of_the_secret(
    before: str, after: str
) -> None:
    value = near(f"{before}SECRET{after}")

    assert value is None or (value in before or value in after)
    assert value is None or 2 <= len(value) <= 100


def test_the_user_of_a_call_is_found_though_nothing_is_named_so():
    assert found("acme: curl -u someone-9:SECRET https://acme.example.io") == "someone-9"


@given(st.binary(max_size=80), st.integers(0, 500), st.integers(0, 500), st.binary(max_size=80))
def test_a_pattern_sees_as_much_of_a_piece_as_of_the_whole(
    head: bytes, before: int, after: int, tail: bytes
):
    spec = "    - {name: code, pattern: '(?<![a-z])(?P<value>[0-9]{4})(?![a-z])', within: 60}"
    data = head + b"x" * before + b"1234 q5678" + b"-SECRET-" + b"y" * after + b"9876" + tail
    start = data.index(b"-SECRET-") + 1
    expected = {
        match["value"]
        for match in re.finditer(rb"(?<![a-z])(?P<value>[0-9]{4})(?![a-z])", data)
        if 0 <= max(start - match.end(), match.start() - start - 6) <= 60
    }
    near = Companions(rule(spec)).near(data, start, start + 6)
    assert near is not None
    assert {one.value.reveal() for one in near} <= expected
    assert bool(near) == bool(expected)
