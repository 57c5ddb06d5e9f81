"""
A report that is read back says the same; what is no report is told in one line.
"""

from __future__ import annotations

import json

import pytest

from scanner.errors import ConfigError
from scanner.report import formats, reader
from scanner.report.options import Options
from tests.report.samples import RULES, full_report, report


@pytest.mark.parametrize("name", ["json", "jsonl"])
@pytest.mark.parametrize("shown", [False, True], ids=["redacted", "shown"])
@pytest.mark.parametrize("whole", [full_report(), report()], ids=["full", "empty"])
def test_what_is_read_back_writes_the_same(name, shown, whole):
    options = Options(show_secrets=shown)
    text = formats.renderer(name)(whole, RULES, options)

    back = reader.read(text, name="report.json")

    assert formats.renderer(name)(back, RULES, options) == text
    assert back.coverage == whole.coverage
    assert back.run == whole.run


def test_a_redacted_secret_is_not_taken_for_a_secret():
    text = formats.renderer("json")(full_report(), RULES, Options())

    secret = reader.read(text, name="x").findings[0].secret

    assert secret is not None
    assert secret.withheld
    with pytest.raises(ValueError, match="does not hold"):
        secret.reveal()


def test_an_interrupted_jsonl_report_is_incomplete():
    text = formats.renderer("jsonl")(full_report(), RULES, Options())

    back = reader.read("".join(text.splitlines(keepends=True)[:2]), name="x")

    assert not back.complete
    assert len(back.findings) == 1


def test_parts_of_a_later_version_are_passed_over():
    text = formats.renderer("jsonl")(report(), RULES, Options()) + '{"type": "news", "x": 1}\n'

    assert reader.read(text, name="x").complete


def changed(**changes):
    document = json.loads(formats.renderer("json")(full_report(), RULES, Options()))
    document["findings"][0] |= changes
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("\x00\x01", "not a JSON report", id="binary"),
        pytest.param("hello\n", "not a JSON report", id="prose"),
        pytest.param('{"a": 1', "not a JSON report", id="cut"),
        pytest.param("[]", "expected an object", id="a list"),
        pytest.param("{}", "no run", id="another document"),
        pytest.param('{"type": "news"}\n{"a"\n', "r.json:2: not JSON", id="a line cut"),
        pytest.param('{"version": "2.1.0", "runs": []}', "no run", id="SARIF"),
        pytest.param(
            '{"run": {"type": "run", "schema": "unsealed/9"}}', "this version reads", id="newer"
        ),
        pytest.param("[" * 100_000, "report", id="nested"),
        pytest.param(changed(severity="awful"), "'severity' must be one of low", id="severity"),
        pytest.param(changed(score="97"), "'score' must be a whole number", id="score"),
        pytest.param(changed(score=True), "'score' must be a whole number", id="bool"),
        pytest.param(changed(occurrences=[]), "'occurrences' is missing", id="no occurrence"),
        pytest.param(changed(occurrences=3), "'occurrences' must be a list", id="not a list"),
        pytest.param(changed(fingerprint=None), "'fingerprint' is missing", id="missing"),
        pytest.param(
            changed(occurrences=[{"place": "blob", "path": "x", "path_base64": "!"}]),
            "findings[0]: occurrences[0]: 'path_base64' is not base64",
            id="base64",
        ),
    ],
)
def test_a_bad_report_is_refused_in_one_line(text, said):
    with pytest.raises(ConfigError) as caught:
        reader.read(text, name="r.json")

    message = str(caught.value)
    assert message.startswith("r.json")
    assert said in message
    assert "\n" not in message
