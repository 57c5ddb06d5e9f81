"""
Calls to AWS that read: who has which name, and what the answers' codes are.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from dataclasses import dataclass

from scanner.verify.cloud.aws_signature import KeyPair, signed
from scanner.verify.cloud.beside import told
from scanner.verify.request import RefusedError, Reply, Request, TransportError
from scanner.verify.transport import Transport

_VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,79}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """
    A part of AWS with accounts, keys and host names of its own.
    """

    name: str
    region: str
    iam: str
    iam_region: str
    suffix: str
    regions: str
    """How the names of its regions begin."""

    @property
    def sts(self) -> str:
        """
        Return the host that knows its keys.
        """
        return f"sts.{self.region}.{self.suffix}"


PARTITIONS = (
    Partition(
        name="aws",
        region="us-east-1",
        iam="iam.amazonaws.com",
        iam_region="us-east-1",
        suffix="amazonaws.com",
        regions="",
    ),
    Partition(
        name="aws-us-gov",
        region="us-gov-west-1",
        iam="iam.us-gov.amazonaws.com",
        iam_region="us-gov-west-1",
        suffix="amazonaws.com",
        regions="us-gov-",
    ),
    Partition(
        name="aws-cn",
        region="cn-north-1",
        iam="iam.cn-north-1.amazonaws.com.cn",
        iam_region="cn-north-1",
        suffix="amazonaws.com.cn",
        regions="cn-",
    ),
)


class Calls:
    """
    Signed reads with one key pair, in one partition.
    """

    def __init__(
        self, pair: KeyPair, partition: Partition, transport: Transport, finding: str
    ) -> None:
        self.pair = pair
        self.partition = partition
        self._transport = transport
        self._finding = finding

    def whoami(self) -> Reply:
        """
        Ask STS whose key it is: no policy can deny that, so the answer is about the key.
        """
        part = self.partition
        return self._form("sts", part.sts, part.region, {"Action": "GetCallerIdentity"})

    def iam(self, action: str, **fields: str) -> str | None:
        """
        Return IAM's answer; `None` if it was denied or none came.
        """
        part = self.partition
        try:
            reply = self._form("iam", part.iam, part.iam_region, {"Action": action, **fields})
        except (RefusedError, TransportError):
            return None
        return reply.text() if reply.status == 200 and not reply.is_page() else None

    def can_list_secrets(self, region: str) -> bool:
        """
        Say whether Secrets Manager lists what it holds; values are never asked for.
        """
        host = f"secretsmanager.{region}.{self.partition.suffix}"
        body = b'{"MaxResults": 1}'
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "secretsmanager.ListSecrets",
        }
        try:
            reply = self._send(f"secretsmanager {region}", host, headers, body, "ListSecrets")
        except (RefusedError, TransportError):
            return False
        document = reply.json()
        return reply.status == 200 and isinstance(document, dict) and "SecretList" in document

    def _form(self, service: str, host: str, region: str, form: dict[str, str]) -> Reply:
        body = urllib.parse.urlencode({**form, "Version": _VERSIONS[service]}).encode("ascii")
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        return self._send(f"{service} {region}", host, headers, body, form["Action"])

    def _send(
        self, scope: str, host: str, headers: dict[str, str], body: bytes, what: str
    ) -> Reply:
        service, region = scope.split(" ")
        return self._transport.send(
            Request(
                host=host,
                method="POST",
                path="/",
                shown=f"/ ({what})",
                headers=signed(
                    self.pair,
                    host=host,
                    service=service,
                    region=region,
                    headers=headers,
                    body=body,
                ),
                body=body,
                finding=self._finding,
            )
        )


def tag(text: str, name: str) -> str:
    """
    Return the text of the first element of this name, empty if there is none.
    """
    found = re.search(rf"<{name}>\s*([^<>]{{1,400}}?)\s*</{name}>", text)
    return found[1] if found else ""


def tags(text: str, name: str) -> list[str]:
    """
    Return the texts of all elements of this name.
    """
    return re.findall(rf"<{name}>\s*([^<>]{{1,400}}?)\s*</{name}>", text)


def error_code(reply: Reply) -> str:
    """
    Return the code that AWS gives an error, empty if the reply holds none.

    Only a reply that is whole and of AWS's form has one: a page of somebody between us
    that happens to hold the word says nothing.
    """
    if reply.is_page() or not 400 <= reply.status < 500 or reply.status == 429:
        return ""
    text = reply.text().strip()
    code = ""
    if text.startswith("<") and text.endswith(">") and "<Error>" in text:
        code = tag(text, "Code")
    elif text.startswith("{"):
        document = reply.json()
        if isinstance(document, dict):
            inner = document.get("Error")
            code = str(inner.get("Code", "")) if isinstance(inner, dict) else ""
            code = code or str(document.get("__type", "")).rpartition("#")[2]
    return code.removesuffix("Exception") if _CODE.match(code) else ""


def says(reply: Reply) -> str:
    """
    Return an unclear reply in a few words.
    """
    return told(json.dumps(error_code(reply))[1:-1] or f"status {reply.status}", limit=80)
