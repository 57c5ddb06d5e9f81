"""
The compiled rules in the user's cache folder.

A cache that anyone else could write would be a way to blind the scanner, so the
folder is ours alone, the file carries a code keyed by bytes in the state
folder, and what was loaded is tried on a canary.  In doubt it is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import marshal
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import hyperscan

from scanner import __version__ as scanner_version
from scanner.detect.first_pass import FirstPass
from scanner.detect.plan import Plan
from scanner.folders import cache_folder, state_folder

_MAGIC = b"unsealed-rules-1\n"
_CODE_BYTES = 32
_KEY_FILE = "cache-key"
_KEPT_FILES = 6
_CANARY_TEXT = b"an unsealed-canary-2024 sings"
_PACKAGE = Path(__file__).resolve().parent.parent


def load_plan(paths: Sequence[Path], *, progress: Callable[[int, int], None] | None = None) -> Plan:
    """
    Return the plan for the packs under `paths`, from the cache if that is fresh and sound.
    """
    file = _cache_file(paths)
    key = _key() if file is not None else None
    if file is not None and key is not None:
        plan = _read(file, key)
        if plan is not None:
            return plan
    # YAML is needed on a cold start only.
    from scanner.ruleset.loading import load_rules  # noqa: PLC0415

    plan = Plan.make(load_rules(paths), progress=progress)
    if file is not None and key is not None:
        # A full disk or a read-only home costs the next start some seconds, nothing else.
        with contextlib.suppress(OSError):
            _write(file, key, plan)
    return plan


def _cache_file(paths: Sequence[Path]) -> Path | None:
    try:
        folder = _private(cache_folder())
        return folder / f"rules-{_fresh_name(paths)}.bin"
    except OSError:
        return None


def _fresh_name(paths: Sequence[Path]) -> str:
    """
    Return a name that changes with the rules, our code, the libraries and the machine.

    Files count by name, size and time of change: reading a thousand packs
    would cost more than all the rest of a warm start.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(
        repr(
            (
                scanner_version,
                hyperscan.__version__,  # type: ignore[attr-defined] # its stubs lack it
                sys.version,
                sys.platform,
                os.uname().machine if hasattr(os, "uname") else "",
            )
        ).encode()
    )
    code = [_PACKAGE / "ruleset", _PACKAGE / "detect", _PACKAGE / "detect" / "decode"]
    for path in (*code, *paths):
        digest.update(repr((str(path.absolute()), sorted(_stats(path)))).encode())
    return digest.hexdigest()


def _stats(path: Path) -> Iterable[tuple[str, int, int]]:
    if not path.is_dir():
        stat = path.stat()
        return [(path.name, stat.st_size, stat.st_mtime_ns)]
    with os.scandir(path) as entries:
        return [
            (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in entries
            if entry.name.endswith((".yml", ".yaml", ".py")) and entry.is_file()
        ]


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stat = folder.stat()
    if hasattr(os, "getuid"):
        if stat.st_uid != os.getuid():
            raise PermissionError(f"{folder} is not ours")
        if stat.st_mode & 0o077:
            folder.chmod(0o700)
    return folder


def _key() -> bytes | None:
    try:
        file = _private(state_folder()) / _KEY_FILE
        with contextlib.suppress(FileNotFoundError):
            key = file.read_bytes()
            if len(key) == _CODE_BYTES:
                return key
        key = os.urandom(_CODE_BYTES)
        _write_whole(file, key)
    except OSError:
        return None
    return key


def _code(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")


def _read(file: Path, key: bytes) -> Plan | None:
    try:
        whole = file.read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + _CODE_BYTES
    body = whole[start:]
    if not whole.startswith(_MAGIC):
        return None
    if not hmac.compare_digest(whole[len(_MAGIC) : start], _code(key, body)):
        return None
    try:
        kept, databases = marshal.loads(body)  # noqa: S302 # its keyed code was checked above
        plan = Plan(kept, databases)
        sings = _sings(plan)
    except (ValueError, TypeError, KeyError, EOFError, hyperscan.error):
        return None
    return plan if sings else None


def _sings(plan: Plan) -> bool:
    late = plan.late_database()
    databases = [*plan.databases(), *([] if late is None else [late])]
    return all(FirstPass([database]).hits(_CANARY_TEXT) for database in databases)


def _write(file: Path, key: bytes, plan: Plan) -> None:
    kept: dict[str, Any] = dict(plan.kept)
    body = marshal.dumps((kept, list(plan.serialised)))
    _write_whole(file, _MAGIC + _code(key, body) + body)
    _forget_old(file.parent)


def _write_whole(file: Path, data: bytes) -> None:
    # What `tempfile` does, without the milliseconds that its import costs.
    draft = file.with_name(f".tmp-{os.getpid()}-{os.urandom(8).hex()}")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as out:
            out.write(data)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _forget_old(folder: Path) -> None:
    files = sorted(
        folder.glob("rules-*.bin"), key=lambda file: file.stat().st_mtime_ns, reverse=True
    )
    for file in files[_KEPT_FILES:]:
        file.unlink(missing_ok=True)
