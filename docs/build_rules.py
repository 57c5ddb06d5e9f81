# ruff: noqa: INP001 # a script beside its product, no package
"""
Writes docs/rules/ from the packs: one page a provider, one section a rule.

    python docs/build_rules.py [FOLDER]
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scanner.ruleset.loading import load_rules  # noqa: E402
from scanner.ruleset.schema import Rule  # noqa: E402


def pages(rules: Iterable[Rule]) -> dict[str, str]:
    """
    Return the text of every page by its file name.
    """
    by_pack = itertools.groupby(
        sorted(rules, key=lambda rule: (Path(rule.origin).stem, rule.id)),
        key=lambda rule: Path(rule.origin).stem,
    )
    grouped = {pack: list(members) for pack, members in by_pack}
    made = {f"{pack}.md": _page(pack, members) for pack, members in grouped.items()}
    made["README.md"] = _index(grouped)
    return made


def _index(grouped: dict[str, list[Rule]]) -> str:
    count = sum(map(len, grouped.values()))
    lines = [
        "# Rules",
        "",
        (
            f"{count} rules in {len(grouped)} packs. Made by `python docs/build_rules.py`; "
            "change the packs in `rules/`, not these pages."
        ),
        "",
        "| Pack | Rules |",
        "|---|---|",
    ]
    for pack, rules in grouped.items():
        links = ", ".join(f"[{rule.id}]({pack}.md#{rule.id})" for rule in rules)
        lines.append(f"| [{pack}]({pack}.md) | {links} |")
    return "\n".join(lines) + "\n"


def _page(pack: str, rules: list[Rule]) -> str:
    return f"# {pack}\n\n" + "\n".join(_section(rule) for rule in rules)


def _section(rule: Rule) -> str:
    lines = [
        f"## {rule.id}",
        "",
        f"**{rule.title}**",
        "",
        f"* Severity: {rule.severity.label}; confidence: {rule.confidence.label}"
        + (", set for each find by the confidence score" if rule.judged else ""),
        f"* Found by: {_how(rule)}",
    ]
    if rule.context:
        words = ", ".join(f"`{word}`" for word in rule.context)
        lines.append(f"* Only near one of: {words} (within {rule.context_distance} bytes)")
    if rule.entropy is not None:
        lines.append(f"* Entropy: at least {rule.entropy:g} bits a character")
    if rule.checksum is not None:
        lines.append(f"* Proved offline by its checksum (`{rule.checksum}`)")
    lines += [
        f"* Belongs with: `{companion.name}`, within {companion.within} bytes"
        for companion in rule.companions
    ]
    lines += ["", f"How to rotate: {rule.remediation}", ""]
    if rule.examples:
        lines += ["Looks like (placeholders in double braces):", ""]
        lines += [f"    {line}" for line in rule.examples[0].rstrip().splitlines()]
        lines.append("")
    lines += [f"* <{url}>" for url in rule.references]
    if rule.references:
        lines.append("")
    return "\n".join(lines)


def _how(rule: Rule) -> str:
    if rule.pattern is not None:
        return "its own form, `" + rule.pattern.replace("`", "'") + "`"
    if rule.keyed is not None:
        words = ", ".join(f"`{word}`" for word in rule.keyed.words)
        names = ", ".join(f"`{name}`" for name in rule.keyed.names)
        between = f", with one of {names} between," if names else ""
        value = rule.keyed.value.replace("`", "'")
        return f"the word {words}{between} at most {rule.keyed.distance} bytes before `{value}`"
    return f"code (`scanner/detect`, detector `{rule.detector}`)"


def main() -> None:
    """
    Write the pages into the folder named, or docs/rules; remove those no pack has.
    """
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    made = pages(load_rules([ROOT / "rules"]))
    for file in folder.glob("*.md"):
        if file.name not in made:
            file.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
