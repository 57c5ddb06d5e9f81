"""
STS, IAM and Secrets Manager in a few lines; signatures are checked by Amazon's own library.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
import urllib.parse
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.verify.provider import Asked, Say

_CREDENTIAL = re.compile(r"Credential=(\w+)/\d{8}/([\w-]+)/(\w+)/aws4_request")
_SIGNED = re.compile(r"SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})")


@dataclass
class Key:
    """A key as AWS knows it."""

    secret: str
    arn: str = "arn:aws:iam::123456789012:user/ci/deployer"
    token: str | None = None
    active: bool = True
    expired: bool = False
    may: tuple[str, ...] = ()
    """Actions that its policies allow, of IAM and else."""

    policies: tuple[str, ...] = ()


@dataclass
class FakeAws:
    """The whole of one partition; the others know no key."""

    keys: dict[str, Key] = field(default_factory=dict)
    home: str = "amazonaws.com"
    actions: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Say:
        found = _CREDENTIAL.search(asked.headers.get("authorization", ""))
        assert found, "not signed"
        key_id, region, service = found.groups()
        key = self.keys.get(key_id)
        if not asked.host.endswith(self.home) or "-gov-" in asked.host:
            return _error("InvalidClientTokenId")
        if key is None or not key.active:
            return _error("InvalidClientTokenId")
        if asked.headers.get("x-amz-security-token") != key.token:
            return _error("InvalidClientTokenId")
        if key.expired:
            return _error("ExpiredToken")
        if not _signed_with(asked, key_id, key, service, region):
            return _error("SignatureDoesNotMatch")
        if service == "secretsmanager":
            return self._secrets(asked, key)
        form = dict(urllib.parse.parse_qsl(asked.body.decode()))
        self.actions.append(form["Action"])
        if form["Action"] == "GetCallerIdentity":
            return _xml(form["Action"], f"<Arn>{key.arn}</Arn><Account>123456789012</Account>")
        allowed = key.arn.endswith(":root") or f"iam:{form['Action']}" in key.may
        return _iam(form, key_id, key) if allowed else _error("AccessDenied")

    def _secrets(self, asked: Asked, key: Key) -> Say:
        self.actions.append(asked.headers["x-amz-target"].rpartition(".")[2])
        if "secretsmanager:ListSecrets" in key.may:
            return Say(200, b'{"SecretList": [{"Name": "db"}]}')
        return Say(400, b'{"__type": "AccessDeniedException", "Message": "no"}')


def _iam(form: dict[str, str], key_id: str, key: Key) -> Say:
    action = form["Action"]
    if action == "ListAccessKeys":
        rows = "".join(
            f"<member><AccessKeyId>{one}</AccessKeyId><CreateDate>{date}</CreateDate></member>"
            for one, date in (
                ("AKIA" + "B" * 16, "2001-01-01T00:00:00Z"),
                (key_id, "2021-02-03T04:05:06Z"),
            )
        )
        return _xml(action, rows)
    if action == "GetAccessKeyLastUsed":
        return _xml(action, "<LastUsedDate>2026-05-06T07:08:09Z</LastUsedDate>")
    if action == "ListAttachedUserPolicies":
        rows = "".join(f"<PolicyName>{escape(name)}</PolicyName>" for name in key.policies)
        return _xml(action, rows)
    if action == "SimulatePrincipalPolicy":
        asked = [value for name, value in form.items() if name.startswith("ActionNames.")]
        rows = "".join(
            f"<member><EvalActionName>{one}</EvalActionName><EvalDecision>"
            f"{'allowed' if one in key.may else 'implicitDeny'}</EvalDecision>"
            "<MatchedStatements><member><SourcePolicyId>p</SourcePolicyId></member>"
            "</MatchedStatements></member>"
            for one in asked
        )
        return _xml(action, rows)
    return _xml(action, "")


def _signed_with(asked: Asked, key_id: str, key: Key, service: str, region: str) -> bool:
    found = _SIGNED.search(asked.headers["authorization"])
    assert found
    names = found[1].split(";")
    assert {"host", "x-amz-date"} <= set(names)
    request = AWSRequest(
        "POST",
        f"https://{asked.host}/",
        headers={name: asked.headers[name] for name in names},
        data=asked.body,
    )
    stamp = asked.headers["x-amz-date"]
    moment = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
    assert abs((dt.datetime.now(dt.timezone.utc) - moment).total_seconds()) < 300
    request.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(key_id, key.secret, key.token), service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return hmac.compare_digest(auth.signature(text, request), found[2])


def _xml(action: str, inner: str) -> Say:
    body = f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"
    return Say(200, body.encode(), kind="text/xml")


def _error(code: str) -> Say:
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>"
    return Say(403, body.encode(), kind="text/xml")
