"""
Reports made up for the tests of every format: plain ones, hostile ones, large ones.
"""

from __future__ import annotations

from scanner.model import (
    Companion,
    Confidence,
    Coverage,
    Finding,
    Identity,
    KindCount,
    Limit,
    Occurrence,
    Place,
    Position,
    Report,
    Run,
    SealRecord,
    Severity,
    Status,
    Suppressed,
    Unread,
    Verification,
)
from scanner.report.options import RuleText
from scanner.secret import Secret
from tests.lookalikes import fill

GITHUB = Secret(fill("ghp_{{alnum:36}}").encode())
AWS = Secret(fill("{{base64:40}}").encode())
SLACK = Secret(fill("xoxb-{{digits:12}}-{{digits:12}}-{{alnum:24}}").encode())

RULES = {
    "github-classic-token": RuleText(
        id="github-classic-token",
        title="GitHub classic token",
        provider="github",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        remediation="Delete the token at https://github.com/settings/tokens and make a fine-grained one.",
        references=("https://docs.github.com/en/authentication",),
        tags=("token",),
    ),
    "generic-password": RuleText(
        id="generic-password",
        title="Password in an assignment",
        provider="generic",
        severity=Severity.MEDIUM,
        remediation="Change the password where it is used.",
    ),
}


def occurrence(path: bytes | None = b"src/app.py", line: int = 40, **changes: object) -> Occurrence:
    """
    Return an occurrence as `audit` makes them.
    """
    fields: dict[str, object] = {
        "place": Place.BLOB,
        "path": path,
        "position": Position(line, 10, line, 50),
        "blob": "a1" * 20,
        "commit": "c0" * 20,
        "author": Identity("Ada Lovelace", "ada@example.org"),
        "date": "2020-09-13T12:27:40Z",
        "reachable": True,
        "in_head": False,
    }
    return Occurrence(**(fields | changes))  # type: ignore[arg-type]


def finding(secret: Secret | None = GITHUB, *occurrences: Occurrence, **changes: object) -> Finding:
    """
    Return a finding under the GitHub rule.
    """
    fields: dict[str, object] = {
        "fingerprint": "5f" * 16,
        "rule_id": "github-classic-token",
        "provider": "github",
        "title": "GitHub classic token",
        "severity": Severity.CRITICAL,
        "confidence": Confidence.HIGH,
        "score": 97,
        "secret": secret,
        "occurrences": occurrences or (occurrence(),),
        "remediation": RULES["github-classic-token"].remediation,
    }
    return Finding(**(fields | changes))  # type: ignore[arg-type]


def report(*findings: Finding, **changes: object) -> Report:
    """
    Return the report of an audit.
    """
    fields: dict[str, object] = {
        "run": Run(
            command="audit",
            target="legacy-app",
            version="0.1.0",
            rules_digest="d1" * 16,
            head="e5" * 20,
        ),
        "findings": findings,
        "unread": (),
        "limits": (),
        "coverage": Coverage(
            kinds={
                "blob": KindCount(read=292_416, bytes=5_287_570_000),
                "commit": KindCount(read=244_704, bytes=190_000_000),
            }
        ),
        "seconds": 9.8,
        "complete": True,
    }
    return Report(**(fields | changes))  # type: ignore[arg-type]


def full_report() -> Report:
    """
    Return a report in which every kind of part and every field occurs.
    """
    live = finding(
        GITHUB,
        occurrence(b"src/app.py", 40, in_head=True),
        occurrence(
            b"deploy/old.sh",
            7,
            date="2021-02-01T08:00:00Z",
            commit="c1" * 20,
            author=Identity("Grace Hopper", "grace@example.org"),
            removed_at="2021-06-30T10:00:00Z",
        ),
        verification=Verification(
            status=Status.ACTIVE,
            checked_at="2021-07-01T00:00:00Z",
            identity="octocat",
            scopes=("repo", "admin:org"),
            rights=("delete repositories",),
            created_at="2020-01-01",
            expires_at="never",
        ),
    )
    pair = finding(
        AWS,
        occurrence(
            b"config/\xff prod.env",
            3,
            date="2019-03-04T05:06:07Z",
            decoded=("base64",),
            removed_at="2019-09-09T00:00:00Z",
        ),
        fingerprint="3c" * 16,
        rule_id="aws-secret-access-key",
        provider="aws",
        title="AWS secret access key",
        severity=Severity.HIGH,
        score_reasons=("an access key id stands beside it",),
        companions=(Companion("access_key_id", Secret(fill("AKIA{{upper:16}}").encode())),),
        verification=Verification(status=Status.INACTIVE, reason="the key is unknown"),
        remediation="Deactivate the key in IAM, then delete it.",
    )
    chat = finding(
        SLACK,
        occurrence(None, 1, place=Place.COMMIT_MESSAGE, blob=None, date="2020-01-02T03:04:05Z"),
        occurrence(b"backup.zip", 1, inner_path=("inner.tar", "notes.txt"), position=None),
        fingerprint="77" * 16,
        rule_id="slack-bot-token",
        provider="slack",
        title="Slack bot token",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        score=66,
        verification=Verification(status=Status.UNKNOWN, reason="timed out"),
        remediation="Revoke the token in the app's settings.",
    )
    seal = SealRecord(
        format="ansible-vault",
        version="1.2",
        label="prod",
        state="broken",
        reason="the body ends inside the ciphertext: 5 of 17 lines",
        path=b"group_vars/prod/vault.yml",
    )
    broken = finding(
        None,
        occurrence(b"group_vars/prod/vault.yml", 1, in_head=True, date=None, author=None),
        fingerprint="11" * 16,
        rule_id="ansible-vault-broken",
        provider="ansible",
        title="Damaged Ansible Vault file",
        severity=Severity.MEDIUM,
        seal=seal,
        remediation="Restore the file and seal it again.",
    )
    accepted = finding(
        Secret(b"hunter2"),
        occurrence(b"tests/login.py", 5, in_head=True),
        fingerprint="22" * 16,
        rule_id="generic-password",
        provider="generic",
        title="Password in an assignment",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        score=52,
        suppressed=Suppressed(by="baseline", reason="a test value", until="2030-01-01"),
        remediation="Change the password where it is used.",
    )
    return report(
        chat,
        accepted,
        broken,
        pair,
        live,
        seals=(seal,),
        unread=(
            Unread(
                place=Place.BLOB, reason="the object is corrupt", path=b"bad.txt", blob="b1" * 20
            ),
        ),
        limits=(Limit(name="archive-depth", reason="deeper than 8", path=b"onion.zip"),),
        complete=False,
        suppressed=1,
        notices=("the baseline entry 99 expired on 2020-01-01",),
        coverage=Coverage(
            kinds={
                "blob": KindCount(
                    read=292_416,
                    bytes=5_287_570_000,
                    skipped={"a promisor has it": 2},
                    unreadable=1,
                ),
                "commit": KindCount(read=244_704, bytes=190_000_000),
                "tag": KindCount(read=12, bytes=4_000),
                "tree": KindCount(read=1_164_844, bytes=2_100_000_000),
            }
        ),
    )
