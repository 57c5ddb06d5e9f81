"""
What the scanning commands do before and after the scan: settings to prepared
rules, findings to a written report and an exit code.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import scanner
from scanner.commands.compiling import compile_progress
from scanner.commands.options import Settings
from scanner.detect.engine import Engine
from scanner.errors import ConfigError
from scanner.folders import state_folder
from scanner.model import Coverage, Finding, Limit, Report, Run, SealRecord, Severity, Unread
from scanner.report.options import Options, RuleText
from scanner.report.output import check_writable, write_report
from scanner.ruleset.shipped import shipped_packs
from scanner.triage import baseline as baselines
from scanner.triage.fingerprint import Fingerprints, user_key

_FINDINGS, _CLEAN, _INCOMPLETE, _INTERRUPTED = 1, 0, 3, 130


@dataclass(slots=True)
class Result:
    """
    What a command found out; the session turns it into a report.
    """

    findings: Sequence[Finding]
    unread: Sequence[Unread]
    limits: Sequence[Limit]
    coverage: Coverage
    notices: Sequence[str] = ()
    seals: Sequence[SealRecord] = ()
    interrupted: bool = False
    fail_on: Severity | None = None
    """A policy's own bar; it can lower that of the command line, never raise it."""

    file_text: Callable[[bytes], bytes | None] | None = None
    living_paths: Collection[bytes] = ()


class Session:
    """
    One run of a scanning command: everything that can be wrong is told before anything is read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        command: str,
        target: str,
        baseline: tuple[str, str] | None = None,
        base: str | None = None,
        head: str | None = None,
    ) -> None:
        """
        `baseline` is the text and the origin of one that applies by itself; one
        named on the command line outranks it.
        """
        self.settings = settings
        self.started = time.monotonic()
        check_writable(None if settings.output is None else str(settings.output))
        self.baseline = _baseline(settings.baseline, baseline)
        key = user_key(state_folder()) if self.baseline is None else self.baseline.key
        self.fingerprints = Fingerprints(key)
        with compile_progress(bar=settings.progress) as progress:
            self.engine = Engine.load(
                (shipped_packs(), *settings.rules),
                select=settings.select,
                ignore=settings.ignore,
                progress=progress,
            )
        if settings.verify or settings.only or settings.skip:
            from scanner.verify.runner import preflight

            preflight(settings, {rule.provider for rule in self.engine.plan.rules})
        self.run = Run(
            command=command,
            target=_without_credentials(target),
            version=scanner.__version__,
            rules_digest=self.engine.digest,
            base=base,
            head=head,
        )

    def conclude(self, result: Result) -> int:
        """
        Write the report and return the exit code.
        """
        settings = self.settings
        today = time.strftime("%Y-%m-%d", time.gmtime())
        findings = [f for f in result.findings if f.confidence >= settings.min_confidence]
        notices = list(result.notices)
        accepted: Collection[str] = ()
        if self.baseline is not None:
            findings, expired = baselines.apply(findings, self.baseline, today=today)
            notices += expired
            accepted = self.baseline.accepted_unread(today)
        missing = [u for u in result.unread if u.blob is None or u.blob not in accepted]
        report = Report(
            run=self.run,
            findings=tuple(findings),
            unread=tuple(result.unread),
            limits=tuple(result.limits),
            seals=tuple(result.seals),
            coverage=result.coverage,
            seconds=round(time.monotonic() - self.started, 3),
            complete=not missing and not result.interrupted,
            suppressed=sum(f.suppressed is not None for f in findings),
            notices=tuple(notices),
        )
        if settings.verify:
            report = self._verify(report)
        self._write(report, result)
        return exit_code(_lowest(settings.fail_on, result.fail_on), report, result.interrupted)

    def _verify(self, report: Report) -> Report:
        from scanner.verify.runner import verify_report

        return verify_report(report, self.engine.rule, self.settings)

    def _write(self, report: Report, result: Result) -> None:
        settings = self.settings
        quiet = settings.format == "terminal" and settings.output is None
        if quiet and not (report.findings or report.unread or report.limits or report.notices):
            # The hook's usual case, in which the terminal's library would be most of its time.
            print(_clean_line(report), file=sys.stderr)
            return
        from scanner.report.formats import renderer

        terminal = settings.format == "terminal" and settings.output is None
        options = Options(
            show_secrets=settings.show_secrets,
            color=terminal and _wants_color(),
            width=_width() if terminal else 80,
            file_text=result.file_text,
            living_paths=result.living_paths,
        )
        texts = rule_texts(self.engine, report.findings)
        text = renderer(settings.format)(report, texts, options)
        write_report(text, None if settings.output is None else str(settings.output))


def exit_code(failing: Severity | None, report: Report, interrupted: bool) -> int:
    """
    Return what CONTRACT's table says of this report.
    """
    if interrupted:
        return _INTERRUPTED
    if failing is not None and any(
        f.severity >= failing and f.suppressed is None for f in report.findings
    ):
        return _FINDINGS
    return _CLEAN if report.complete else _INCOMPLETE


def _lowest(one: Severity | None, other: Severity | None) -> Severity | None:
    bars = [bar for bar in (one, other) if bar is not None]
    return min(bars, default=None)


def _baseline(named: Path | None, own: tuple[str, str] | None) -> baselines.Baseline | None:
    if named is not None:
        try:
            return baselines.parse(named.read_text(encoding="utf-8"), origin=str(named))
        except OSError as error:
            raise ConfigError(f"{named}: {(error.strerror or 'unreadable').lower()}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{named}: not a baseline: not UTF-8") from error
    return None if own is None else baselines.parse(own[0], origin=own[1])


def rule_texts(engine: Engine, findings: Iterable[Finding]) -> dict[str, RuleText]:
    """
    Return what reports say about the rules of these findings.
    """
    texts: dict[str, RuleText] = {}
    for rule_id in dict.fromkeys(finding.rule_id for finding in findings):
        rule = engine.rule(rule_id)
        texts[rule_id] = RuleText(
            id=rule.id,
            title=rule.title,
            provider=rule.provider,
            severity=rule.severity,
            confidence=rule.confidence,
            remediation=rule.remediation,
            references=rule.references,
            tags=rule.tags,
        )
    return texts


def _clean_line(report: Report) -> str:
    looked = sum(kind.read for kind in report.coverage.kinds.values())
    return f"unsealed: nothing found in {looked} texts, {report.seconds:.2f} s"


def _wants_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _width() -> int:
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def _without_credentials(target: str) -> str:
    scheme, separator, rest = target.partition("://")
    if separator and "@" in rest.split("/", 1)[0]:
        rest = rest.split("@", 1)[1]
    return scheme + separator + rest
