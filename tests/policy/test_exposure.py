"""
Which values lay open before their path was sealed.
"""

from __future__ import annotations

import pytest

from scanner.policy.exposure import WHOLE, exposures
from tests.detect.sealed import makers

PLAIN = b"db_password: one\nport: 5432\n"
INLINE = makers.inline("db_password") + b"\nport: 5432\n"
SEALED = makers.vault()


def told(path: bytes, *versions: bytes, head: int | None = None) -> list[tuple[object, ...]]:
    found = exposures(path, versions, head=head)
    return [(one.name, one.version, one.sealed_in, one.position.line) for one in found]


@pytest.mark.parametrize(
    ("path", "versions", "expected"),
    [
        pytest.param(
            b"v.yml", [PLAIN, SEALED, makers.vault(seed=1)],
            [("db_password", 0, 1, 1), ("port", 0, 1, 2)], id="a whole vault",
        ),
        pytest.param(
            b"v.yml", [PLAIN, b"db_password: two\nport: 5432\nnew: x\n", SEALED],
            [("db_password", 0, 2, 1), ("port", 0, 2, 2), ("db_password", 1, 2, 1),
             ("new", 1, 2, 3)],
            id="each value that ever was",
        ),
        pytest.param(
            b"v.yml", [SEALED, PLAIN, makers.vault(seed=1)],
            [("db_password", 1, 2, 1), ("port", 1, 2, 2)], id="opened for a while",
        ),
        pytest.param(
            b"vars.yml", [PLAIN, INLINE], [("db_password", 0, 1, 1)],
            id="a value alone: the other one is open on purpose",
        ),
        pytest.param(
            b"vars.yml", [PLAIN, INLINE, SEALED],
            [("db_password", 0, 1, 1), ("port", 0, 2, 2)],
            id="a value first, then the rest",
        ),
        pytest.param(
            b"s.yaml",
            [b"db:\n  password: x1\n  user: me\nnote_unencrypted: hello\n", makers.sops_yaml()],
            [("db.password", 0, 1, 2)], id="sops: what it sealed, not what it left",
        ),
        pytest.param(b"id.age", [b"hunter\n", makers.armored_age()], [(WHOLE, 0, 1, 1)], id="age"),
        pytest.param(
            b".env", [b"# note\nexport KEY=abc\nB=${OTHER}\n", b"KEY=encrypted:abc\nB=${OTHER}\n"],
            [("KEY", 0, 1, 2)], id="dotenvx",
        ),
        pytest.param(
            b"s.yaml",
            [b"kind: Secret\ndata:\n  pw: aHVudGVyMg==\n",
             b"kind: SealedSecret\nspec:\n  encryptedData:\n    pw: AgBy\n"],
            [("data.pw", 0, 1, 3)], id="a Secret that became a SealedSecret",
        ),
    ],
)  # fmt: skip
def test_what_was_plain_is_named(path, versions, expected):
    assert told(path, *versions) == expected


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        pytest.param(b"v.yml", [PLAIN], id="never sealed"),
        pytest.param(b"v.yml", [SEALED, makers.vault(seed=1)], id="always sealed"),
        pytest.param(b"v.yml", [SEALED, PLAIN], id="opened: another rule tells"),
        pytest.param(b"v.yml", [b"# later\n", SEALED], id="comments alone"),
        pytest.param(b"v.yml", [b"a: '{{ other }}'\nb: CHANGEME...\nc:\n"[:20], SEALED], id="references"),
        pytest.param(b"v.yml", [b"", SEALED], id="an empty file"),
        pytest.param(b"vault.rst", [PLAIN, INLINE], id="a page about inline values"),
        pytest.param(
            b"test_vault.py", [b"password = 1\n", b"X = '''\n" + SEALED + b"'''\npassword = 1\n"],
            id="a program that quotes a vault",
        ),
    ],
)  # fmt: skip
def test_what_was_not_plain_before_is_not_named(path, versions):
    assert told(path, *versions) == []


def test_a_file_that_went_back_to_its_sealed_version_was_open_in_between():
    assert told(b"v.yml", SEALED, PLAIN, head=0) == [
        ("db_password", 1, 0, 1),
        ("port", 1, 0, 2),
    ]


def test_a_value_stands_where_it_stands():
    (found, _) = exposures(b"v.yml", [b'# x\ndb: "secret one"\nport: 1\n', SEALED])

    place = found.position
    assert (place.line, place.column, place.end_column) == (2, 6, 16)
