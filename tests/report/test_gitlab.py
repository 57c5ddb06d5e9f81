"""
What GitLab's secret-detection schema (15.2.1) requires, held against the report.
"""

from __future__ import annotations

import json
import re
import uuid

from scanner.report import gitlab
from scanner.report.options import Options
from tests.report.samples import RULES, finding, full_report, occurrence, report

TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
SEVERITIES = {"Info", "Unknown", "Low", "Medium", "High", "Critical"}


def rendered(whole=None):
    return json.loads(gitlab.render(whole or full_report(), RULES, Options()))


def test_the_document_and_the_scan_have_what_is_required():
    document = rendered()

    assert {"version", "scan", "vulnerabilities"} <= document.keys()
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["version"])
    scan = document["scan"]
    assert scan["type"] == "secret_detection"
    assert scan["status"] in {"success", "failure"}
    assert TIME.fullmatch(scan["start_time"])
    assert TIME.fullmatch(scan["end_time"])
    for part in (scan["analyzer"], scan["scanner"]):
        assert all(part[name] for name in ("id", "name", "version"))
        assert part["vendor"]["name"]
    for message in scan["messages"]:
        assert message["level"] in {"info", "warn", "fatal"}
        assert message["value"]


def test_each_vulnerability_has_what_is_required():
    found = rendered()["vulnerabilities"]

    assert found
    for one in found:
        uuid.UUID(one["id"])
        assert 1 <= len(one["name"]) <= 255
        assert one["severity"] in SEVERITIES
        assert len(one["solution"]) <= 7_000
        assert isinstance(one["raw_source_code_extract"], str)
        assert one["location"]["commit"]["sha"]
        for identifier in one["identifiers"]:
            assert all(identifier[name] for name in ("type", "name", "value"))
            assert re.match(r"https?://", identifier.get("url", "https://"))
        for link in one.get("links", []):
            assert link["url"].startswith("https://")


def test_lines_are_numbers_and_ids_do_not_depend_on_where_it_stands():
    one, other = (
        rendered(report(finding(occurrences=(occurrence(path, line),))))["vulnerabilities"][0]
        for path, line in ((b"a.py", 3), (b"b.py", 9))
    )

    assert (one["location"]["start_line"], other["location"]["start_line"]) == (3, 9)
    assert one["id"] == other["id"]
