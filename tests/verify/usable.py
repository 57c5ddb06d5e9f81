"""
Which providers' checks can be used end to end: a shipped rule finds the secret and its
companions in an ordinary file, and the check can be rendered with them.

    python -m tests.verify.usable
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from scanner.detect.checksums import MAKERS
from scanner.detect.engine import Engine
from scanner.model import Confidence, Document, Finding, Match, Occurrence, Place, Severity
from scanner.ruleset.companion_kinds import KUBECONFIG, SERVER, spelled_out
from scanner.ruleset.schema import CompanionSpec, Rule
from scanner.ruleset.shipped import shipped_packs
from scanner.sources.batch import ListBatch
from scanner.verify.checks import Check
from scanner.verify.checks_link import links
from scanner.verify.checks_render import render
from scanner.verify.request import RefusedError
from tests.lookalikes import fill
from tests.verify.cases import all_checks

FORMS = ("env", "json")


@dataclass(frozen=True)
class Sample:
    """One look-alike file."""

    rule: Rule
    form: str
    text: bytes
    values: dict[str, str]
    """What stands beside the secret, by the companion's name."""


@cache
def engine() -> Engine:
    """The shipped rules."""
    return Engine.load((shipped_packs(),))


def _word(rule: Rule) -> str:
    word = rule.keyed.words[0] if rule.keyed else rule.provider
    return "_".join("".join(c if c.isalnum() else " " for c in word).split())


def _written(rule: Rule, spec: CompanionSpec) -> tuple[str, str, str]:
    """A name, what is set there, and the part of that which is the companion."""
    first = spelled_out(spec)[0]
    word = _word(rule)
    if spec.kind == "email":
        return f"{word}_email", "ops7@widgets.test", "ops7@widgets.test"
    if spec.kind == "host":
        host = f"tenant7.{spec.ends[0]}" if spec.ends else f"{word.replace('_', '-')}.widgets.test"
        return f"{word}_url", f"https://{host}/", host
    if spec.kind == "label":
        text = f"https://tenant7.{spec.ends[0]}" if spec.ends else "tenant7"
        return f"{word}_subdomain", text, "tenant7"
    if first.pattern is not None:
        text = _PATTERNED[rule.provider, spec.name]
        return f"{word}_{spec.name}", text[0], text[1]
    value = fill("{{lower:10}}", seed=len(spec.name)) + "7"
    return f"{word}_{first.names[0].replace(' ', '_')}", value, value


_SID = "AC" + fill("{{hex:32}}")
_RAZORPAY = fill("rzp_live_{{alnum:14}}")
_SHAPES = {
    ("aikido", "client_id"): "AIK_CLIENT_{{alnum:24}}",
    ("langfuse", "public_key"): "pk-lf-{{uuid}}",
    ("mongodb", "atlas_service_account_id"): "mdb_sa_id_{{hex:24}}",
    ("ramp", "client_id"): "ramp_id_{{alnum:40}}",
    ("salesforce", "client_id"): "3MVG9{{alnum:80}}",
    ("salesforce", "consumer_key"): "3MVG9{{alnum:80}}",
    ("trufflehog-enterprise", "key"): "thog-key-{{hex:16}}",
    ("intra42", "client_id"): "u-s4t2ud-{{hex:64}}",
}
_PATTERNED = {
    **{key: (fill(shape), fill(shape)) for key, shape in _SHAPES.items()},
    ("razorpay", "key"): (_RAZORPAY, _RAZORPAY),
    ("twilio", "account_sid"): (_SID, _SID),
    ("github", "host"): ("https://github.widgets.test/api/v3", "github.widgets.test"),
    ("gitlab", "host"): ("https://gitlab.widgets.test/api/v4", "gitlab.widgets.test"),
    ("datadog", "site"): ("datadoghq.eu", "datadoghq.eu"),
    ("nylas", "host"): ("https://api.eu.nylas.com", "api.eu.nylas.com"),
}


def beside(rule: Rule) -> dict[str, tuple[str, str, str]]:
    """What stands beside a rule's secret, by the companion's name."""
    rows: dict[str, tuple[str, str, str]] = {}
    for spec in rule.companions:
        if spec.kind in (KUBECONFIG, SERVER):
            continue  # made of what stands around: no declared check asks for one
        written = spec.pattern is None or (rule.provider, spec.name) in _PATTERNED
        if written and spec.name not in rows:
            rows[spec.name] = _written(rule, spec)
    return rows


