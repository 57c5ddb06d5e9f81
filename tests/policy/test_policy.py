from __future__ import annotations

import pytest

from scanner.errors import ConfigError
from scanner.model import Severity
from scanner.policy.evaluation import evaluate, unmatched
from scanner.policy.imports import import_policy
from scanner.policy.loading import load_policy
from scanner.policy.paths import compile_glob
from tests.detect.sealed import makers

POLICY = b"""
version: 1
fail_on: medium
seal:
  - paths: ["group_vars/**/vault.yml", "*.secret"]
    formats: ansible-vault
    owner: ops@example.org
    severity: critical
forbid:
  - paths: "*.pem"
    reason: keys live in the store
"""


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.pem", "a/b/c.pem", True),
        ("*.pem", "c.pem.txt", False),
        ("a/*.yml", "a/b.yml", True),
        ("a/*.yml", "a/b/c.yml", False),
        ("a/**/c.yml", "a/c.yml", True),
        ("a/**/c.yml", "a/b/b/c.yml", True),
        ("/top.yml", "top.yml", True),
        ("secrets/", "secrets/a/b", True),
        ("a/[!b]?.y", "a/cd.y", True),
        ("a/[!b]?.y", "a/bd.y", False),
        ("a+(b).y", "a+(b).y", True),
    ],
)
def test_a_path_pattern_fits_as_in_gitignore(pattern, path, fits):
    assert bool(compile_glob(pattern).fullmatch(path)) is fits


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("sael: []", "unknown key", id="typo"),
        pytest.param("seal: [{paths: a, formats: rot13}]", "unknown format", id="format"),
        pytest.param("seal: [{path: a}]", "unknown key", id="typo inside"),
        pytest.param("seal: {}", "must be a list", id="no list"),
        pytest.param("seal: [{formats: sops}]", "must be text", id="no path"),
        pytest.param("seal: [{paths: ../x}]", "leaves", id="outside"),
        pytest.param("ignore: [a]", "loosen", id="loosening"),
        pytest.param("seal: [{paths: a, allow: b}]", "loosen", id="loosening inside"),
        pytest.param("fail_on: never", "none of", id="severity"),
        pytest.param("version: 2", "version", id="version"),
        pytest.param("a: &a [x]\nb: *a", "aliases", id="alias"),
        pytest.param("version: 1\nversion: 1", "twice", id="double"),
        pytest.param("\tversion: 1", "not YAML", id="tab"),
        pytest.param("!!python/object:os.system {}", "not YAML", id="object"),
        pytest.param("- a", "mapping", id="list"),
    ],
)
def test_a_policy_is_loud_about_what_it_does_not_know(text, word):
    with pytest.raises(ConfigError, match=word):
        load_policy(text.encode())


@pytest.mark.parametrize(
    ("path", "data", "rules"),
    [
        pytest.param(b"group_vars/prod/vault.yml", makers.vault(), [], id="sealed"),
        pytest.param(b"group_vars/prod/vault.yml", b"a: b\n", ["policy-not-sealed"], id="plain"),
        pytest.param(b"x.secret", makers.git_crypt(), ["policy-not-sealed"], id="another format"),
        pytest.param(
            b"x.secret", b"$ANSIBLE_VAULT;1.1;AES256\nfoo\n", ["policy-not-sealed"], id="fake"
        ),
        pytest.param(b"x.secret", b"", [], id="empty"),
        pytest.param(b"a/key.pem", b"x", ["policy-forbidden-path"], id="forbidden"),
        pytest.param(b"other.yml", b"a: b\n", [], id="not named"),
    ],
)
def test_evaluate(path, data, rules):
    found = evaluate(load_policy(POLICY), path, data)

    assert [one.rule_id for one in found] == rules


def test_the_policy_says_who_and_how_bad():
    policy = load_policy(POLICY)
    (found,) = evaluate(policy, b"x.secret", b"plain")

    assert (found.owner, found.severity) == ("ops@example.org", Severity.CRITICAL)
    assert policy.fail_on is Severity.MEDIUM


def test_joined_policies_ask_what_either_asks():
    joined = load_policy(b"fail_on: high").joined(load_policy(POLICY))

    assert joined.fail_on is Severity.MEDIUM
    assert len(joined.must_seal) == 2


def test_a_pattern_that_fits_nothing_is_told():
    notes = unmatched(load_policy(POLICY), [b"x.secret"])

    assert len(notes) == 1
    assert "group_vars" in notes[0]


@pytest.mark.parametrize(
    ("name", "text", "path", "rules"),
    [
        pytest.param(b".sops.yaml", "creation_rules:\n- path_regex: prod/.*\\.yaml$\n  age: x\n", b"prod/a.yaml", ["policy-not-sealed"], id="sops"),
        pytest.param(b".sops.yaml", "creation_rules:\n- path_regex: prod/.*\\.yaml$\n", b"dev/a.yaml", [], id="sops, another path"),
        pytest.param(b".sops.yaml", "creation_rules:\n- age: x\n", b"a.yaml", [], id="sops, a default"),
        pytest.param(b"infra/.sops.yaml", "creation_rules:\n- path_regex: ^a\\.yaml$\n", b"infra/a.yaml", ["policy-not-sealed"], id="sops in a folder"),
        pytest.param(b".sops.yaml", "creation_rules:\n- path_regex: '(a+)+$'\n", b"aaaa", [], id="a pattern that runs for ever"),
        pytest.param(b".gitattributes", "secrets/** filter=git-crypt diff=git-crypt\n", b"secrets/a", ["policy-not-sealed"], id="git-crypt"),
        pytest.param(b".gitattributes", "*.txt text\n", b"a.txt", [], id="no filter"),
        pytest.param(b"sub/.gitattributes", "*.key filter=git-crypt-team\n", b"sub/deep/a.key", ["policy-not-sealed"], id="git-crypt, named key, folder"),
        pytest.param(b"ansible.cfg", "[defaults]\nvault_password_file = ./pw.txt\n", b"pw.txt", ["policy-forbidden-path"], id="ansible.cfg"),
        pytest.param(b"ansible.cfg", "[defaults]\nvault_password_file = ~/pw.txt\n", b"pw.txt", [], id="ansible.cfg, outside"),
        pytest.param(b"ansible.cfg", "[defaults]\nvault_identity_list = dev@x/dev, prod@prompt\n", b"x/dev", ["policy-forbidden-path"], id="identity list"),
    ],
)  # fmt: skip
def test_import(name, text, path, rules):
    found = evaluate(import_policy(name, text.encode()), path, b"plain: text that lies open\n")

    assert [one.rule_id for one in found] == rules


@pytest.mark.parametrize("name", [b".sops.yaml", b".gitattributes", b"ansible.cfg", b"other"])
@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe\x00", b"a: &a [*a]", b"[", b"[[[[[[", b"creation_rules: 1"]
)
def test_an_import_of_nonsense_asks_nothing(name, text):
    assert import_policy(name, text).must_seal == ()
