"""
A refused commit or push, on one screen of 80 columns.
"""

from __future__ import annotations

import dataclasses

import pytest

from scanner.model import Place, Run, SealRecord
from scanner.report import terminal
from scanner.report.options import Options
from tests.report.samples import RULES, finding, occurrence, report

RUN = Run(command="staged", target=".", version="1", rules_digest="d")


def leak(number: int = 0):
    place = occurrence(b"app/settings%d.py" % number, 3, place=Place.INDEX, commit=None, blob=None)
    place = dataclasses.replace(place, author=None, date=None, reachable=None, in_head=None)
    return finding(
        occurrences=(place,), fingerprint=f"{number:032x}", score_reasons=("its checksum fits",)
    )


def open_vault():
    record = SealRecord(
        format="ansible-vault", state="plaintext", reason="'db' lies open in a vault's file"
    )
    return dataclasses.replace(
        leak(7),
        rule_id="ansible-vault-plaintext",
        title="Ansible Vault text lies open",
        secret=None,
        seal=record,
        occurrences=(dataclasses.replace(leak().occurrences[0], path=b"vars/my vault.yml"),),
    )


def shown(*findings, command: str = "staged") -> list[str]:
    whole = report(*findings, run=dataclasses.replace(RUN, command=command))
    return terminal.render(whole, RULES, Options(width=80)).rstrip("\n").split("\n")


@pytest.mark.parametrize("count", [1, 2, 3, 8, 500])
def test_a_refused_commit_fits_one_screen(count):
    lines = shown(*(leak(number) for number in range(count)))

    assert max(map(len, lines)) <= 80
    assert len(lines) <= 31 if count > 2 else len(lines) <= 24


def test_it_says_what_where_why_and_the_way_out():
    text = "\n".join(shown(leak(), open_vault()))

    for said in (
        "GitHub classic token",
        "app/settings0.py:3:10",
        "its checksum fits",
        "secret store or the environment",
        "ansible-vault encrypt 'vars/my vault.yml'",
        "unsealed:allow",
        "REASON",
        "git add",
    ):
        assert said in text


def test_more_than_a_screen_takes_a_line_each():
    text = "\n".join(shown(*(leak(number) for number in range(20))))

    assert "CRITICAL GitHub classic token: app/settings10.py:3:10" in text
    assert "… and 12 more" in text


def test_a_push_is_told_to_rewrite_or_to_rotate():
    text = "\n".join(shown(leak(), command="range"))

    assert "git rebase -i" in text
    assert "baseline" in text
    assert "unsealed:allow" not in text


def in_message(number: int = 0):
    place = dataclasses.replace(leak(number).occurrences[0], path=None, place=Place.COMMIT_MESSAGE)
    return dataclasses.replace(leak(number), occurrences=(place,))


def test_a_refused_message_is_told_what_helps_a_message():
    text = "\n".join(shown(in_message(), command="scan"))

    for said in ("The way out", "Not committed yet", "unsealed:allow", "REASON", "COMMIT_EDITMSG"):
        assert said in text
    assert "git add" not in text
    assert "encrypt" not in text
    assert "What now" not in text


def test_a_file_beside_a_message_is_no_refused_message():
    assert "The way out" not in "\n".join(shown(in_message(), leak(1), command="scan"))


@pytest.mark.parametrize("command", ["audit", "scan"])
def test_an_audit_tells_what_to_do_for_each(command):
    text = "\n".join(shown(leak(), command=command))

    assert "The way out" not in text
    assert "What now" in text


def test_nothing_found_refuses_nothing():
    assert "The way out" not in "\n".join(shown())
