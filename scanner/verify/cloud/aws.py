"""
AWS access keys: whose they are, how old, and what they may do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.canary import aws_account
from scanner.verify.cloud.aws_calls import PARTITIONS, Calls, Partition, error_code, says, tag
from scanner.verify.cloud.aws_rights import Known, ask_rights
from scanner.verify.cloud.aws_signature import KeyPair
from scanner.verify.cloud.beside import secret_text, told, value_beside, values_beside
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

_ID_RULE = "aws-access-key-id"
_SECRET_RULE = "aws-secret-access-key"  # noqa: S105 # a rule's name
_TOKEN_RULE = "aws-session-token"  # noqa: S105 # a rule's name
_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}\Z")
_SECRET = re.compile(r"[A-Za-z0-9+/]{40}\Z")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{16,4096}\Z")
_REGION = re.compile(r"[a-z]{2}(?:-gov)?-(?:north|south|east|west|central){1,2}-[1-9]\Z")
_ARN = re.compile(r"arn:aws[a-z-]{0,12}:(?:iam|sts)::\d{12}:[\w+=,.@:/-]{1,400}\Z")
_MOST_PAIRS = 4
_UNKNOWN_KEY = "InvalidClientTokenId"
_WRONG_SECRET = "SignatureDoesNotMatch"  # noqa: S105 # an error's name
_EXPIRED = "ExpiredToken"


class AwsKeys:
    """
    Asks STS about key pairs, and IAM about what the living ones may do.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether it is a part of a key pair.
        """
        del rule
        return finding.rule_id in {_ID_RULE, _SECRET_RULE, _TOKEN_RULE}

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the requests that settle it, and those that follow if the key is alive.
        """
        del consent
        if not _pairs(finding):
            return []
        order = _order(finding)
        first = order[0]
        return [
            *(
                Planned(host=part.sts, method="POST", path="/ (GetCallerIdentity)")
                for part in order
            ),
            Planned(host=first.iam, method="POST", path="/ (reads about itself, if alive)"),
            Planned(
                host=f"secretsmanager.{_region(finding, first)}.{first.suffix}",
                method="POST",
                path="/ (ListSecrets, if alive)",
            ),
        ]

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return what is missing, and what the key id tells by itself.
        """
        del consent
        ids = _ids(finding)
        if not ids:
            return "the key id was not found beside it"
        lacks = "session token" if ids[0].startswith("ASIA") and _secrets(finding) else "secret key"
        return f"the {lacks} was not found beside it{_account(ids[0])}"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Ask about each pair that may be meant, until one is alive.
        """
        pairs = _pairs(finding)
        if not pairs:
            return Verification(status=Status.NOT_TRIED, reason=self.excuse(finding, consent))
        verdicts = []
        for pair in pairs:
            verdict = _asked(finding, pair, transport, sure=_is_sure(finding, pair, pairs))
            if verdict.status is Status.ACTIVE:
                return verdict
            verdicts.append(verdict)
        unsettled = [v for v in verdicts if v.status is not Status.INACTIVE]
        return unsettled[0] if unsettled else verdicts[0]


def verifier() -> AwsKeys:
    """
    Return the verifier of this module.
    """
    return AwsKeys()


def _ids(finding: Finding) -> list[str]:
    return _values(finding, _ID_RULE, "access_key_id", _KEY_ID)


def _secrets(finding: Finding) -> list[str]:
    return _values(finding, _SECRET_RULE, "secret_access_key", _SECRET)


def _values(finding: Finding, rule: str, name: str, shape: re.Pattern[str]) -> list[str]:
    own = secret_text(finding)
    values = [own or ""] if finding.rule_id == rule else values_beside(finding, name)
    return [value for value in values if shape.match(value)]


def _pairs(finding: Finding) -> list[KeyPair]:
    tokens = _values(finding, _TOKEN_RULE, "session_token", _TOKEN)
    pairs = []
    for key_id in _ids(finding):
        for secret in _secrets(finding):
            if key_id.startswith("AKIA"):
                pairs.append(KeyPair(key_id, secret))
            elif tokens:
                pairs.append(KeyPair(key_id, secret, tokens[0]))
    return pairs[:_MOST_PAIRS]


