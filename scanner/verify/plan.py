"""
What would be sent, without sending it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from scanner.verify.registry import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """
    One finding and the requests about it; none, and why.
    """

    fingerprint: str
    rule_id: str
    provider: str
    requests: tuple[Planned, ...]
    excuse: str | None = None


def render_plan(lines: Iterable[PlanLine]) -> str:
    """
    Return the plan as text: requests by finding, then totals by host.
    """
    text: list[str] = []
    hosts: Counter[str] = Counter()
    for line in lines:
        text.append(f"{line.fingerprint}  {line.rule_id}")
        for request in line.requests:
            hosts[request.host] += 1
            scheme = "https://" if request.method.isupper() else ""
            text.append(f"    {request.method} {scheme}{request.host}{request.path}")
        if not line.requests:
            text.append(f"    nothing: {line.excuse or 'no check takes it'}")
    text.append("")
    text += [f"{count:6d}  {host}" for host, count in sorted(hosts.items())]
    total = sum(hosts.values())
    text.append(f"{total:6d}  at most, before calibration; nothing was sent")
    return "\n".join(text) + "\n"
