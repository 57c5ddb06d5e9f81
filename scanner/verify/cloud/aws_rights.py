"""
What a living AWS key may do, asked for by reads that may each be denied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scanner.verify.cloud.aws_calls import Calls, tag, tags

# What an intruder would try first.
DANGEROUS = (
    "iam:CreateAccessKey", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:PassRole",
    "sts:AssumeRole", "secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt",
    "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "ec2:RunInstances",
    "lambda:UpdateFunctionCode", "dynamodb:Scan", "rds:DeleteDBInstance",
    "cloudtrail:StopLogging",
)  # fmt: skip
_MOST_GROUPS = 5
_MOST = 40


@dataclass(slots=True)
class Known:
    """
    What the key's own account told about it.
    """

    scopes: dict[str, None] = field(default_factory=dict)
    created: str | None = None
    used: str | None = None
    expires: str | None = None
    denied: bool = False
    """Its policies and a simulation were both refused."""


def ask_rights(calls: Calls, arn: str, region: str) -> Known:
    """
    Return age, use and rights of the key that STS calls `arn`.
    """
    known = Known()
    if arn.endswith(":root"):
        known.scopes["root"] = None
        _age(calls, None, known)
        return known
    kind, name = _principal(arn)
    source = arn
    if kind == "User":
        _age(calls, name, known)
    elif kind == "Role":
        role = calls.iam("GetRole", RoleName=name)
        source = tag(role or "", "Arn") or _role_arn(arn, name)
    policies = _policies(calls, kind, name) if kind else []
    may = _simulated(calls, source) if kind else None
    known.scopes |= dict.fromkeys([*policies, *(may or [])][:_MOST])
    known.denied = not policies and may is None
    if "secretsmanager:GetSecretValue" not in known.scopes and calls.can_list_secrets(region):
        known.scopes["secretsmanager:ListSecrets"] = None
    return known


def _principal(arn: str) -> tuple[str, str]:
    resource = arn.split(":", 5)[-1].split("/")
    if resource[0] == "user":
        return "User", resource[-1]
    if resource[0] == "assumed-role" and len(resource) > 1:
        return "Role", resource[1]
    return "", ""


def _role_arn(arn: str, name: str) -> str:
    # Without its path; right for most roles, and a wrong one is only refused.
    _, partition, _, _, account, _ = arn.split(":", 5)
    return f"arn:{partition}:iam::{account}:role/{name}"


def _age(calls: Calls, user: str | None, known: Known) -> None:
    listed = calls.iam("ListAccessKeys", **({} if user is None else {"UserName": user})) or ""
    for member in re.findall(r"<member>(.*?)</member>", listed, re.DOTALL):
        if tag(member, "AccessKeyId") == calls.pair.key_id:
            known.created = tag(member, "CreateDate") or None
    used = calls.iam("GetAccessKeyLastUsed", AccessKeyId=calls.pair.key_id) or ""
    date = tag(used, "LastUsedDate")
    known.used = date if date[:2] == "20" else None


def _policies(calls: Calls, kind: str, name: str) -> list[str]:
    key = {f"{kind}Name": name}
    found = tags(calls.iam(f"ListAttached{kind}Policies", **key) or "", "PolicyName")
    found += tags(calls.iam(f"List{kind}Policies", **key) or "", "member")
    if kind == "User":
        groups = tags(calls.iam("ListGroupsForUser", **key) or "", "GroupName")
        for group in groups[:_MOST_GROUPS]:
            listed = calls.iam("ListAttachedGroupPolicies", GroupName=group) or ""
            found += tags(listed, "PolicyName")
    return [f"policy {name}" for name in found if re.fullmatch(r"[\w+=,.@-]{1,128}", name)]


def _simulated(calls: Calls, source: str) -> list[str] | None:
    """
    Return what IAM's own simulator says is allowed; `None` if it may not be asked.
    """
    fields = {f"ActionNames.member.{n}": action for n, action in enumerate(DANGEROUS, 1)}
    reply = calls.iam("SimulatePrincipalPolicy", PolicySourceArn=source, **fields)
    if reply is None:
        return None
    # Each result has one name and one decision, in an order that differs by server.
    told = re.findall(r"<(EvalActionName|EvalDecision)>([^<]{1,80})<", reply)
    results = [dict(told[i : i + 2]) for i in range(0, len(told), 2)]
    return [
        str(result["EvalActionName"])
        for result in results
        if result.get("EvalActionName") in DANGEROUS and result.get("EvalDecision") == "allowed"
    ]
