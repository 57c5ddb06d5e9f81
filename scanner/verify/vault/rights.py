"""
What a Vault token may do where it hurts, asked of the server in one request.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from scanner.verify.vault.server import Answer, Caller, answer_of, data_of

_WRITE = frozenset({"create", "update", "patch", "root"})
_READ = frozenset({"read", "list", "root"})
# A path, capabilities of which one is enough, and what that means.  The names in the last
# segments need not exist: what counts is whether the token's policies reach them.
_PATHS = (
    ("sys/policies/acl/unsealed-probe", _WRITE, "write policies: it can give itself any right"),
    ("sys/auth/unsealed-probe", _WRITE, "switch on login methods"),
    ("auth/token/create-orphan", _WRITE, "make tokens that outlive it"),
    ("auth/token/create", _WRITE, "make tokens"),
    ("auth/approle/role/unsealed-probe", _WRITE, "change AppRoles, their policies too"),
    ("auth/userpass/users/unsealed-probe", _WRITE, "change users and their passwords"),
    ("identity/entity", _WRITE, "change identities and what they may do"),
    ("sys/mounts/unsealed-probe", _WRITE | {"delete"}, "mount and remove secret engines"),
    ("sys/raw/core", _READ | _WRITE, "reach the raw storage"),
    ("sys/seal", _WRITE, "seal the server: everything that needs it stops"),
    ("sys/rotate", _WRITE, "rotate the encryption key"),
    ("sys/audit/unsealed-probe", _WRITE | {"delete"}, "change the audit log"),
    ("sys/leases/revoke-force/unsealed-probe", _WRITE, "revoke the credentials of others"),
    ("sys/storage/raft/snapshot", _READ, "take a copy of all data"),
)  # fmt: skip
# Type of a mount: a path in it, capabilities, and what they mean.
_ENGINES = {
    "kv": (
        ("data/unsealed-probe", _READ, "read secrets of {}"),
        ("data/unsealed-probe", _WRITE, "write secrets of {}"),
    ),
    "database": (
        ("creds/unsealed-probe", _READ, "draw database credentials of {}"),
        ("config/unsealed-probe", _WRITE, "change database connections of {}"),
    ),
    "pki": (
        ("issue/unsealed-probe", _WRITE, "have certificates issued by {}"),
        ("sign-verbatim", _WRITE, "have any certificate signed by {}"),
    ),
    "ssh": (("sign/unsealed-probe", _WRITE, "have SSH keys signed by {}"),),
    "transit": (
        ("decrypt/unsealed-probe", _WRITE, "decrypt with the keys of {}"),
        ("export/encryption-key/unsealed-probe", _READ, "take the keys of {}"),
    ),
    "aws": (("creds/unsealed-probe", _READ, "draw AWS credentials of {}"),),
    "kubernetes": (("creds/unsealed-probe", _WRITE, "draw Kubernetes tokens of {}"),),
    "rabbitmq": (("creds/unsealed-probe", _READ, "draw RabbitMQ credentials of {}"),),
}
_MOST_MOUNTS = 20
_MOST_PATHS = 20
# What the policy `default` opens for every token.
_EVERYBODYS = re.compile(
    r"auth/token/(?:lookup|renew|revoke)-self\Z|cubbyhole/|sys/(?:capabilities-self|tools/hash|"
    r"internal/ui/|leases/(?:lookup|renew)\Z|renew\Z|wrapping/|control-group/request\Z)|"
    r"identity/(?:entity/(?:id|name)/|oidc/)"
)


class Granted(NamedTuple):
    """
    What the server told of a token's rights, the worst first.
    """

    scopes: tuple[str, ...] = ()
    """Of the server itself: what makes a token dangerous whatever its policies are called."""

    words: tuple[str, ...] = ()


def granted(caller: Caller, token: str, mounts: dict[str, Any], path: str) -> Granted:
    """
    Return what the token may do; nothing if the server does not say.
    """
    asked = [*_PATHS, *_engines(mounts)]
    reply = caller.post(path, {"paths": sorted({row[0] for row in asked})}, token=token)
    body = reply.json()
    if answer_of(reply) is not Answer.ACCEPTED or not isinstance(body, dict):
        return Granted()
    told: dict[str, Any] = data_of(reply) or body
    able = {
        where: sorted(enough & set(map(str, told[where])))
        for where, enough, _ in asked
        if isinstance(told.get(where), list)
    }
    scopes = [f"{_shown(row[0])}: {', '.join(able[row[0]])}" for row in _PATHS if able.get(row[0])]
    words = [
        f"{words} ({_shown(where)})"
        for where, enough, words in asked
        if isinstance(told.get(where), list) and enough & set(map(str, told[where]))
    ]
    return Granted(tuple(scopes), tuple(words))


def _shown(path: str) -> str:
    return path.replace("unsealed-probe", "*")


def granted_paths(caller: Caller, token: str, path: str) -> tuple[str, ...]:
    """
    Return which paths the policies open, without those that every token has.
    """
    reply = caller.get(path, token=token)
    if answer_of(reply) is not Answer.ACCEPTED:
        return ()
    rows: list[str] = []
    for kind, end in (("glob_paths", "*"), ("exact_paths", "")):
        paths = data_of(reply).get(kind)
        for name, entry in sorted(paths.items() if isinstance(paths, dict) else ()):
            if _EVERYBODYS.match(name) or not name.isprintable():
                continue
            able = entry.get("capabilities") if isinstance(entry, dict) else None
            words = ", ".join(sorted(map(str, able))) if isinstance(able, list) else ""
            if words and words != "deny":
                rows.append(f"{words}: {name[:120]}{end}")
    more = len(rows) - _MOST_PATHS
    return (*rows[:_MOST_PATHS], *([f"and {more} more paths"] if more > 0 else []))


def _engines(mounts: dict[str, Any]) -> list[tuple[str, frozenset[str], str]]:
    secret = mounts.get("secret")
    rows: list[tuple[str, frozenset[str], str]] = []
    for name, mount in sorted(secret.items() if isinstance(secret, dict) else ())[:_MOST_MOUNTS]:
        if not isinstance(mount, dict):
            continue
        for inside, enough, words in _ENGINES.get(str(mount.get("type")), ()):
            rows.append((name + _versioned(inside, mount), frozenset(enough), words.format(name)))
    return rows


def _versioned(inside: str, mount: dict[str, Any]) -> str:
    options = mount.get("options")
    second = isinstance(options, dict) and options.get("version") == "2"
    return inside if second or mount.get("type") != "kv" else inside.removeprefix("data/")