def _is_sure(finding: Finding, pair: KeyPair, pairs: list[KeyPair]) -> bool:
    """
    Say whether id and secret surely belong together: nothing else is near, they touch.
    """
    if len(pairs) != 1 or len(_ids(finding)) != 1 or len(_secrets(finding)) != 1:
        return False
    other = pair.key_id if finding.rule_id != _ID_RULE else pair.secret
    return value_beside(finding, "next_to_it") == other


def _order(finding: Finding) -> list[Partition]:
    # A key id does not say which partition it is of, but a region beside it does.
    region = value_beside(finding, "region") or ""
    return sorted(
        PARTITIONS, key=lambda part: not (part.regions and region.startswith(part.regions))
    )


def _region(finding: Finding, partition: Partition) -> str:
    region = value_beside(finding, "region") or ""
    own = [p for p in PARTITIONS if p.regions and region.startswith(p.regions)]
    fits = own == [partition] or (not own and not partition.regions)
    return region if fits and _REGION.match(region) else partition.region


def _asked(finding: Finding, pair: KeyPair, transport: Transport, *, sure: bool) -> Verification:
    # One that does not know the key proves nothing until all three were asked; a session
    # token is shown to the likeliest alone.
    partitions = _order(finding)[: 1 if pair.token else None]
    silent = ""
    for partition in partitions:
        calls = Calls(pair, partition, transport, finding.fingerprint)
        try:
            reply = calls.whoami()
        except (RefusedError, TransportError) as error:
            silent = silent or f"{partition.sts}: {error}"
            continue
        arn = tag(reply.text(), "Arn")
        if reply.status == 200 and _ARN.match(arn):
            region = _region(finding, partition)
            return _alive(ask_rights(calls, arn, region), pair, arn)
        code = error_code(reply)
        if code in {_WRONG_SECRET, _EXPIRED}:
            return _refused(finding, pair, code, sure=sure)
        if code != _UNKNOWN_KEY:
            silent = silent or f"{partition.sts} answered {says(reply)}"
    if silent:
        return _unknown(silent, pair)
    return _refused(finding, pair, _UNKNOWN_KEY, sure=sure)


def _refused(finding: Finding, pair: KeyPair, code: str, *, sure: bool) -> Verification:
    by_id = finding.rule_id == _ID_RULE
    if code == _EXPIRED:
        if finding.rule_id == _TOKEN_RULE or len(values_beside(finding, "session_token")) == 1:
            return _dead("the session has expired", code, pair)
        return _unknown("the session token beside it has expired", pair)
    if code == _WRONG_SECRET:
        if by_id:
            reason = "the key id is in use, but the secret beside it is not its own"
            return _unknown(f"{reason} ({code})", pair)
        reason = "the key id beside it is in use, but this is not its secret"
        return _dead(reason, code, pair) if sure else _unknown(f"{reason} ({code})", pair)
    if pair.token is not None:
        return _unknown(f"key and session token are not known together ({code})", pair)
    if by_id:
        return _dead("no active key has this id: deleted, deactivated, or never made", code, pair)
    reason = "no active key has the id beside it"
    if sure:
        return _dead(reason, code, pair)
    return _unknown(f"{reason}, which may belong to another secret ({code})", pair)


def _dead(reason: str, code: str, pair: KeyPair) -> Verification:
    return Verification(
        status=Status.INACTIVE, reason=f"STS: {reason} ({code}){_account(pair.key_id)}"
    )


def _unknown(reason: str, pair: KeyPair) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=f"{reason}{_account(pair.key_id)}")


def _account(key_id: str) -> str:
    account = aws_account(key_id.encode())
    return "" if account is None else f"; by its id it is of account {account}"


def _alive(known: Known, pair: KeyPair, arn: str) -> Verification:
    scopes = tuple(known.scopes)
    return Verification(
        status=Status.ACTIVE,
        identity=told(arn, _hidden(pair)),
        scopes=scopes,
        created_at=known.created,
        last_used_at=known.used,
        reason=f"STS named its owner, {_owner(arn)}"
        + ("; what it may do it may not ask" if known.denied else ""),
        rights=plain_words("aws", scopes),
    )


def _hidden(pair: KeyPair) -> Iterable[str]:
    return [value for value in (pair.secret, pair.token) if value]


def _owner(arn: str) -> str:
    account = arn.split(":")[4]
    if arn.endswith(":root"):
        return f"the root user of account {account}, whom nothing limits: delete this key"
    kind = "a role's session" if ":assumed-role/" in arn else "a user"
    return f"{kind} of account {account}"
