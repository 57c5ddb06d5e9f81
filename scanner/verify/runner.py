"""
Asks about the findings of a run: each distinct secret once, many providers at a time.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import zip_longest
from pathlib import Path

from scanner.errors import ConfigError
from scanner.folders import state_folder
from scanner.model import Finding, Report, Status, Verification
from scanner.ruleset.shipped import shipped_packs
from scanner.verify import canary
from scanner.verify.declarative import Declarative, Rules, rule_of
from scanner.verify.plan import PlanLine, render_plan
from scanner.verify.ranking import ranked
from scanner.verify.registry import Consent, Explains, Verifier, verifiers_of
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.request_log import RequestLog
from scanner.verify.settings import Settings
from scanner.verify.transport import Limits, Options, Transport
from scanner.verify.verdict_cache import VerdictCache, cache_key

_THREADS = 48
_INTERRUPTED = Verification(status=Status.UNKNOWN, reason="interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    Whom to ask, and how far consent goes.
    """

    consent: Consent = field(default_factory=Consent)
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    threads: int = _THREADS

    def excuse(self, finding: Finding) -> str | None:
        """
        Return why this finding is not asked about, `None` if it may be.
        """
        if finding.secret is None:
            return "a finding about a file, not a credential"
        if finding.secret.withheld:
            return "the report is redacted"
        if self.only and finding.provider not in self.only:
            return "not among --only"
        if finding.provider in self.skip:
            return "among --skip"
        laid_by = canary.issuer(finding)
        if laid_by is not None and not self.consent.canaries:
            return f"a canary token of {laid_by}: using it raises an alarm"
        return None


class Runner:
    """
    The verifiers of one run, in code and declared.
    """

    def __init__(self, checks: Sequence[Path], rules: Rules) -> None:
        """
        `checks` are the folders of declared checks, `rules` gives a rule for its id.
        """
        self._rules = rules
        self._declared = Declarative(checks, rules)
        self._coded: dict[str, tuple[Verifier, ...]] = {}

    def plan(self, findings: Iterable[Finding], selection: Selection) -> list[PlanLine]:
        """
        Return what `verify` would send, finding by finding; nothing is sent.
        """
        lines = []
        seen: set[object] = set()
        for finding in findings:
            excuse = selection.excuse(finding)
            requests = []
            if excuse is None and _key(finding) in seen:
                excuse = "asked about already: the same secret"
            elif excuse is None:
                seen.add(_key(finding))
                verifier = self._verifier(finding)
                requests = (verifier or self._declared).plan(finding, selection.consent)
                excuse = None if requests else self._why_not(finding, selection.consent)
            lines.append(
                PlanLine(
                    fingerprint=finding.fingerprint,
                    rule_id=finding.rule_id,
                    provider=finding.provider,
                    requests=tuple(requests),
                    excuse=excuse,
                )
            )
        return lines

    def verify(
        self,
        findings: Sequence[Finding],
        transport: Transport,
        selection: Selection,
        cache: VerdictCache | None = None,
    ) -> list[Finding]:
        """
        Return the findings in their order, each with its verdict and ranked by it.
        """
        verdicts: dict[int, Verification] = {}
        groups: dict[object, list[int]] = defaultdict(list)
        for index, finding in enumerate(findings):
            excuse = selection.excuse(finding)
            if excuse is not None:
                # What an earlier run learned is not forgotten because this one does not ask.
                earlier = finding.verification
                skipped = Verification(status=Status.NOT_TRIED, reason=excuse)
                verdicts[index] = skipped if earlier.status is Status.NOT_TRIED else earlier
            else:
                groups[_key(finding)].append(index)
        queue = _spread([(findings[rows[0]].provider, rows) for rows in groups.values()])
        with concurrent.futures.ThreadPoolExecutor(selection.threads) as pool:
            asked = {
                pool.submit(
                    self._one, [findings[row] for row in rows], transport, selection.consent, cache
                ): rows
                for rows in queue
            }
            try:
                for done in concurrent.futures.as_completed(asked):
                    verdicts |= dict.fromkeys(asked[done], _result(done))
            except KeyboardInterrupt:
                # What was found is worth more than what was not asked: keep all of it.
                transport.stop()
                pool.shutdown(wait=False, cancel_futures=True)
        return [
            ranked(finding, verdicts.get(index, _INTERRUPTED), rule_of(finding, self._rules))
            for index, finding in enumerate(findings)
        ]

    def _one(
        self,
        same: Sequence[Finding],
        transport: Transport,
        consent: Consent,
        cache: VerdictCache | None,
    ) -> Verification:
        """
        Ask about one secret, which may be several findings: under several rules, in several forms.
        """
        allowed = _allowed_word(consent, transport.options)
        finding = _merged(same)
        kept = [] if cache is None else [cache.get(one.fingerprint, allowed) for one in same]
        known = next((verdict for verdict in kept if verdict is not None), None)
        if known is not None:
            return known
        try:
            verifier = self._verifier(finding)
            verdict = (verifier or self._declared).verify(finding, transport, consent)
        except (RefusedError, TransportError) as error:
            verdict = Verification(status=Status.UNKNOWN, reason=str(error))
        if verdict.status is Status.NOT_TRIED:
            return verdict
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        verdict = dataclasses.replace(verdict, checked_at=verdict.checked_at or now)
        if cache is not None:
            for one in same:
                cache.put(one.fingerprint, allowed, verdict)
        return verdict

    def _verifier(self, finding: Finding) -> Verifier | None:
        if finding.provider not in self._coded:
            self._coded[finding.provider] = tuple(verifiers_of(finding.provider))
        rule = rule_of(finding, self._rules)
        return next((v for v in self._coded[finding.provider] if v.accepts(finding, rule)), None)

    def _why_not(self, finding: Finding, consent: Consent) -> str:
        verifier = self._verifier(finding)
        if isinstance(verifier, Explains):
            return verifier.excuse(finding, consent)
        if verifier is not None:
            return "needs --allow-found-hosts or --allow-login"
        return self._declared.excuse(finding, consent)


