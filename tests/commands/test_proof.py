"""
Offline proof as a user meets it: in files, in an index and in history.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.runs import run
from tests.conftest import Repository
from tests.detect.test_proof import EC, certificate, pem, ssh, token
from tests.lookalikes import fill


@pytest.mark.parametrize("command", ["scan", "audit", "staged"])
def test_a_key_its_certificate_and_a_token_are_paired(
    command: str, repository: Callable[..., Repository], tmp_path: Path
) -> None:

    secret = fill("{{alnum:32}}").encode()
    repo = repository()
    repo.write("deploy/key.pem", pem(EC))
    repo.write("deploy/cert.pem", b"subject: x\n\n" + certificate(EC))
    repo.write("home/id.pub", ssh(EC) + b" me@example.org\n")
    repo.write("app.py", b'jwt_secret = "' + secret + b'"\n')
    repo.write("log.txt", b"Authorization: Bearer " + token(secret, exp=4_000_000_000) + b"\n")
    repo.git("add", "-A")
    if command == "audit":
        repo.git("commit", "-qm", "all")

    report = run(tmp_path, command, str(repo.path))

    values = [f for f in report.findings if "secret" in f]
    told = {f["occurrences"][0]["path"]: " ".join(f["score_reasons"]) for f in values}
    assert "certificate (good until 2026-01-31) at deploy/cert.pem:3" in told["deploy/key.pem"]
    assert "SSH public key at home/id.pub:1" in told["deploy/key.pem"]
    assert "it signs the token at log.txt:1 (proven offline)" in told["app.py"]
    assert "under the secret at app.py:1" in told["log.txt"]
    assert "good until 2096-10-02" in told["log.txt"]
    proven = [f for f in report.findings if f["occurrences"][0]["path"] in ("app.py", "log.txt")]
    assert {f["confidence"] for f in proven} == {"high"}
    text = json.dumps(report.lines)
    assert secret.decode() not in text
    assert base64.b64encode(secret).decode() not in text
