"""
Azure storage: account keys by a signature, shared access signatures by themselves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.cloud.azure_sas import Sas, parse_sas
from scanner.verify.cloud.beside import secret_text, told, value_beside, values_beside
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import Reply, Request
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

_KEYS = {"azure-storage-account-key", "azure-storage-connection-string", "azure-storage-legacy-key"}
_SAS = {"azure-sas-token"}
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}\Z")
_KEY = re.compile(r"[A-Za-z0-9+/]{86}==\Z")
_PATH = re.compile(r"(?:/[\w.$~%()!*,=@+-]{1,200}){0,20}\Z")
_SUFFIXES = ("core.windows.net", "core.usgovcloudapi.net", "core.chinacloudapi.cn")
_VERSION = "2021-08-06"
_QUERY = "restype=account&comp=properties"
_SHOWN = "/?restype=account&comp=properties"
# Said of a signature that was found right: what it may do is another matter.
_LIMITED = frozenset(
    {
        "AuthorizationPermissionMismatch",
        "AuthorizationResourceTypeMismatch",
        "AuthorizationServiceMismatch",
        "AuthorizationProtocolMismatch",
        "AuthorizationSourceIPMismatch",
        "ContainerNotFound",
        "BlobNotFound",
    }
)
_REFUSALS = frozenset({"AuthenticationFailed", "AuthorizationFailure"})
_GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Target:
    account: str
    host: str
    path: str = "/"
    key: str | None = field(default=None, repr=False)
    sas: Sas | None = None
    sure: bool = False


class AzureStorage:
    """
    Asks a storage account for its own kind, which tells nothing of what it stores.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether it is a storage key or a shared access signature.
        """
        del rule
        return finding.rule_id in _KEYS | _SAS

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the one request.
        """
        target = _target(finding)
        if target is None or not consent.found_hosts:
            return []
        return [Planned(host=target.host, method="GET", path=_SHOWN)]

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return what is missing, and what the value tells by itself.
        """
        sas = parse_sas(secret_text(finding) or "") if finding.rule_id in _SAS else None
        facts = "" if sas is None else f"; {sas.facts()}"
        if _target(finding) is None:
            return f"not found beside it: account{facts}"
        if not consent.found_hosts:
            return f"needs --allow-found-hosts{facts}"
        return f"a value cannot stand in a request{facts}"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Ask the account; a signature's own words are told in any case.
        """
        target = _target(finding)
        if target is None or not consent.found_hosts:
            sas = parse_sas(secret_text(finding) or "") if finding.rule_id in _SAS else None
            scopes = () if sas is None else sas.scopes()
            return Verification(
                status=Status.NOT_TRIED,
                reason=self.excuse(finding, consent),
                scopes=scopes,
                expires_at=None if sas is None else sas.expires,
                rights=plain_words("azure", scopes),
            )
        return _judged(target, transport.send(_request(target, finding.fingerprint)))


def verifier() -> AzureStorage:
    """
    Return the verifier of this module.
    """
    return AzureStorage()


def _target(finding: Finding) -> _Target | None:
    text = secret_text(finding) or ""
    suffix = value_beside(finding, "endpoint_suffix") or _SUFFIXES[0]
    if suffix not in _SUFFIXES:
        return None
    if finding.rule_id in _SAS:
        return _sas_target(finding, text)
    accounts = [one for one in values_beside(finding, "account_name") if _ACCOUNT.match(one)]
    if not accounts or not _KEY.match(text):
        return None
    others = {one for one in values_beside(finding, "any_account") if _ACCOUNT.match(one)}
    host = f"{accounts[0]}.blob.{suffix}"
    touching = value_beside(finding, "next_to_it") == accounts[0]
    sure = touching and {*accounts, *others} == {accounts[0]}
    return _Target(accounts[0], host, key=text, sure=sure)


def _sas_target(finding: Finding, text: str) -> _Target | None:
    sas = parse_sas(text)
    address = value_beside(finding, "sas_url")
    if sas is None:
        return None
    if address is not None:
        host, slash, path = address.partition("/")
        account, _, rest = host.partition(".")
        service, _, suffix = rest.partition(".")
        service = "blob" if service == "dfs" else service
        path = slash + path
        if _ACCOUNT.match(account) and suffix in _SUFFIXES and _PATH.match(path):
            return _Target(
                account, f"{account}.{service}.{suffix}", path or "/", sas=sas, sure=True
            )
    account = value_beside(finding, "account_name") or ""
    if not _ACCOUNT.match(account):
        return None
    return _Target(account, f"{account}.blob.{_SUFFIXES[0]}", sas=sas)


