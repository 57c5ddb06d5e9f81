"""
Which values of a line are candidates, and what they are given to.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.generic import kind_of
from scanner.detect.generic_forms import Form, describe, values_on
from scanner.detect.generic_names import words_after_telling
from tests.lookalikes import fill

VALUE = fill("{{alnum:24}}").encode()
CODED = fill("{{base64:28}}").encode()

FOUND = {
    "python": (b'password = "%s"', b"password", Form.QUOTED),
    "json": (b'  "clientSecret": "%s",', b"clientSecret", Form.QUOTED),
    "json in json": (b'"body": "{\\"password\\":\\"%s\\"}"', b"password", Form.QUOTED),
    "typescript with a type": (b"  password: string = '%s';", b"password", Form.QUOTED),
    "go": (b"t.opts.CookieSecret := `%s`", b"t.opts.CookieSecret", Form.QUOTED),
    "keyword argument": (b"connect(user='a', password='%s', port=1)", b"password", Form.QUOTED),
    "call": (b'store.setPassword("%s");', b"store.setPassword", Form.QUOTED),
    "second argument": (b'os.environ.get("API_TOKEN", "%s")', b"API_TOKEN", Form.QUOTED),
    "subscript": (b"config['secret_key'] = '%s'", b"secret_key", Form.QUOTED),
    "hash rocket": (b"'api_key' => '%s',", b"api_key", Form.QUOTED),
    "bytes": (b'key = []byte("%s")', b"key", Form.QUOTED),
    "pair of name and value": (b'{"key": "password", "value": "%s"}', b"password", Form.QUOTED),
    "yaml": (b"password: %s", b"password", Form.BARE),
    "yaml with a comment": (b"db_password: %s   # local", b"db_password", Form.BARE),
    "properties": (b"spring.datasource.password=%s", b"spring.datasource.password", Form.BARE),
    "env": (b"export AUTH_TOKEN=%s", b"AUTH_TOKEN", Form.BARE),
    "env of a container": (b"docker run -e DB_PASSWORD=%s -d db", b"DB_PASSWORD", Form.BARE),
    "query": (b'get("/x?private_token=%s&page=2")', b"private_token", Form.BARE),
    "xml element": (b"<password>%s</password>", b"password", Form.ELEMENT),
    "xml attribute": (b'<property name="password" value="%s"/>', b"password", Form.QUOTED),
    "bearer": (b"curl -H 'Authorization: Bearer %s' https://h", b"Bearer", Form.SCHEME),
    "url of a dotted scheme": (
        b"DB=postgres.tcp://app:%s@db.internal/x",
        b"postgres.tcp",
        Form.URL,
    ),
    "url": (b"DB=postgres://app:%s@db.internal/x", b"postgres", Form.URL),
    "option": (b"tool --password %s --verbose", b"--password", Form.OPTION),
    "user and password": (b"curl -u admin:%s https://h/", b"-u", Form.OPTION),
    "sql": (b"CREATE USER a IDENTIFIED BY '%s';", b"IDENTIFIED BY", Form.QUOTED),
    "json web key": (b'  "d": "%s",', b"d", Form.KEY),
    "container file": (b"ENV API_TOKEN %s", b"API_TOKEN", Form.BARE),
    "compared with": (b'if ("%s" == db_password) {', b"db_password", Form.QUOTED),
    "literal of a document": (b"the password is: ``%s`` for now", b"password", Form.QUOTED),
    "keyword after a symbol": (
        b'fill_in :signup_password, with: "%s"',
        b"signup_password",
        Form.QUOTED,
    ),
    "long option": (b"coverage -repotoken %s", b"-repotoken", Form.OPTION),
    "option of windows": (b"tool /credpassword:%s /out:a.txt", b"credpassword", Form.BARE),
    "not equal": (b"if '%s' !== cfg.apiKey:", b"cfg.apiKey", Form.QUOTED),
    "pair that is encoded": (b"h = btoa('ada:%s')", b"btoa", Form.OPTION),
    "pair that go encodes": (
        b'h := base64.StdEncoding.EncodeToString([]byte("ada:%s"))',
        b"EncodeToString",
        Form.OPTION,
    ),
    "pair in a buffer": (
        b"auth = Buffer.from('ada:%s').toString('base64')",
        b"Buffer.from",
        Form.OPTION,
    ),
    "made into a type": (b'Credential password = new Credential("%s");', b"password", Form.QUOTED),
    "nothing but a type": (b'login(new Credential("%s"));', b"Credential", Form.QUOTED),
    "sql without quotes": (b"CREATE ROLE app LOGIN PASSWORD %s;", b"PASSWORD", Form.BARE),
    "identified without quotes": (b"create user a identified by %s", b"identified by", Form.BARE),
    "variable of psql": (b"\\set ADMIN_PASS %s", b"ADMIN_PASS", Form.BARE),
}

NOT_FOUND = {
    "reference to the environment": b'password = os.environ["PASSWORD"]',
    "attribute": b"token = self.token",
    "template": b"password: {{ vault_password }}",
    "shell variable": b'PASSWORD="$PASSWORD"',
    "call": b"secret = generate_secret()",
    "name is value": b'"password": "password"',
    "masked": b"password: ********",
    "no telling name": b'colour = "ultramarine"',
    "author is not auth": b'author = "somebody else"',
    "keyboard is not key": b'keyboard = "qwertz-layout"',
    "empty": b'password = ""',
    "text for people": "invalid.password=Nieprawidłowe hasło".encode(),
    "label under a dotted name": b"security-token.title=Willkommen",
    "date": b"admin.passwordMtime: 2019-03-20T17:54:53Z",
    "prose": b"a password belongs into the vault of the team",
    "prose about an id": b"each row is identified by numbers",
    "no password": b"alter role app with password null;",
}


@pytest.mark.parametrize(("line", "name", "form"), FOUND.values(), ids=FOUND)
def test_a_value_given_to_a_telling_name_is_a_candidate(
    line: bytes, name: bytes, form: Form
) -> None:
    found = [c for c in values_on(line % VALUE) if c.value == VALUE]
    assert [(c.name, c.form) for c in found] == [(name, form)]


@pytest.mark.parametrize("line", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_cannot_be_a_credential_is_none(line: bytes) -> None:
    assert values_on(line) == []


def test_padding_of_base64_is_no_assignment() -> None:
    line = fill("ldap_password: {{alnum:11}}=  # changed in June").encode()
    assert [c.value for c in values_on(line)] == [line.split()[1]]


@pytest.mark.parametrize("behind", [".", "\u3002", ".exe", ")", ""])
def test_a_value_of_base64_ends_with_its_padding(behind: str) -> None:
    value = fill("{{base64:43}}").encode() + b"="
    line = b"the option key=" + value + behind.encode()

    assert [c.value for c in values_on(line)] == [value]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'db_password = "%s"', "generic-password"),
        (b'api_key = "%s"', "generic-api-key"),
        (b'access_token = "%s"', "generic-token"),
        (b'salt = "%s"', "generic-salt"),
        (b"redis://:%s@localhost/0", "generic-url-password"),
        (b"Authorization: Basic %s", "generic-authorization"),
        (b'client_secret = "%s"', "generic-secret"),
    ],
)
def test_a_candidate_is_reported_under_the_rule_that_its_name_says(line: bytes, rule: str) -> None:
    found = [c for c in values_on(line % CODED) if c.value == CODED]
    assert [kind_of(c) for c in found] == [rule]


def test_a_password_of_a_url_may_hold_the_sign_before_its_host() -> None:
    value = VALUE[:8] + b"@" + VALUE[8:]
    for line in (b"ms://sa:%s@localhost/", b"mq://sa:%s@h1:5672/v,mq://sa:x@h2/"):
        assert values_on(line % value)[0].value == value


def test_a_password_of_a_url_ends_where_its_host_begins() -> None:
    for line in (b"git://ada:%s@h/x?to=ada@h", b"mq://a:%s@h1,b@h2/", b"mq://a:%s@h1/v b@h"):
        assert values_on(line % VALUE)[0].value == VALUE


def test_a_value_that_a_rule_found_is_described_by_the_name_before_it() -> None:
    line = b'deploy_token: "' + VALUE + b'"'
    start = line.index(VALUE)
    assert describe(line, start, start + len(VALUE)).name == b"deploy_token"


def test_words_after_the_telling_one_are_counted() -> None:
    assert words_after_telling(b"db_password") == 0
    assert words_after_telling(b"password_policy") == len("_policy")


@given(st.binary(max_size=300))
def test_candidates_are_in_order_inside_the_line_and_do_not_overlap(line: bytes) -> None:
    end = 0
    for candidate in values_on(line):
        assert end <= candidate.start < candidate.end <= len(line)
        end = candidate.end


@pytest.mark.parametrize(
    "line",
    [
        b"password" + b" " * 3000,
        b"key=" * 750,
        b"'" * 3000,
        b"token: " + b"(" * 3000,
        b"-u " * 1000,
        b"KEY " + b"A" * 3000,
        b'"aaaa" == ' * 300,
    ],
    ids=["blanks", "names", "quotes", "brackets", "options", "capitals", "comparisons"],
)
def test_a_hostile_line_costs_little(line: bytes) -> None:
    start = time.process_time()
    values_on(line)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("foreignKey={{alnum:30}}", id="key of a table"),
        pytest.param("PRIMARY KEY a{{digits:9}}{{alnum:20}}", id="key of a table in SQL"),
        pytest.param("THE KEY {{alpha:30}}", id="capitals before a word"),
        pytest.param("if '{{alnum:30}}' == version:", id="compared with something else"),
        pytest.param("api_token: 'sk-{{digits:9}}{" + "{ user.id }" + "}'", id="a template"),
        pytest.param("key_down_event={{alnum:30}}", id="key of a keyboard"),
        pytest.param("jobCredentialsId: '{{uuid}}'", id="id of a credential"),
        pytest.param('"kms_key_id": "{{uuid}}"', id="id of a key"),
        pytest.param("acme_token = '{{alnum:12}}?{{alnum:12}}'", id="a sign no token has"),
        pytest.param("acme_key = '{{alnum:8}} {{alnum:12}}'", id="a blank in a key"),
        pytest.param("csrf-token={{base64:40}}", id="a token of one page"),
        pytest.param("secret = '?{{alnum:20}}='", id="the rest of a query"),
    ],
)
def test_keys_that_open_nothing_are_no_candidates(template: str) -> None:
    assert values_on(fill(template).encode()) == []


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("secretKey={{alnum:30}}", id="secret key"),
        pytest.param("api_token: '{{uuid}}'", id="a token that is a UUID"),
        pytest.param("db_password = '{{alnum:8}}?{{alnum:4}}'", id="a password of any signs"),
        pytest.param("sas_token = '?sv=2{{digits:3}}&sig={{alnum:30}}'", id="a signed query"),
    ],
)
def test_keys_that_open_something_are(template: str) -> None:
    assert values_on(fill(template).encode())