def verify_report(
    report: Report, rules: Rules, settings: Settings, *, transport: Transport | None = None
) -> Report:
    """
    Return the report with what the issuers say, or with the plan as notices.

    `transport` is for tests; else one is made from the settings, with its request log
    in the state folder.
    """
    if settings.plan:
        plan = plan_report(report.findings, rules, settings).splitlines()
        return dataclasses.replace(report, notices=(*report.notices, *plan))
    state = state_folder()
    runner = Runner(_checks(settings), rules)
    with contextlib.ExitStack() as stack:
        if transport is None:
            log = RequestLog(state / "verify-requests.jsonl")
            stack.callback(log.close)
            transport = Transport(log, _options(settings))
            stack.callback(transport.close)
        cache = VerdictCache(state, cache_key(state), lifetime=settings.verdict_lifetime)
        stack.callback(cache.close)
        findings = runner.verify(report.findings, transport, selection(settings), cache)
    return dataclasses.replace(report, findings=tuple(findings))


def preflight(settings: Settings, providers: Container[str]) -> None:
    """
    Raise `ConfigError` where verification could not begin: better before a long scan than after.
    """
    for provider in (*settings.only, *settings.skip):
        if provider not in providers:
            raise ConfigError(
                f"no such provider: {provider}", hint="see `unsealed rules list` for their names"
            )
    if settings.plan:
        return
    if settings.known_hosts is not None and not settings.known_hosts.is_file():
        raise ConfigError(f"{settings.known_hosts}: no list of known hosts")
    state = state_folder()
    log = RequestLog(state / "verify-requests.jsonl")
    try:
        Transport(log, _options(settings)).close()
    finally:
        log.close()
    cache_key(state)


def plan_report(findings: Iterable[Finding], rules: Rules, settings: Settings) -> str:
    """
    Return what would be sent, as text; nothing is.
    """
    runner = Runner(_checks(settings), rules)
    return render_plan(runner.plan(findings, selection(settings)))


def selection(settings: Settings) -> Selection:
    """
    Return whom the settings let us ask.
    """
    return Selection(
        consent=Consent(
            found_hosts=settings.allow_hosts,
            login=settings.allow_login,
            costs=settings.allow_costs,
            canaries=settings.allow_canaries,
            spare_uses=settings.spare_uses,
            believe=settings.believe_refusals,
        ),
        only=frozenset(settings.only),
        skip=frozenset(settings.skip),
    )


def _checks(settings: Settings) -> tuple[Path, ...]:
    # Packs named on the command line may bring checks of their own, in the same place.
    named = [path / "checks" for path in settings.rules if (path / "checks").is_dir()]
    return (shipped_packs() / "checks", *named)


def _options(settings: Settings) -> Options:
    return Options(
        allow_private=settings.allow_private,
        allow_found_hosts=settings.allow_hosts,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        known_hosts=settings.known_hosts,
        limits=Limits(budget=settings.budget),
    )


def _result(done: concurrent.futures.Future[Verification]) -> Verification:
    error = done.exception()
    if error is None:
        return done.result()
    # A bug in one verifier must not lose the findings of a long scan; its message may
    # quote the secret, so only its kind is told.
    return Verification(status=Status.UNKNOWN, reason=f"the check failed: {type(error).__name__}")


def _key(finding: Finding) -> object:
    return finding.provider, finding.secret


def _merged(same: Sequence[Finding]) -> Finding:
    companions = {companion: None for one in same for companion in one.companions}
    return dataclasses.replace(same[0], companions=tuple(companions))


def _spread(groups: Iterable[tuple[str, list[int]]]) -> list[list[int]]:
    # One provider after the other in turn: a slow one must not fill every thread.
    lanes: dict[str, list[list[int]]] = defaultdict(list)
    for provider, rows in groups:
        lanes[provider].append(rows)
    return [rows for turn in zip_longest(*lanes.values()) for rows in turn if rows is not None]


def _allowed_word(consent: Consent, options: Options) -> str:
    """
    Return what a kept verdict was reached with: more is asked again, and another way out too.
    """
    given = [
        name
        for name in ("found_hosts", "login", "costs", "canaries", "spare_uses", "believe")
        if getattr(consent, name)
    ]
    if options.allow_private:
        given.append("allow_private")
    if options.proxy is not None:
        given.append(f"proxy={options.proxy.rpartition('@')[2]}")
    for name in ("ca_file", "known_hosts"):
        file = getattr(options, name)
        if file is not None:
            given.append(f"{name}={file}")
    return ",".join(given)
