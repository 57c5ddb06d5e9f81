"""
SARIF as GitHub code scanning takes it.
"""

from __future__ import annotations

import dataclasses
import gzip
import json

import pytest

from scanner.model import Place, Position, Severity, Status, Suppressed, Verification
from scanner.report import formats, github, gitlab, sarif, sarif_results
from scanner.report.line_hash import LineHashes
from scanner.report.options import Options
from scanner.secret import Secret
from tests.report.samples import RULES, finding, full_report, occurrence, report

HEAD = {
    b"src/app.py": b"import os\n\ntoken = 'x'\nother = 1\n",
    b"README.md": b"# An application\n",
    b"docs/app.py": b"",
}


def log(whole, **options):
    return json.loads(formats.renderer("sarif")(whole, RULES, Options(**options)))


def only_result(whole, **options):
    (run,) = log(whole, **options)["runs"]
    (result,) = run["results"]
    return result


def at_head(path=b"src/app.py", line=3, **changes):
    return finding(Secret(b"x" * 20), occurrence(path, line, in_head=True), **changes)


def test_a_secret_at_head_is_anchored_where_it_stands_with_the_hash_of_its_line():
    result = only_result(report(at_head()), file_text=HEAD.get)

    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "src/app.py"
    assert place["region"] == {"startLine": 3, "startColumn": 10, "endLine": 3, "endColumn": 50}
    expected = LineHashes(HEAD[b"src/app.py"]).of(3)
    assert result["partialFingerprints"]["primaryLocationLineHash"] == expected


@pytest.mark.parametrize(
    ("path", "living", "expected"),
    [
        pytest.param(b"src/app.py", (), "src/app.py", id="the same path lives"),
        pytest.param(b"gone.py", (), "README.md", id="no such path"),
        pytest.param(b"old/app.py", HEAD, "src/app.py", id="moved: a namesake"),
        pytest.param(b"src/gone.py", HEAD, "src/app.py", id="a neighbour in the folder"),
        pytest.param(b"src/deep/er/gone.py", HEAD, "src/app.py", id="a neighbour further up"),
        pytest.param(b"gone/gone.py", HEAD, "README.md", id="nothing near"),
        pytest.param(None, HEAD, "README.md", id="a commit message"),
    ],
)
def test_a_secret_of_the_past_is_anchored_at_the_nearest_living_file(path, living, expected):
    place = Place.COMMIT_MESSAGE if path is None else Place.BLOB
    one = finding(Secret(b"x" * 20), occurrence(path, 40, place=place))

    result = only_result(report(one), file_text=HEAD.get, living_paths=living)

    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == expected
    assert location["region"]["startLine"] == 1
    assert result["partialFingerprints"]["primaryLocationLineHash"] == f"{'5f' * 8}:1"
    assert "history" in result["message"]["text"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"line": 400}, id="lines put in above"),
        pytest.param({"path": b"lib/renamed.py"}, id="renamed"),
        pytest.param({"commit": "d7" * 20, "date": "2024-01-01T00:00:00Z"}, id="rebased"),
        pytest.param({"commit": "e8" * 20, "blob": "f9" * 20}, id="squashed"),
    ],
)
def test_the_hash_of_a_history_finding_outlives(change):
    before = only_result(report(finding(Secret(b"x" * 20), occurrence())))
    after = only_result(report(finding(Secret(b"x" * 20), occurrence(**change))))

    assert before["partialFingerprints"] == after["partialFingerprints"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"# new\n\n" + HEAD[b"src/app.py"], id="lines put in above"),
        pytest.param(HEAD[b"src/app.py"].replace(b"\n", b"\r\n"), id="other line ends"),
        pytest.param(HEAD[b"src/app.py"].replace(b"token", b"    token"), id="indented"),
    ],
)
def test_the_hash_of_a_finding_at_head_outlives(text):
    line = (
        text.replace(b"\r\n", b"\n").split(b"\n").index(b"token = 'x'") + 1
        if (b"    token" not in text)
        else 3
    )

    before = only_result(report(at_head()), file_text=HEAD.get)
    after = only_result(
        report(at_head(b"moved/app.py", line)), file_text={b"moved/app.py": text}.get
    )

    assert (
        before["partialFingerprints"]["primaryLocationLineHash"]
        == after["partialFingerprints"]["primaryLocationLineHash"]
    )


def test_a_live_credential_has_a_rule_of_its_own():
    one = at_head(verification=Verification(status=Status.ACTIVE))
    other = at_head(fingerprint="00" * 16)

    (run,) = log(report(one, other))["runs"]

    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {"github-classic-token", "github-classic-token-active"}
    scores = {name: rule["properties"]["security-severity"] for name, rule in rules.items()}
    assert float(scores["github-classic-token-active"]) > 9.0
    assert 7.0 <= float(scores["github-classic-token"]) <= 8.9
    assert run["results"][0]["ruleId"] == "github-classic-token-active"
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_every_text_that_github_requires_is_there():
    for run in log(full_report(), file_text=HEAD.get)["runs"]:
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(ids) == len(set(ids))
        for rule in run["tool"]["driver"]["rules"]:
            assert rule["shortDescription"]["text"]
            assert 0 < len(rule["fullDescription"]["text"]) <= 1024
            assert "1. " in rule["help"]["text"]
            assert "### What to do" in rule["help"]["markdown"]
            assert isinstance(rule["properties"]["security-severity"], str)
            assert len(rule["properties"]["tags"]) <= 10
        for result in run["results"]:
            assert result["message"]["text"]
            assert result["partialFingerprints"]["primaryLocationLineHash"]
            for location in [*result["locations"], *result.get("relatedLocations", [])]:
                region = location["physicalLocation"]["region"]
                assert region["startColumn"] >= 1
                assert (region["endLine"], region["endColumn"]) > (
                    region["startLine"],
                    region["startColumn"],
                )


