"""
`unsealed seals`: every file in a sealed or sealable format, and the proof of its state.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scanner.detect.sealed.registry import seal_records
from scanner.detect.sealed.trial import Keys, notices, with_keys
from scanner.errors import ConfigError
from scanner.model import Place, SealRecord, Unread
from scanner.policy.evaluation import demanded
from scanner.report.output import check_writable, write_report
from scanner.sealing import policy_of_folder
from scanner.sources.files import FileWalk

_QUIET = frozenset({"sealed", "reference"})
_MAX_SIZE = 256 << 20  # bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="files or folders; `-` is standard input (default: this folder)",
    )
    parser.add_argument(
        "-f", "--format", choices=("terminal", "json", "jsonl"), default="terminal",
        help="default: %(default)s",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument(
        "--fail-on", choices=("none", "low", "medium", "high", "critical"), default="low",
        help="`none`: exit 0 whatever the states are",
    )  # fmt: skip
    group = parser.add_argument_group("keys (tried in memory; nothing is decrypted to disk)")
    group.add_argument(
        "--vault-password-file", action="append", type=Path, default=[], metavar="FILE",
        help="an Ansible Vault password; the file is read, never run",
    )  # fmt: skip
    group.add_argument(
        "--vault-password-env", action="append", default=[], metavar="NAME",
        help="an environment variable that holds an Ansible Vault password",
    )  # fmt: skip
    group.add_argument(
        "--ask-vault-password", action="store_true", help="ask for an Ansible Vault password"
    )
    group.add_argument(
        "--age-identity",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="age identities, for age and SOPS files",
    )
    group.add_argument(
        "--key-file", action="append", type=Path, default=[], metavar="FILE",
        help="a git-crypt key file, or the private key of a sealed-secrets controller",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    check_writable(None if args.output is None else str(args.output))
    keys = _keys(args)
    walk = FileWalk(args.paths)
    policy = policy_of_folder(args.paths)
    records: list[SealRecord] = []
    unread: list[Unread] = walk.unread
    for path, data in _files(walk, unread):
        found = with_keys(seal_records(data, path), data, keys)
        if policy is not None and path is not None:
            found += demanded(policy, path, data, found)
        records += found
    remarks = [*notices(records), *keys.remarks(), *(policy.notices if policy else ())]
    if not any(kind.read for kind in walk.coverage.kinds.values()) and not unread:
        unread.append(Unread(place=Place.FILE, reason="nothing to read: no file was found"))
    rendered = _terminal(records) if args.format == "terminal" else _lines(records, args.format)
    for remark in remarks:
        print(f"note: {remark}", file=sys.stderr)
    for one in unread:
        print(f"unread: {_shown(one.path)}: {one.reason}", file=sys.stderr)
    write_report(rendered, None if args.output is None else str(args.output))
    if args.fail_on != "none" and any(record.state not in _QUIET for record in records):
        return 1
    return 3 if unread else 0


def _files(walk: FileWalk, unread: list[Unread]) -> Iterator[tuple[bytes | None, bytes]]:
    for batch in walk.batches():
        for index, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
            document = batch.document(index)
            if document.place not in (Place.FILE, Place.STDIN):
                continue
            if end - start > _MAX_SIZE:
                reason = f"larger than {_MAX_SIZE} bytes: not judged"
                unread.append(Unread(place=document.place, path=document.path, reason=reason))
                continue
            yield document.path, bytes(batch.data[start:end])


def _keys(args: argparse.Namespace) -> Keys:
    passwords = [_secret_of(path) for path in args.vault_password_file]
    for name in args.vault_password_env:
        if name not in os.environ:
            raise ConfigError(f"--vault-password-env: {name} is not set")
        passwords.append(os.environb[name.encode()] if os.supports_bytes_environ
                         else os.environ[name].encode())  # fmt: skip
    if args.ask_vault_password:
        passwords.append(getpass.getpass("Vault password: ").encode())
    key_files = [_secret_of(path) for path in (*args.age_identity, *args.key_file)]
    return Keys.of(passwords, key_files)


def _secret_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'unreadable').lower()}") from error
    if not data.strip():
        raise ConfigError(f"{path}: is empty")
    if data.startswith(b"#!"):
        raise ConfigError(
            f"{path}: is a script, and scripts are never run",
            hint="run it yourself, and hand its output over by --vault-password-env",
        )
    return data


def _shown(path: bytes | None) -> str:
    return "-" if path is None else path.decode("utf-8", "replace")


def as_json(record: SealRecord) -> dict[str, object]:
    """
    Return one record in the words of the report's version 1.
    """
    shown: dict[str, object] = {"type": "seal", "path": _shown(record.path), "line": record.line,
        "format": record.format}  # fmt: skip
    for name in ("version", "label"):
        if getattr(record, name) is not None:
            shown[name] = getattr(record, name)
    shown |= {"state": record.state, "reason": record.reason}
    if record.recipients:
        shown["recipients"] = list(record.recipients)
    if record.detail:
        shown["detail"] = dict(record.detail)
    return shown


def _lines(records: list[SealRecord], form: str) -> str:
    rows = [as_json(record) for record in records]
    if form == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return json.dumps({"schema": "unsealed/1", "seals": rows}, ensure_ascii=False, indent=2) + "\n"


def _terminal(records: list[SealRecord]) -> str:
    lines = []
    for record in records:
        label = f" ({record.label})" if record.label else ""
        name = "".join(
            char if char.isprintable() else "\ufffd"
            for char in f"{_shown(record.path)}:{record.line}"
        )
        lines.append(f"{record.state:13}  {record.format}{label}  {name}\n{'':15}{record.reason}")
    counts = Counter(record.state for record in records)
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    lines.append(told or "no file in a sealed or sealable format")
    return "\n".join(_printable(line) for line in lines) + "\n"


def _printable(text: str) -> str:
    # A label or key comes from the file: it must not move the cursor.
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
