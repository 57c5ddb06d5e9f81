"""
Files whose very purpose is to hold a credential: told by their names, judged by what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scanner.detect.sealed.credential_sealed import laravel, password_file, rails
from scanner.detect.sealed.credential_terraform import terraform_state
from scanner.detect.sealed.evidence import (
    ValueKind,
    base_name,
    is_readable,
    line_of_key,
    read_json,
    tells,
    value_kind,
)
from scanner.detect.sealed.line_reader import Leaf, read_assignments, read_lines
from scanner.detect.sealed.sample import is_sample
from scanner.detect.sealed.structure import documents
from scanner.model import SealRecord

FORMAT = "credential-file"
_MAX_SIZE = 16 << 20  # bytes; no credential file is larger, but a Terraform state may be
_SEALED_STARTS = (b"$ANSIBLE_VAULT", b"age-encryption.org/", b"\0GITCRYPT\0", b"U2FsdGVkX1",
    b"Salted__", b"-----BEGIN PGP MESSAGE", b"-----BEGIN AGE ENCRYPTED", b"\x85", b"\x8c", b"\x84",
    b"\xc1", b"\xc3")  # fmt: skip
# Two searches: one pattern for both would look through the rest of the text from each byte of it.
_KUBECONFIG = re.compile(rb"kind[\"']?[ \t]*:[ \t\r\n]*[\"']?Config(?!\w)")
_USERS = re.compile(rb"[\"'\s,{]users[\"']?[ \t]*:")
_SAMPLE = re.compile(
    r"(?i)(?:^|[-_.])(?:example|sample|template|dist|tmpl|tpl|(?<!application_)defaults?|schema|j2)"
    r"(?:[-_.]|$)"
)

_NPM_SECRET = re.compile(r"(?m)^[^#;\n]*?(?:_authToken|_password|_auth)[ \t]*=[ \t]*(?P<v>\S+)")
_NPM_HERE = re.compile(r"\s*//(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])[:/]")

Judge = Callable[[str], tuple[str, str, int] | None]


def _literal(value: str) -> bool:
    return value_kind(value) is ValueKind.LITERAL


def _found(reason: str, line: int = 1) -> tuple[str, str, int]:
    return "plaintext", reason, line


def _elsewhere(reason: str) -> tuple[str, str, int]:
    return "reference", reason, 1


def _netrc(text: str) -> tuple[str, str, int] | None:
    for found in re.finditer(r"\bpassword[ \t\r\n]+(?P<value>\S+)", text):
        if _literal(found["value"]):
            return _found("holds a password for a host", _line(text, found.start("value")))
    return None


def _pgpass(text: str) -> tuple[str, str, int] | None:
    for number, line in enumerate(text.splitlines(), 1):
        fields = re.split(r"(?<!\\):", line)
        if not line.startswith("#") and len(fields) == 5 and _literal(fields[4]):
            return _found("holds the password of a database", number)
    return None


def _assignments(pattern: str, what: str) -> Judge:
    names = re.compile(pattern)

    def judge(text: str) -> tuple[str, str, int] | None:
        other = False
        for leaf in read_assignments(text) or read_lines(text):
            if names.search(leaf.path[-1]):
                if _literal(leaf.value):
                    return _found(f"{leaf.path[-1]!r} {what}", leaf.line)
                other = other or bool(leaf.value.strip())
        return _elsewhere("takes its credential from elsewhere") if other else None

    return judge


def _npmrc(text: str) -> tuple[str, str, int] | None:
    other = False
    for found in _NPM_SECRET.finditer(text):
        if _literal(found["v"].strip("\"'")):
            return _found("holds a token or password of a registry", _line(text, found.start("v")))
        other = True
    return _elsewhere("takes its token from the environment") if other else None


def _kubeconfig(text: str) -> tuple[str, str, int] | None:
    names = {"token", "password", "client-key-data", "id-token", "refresh-token", "client-secret"}
    elsewhere = {"exec", "tokenFile", "client-key", "auth-provider"}
    other = False
    for tree in documents(text.encode("utf-8", "replace"), lambda _part: True):
        for leaf in tree.leaves:
            if leaf.path and leaf.path[-1] in names and _literal(leaf.value):
                return _found(f"{leaf.path[-1]!r} of a user lies open", leaf.line)
            other = other or bool(elsewhere.intersection(leaf.path))
    return _elsewhere("its users take their credentials from elsewhere") if other else None


def _docker(text: str) -> tuple[str, str, int] | None:
    value = read_json(text)
    if not isinstance(value, dict):
        return None
    auths = value.get("auths", value)
    entries = auths.values() if isinstance(auths, dict) else []
    for entry in entries:
        keys = ("auth", "password", "identitytoken", "registrytoken")
        held = [key for key in keys if isinstance(entry, dict) and entry.get(key)]
        for key in held:
            if _literal(str(entry[key])):
                return _found(
                    f"{key!r} of a registry: base64 is no encryption", line_of_key(text, key)
                )
    if "credsStore" in value or "credHelpers" in value:
        return _elsewhere("its credentials lie in a helper")
    return None


def _telling(text: str) -> tuple[str, str, int] | None:
    for leaf in read_assignments(text):
        if tells(leaf.path[-1], leaf.value):
            return _found(f"{leaf.path[-1]!r} lies open", leaf.line)
    return None


def _telling_json(text: str) -> tuple[str, str, int] | None:
    for tree in documents(text.encode("utf-8", "replace"), lambda _part: True):
        for leaf in tree.leaves:
            if leaf.path and tells(leaf.path[-1], leaf.value):
                return _found(f"{leaf.path[-1]!r} lies open", leaf.line)
    return None


def _token(text: str) -> tuple[str, str, int] | None:
    value = text.strip()
    return _found("holds a token") if re.fullmatch(r"[\w.-]{20,200}", value) else None


def _yarn(text: str) -> tuple[str, str, int] | None:
    other = False
    for leaf in read_lines(text):
        if leaf.path[-1] in ("npmAuthToken", "npmAuthIdent"):
            if _literal(leaf.value):
                return _found("holds a token or password of a registry", leaf.line)
            other = True
    return _elsewhere("takes its token from the environment") if other else None


def _hex_key(text: str) -> tuple[str, str, int] | None:
    if re.fullmatch(r"[0-9a-fA-F]{32,512}|[A-Za-z0-9+/]{40,}={0,2}", text.strip()):
        return _found("holds a master key")
    return None


def _any_bytes(text: str) -> tuple[str, str, int] | None:
    return _found("holds a master key of Jenkins") if text.strip("\0 \r\n") else None


def _jenkins(text: str) -> tuple[str, str, int] | None:
    sealed = False
    names = r"(?:password|secret|secretBytes|privateKey|passphrase|apiToken|token|secretKey)"
    for found in re.finditer(rf"<(?P<name>{names})>(?P<value>[^<]+)</", text):
        value = found["value"].strip()
        if re.fullmatch(r"\{AQAAAB[A-Za-z0-9+/=]+\}", value):
            sealed = True
        elif value and _literal(value):
            return _found(f"{found['name']!r} lies open", _line(text, found.start("value")))
    if sealed:
        return "sealed", "its values are sealed under Jenkins' own master key", 1
    return None


def _xml_password(text: str) -> tuple[str, str, int] | None:
    for found in re.finditer(r"<(?P<name>\w*[pP]ass(?:word|phrase))>(?P<value>[^<]+)</", text):
        if _literal(found["value"]) and not re.fullmatch(r"\{[\w+/=]+\}", found["value"].strip()):
            return _found(f"{found['name']!r} lies open", _line(text, found.start("value")))
    return None


def _json_names(pattern: str) -> Judge:
    names = re.compile(rf'"(?P<name>{pattern})"\s*:\s*"(?P<value>[^"]+)"')

    def judge(text: str) -> tuple[str, str, int] | None:
        for found in names.finditer(text):
            if _literal(found["value"]):
                return _found(f"{found['name']!r} lies open", _line(text, found.start()))
        return None

    return judge


def _git_credentials(text: str) -> tuple[str, str, int] | None:
    for found in re.finditer(r"(?m)^\w+://[^:/@\s]*:(?P<value>[^@\s]+)@", text):
        if _literal(found["value"]):
            return _found("holds a password for a host", _line(text, found.start("value")))
    return None


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# Path patterns, for the whole path in lower case; the first that fits has the say.
KINDS: tuple[tuple[str, str, Judge], ...] = (
    (
        (
            r"(?:^|/)\.?(?:ansible[-_.]?)?vault[-_.]?(?:pass(?:word|wd|phrase)?|pw|key|secret)"
            r"(?:[-_.]?file)?(?:[-_.][\w-]+)*(?:\.(?:txt|sh|py|asc))?$"
        ),
        "vault password",
        password_file,
    ),
    (
        r"(?:^|/)\.?(?:\w+[-_.])?vault[-_.]?pass(?:word)?(?:\.txt)?$",
        "vault password",
        password_file,
    ),
    (r"(?:^|/)\.env\.keys$", "dotenvx keys", _assignments(r"^DOTENV_PRIVATE_KEY", "lies open")),
    (r"(?:^|/)[._]netrc$", "netrc", _netrc),
    (r"(?:^|/)(?:\.pgpass|pgpass\.conf)$", "pgpass", _pgpass),
    (r"(?:^|/)\.npmrc$", "npmrc", _npmrc),
    (r"(?:^|/)\.pypirc$", "pypirc", _assignments(r"^password$", "of an index lies open")),
    (
        (
            r"(?:^|/)(?:\.kube/config|kubeconfig|(?:[\w.-]+[-_.])?kubeconfig(?:[-_.][\w-]+)*"
            r"(?:\.ya?ml|\.conf)?|(?:admin|kubelet|controller-manager|scheduler)\.conf)$"
        ),
        "kubeconfig",
        _kubeconfig,
    ),
    (
        r"(?:^|/)(?:\.docker/config\.json|\.dockercfg|\.?dockerconfig(?:json|\.json))$",
        "docker",
        _docker,
    ),
    (r"\.tfstate(?:\.\d+)?(?:\.backup)?$", "Terraform state", terraform_state),
    (r"\.tfvars$", "Terraform variables", _telling),
    (r"\.tfvars\.json$", "Terraform variables", _telling_json),
    (r"(?:^|/)\.yarnrc\.yml$", "yarnrc", _yarn),
    (r"(?:^|/)\.vault-token$", "Vault token", _token),
    (r"(?:^|/)(?:credentials(?:/[\w-]+)?|secrets)\.yml\.enc$", "Rails", rails),
    (r"(?:^|/)\.env(?:\.[\w-]+)*\.encrypted$", "Laravel", laravel),
    (r"(?:^|/)secrets/(?:master\.key|hudson\.util\.secret)$", "Jenkins", _any_bytes),
    (
        r"(?:^|/)(?:config/)?master\.key$|(?:^|/)config/credentials/[\w-]+\.key$",
        "Rails key",
        _hex_key,
    ),
    (r"(?:^|/)credentials\.xml$", "Jenkins", _jenkins),
    (r"(?:^|/)(?:\.m2/)?settings(?:-security)?\.xml$", "Maven", _xml_password),
    (
        r"(?:^|/)\.?aws/credentials$|(?:^|/)\.?aws[-_]credentials(?:\.\w+)?$|(?:^|/)\.boto$|\.s3cfg$",
        "AWS",
        _assignments(r"(?i)(?:secret_access_key|secret_key|session_token)$", "lies open"),
    ),
    (
        (
            r"(?:^|/)application_default_credentials\.json$|(?:^|/)(?:[\w.-]*(?:service[-_]?account|gcp|"
            r"gcloud|google)[\w.-]*(?:key|cred\w*)?[\w.-]*)\.json$"
        ),
        "Google",
        _json_names(r"private_key|refresh_token|client_secret"),
    ),
    (
        r"(?:^|/)\.azure/(?:accesstokens|msal_token_cache|service_principal_entries)\.(?:json|bin)$",
        "Azure",
        _json_names(r"accessToken|refreshToken|secret|client_secret"),
    ),
    (r"(?:^|/)\.git-credentials$", "git", _git_credentials),
    (r"(?:^|/)(?:\.my\.cnf|\.mylogin\.cnf)$", "MySQL", _assignments(r"^password$", "lies open")),
    (
        r"(?:^|/)(?:\.terraformrc|terraform\.rc|credentials\.tfrc\.json)$",
        "Terraform",
        lambda text: _json_names("token")(text) or _assignments("^token$", "lies open")(text),
    ),
    (
        r"(?:^|/)\.gem/credentials$|(?:^|/)\.cargo/credentials(?:\.toml)?$",
        "registry",
        _assignments(r"(?i)(?:token|api_?key|:rubygems_api_key)$", "lies open"),
    ),
    (
        r"(?:^|/)(?:\.composer/)?auth\.json$",
        "Composer",
        _json_names(r"password|github\.com|gitlab\.com|token"),
    ),
    (
        r"(?:^|/)\.?rclone\.conf$",
        "rclone",
        _assignments(r"(?i)(?:pass|secret_access_key|token|client_secret)$", "lies open"),
    ),
    (r"(?:^|/)\.env(?:\.[\w-]+)*$|(?:^|/)[\w-]+\.env$", "dotenv", _telling),
)
_COMPILED = tuple((re.compile(pattern), kind, judge) for pattern, kind, judge in KINDS)


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record if `path` names a credential file and a credential (or its absence) shows.
    """
    if path is None or len(data) > _MAX_SIZE or data.startswith(_SEALED_STARTS):
        return []
    name = path.decode("utf-8", "replace").lower()
    for pattern, kind, judge in _COMPILED:
        if pattern.search(name):
            return _judged(data, path, kind, judge)
    config = _KUBECONFIG.search(data)
    if config is not None and _USERS.search(data, config.end()):
        return _judged(data, path, "kubeconfig", _kubeconfig)
    return []


