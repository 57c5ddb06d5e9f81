"""
Ground truth: what the real tools write is sealed; the same, damaged or faked, is not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.detect.sealed.registry import seal_records
from scanner.detect.sealed.trial import Keys, with_keys
from tests.detect.sealed import mutations

pytestmark = [pytest.mark.servers, pytest.mark.slow]
TEXT = "db_password: a long and telling value\nport: 5432\n" + "note: more of it\n" * 40
SEALER = """
import sys
from kubesealpy import Sealer
values = {"password": b"a long and telling value", "token": b"abc"}
sealed = Sealer.from_certificate_file(sys.argv[1]).seal("n", "ns", values)
open(sys.argv[2], "w").write(sealed.to_yaml())
"""


def tool(name: str) -> str:
    """Return the tool's path; fail, and not skip, where it is not installed."""
    found = shutil.which(name)
    assert found, f"{name} is not installed: run .ci/install"
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def run(folder):
    home = Path("/tmp") / f"g{os.getpid()}"  # gpg's socket needs a short path
    home.mkdir(mode=0o700, exist_ok=True)

    def call(*command: str, stdin: str = "", cwd: Path | None = None) -> bytes:
        env = {
            **os.environ,
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
            "GNUPGHOME": str(home),
            "HOME": str(folder),
        }
        done = subprocess.run(
            [tool(command[0]), *command[1:]],
            input=stdin.encode(), capture_output=True, check=False, env=env, cwd=cwd or folder,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr.decode())
        return done.stdout

    yield call
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def samples(folder, run):
    """Return what each tool wrote: name → (bytes, path), and the keys that open them."""
    found: dict[str, tuple[bytes, bytes]] = {}
    (folder / "plain.yml").write_text(TEXT)
    (folder / "pw").write_text("correct horse")
    vault = ("ansible-vault", "encrypt", "--output", "-")
    found["vault 1.1"] = (run(*vault, "--vault-password-file", "pw", "plain.yml"), b"v.yml")
    labelled = ("--vault-id", "prod@pw", "--encrypt-vault-id", "prod")
    found["vault 1.2"] = (run(*vault, *labelled, "plain.yml"), b"v.yml")
    text = run("ansible-vault", "encrypt_string", "--vault-password-file", "pw",
               "a long and telling value, inline", "--name", "db_password")  # fmt: skip
    found["vault inline"] = (text, b"v.yml")
    run("age-keygen", "-o", "key.txt")
    public = re.search(r"age1\w+", (folder / "key.txt").read_text())[0]
    found["age"] = (run("age", "-r", public, stdin=TEXT), b"x.age")
    found["age armor"] = (run("age", "-a", "-r", public, stdin=TEXT), b"x.age")
    for name, plain in {
        "s.yaml": "db:\n  password: a long and telling value\n  port: 5432\nlist: [a, 1.5, true]\n",
        "s.json": '{"db": {"password": "a long and telling value"}, "list": [1, true]}',
        "s.env": "PASSWORD=a long and telling value\nUSER=bob\n",
        "s.ini": "[db]\npassword = a long and telling value\n",
        "s.bin": "any text at all",
        "multi.yaml": "a: one value\n---\nb: another value\n",
    }.items():
        (folder / name).write_text(plain)
        found[f"sops {name}"] = (run("sops", "encrypt", "--age", public, name), name.encode())
    run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "bob", "default", "default")
    gpg = ("gpg", "--batch", "--trust-model", "always")
    found["pgp armor"] = (run(*gpg, "-a", "-r", "bob", "-e", stdin=TEXT), b"x.asc")
    found["pgp"] = (run(*gpg, "-r", "bob", "-e", stdin=TEXT), b"x.gpg")
    phrase = ("--pinentry-mode", "loopback", "--passphrase", "abc")
    found["pgp symmetric"] = (run(*gpg, *phrase, "-a", "-c", stdin=TEXT), b"x.asc")
    _git_crypt(folder, run, found)
    _openssl(folder, run, found)
    return found


def _git_crypt(folder, run, found):
    repo = folder / "repo"
    run("git", "init", "-q", str(repo))
    run("git-crypt", "init", cwd=repo)
    run("git-crypt", "export-key", str(folder / "crypt.key"), cwd=repo)
    (repo / ".gitattributes").write_text("secret filter=git-crypt\n")
    (repo / "secret").write_text(TEXT)
    run("git", "add", "-A", cwd=repo)
    found["git-crypt"] = (run("git", "cat-file", "blob", ":secret", cwd=repo), b"secret")