def test_nothing_is_null_and_nobody_is_named():
    text = json.dumps(log(full_report()))

    assert "null" not in text
    for personal in ("Ada", "Grace", "example.org", "octocat"):
        assert personal not in text


def test_the_rules_are_the_same_on_every_run():
    one = log(report(at_head()))["runs"][0]["tool"]["driver"]["rules"]
    other = log(report(at_head(b"other.py", 9, score=40)))["runs"][0]["tool"]["driver"]["rules"]

    assert one == other


@pytest.mark.parametrize(
    ("command", "category"),
    [
        pytest.param("audit", "secrets-history/", id="audit"),
        pytest.param("scan", "secrets-head/", id="scan"),
        pytest.param("staged", "secrets-head/", id="staged"),
        pytest.param("range", "secrets-pr/", id="range"),
    ],
)
def test_each_scope_has_its_category(command, category):
    whole = report(at_head())
    whole = dataclasses.replace(whole, run=dataclasses.replace(whole.run, command=command))

    assert log(whole)["runs"][0]["automationDetails"]["id"] == category
    assert log(whole, category="mine")["runs"][0]["automationDetails"]["id"] == "mine/"


def test_the_life_of_a_secret_is_told_step_by_step():
    whole = report(
        finding(
            Secret(b"x" * 20),
            occurrence(b"a.py", 1),
            occurrence(b"b.py", 2),
            occurrence(b"src/app.py", 3, in_head=True),
        )
    )

    (flow,) = only_result(whole, file_text=HEAD.get)["codeFlows"]

    steps = [step["location"]["message"]["text"] for step in flow["threadFlows"][0]["locations"]]
    assert [step.split(":")[0] for step in steps] == [
        "Introduced",
        "Copied or added again",
        "Copied or added again",
        "Still here.",
    ]


def test_at_most_a_hundred_places_are_told_and_the_rest_is_owned_up_to():
    many = tuple(occurrence(b"src/%d.py" % number, 1) for number in range(250))
    whole = report(finding(Secret(b"x" * 20), *many))

    (run,) = log(whole)["runs"]

    assert len(run["results"][0]["relatedLocations"]) == 100
    assert run["results"][0]["occurrenceCount"] == 250
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert any("100 places" in note["message"]["text"] for note in notes)


def test_unread_inputs_are_errors_of_the_run():
    (run,) = log(full_report())["runs"]

    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    levels = [note["level"] for note in invocation["toolExecutionNotifications"]]
    assert "error" in levels


def test_suppressed_findings_are_counted_and_no_results():
    waved = finding(suppressed=Suppressed(by="baseline", reason="a test value"))
    whole = report(waved, finding(fingerprint="9" * 32), suppressed=1)
    (run,) = log(whole)["runs"]

    assert len(run["results"]) == 1
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [(one["level"], one["message"]["text"]) for one in notes] == [
        ("note", "1 suppressed finding not listed here (1 by baseline).")
    ]
    messages = json.loads(gitlab.render(whole, RULES, Options()))["scan"]["messages"]
    assert [one["level"] for one in messages if "suppressed finding" in one["value"]] == ["info"]
    assert "::notice::1 suppressed finding" in github.render(whole, RULES, Options())


def many(number):
    return report(
        *(
            finding(
                Secret(b"x" * 20),
                occurrence(b"f%d.py" % index),
                fingerprint=f"{index * 2654435761 % (1 << 64):032x}",
                severity=Severity.LOW if index % 2 else Severity.HIGH,
            )
            for index in range(number)
        )
    )


def test_more_than_a_run_takes_goes_into_further_runs(monkeypatch):
    monkeypatch.setattr(sarif, "RESULTS_KEPT", 50)

    runs = log(many(300))["runs"]

    assert 1 < len(runs) <= 20
    assert len({run["automationDetails"]["id"] for run in runs}) == len(runs)
    assert all(len(run["results"]) <= 50 for run in runs)
    assert sum(len(run["results"]) for run in runs) == 300


def test_what_fits_into_no_run_is_the_least_important_and_is_told(monkeypatch):
    monkeypatch.setattr(sarif, "RESULTS_KEPT", 5)

    runs = log(many(300))["runs"]

    kept = sum(len(run["results"]) for run in runs)
    assert kept <= 80
    assert all(one["properties"]["severity"] == "high" for run in runs for one in run["results"])
    notes = runs[0]["invocations"][0]["toolExecutionNotifications"]
    assert f"{300 - kept:,} findings of 300 left out" in notes[0]["message"]["text"]


def test_the_file_stays_below_the_size_that_is_taken(monkeypatch):
    monkeypatch.setattr(sarif, "_COMPRESSED_BYTES", 6_000)

    text = formats.renderer("sarif")(many(200), RULES, Options())

    assert len(gzip.compress(text.encode())) <= 6_000
    assert json.loads(text)["runs"][0]["results"]


@pytest.mark.parametrize(
    "position",
    [
        pytest.param(Position(3, 5, 3, 5), id="empty"),
        pytest.param(Position(3, 5, 4, 1), id="over a line end"),
        pytest.param(None, id="none"),
    ],
)
def test_a_region_is_never_empty(position):
    one = finding(Secret(b"x" * 20), occurrence(position=position, in_head=True))

    region = only_result(report(one))["locations"][0]["physicalLocation"]["region"]

    start = region["startLine"], region["startColumn"]
    assert (region["endLine"], region["endColumn"]) > start


def test_brackets_of_a_name_are_no_link():
    assert sarif_results._escaped("a[b](1)") == "a\\[b\\](1)"
