"""
Reports in the hands of real readers: the SARIF multitool with GitHub's rules, a browser.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scanner.report import formats, sarif
from scanner.report.options import Options
from tests.report.samples import RULES, full_report, report
from tests.report.test_hostile_names import NAMES, hostile
from tests.report.test_sarif import HEAD, many

pytestmark = pytest.mark.servers

REPORTS = [
    pytest.param(full_report(), id="full"),
    pytest.param(report(), id="empty"),
    pytest.param(many(300), id="more than a run takes"),
    *[pytest.param(hostile(name.values[0]), id=f"name: {name.id}") for name in NAMES],
]


def multitool() -> Path:
    tools = Path(os.environ.get("UNSEALED_TOOLS", Path(__file__).parents[2] / ".ci" / "tools"))
    folder = tools / "node_modules" / "@microsoft" / "sarif-multitool-linux"
    assert (folder / "Sarif.Multitool").exists(), f"no SARIF multitool in {tools}: run .ci/install"
    return folder


def problems(text: str, folder: Path) -> list[str]:
    """
    Return what schema and multitool have against a SARIF log.
    """
    import jsonschema

    tool = multitool()
    schema = json.loads((tool / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    found = [
        error.message for error in jsonschema.Draft7Validator(schema).iter_errors(json.loads(text))
    ]
    log, out = folder / "log.sarif", folder / "out.sarif"
    log.write_text(text)
    # Its exit code is 0 even with errors: the results of its own log tell.
    subprocess.run(
        [
            tool / "Sarif.Multitool",
            "validate",
            log,
            "--rule-kind",
            "Sarif;Ghas",
            "--output",
            out,
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    for run in json.loads(out.read_text(encoding="utf-8-sig"))["runs"]:
        found += [
            f"{one['ruleId']}: {one['message']}"
            for one in run.get("results", [])
            if one.get("level") == "error"
        ]
    return found


@pytest.mark.parametrize("whole", REPORTS)
def test_neither_the_schema_nor_githubs_rules_object(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(sarif, "RESULTS_KEPT", 50)
    text = formats.renderer("sarif")(whole, RULES, Options(file_text=HEAD.get))

    assert problems(text, tmp_path) == []


def test_the_validators_do_object_to_a_bad_log(tmp_path):
    log = json.loads(formats.renderer("sarif")(full_report(), RULES, Options()))
    log["runs"][0]["results"][0]["locations"] = []
    log["runs"][0]["results"][1]["level"] = "catastrophic"

    found = problems(json.dumps(log), tmp_path)

    assert any("catastrophic" in one for one in found)


def browse(page: Path, profile: Path) -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    assert browser, "no chromium: run .ci/install"
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
            "--dump-dom",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
        env={"PATH": os.environ["PATH"], "HOME": str(profile)},
    )
    refused = [line for line in done.stderr.decode().splitlines() if "Content Security" in line]
    assert not refused
    return done.stdout.decode()


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(full_report(), id="full"),
        pytest.param(hostile(b"<script>document.title='owned'</script>"), id="a script"),
        pytest.param(hostile(b"</title></style></script><img src=x onerror=x>"), id="an early end"),
    ],
)
def test_our_script_runs_under_the_pages_own_policy_and_no_other(whole, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(formats.renderer("html")(whole, RULES, Options()), encoding="utf-8")

    dom = browse(page, tmp_path / "profile")

    assert '<div class="tools" id="tools">' in dom  # `hidden` is gone: the script ran
    assert "<title>unsealed: legacy-app</title>" in dom
    assert "<img" not in dom