def _openssl(folder, run, found):
    run("openssl", "genrsa", "-out", "rsa.pem", "2048")
    found["pkcs8"] = (
        run("openssl", "pkcs8", "-topk8", "-in", "rsa.pem", "-passout", "pass:abcd"),
        b"k",
    )
    legacy = (
        "openssl",
        "rsa",
        "-aes256",
        "-traditional",
        "-passout",
        "pass:abcd",
        "-in",
        "rsa.pem",
    )
    found["legacy pem"] = (run(*legacy), b"k")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "a phrase", "-f", "ssh")
    found["openssh"] = ((folder / "ssh").read_bytes(), b"k")
    enc = ("openssl", "enc", "-aes-256-cbc", "-md", "sha256", "-a", "-k", "word")
    found["transcrypt"] = (run(*enc, stdin=TEXT), b"t")
    run("openssl", "req", "-x509", "-new", "-key", "rsa.pem", "-subj", "/CN=x", "-out", "cert.pem")
    pack = ("openssl", "pkcs12", "-export", "-inkey", "rsa.pem", "-in", "cert.pem", "-passout")
    found["pkcs12"] = (run(*pack, "pass:a longer word"), b"k.p12")
    script = folder / "seal.py"
    script.write_text(SEALER)
    subprocess.run([_python(), str(script), "cert.pem", "sealed.yaml"], check=True, cwd=folder)
    found["sealed secret"] = ((folder / "sealed.yaml").read_bytes(), b"s.yaml")


def _python() -> str:
    """Return a Python that has kubesealpy: this one, or the one beside ansible-vault."""
    beside = Path(tool("ansible-vault")).parent / "python"
    for python in (sys.executable, str(beside)):
        found = subprocess.run(
            [python, "-c", "import kubesealpy"], capture_output=True, check=False
        )
        if found.returncode == 0:
            return python
    raise AssertionError("kubesealpy is not installed: run .ci/install")


@pytest.fixture(scope="module")
def keys(folder, samples):
    files = [(folder / name).read_bytes() for name in ("key.txt", "crypt.key", "rsa.pem")]
    return Keys.of([(folder / "pw").read_bytes()], files)


def test_what_the_tools_write_is_sealed_and_proven_where_a_key_is_given(samples, keys):
    for name, (data, path) in samples.items():
        records = with_keys(seal_records(data, path), data, keys)

        assert records, name
        assert {one.state for one in records} == {"sealed"}, (name, records)
        if name.split()[0] in ("vault", "age", "sops", "sealed", "git-crypt"):
            assert all("holds under the key given" in one.reason for one in records), name


def test_five_hundred_and_more_mutations_are_never_sealed(samples, keys):
    cases, wrong = 0, []
    for name, (data, path) in samples.items():
        for what, text in _mutants(name, data):
            cases += 1
            records = with_keys(seal_records(text, path), text, keys)
            if records and all(_passes(one, name, what) for one in records):
                wrong.append((name, what, records))
    assert cases >= 500
    told = [(name, what) for name, what, _ in wrong]
    assert not told, (cases, told)


def _mutants(name, data):
    keyed = name.split()[0] in ("age", "git-crypt", "vault") or name == "pgp armor"
    start = data.index(b"$") if name == "vault inline" else 0  # the name is not sealed
    for what, text in mutations.damaged(data[start:], keyed=keyed, steps=24):
        yield what, data[:start] + text
    head = data.split(b"\n", 1)[0] + b"\n"
    if name.split()[0] in ("vault", "age", "pgp", "pkcs8", "legacy", "openssh") and name != "pgp":
        yield from mutations.faked(head)
    if name.startswith("vault 1"):
        yield "text after it", data + b"api_key: a plain word\n"
    if name == "sealed secret":
        for key in (b"password", b"token"):
            yield f"{key} plain", re.sub(key + rb": \S+", key + b": a-plain-word", data)
    if name.startswith("sops") and name != "sops multi.yaml":
        yield "no code", re.sub(rb'(?m)^.*\bmac"?[:=].*\n|^sops_mac=.*\n|^mac *=.*\n', b"", data)
        yield "one plain", re.sub(rb'"?ENC\[[^\]]*\]"?', b'"a plain word"', data, count=1)
        altered = re.sub(rb"data:(.)", lambda found: b"data:" + (b"B" if found[1] != b"B" else b"C"),
                         data, count=1)  # fmt: skip
        yield "one altered", altered


def _passes(record, name, what) -> bool:
    """Whether a record says of a mutant that it is sound."""
    if "holds under the key given" in record.reason and record.state == "sealed":
        # Each value of a SealedSecret has a code of its own: a file with fewer is whole.
        return not (name == "sealed secret" and what.startswith("cut"))
    # Without a proof a record may say `sealed` only where no structure can tell.
    unknowable = "no key given" in record.reason or "password given does not open" in record.reason
    whole_blocks = name == "transcrypt"
    return record.state == "sealed" and not unknowable and not whole_blocks