def env_sample(rule: Rule, example: str) -> Sample:
    """An `.env` file: companions before and after the line of the secret."""
    rows = beside(rule)
    lines = [f"{name.upper()}={text}" for name, text, _ in rows.values()]
    middle = len(lines) // 2 + 1
    text = "\n".join([*lines[:middle], example, *lines[middle:], "DEBUG=false", ""])
    return Sample(rule, "env", text.encode(), {key: row[2] for key, row in rows.items()})


def json_sample(rule: Rule, secret: str) -> Sample:
    """A JSON file: one object of the provider's."""
    rows = beside(rule)
    word = _word(rule)
    keyed = rule.keyed.names if rule.keyed else ()
    own = f"{word}_{'secret' if 'secret' in keyed or not keyed else keyed[0]}"
    data = {"debug": False} | {name: text for name, text, _ in list(rows.values())[:1]}
    data |= {own: secret} | {name: text for name, text, _ in list(rows.values())[1:]}
    text = json.dumps({"service": data}, indent=2)
    return Sample(rule, "json", text.encode(), {key: row[2] for key, row in rows.items()})


def scan(samples: Sequence[Sample]) -> Iterator[tuple[Sample, Match]]:
    """Every match of a sample's own provider."""
    documents = [
        (Document(Place.FILE, path=f"{n}/{sample.form}".encode()), sample.text)
        for n, sample in enumerate(samples)
    ]
    for match in engine().scanner().scan(ListBatch(documents)):
        sample = samples[int((match.document.path or b"").partition(b"/")[0])]
        if match.secret and engine().rule(match.rule_id).provider == sample.rule.provider:
            yield sample, match


def finding_of(match: Match) -> Finding:
    """What triage would make of it."""
    rule = engine().rule(match.rule_id)
    return Finding(
        fingerprint="f" * 32,
        rule_id=rule.id,
        provider=rule.provider,
        title=rule.title,
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        score=90,
        secret=match.secret,
        occurrences=(Occurrence(place=Place.FILE, path=b"a"),),
        remediation="roll it",
        companions=match.companions,
    )


def usable_checks(sample: Sample, match: Match, checks: Iterable[Check]) -> Iterator[Check]:
    """The checks that can be asked with what was found, and with nothing else."""
    rule = engine().rule(match.rule_id)
    for link in links(finding_of(match), rule, tuple(checks)):
        wanted = {name: sample.values.get(name) for name in link.values if name != "secret"}
        got = {name: value for name, value in link.values.items() if name != "secret"}
        if rule.id != sample.rule.id or (wanted != got and "dc" not in got):
            continue
        try:
            render(link.check, link.values, finding="f")
        except RefusedError:
            continue
        yield link.check


@cache
def usable() -> dict[str, dict[str, set[str]]]:
    """Provider → form → ids of the checks that can be used there."""
    checks: dict[str, list[Check]] = {}
    for check in all_checks():
        checks.setdefault(check.provider, []).append(check)
    rules = [r for r in engine().plan.rules if r.provider in checks and r.secret_part]
    envs = [
        env_sample(rule, fill(example, checksums=MAKERS))
        for rule in rules
        for example in rule.examples
    ]
    found: dict[str, dict[str, set[str]]] = {}
    secrets: dict[tuple[str, bytes], Rule] = {}
    for samples in (envs, None):
        chosen = samples or [
            json_sample(rule, secret.decode("latin-1")) for (_, secret), rule in secrets.items()
        ]
        for sample, match in scan(chosen):
            if match.secret and match.rule_id == sample.rule.id:
                secrets.setdefault((sample.rule.id, match.secret.reveal()), sample.rule)
            forms = found.setdefault(sample.rule.provider, {form: set() for form in FORMS})
            ids = {c.id for c in usable_checks(sample, match, checks[sample.rule.provider])}
            forms[sample.form] |= ids
    return found


def providers(*, with_flags: bool) -> set[str]:
    """Those with a check that can be used in every form; without flags or with all of them."""
    asked = {check.id: check for check in all_checks()}
    return {
        provider
        for provider, forms in usable().items()
        if any(with_flags or not asked[i].needs for i in set.intersection(*forms.values()))
    }


def main() -> None:
    """Say how many, and which cannot."""
    declared = {c.provider for c in all_checks()}
    plain = {c.provider for c in all_checks() if not c.needs}
    for word, all_of, can in (
        ("by default", plain, providers(with_flags=False)),
        ("with flags", declared, providers(with_flags=True)),
    ):
        sys.stdout.write(f"{word}: {len(can)} of {len(all_of)} providers\n")
        sys.stdout.write(f"  not: {', '.join(sorted(all_of - can))}\n")


if __name__ == "__main__":
    main()
