"""
What lies too deep is not looked at, and the report says so.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from scanner.detect.engine import MAX_DEPTH
from tests.commands.runs import run
from tests.lookalikes import github_token


def nested(levels: int) -> bytes:
    data = f"t = {github_token(1)!r}\n".encode()
    for _ in range(levels):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("n", data)
        data = whole.getvalue()
    return data


@pytest.mark.parametrize(
    ("levels", "found", "limits"),
    [
        pytest.param(MAX_DEPTH - 1, 1, [], id="not too deep"),
        pytest.param(MAX_DEPTH + 1, 0, ["depth"], id="one too deep"),
        pytest.param(300, 0, ["depth"], id="hundreds too deep"),
    ],
)
def test_an_archive_too_deep_is_told(
    tmp_path: Path, levels: int, found: int, limits: list[str]
) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "deep.zip").write_bytes(nested(levels))

    report = run(tmp_path, "scan", str(folder))

    assert len(report.findings) == found
    assert [limit["name"] for limit in report.of("limit")] == limits
