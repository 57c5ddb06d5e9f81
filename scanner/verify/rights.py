"""
Granted scopes in plain words, the dangerous ones first: what to take away.

Words follow the providers' own documentation of their scopes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scanner.verify.rights_cloud import CLOUDS

# Provider → scope → (danger 0 to 3, words).
_TABLES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    **CLOUDS,
    "github": {
        "repo": (3, "read and write all repositories, private ones too"),
        "admin:org": (3, "change organizations, teams and members"),
        "delete_repo": (3, "delete repositories"),
        "admin:enterprise": (3, "administer the enterprise"),
        "workflow": (3, "change workflows, which run with the repository's secrets"),
        "admin:repo_hook": (3, "change repository webhooks"),
        "admin:org_hook": (3, "change organization webhooks"),
        "admin:public_key": (3, "add SSH keys, which outlive this token"),
        "admin:gpg_key": (2, "add signing keys"),
        "admin:ssh_signing_key": (2, "add SSH signing keys"),
        "write:packages": (3, "publish packages"),
        "delete:packages": (3, "delete packages"),
        "write:org": (2, "change organization membership"),
        "write:public_key": (3, "add SSH keys, which outlive this token"),
        "write:discussion": (1, "write team discussions"),
        "codespace": (3, "use and make codespaces, with their secrets"),
        "user": (2, "change the profile"),
        "user:follow": (1, "follow people"),
        "user:email": (1, "read e-mail addresses"),
        "read:user": (1, "read the profile"),
        "read:org": (1, "read organizations and teams"),
        "read:packages": (2, "download private packages"),
        "read:public_key": (0, "list SSH keys"),
        "public_repo": (2, "write public repositories"),
        "repo:status": (1, "set commit statuses"),
        "repo_deployment": (2, "make deployments"),
        "repo:invite": (2, "accept repository invitations"),
        "security_events": (2, "read and change security alerts"),
        "gist": (1, "write gists"),
        "notifications": (1, "read notifications"),
        "project": (1, "write projects"),
        "read:project": (0, "read projects"),
        "audit_log": (2, "read and change the audit log stream"),
        "read:audit_log": (1, "read the audit log"),
    },
    "gitlab": {
        "api": (3, "everything: read and write all projects, groups and registries"),
        "sudo": (3, "act as any user (administrators)"),
        "admin_mode": (3, "administer the instance"),
        "write_repository": (3, "push to repositories"),
        "create_runner": (3, "register runners, which see job secrets"),
        "manage_runner": (3, "change runners"),
        "write_registry": (3, "push container images"),
        "k8s_proxy": (3, "reach connected Kubernetes clusters"),
        "ai_features": (1, "use AI features"),
        "read_api": (2, "read everything"),
        "read_repository": (2, "read private source code"),
        "read_registry": (2, "pull private images"),
        "read_user": (1, "read the profile"),
    },
    "slack": {
        "admin": (3, "administer the workspace"),
        "chat:write": (2, "post messages"),
        "chat:write.public": (2, "post in channels it is no member of"),
        "channels:history": (2, "read public channels' messages"),
        "groups:history": (3, "read private channels' messages"),
        "im:history": (3, "read direct messages"),
        "mpim:history": (3, "read group messages"),
        "files:read": (2, "download files"),
        "files:write": (2, "upload and delete files"),
        "users:read": (1, "list members"),
        "users:read.email": (1, "read members' e-mail addresses"),
        "channels:read": (0, "list public channels"),
        "groups:read": (1, "list private channels"),
        "search:read": (3, "search all messages and files"),
        "incoming-webhook": (1, "post to one channel"),
        "commands": (0, "add slash commands"),
        "client": (3, "everything that its user may do"),
        "identify": (0, "know who it belongs to"),
    },
    "heroku": {
        "global": (3, "everything that the account may do"),
        "write-protected": (3, "change apps, configuration included"),
        "read-protected": (3, "read apps and their configuration with its secrets"),
        "write": (2, "change apps without configuration"),
        "read": (1, "read apps without configuration"),
        "identity": (0, "know who it belongs to"),
    },
    "digitalocean": {
        "read": (2, "read all resources"),
        "write": (3, "make, change and delete all resources"),
    },
    "huggingface": {
        "admin": (3, "administer"),
        "write": (3, "push models and data sets"),
        "fineGrained": (2, "chosen rights; see the token's page"),
        "read": (2, "download private models and data sets"),
    },
    "buildkite": {
        "write_builds": (3, "start builds, which see the pipelines' secrets"),
        "write_pipelines": (3, "change what pipelines run"),
        "write_agents": (3, "stop and change agents"),
        "graphql": (3, "everything that its user may do"),
        "read_artifacts": (2, "download artifacts"),
        "read_build_logs": (2, "read build logs"),
    },
    "sentry": {
        "org:admin": (3, "administer the organization"),
        "project:admin": (3, "administer projects"),
        "project:write": (2, "change projects"),
        "member:admin": (3, "add and remove members"),
        "event:read": (2, "read events, which hold users' data"),
        "org:read": (1, "read the organization"),
    },
    "kubernetes": {
        "cluster-admin": (3, "everything, in the whole cluster"),
        "secrets:list:all": (3, "read the secrets of all namespaces"),
        "secrets:get": (3, "read the secrets of its namespace"),
        "rbac:bind": (3, "give roles to anybody, to itself too"),
        "rbac:escalate": (3, "write roles with more rights than its own"),
        "impersonate": (3, "act as any user"),
        "tokens:create": (3, "make tokens of other service accounts"),
        "nodes:proxy": (3, "run commands on the nodes"),
        "pods:exec": (3, "run commands in pods"),
        "pods:create": (3, "run pods, with secrets and service accounts"),
        "deployments:patch": (3, "change what runs"),
        "webhooks:create": (3, "see and change all that is written to the cluster"),
        "csr:approve": (3, "approve client certificates"),
        "configmaps:get": (1, "read configuration"),
        "namespaces:list": (1, "list all namespaces"),
    },
    "vault": {
        "root": (3, "everything, on the whole server"),
        "default": (0, "look after itself"),
        "response-wrapping": (2, "unwrap one answer, once"),
    },
    "google": {
        "https://www.googleapis.com/auth/cloud-platform": (3, "everything in Google Cloud"),
        "https://mail.google.com/": (3, "read, send and delete mail"),
        "https://www.googleapis.com/auth/drive": (3, "read and write all of Drive"),
        "https://www.googleapis.com/auth/gmail.readonly": (3, "read mail"),
        "https://www.googleapis.com/auth/drive.readonly": (3, "read all of Drive"),
        "https://www.googleapis.com/auth/calendar": (2, "read and write calendars"),
        "https://www.googleapis.com/auth/userinfo.email": (0, "know the e-mail address"),
        "openid": (0, "know who it belongs to"),
        "gemini": (2, "use Gemini, at your cost"),
    },
}  # fmt: skip
_WORDS = (
    (3, ("admin", "owner", "root", "full", "*", "all", "sudo", "impersonate", "delete")),
    (3, ("write", "manage", "create", "update", "modify", "edit", "push", "deploy", "execute")),
    (1, ("read", "view", "list", "get", "readonly")),
)


def plain_words(provider: str, scopes: Sequence[str]) -> tuple[str, ...]:
    """
    Return what the scopes allow, dangerous ones first; an unknown scope keeps its name.
    """
    table = _TABLES.get(provider, {})
    rows = [_row(scope, table) for scope in dict.fromkeys(scopes)]
    rows.sort(key=lambda row: -row[0])
    return tuple(words for _, words in rows)


def danger(provider: str, scopes: Sequence[str]) -> int:
    """
    Return the worst that any scope allows: 0 identity, 1 reading, 2 private data, 3 harm.
    """
    table = _TABLES.get(provider, {})
    return max((_row(scope, table)[0] for scope in scopes), default=0)


def _row(scope: str, table: Mapping[str, tuple[int, str]]) -> tuple[int, str]:
    known = table.get(scope)
    if known is not None:
        return known[0], f"{known[1]} ({scope})"
    low = scope.lower()
    for level, words in _WORDS:
        if any(word in low for word in words):
            return level, scope
    return 1, scope