def _judged(data: bytes, path: bytes, kind: str, judge: Judge) -> list[SealRecord]:
    if _SAMPLE.search(
        base_name(path).removeprefix(".env") if kind == "dotenv" else base_name(path)
    ):
        return []
    if kind != "Jenkins" and not is_readable(data, minimum=1):
        return []
    text = data.decode("utf-8-sig", "replace")
    if kind == "dotenv" and "encrypted:" in text and "DOTENV_PUBLIC_KEY" in text:
        return []  # dotenvx has the say
    if "sops_mac" in text or '"sops":' in text or "\nsops:" in text:
        return []  # SOPS has the say
    found = judge(text)
    if found is None:
        return []
    state, reason, line = found
    return [
        SealRecord(
            format=FORMAT,
            state=state,
            reason=f"{kind}: {reason}",
            line=line,
            detail=(("kind", kind),),
            sample=(kind == "dotenv" and _only_samples(text))
            or (kind == "npmrc" and _only_here(text)),
        )
    ]


def _only_samples(text: str) -> bool:
    told = (leaf.value for leaf in read_assignments(text) if tells(leaf.path[-1], leaf.value))
    return all(map(is_sample, told))


def _only_here(text: str) -> bool:
    """
    Return whether all credentials of a `.npmrc` are for registries on the machine itself: they open
    nothing elsewhere.
    """
    told = [line for line in text.splitlines() if _NPM_SECRET.match(line)]
    return all(map(_NPM_HERE.match, told))


_HARMLESS = {"dotenv": _only_samples, "npmrc": _only_here}


def leaf_values(leaves: list[Leaf]) -> list[str]:
    """
    Return the literal values among leaves, for the trial of keys.
    """
    return [leaf.value for leaf in leaves if _literal(leaf.value)]
