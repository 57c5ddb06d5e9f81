"""
The score: a probability, the same with and without numpy, lowered and never silenced by a path.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.features import CONTENT, content_features
from scanner.detect.features_value import is_ordinary
from scanner.detect.features_words import PATH_NAMES, path_features
from scanner.detect.generic_forms import describe, values_on
from scanner.detect.registry import Evidence
from scanner.detect.score import (
    JUDGE,
    plain_sums,
    rescore,
    score,
    score_candidates,
)
from scanner.detect.score_reasons import reasons
from scanner.detect.score_tables import dump, load
from scanner.detect.score_vectors import sums
from scanner.model import HIGH_FROM, MEDIUM_FROM, Confidence, Severity
from scanner.ruleset.schema import Rule
from tests.lookalikes import fill

LIKELY = {
    "hex key": 'API_KEY = "{{hex:40}}"',
    "base64 secret": "client_secret: {{base64:44}}",
    "mixed password": 'password = "{{ascii:16}}"',
    "token": '"access_token": "{{alnum:40}}"',
    "url": "redis://:{{alnum:20}}@cache.internal:6379/0",
    "bearer": "Authorization: Bearer {{alnum:40}}",
}
UNLIKELY = {
    "placeholder": 'password = "changeme"',
    "your key here": 'api_key = "YOUR_API_KEY_HERE"',
    "label": '"password": "Enter your password"',
    "constant of a name": 'PASSWORD_FIELD = "user_password"',
    "path": 'key_file = "/etc/ssl/private/server.key"',
    "attribute": 'token_type = "bearer_token_type"',
    "function": 'auth_backend = "django.contrib.auth.backends"',
}


def of(line: str) -> float:
    return max(score_candidates(values_on(line.encode())), default=0.0)


@pytest.mark.parametrize("template", LIKELY.values(), ids=LIKELY)
def test_what_looks_like_a_credential_is_reported(template: str) -> None:
    assert of(fill(template)) >= MEDIUM_FROM


@pytest.mark.parametrize("line", UNLIKELY.values(), ids=UNLIKELY)
def test_what_stands_for_none_is_low(line: str) -> None:
    assert of(line) < MEDIUM_FROM


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, Confidence.LOW),
        (MEDIUM_FROM, Confidence.MEDIUM),
        (HIGH_FROM, Confidence.HIGH),
        (1.0, Confidence.HIGH),
    ],
)
def test_bands_are_cut_from_the_score(value: float, expected: Confidence) -> None:
    assert Confidence.of(value) is expected


names = st.sampled_from([b"password", b"api_key", b"x.token", b"AUTH", b"client-id"])
values = st.binary(min_size=4, max_size=60).filter(lambda v: b"\n" not in v)


@settings(deadline=None)
@given(st.lists(st.tuples(names, values), min_size=1, max_size=8), st.booleans())
def test_with_and_without_numpy_the_sums_are_equal(
    pairs: list[tuple[bytes, bytes]], known: bool
) -> None:
    weights = load()
    rows = []
    for name, value in pairs:
        line = name + b' = "' + value + b'"'
        start = len(name) + 4
        row = content_features(describe(line, start, start + len(value)), weights.tables)
        assert len(row) == CONTENT
        rows.append((*row, *path_features(b"tests/x.py")) if known else row)
    forest = weights.whole if known else weights.content
    assert sums(forest, rows) == plain_sums(forest, rows)


@settings(deadline=None)
@given(values, st.binary(max_size=40))
def test_a_score_is_a_probability(value: bytes, path: bytes) -> None:
    candidate = describe(b"secret=" + value, 7, 7 + len(value))
    for scores in (score_candidates([candidate]), score_candidates([candidate], path)):
        assert all(0.0 <= item <= 1.0 for item in scores)


def test_a_match_is_scored_again_once_its_path_is_known() -> None:
    (candidate,) = values_on(fill('api_key = "{{hex:40}}"').encode())
    row = content_features(candidate, load().tables)
    assert rescore(row, b"src/a.py") == score_candidates([candidate], b"src/a.py")[0]
    assert score(row) == score_candidates([candidate])[0]


def test_paths_have_one_number_for_each_kind() -> None:
    assert len(path_features(b"src/tests/a.py")) == len(PATH_NAMES)


def test_reasons_say_nothing_of_the_value() -> None:
    value = fill("{{alnum:30}}")
    (candidate,) = values_on(f'password = "{value}"'.encode())
    told = reasons(content_features(candidate, load().tables))
    assert told
    assert not any(value in reason for reason in told)


def test_a_rule_of_a_pack_can_ask_for_the_score() -> None:
    rule = Rule(
        id="acme-key", title="Acme", provider="acme", severity=Severity.HIGH,
        confidence=Confidence.MEDIUM, remediation="-", origin="-",
    )  # fmt: skip

    def asked(value: str) -> Evidence:
        return Evidence(
            value=value.encode(), before=b'acme = "', after=b'"\n', path=None, rule=rule,
            words=("acme",),
        )  # fmt: skip

    likely, unlikely = JUDGE.judge([asked(fill("{{hex:32}}")), asked("acme_api_key_example")])
    assert likely.score > unlikely.score
    assert likely.features is not None


def test_ordinary_words_near_a_rule_s_word_are_unlikely() -> None:
    rule = Rule(
        id="acme-key", title="Acme", provider="acme", severity=Severity.HIGH,
        confidence=Confidence.MEDIUM, remediation="-", origin="-",
    )  # fmt: skip
    item = Evidence(
        value=b"OAUTH_CLIENT_SECRET", before=b"acme_token = ", after=b"\n", path=None, rule=rule
    )
    assert JUDGE.judge([item])[0].score < MEDIUM_FROM / 2


def test_the_hook_scores_without_numpy() -> None:
    code = (
        "import sys; from scanner.detect.generic_forms import values_on;"
        "from scanner.detect.score import score_candidates;"
        "score_candidates(values_on(b'password = \"a1b2c3d4e5\"'));"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_weights_are_small() -> None:
    weights = load()
    assert max(weights.content.feature) < CONTENT
    assert max(weights.whole.feature) < CONTENT + len(PATH_NAMES)


def test_what_is_no_file_of_weights_is_told(tmp_path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(dump({})[1:])
    with pytest.raises(ValueError, match="not a file of weights"):
        load(file)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("user_password", True),
        ("django.contrib.auth.backends", True),
        ("Enter your password", True),
        ("OAUTH2_CLIENT_SECRET", True),
        ("{{alnum:20}}", False),
        ("password1", False),
        ("LwQeHbWxOaNxFyGlOuJe", False),
    ],
)
def test_values_of_ordinary_words_are_not_scored(value: str, expected: bool) -> None:
    assert is_ordinary(fill(value).encode(), load().tables) is expected