def _request(target: _Target, finding: str) -> Request:
    headers = {
        "x-ms-date": format_datetime(datetime.now(timezone.utc), usegmt=True),
        "x-ms-version": _VERSION,
    }
    query = _QUERY
    if target.sas is not None:
        query = f"{_QUERY}&{target.sas.query}"
    elif target.key is not None:
        signature = shared_key(target.account, target.key, headers)
        headers["Authorization"] = f"SharedKey {target.account}:{signature}"
    return Request(
        host=target.host,
        path=f"{target.path}?{query}",
        shown=_SHOWN,
        headers=headers,
        finding=finding,
        found_host=True,
    )


def shared_key(account: str, key: str, headers: dict[str, str]) -> str:
    """
    Return the signature of our one request: a GET of an account's properties.
    """
    # Twelve lines for headers that we do not send, then ours, then what is asked for.
    lines = ["GET", *[""] * 11]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers)]
    lines += [f"/{account}/", "comp:properties", "restype:account"]
    try:
        secret = base64.b64decode(key)
    except (ValueError, binascii.Error):
        secret = b""
    digest = hmac.digest(secret, "\n".join(lines).encode(), hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def _judged(target: _Target, reply: Reply) -> Verification:
    sas = target.sas
    scopes = ("account key",) if sas is None else sas.scopes()
    expires = None if sas is None else sas.expires
    code = _code(reply)
    hidden = [target.key or "", "" if sas is None else sas.signature]
    told_of = Verification(
        status=Status.UNKNOWN,
        expires_at=expires,
        reason=told(f"the account answered {code or f'status {reply.status}'}"),
    )
    if (reply.status == 200 and _is_properties(reply)) or code in _LIMITED:
        kind = told(reply.headers.get("x-ms-account-kind", ""), hidden)
        limited = f"; {code}: it may not do even that" if code in _LIMITED else ""
        return Verification(
            status=Status.ACTIVE,
            identity=f"storage account {target.account}" + (f" ({kind})" if kind else ""),
            scopes=scopes,
            expires_at=expires,
            reason=f"the account accepted its signature{limited}",
            rights=plain_words("azure", scopes),
        )
    if code not in _REFUSALS:
        return told_of
    words = _refused(target, reply, code)
    if words is None:
        return told_of
    return Verification(status=Status.INACTIVE, expires_at=expires, reason=words)


def _refused(target: _Target, reply: Reply, code: str) -> str | None:
    """
    Return why a refusal is final, `None` if it need not be: firewalls refuse live keys too.
    """
    found = re.search(r"<AuthenticationErrorDetail>([^<]{1,300})", reply.text())
    detail = found[1].lower() if found else ""
    sas = target.sas
    if sas is not None:
        end = sas.end()
        over = end is not None and datetime.now(timezone.utc) - end > _GRACE
        if over or (
            end is not None and "time frame" in detail and end < datetime.now(timezone.utc)
        ):
            return f"it ended on {sas.expires}, and the account refuses it ({code})"
        if "signature did not match" in detail and target.sure and sas.is_whole():
            return f"not signed with a key of the account, or not any more ({code})"
        return None
    if "mac signature" in detail and "not the same" in detail and target.sure:
        return f"not a key of the account, or not any more ({code})"
    return None


def _is_properties(reply: Reply) -> bool:
    return "x-ms-account-kind" in reply.headers or "x-ms-sku-name" in reply.headers


def _code(reply: Reply) -> str:
    """
    Return the storage service's code of an error, empty if the reply is not the service's.
    """
    text = reply.text().lstrip("\ufeff").strip()
    if reply.status not in {400, 403, 404, 409} or not re.match(
        r"(?:<\?xml[^>]*>)?\s*<Error>", text
    ):
        return ""
    found = re.search(r"<Code>\s*([A-Za-z]{3,80})\s*</Code>", text)
    return found[1] if found and text.endswith("</Error>") else ""
