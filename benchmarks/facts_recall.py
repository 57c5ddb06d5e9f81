"""
How many kinds of credentials are found in the forms that people write them in.

    python benchmarks/facts_recall.py FACTS.csv [--seeds N] [--misses FILE] [--keep DIR]

FACTS is a table of credential formats (columns `provider`, `credential`, `kind`, `prefix`,
`charset`, `length`, `structure`, `context_words`, `secret_part`, `distinctiveness`).  For each row
whose values are secrets, look-alikes are made from the facts alone, put into each of the forms
below, one file each, and scanned with default options.  Told are the recall for each
distinctiveness and form, and the rows that are missed most.

Rows that need more than a shape (documents, files, keys with a structure of their own) are left
out and counted: their rules have examples.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import random
import re
import string
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scanner.detect.checksums import CHECKSUMS
from scanner.ruleset.templates import fill

ROOT = Path(__file__).parents[1]

FORMS = {
    "env": "{W}_{N}={v}\n",
    "export": 'export {W}_{N}="{v}"\n',
    "json": '{{\n  "{w}{Camel}": "{v}"\n}}\n',
    "json-nested": '{{\n  "{w}": {{\n    "{n}": "{v}"\n  }}\n}}\n',
    "yaml": "{k}-{n-}: {v}\n",
    "yaml-nested": '{w}:\n  enabled: true\n  {n}: "{v}"\n',
    "python": '{w}_{n} = "{v}"\n',
    "javascript": "const {w}{Camel} = '{v}';\n",
    "call": 'client = {Pascal}Client({n}="{v}")\n',
    "properties": "{w}.{n.}={v}\n",
    "xml": "<{w}{Camel}>{v}</{w}{Camel}>\n",
    "xml-pair": '<add key="{Pascal}{Camel}" value="{v}" />\n',
    "curl": 'curl -H "Authorization: Bearer {v}" https://api.{w}.com/v1/me\n',
    "header": "X-{Pascal}-{N-}: {v}\n",
    "query": 'requests.get("https://api.{w}.com/v1/items?{n}={v}")\n',
    "comment": "# {w} {n }: {v}\n",
    "spaced": "{w} {n } = '{v}'\n",
    "word": "{w}: {v}\n",
    "id-first": "{w}_id = 48213\n{w}_{n} = {v}\n",
    "dashed": "{w} {n } - '{v}'\n",
    "blank": "{w} {n } {v}\n",
    "glued": "{w}{N}:{v}\n",
    "is": "{w}={v}\n",
    "line-before": "# {Pascal}\n{v}\n",
    "config": 'api:\n  base_url: "https://api.{w}.com/v1"\n  {n}: "{v}"\n',
    "program": (
        'request, err := http.NewRequest("GET", "https://api.{w}.com/v1/me", nil)\n'
        'request.Header.Set("Authorization", "Bearer {v}")\n'
    ),
    "alone": "{v}\n",
}
NEEDS_NO_WORD = {"alone"}
"""Forms that are fair only where the credential can be told by itself."""

NAMES = {
    "api-key": ("api_key", "key", "token"),
    "access-token": ("access_token", "token", "api_token"),
    "oauth-secret": ("client_secret", "secret", "app_secret"),
    "password": ("password", "secret", "pass"),
    "refresh-token": ("refresh_token",),
    "webhook": ("webhook_url",),
    "session": ("session_token", "session"),
    "connection-string": ("url",),
    "other": ("secret", "secret_key", "token"),
}
SKIPPED_KINDS = {"private-key"}
SKIPPED = re.compile(r"\b(?:json|yaml|pem|file|document|weak words)\b")

CLASSES = {
    "hex-lower": "0123456789abcdef",
    "hex": "0123456789abcdef",
    "base64": string.ascii_letters + string.digits + "+/",
    "base64=": string.ascii_letters + string.digits + "+/",
    "base64url": string.ascii_letters + string.digits + "-_",
    "base64url=": string.ascii_letters + string.digits + "-_",
    "base32": string.ascii_uppercase + "234567",
    "base32-lower": string.ascii_lowercase + "234567",
    "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "printable": string.ascii_letters + string.digits + "!#*+-._",
    "digits": string.digits,
    "digit": string.digits,
}
# Told by the facts in words: the same as templates (see `scanner.ruleset.templates`).
TEMPLATES = {
    ("1password", "account secret key"): (
        "A3-{{upper:6}}-{{upper:6}}-{{upper:5}}-{{upper:5}}-{{upper:5}}-{{upper:5}}"
    ),
    ("airtable", "oauth token"): "oaa{{alnum:14}}.v1.{{base64url:40}}.{{hex:64}}",
    ("atlassian", "organization / admin api token"): "ATCTT3xFf{{base64url:175}}={{HEX:8}}",
    ("azure", "storage connection string"): (
        "DefaultEndpointsProtocol=https;AccountName={{lower:9}};AccountKey={{base64:86}}==;"
        "EndpointSuffix=core.windows.net"
    ),
    ("azure", "app configuration connection string"): (
        "Endpoint=https://{{letters:8}}.azconfig.io;Id={{alnum:4}}-l9-s0:{{alnum:20}};"
        "Secret={{base64:43}}="
    ),
    ("azure", "service bus / event hub connection string"): (
        "Endpoint=sb://{{letters:8}}.servicebus.windows.net/;"
        "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={{base64:43}}="
    ),
    ("azure", "storage sas token"): (
        "sv=2022-11-02&ss=b&srt=sco&sp=rwdl&se=2031-05-01T09:00:00Z&sig={{alnum:43}}%3D"
    ),
    ("bitbucket", "app password"): "ATBB{{alnum:24}}{{HEX:8}}",
    ("discord", "bot token"): "MTA{{alnum:23}}.{{alnum:6}}.{{base64url:27}}",
    ("discord", "webhook url"): ("https://discord.com/api/webhooks/{{digits:18}}/{{base64url:68}}"),
    ("facebook", "app access token"): "{{digits:15}}|{{base64url:27}}",
    ("firebase", "cloud messaging server key (retired)"): "AAAA{{base64url:7}}:APA91b{{alnum:134}}",
    ("google", "api key"): "AIzaSy{{alnum:33}}",
    ("youtube", "data api key"): "AIzaSy{{alnum:33}}",
    ("figma", "personal access token (old)"): "{{digits:6}}-{{uuid}}",
    ("generic", "jdbc connection string"): (
        "jdbc:mysql://{{letters:6}}.internal:3306/app?user=svc&password={{alnum:16}}"
    ),
    ("generic", "password hash bcrypt"): "$2b$12${{alnum:53}}",
    ("generic", "url with user and password"): "https://svc:{{alnum:14}}@{{letters:6}}.internal/",
    ("grafana", "service account token"): "{{checksum:grafana-service-account-token}}",
    ("mapbox", "secret access token"): "sk.eyJ{{alnum:84}}.{{base64url:22}}",
    ("mapbox", "temporary access token"): "tk.eyJ{{alnum:84}}.{{base64url:22}}",
    ("microsoft-teams", "incoming webhook url"): (
        "https://{{letters:7}}.webhook.office.com/webhookb2/{{uuid}}@{{uuid}}/IncomingWebhook/"
        "{{hex:32}}/{{uuid}}"
    ),
    ("microsoft-teams", "power automate workflow url"): (
        "https://prod-12.westeurope.logic.azure.com:443/workflows/{{hex:32}}/triggers/manual/"
        "paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={{alnum:43}}"
    ),
    ("mongodb", "connection string with password"): (
        "mongodb+srv://svc:{{alnum:16}}@cluster0.{{lower:6}}.mongodb.net/app"
    ),
    ("mysql", "connection string with password"): "mysql://svc:{{alnum:14}}@db.internal:3306/app",
    ("postgresql", "connection string with password"): (
        "postgresql://svc:{{alnum:14}}@db.internal:5432/app"
    ),
    ("rabbitmq", "amqp url with password"): "amqp://svc:{{alnum:14}}@mq.internal:5672/prod",
    ("redis", "url with password"): "redis://:{{alnum:18}}@cache.internal:6379/0",
    ("newrelic", "license (ingest) key"): "eu01xx{{hex:30}}NRAL",
    ("openai", "admin api key"): "sk-admin-{{alnum:58}}T3BlbkFJ{{alnum:58}}",
    ("openai", "project api key"): "sk-proj-{{alnum:74}}T3BlbkFJ{{alnum:74}}",
    ("openai", "service account api key"): "sk-svcacct-{{alnum:58}}T3BlbkFJ{{alnum:58}}",
    ("sendgrid", "api key"): "SG.{{alnum:22}}.{{base64url:43}}",
    ("segment", "config api token (old)"): "{{alnum:43}}.{{base64url:43}}",
    ("slack", "app configuration access token"): "xoxe.xoxp-1-{{alnum:166}}",
    ("slack", "app-level token"): "xapp-1-A{{upper:10}}-{{digits:13}}-{{hex:64}}",
    ("slack", "bot token"): "xoxb-{{digits:12}}-{{digits:13}}-{{alnum:24}}",
    ("slack", "browser session token"): (
        "xoxc-{{digits:12}}-{{digits:12}}-{{digits:12}}-{{hex:64}}"
    ),
    ("slack", "incoming webhook url"): (
        "https://hooks.slack.com/services/T{{upper:8}}/B{{upper:8}}/{{alnum:24}}"
    ),
    ("slack", "legacy tester token"): "xoxs-{{digits:11}}-{{digits:11}}-{{digits:11}}-{{hex:10}}",
    ("slack", "refresh token (rotation, configuration)"): "xoxe-1-{{alnum:147}}",
    ("slack", "user token"): ("xoxp-{{digits:12}}-{{digits:12}}-{{digits:12}}-{{hex:32}}"),
    ("sourcegraph", "access token"): "sgp_{{hex:16}}_{{hex:40}}",
    ("stripe", "payment intent client secret"): "pi_{{alnum:24}}_secret_{{alnum:25}}",
    ("supabase", "project secret api key"): "sb_secret_{{base64url:22}}_{{alnum:8}}",
    ("tableau", "personal access token secret"): "{{base64:22}}==:{{alnum:32}}",
    ("telegram", "bot token"): "{{digits:10}}:AA{{base64url:33}}",
    ("twitter", "access token"): "{{digits:19}}-{{alnum:40}}",
    ("vault", "service token (before 1.10, openbao current)"): "s.{{alnum:24}}",
    ("webex", "bot token"): "{{alnum:64}}_{{alnum:4}}_{{uuid}}",
    ("wireguard", "preshared key"): "{{base64:43}}=",
    ("wireguard", "private key"): "{{base64:43}}=",
    (
        "zapier",
        "catch webhook url",
    ): "https://hooks.zapier.com/hooks/catch/{{digits:7}}/{{lower:7}}",
}
PIECE = re.compile(r"(?:(\d+)(?:-(\d+)|(\+))? (\S+)|'([^']*)'|([^\s']{1,24}))\Z")


@dataclass(frozen=True, slots=True)
class Sample:
    row: int
    form: str
    value: str
    text: str


def alphabet(name: str) -> str:
    """
    Return the characters of a class of the facts: by its name, or by ranges.
    """
    if name in CLASSES:
        return CLASSES[name]
    if name.startswith(("base64url", "base64")):
        return CLASSES["base64url"]
    letters = ""
    for first, last, one in re.findall(r"(\w)-(\w)|(.)", name):
        letters += one or "".join(map(chr, range(ord(first), ord(last) + 1)))
    return "".join(dict.fromkeys(letters))


def drawn(chance: random.Random, letters: str, length: int) -> str:
    """
    Return a run whose ends are no punctuation, as issuers and forms have them.
    """
    inner = [c for c in letters if c.isalnum()] or list(letters)
    run = [chance.choice(letters) for _ in range(length)]
    if run:
        run[0], run[-1] = chance.choice(inner), chance.choice(inner)
    return "".join(run)


def length_of(chance: random.Random, text: str) -> int | None:
    """
    Return a length that the facts allow; `None` where they say none.
    """
    told = re.match(r"(\d+)(?:-(\d+)|(\+))?", text)
    if told is None:
        return None
    low = int(told[1])
    high = int(told[2]) if told[2] else low
    return chance.choice((low, high, (low + high) // 2))


def structured(chance: random.Random, structure: str, charset: str) -> str | None:
    """
    Return a value built from the pieces of a structure, `None` if it is told in other words.
    """
    value = ""
    for piece in structure.split(" + "):
        told = PIECE.match(piece.strip())
        if told is None:
            return None
        low, high, _, name, literal, bare = told.groups()
        if low is None:
            value += literal if literal is not None else bare
            continue
        if name.rstrip("s") == "char":
            name = charset
        elif not (name in CLASSES or "-" in name or name in "=_-"):
            return None
        # An open end is long enough to be of use.
        length = chance.randint(int(low), int(high or low))
        value += drawn(chance, alphabet(name), max(length, 16) if told[3] else length)
    return value


def value_of(chance: random.Random, row: dict[str, str]) -> str | None:
    """
    Return a look-alike of a row's credential, `None` where its facts do not say how.
    """
    template = TEMPLATES.get((row["provider"], row["credential"]))
    if template is not None:
        makers = {name: one.make for name, one in CHECKSUMS.items()}
        return fill(template, seed=chance.randrange(1000), checksums=makers)
    structure = row["structure"].split(";")[0].strip()
    charset = row["charset"] or "A-Za-z0-9"
    prefix = chance.choice(row["prefix"].split("|"))
    if structure.startswith("uuid"):
        return prefix + str(uuid.UUID(int=chance.getrandbits(128), version=4))
    if " + " in structure or re.fullmatch(r"\d+ \S+", structure):
        body = structured(chance, structure, charset)
        if body is not None:
            return body if prefix and body.startswith(prefix) else prefix + body
        return None
    length = length_of(chance, row["length"])
    if length is None or "jwt" in structure or SKIPPED.search(structure):
        return None
    # Whole bytes in base64: four characters carry three of them.
    padding = "=" * (-(length * 3 // 4) % 3) if charset == "base64=" and length % 4 == 0 else ""
    body = drawn(chance, alphabet(charset), length - len(padding))
    return prefix + body + padding


def samples_of(number: int, row: dict[str, str], seeds: int) -> list[Sample]:
    """
    Return a row's look-alikes in every form; none where the facts do not say enough.
    """
    found: list[Sample] = []
    for seed in range(seeds):
        chance = random.Random(f"{seed}:{row['provider']}:{row['credential']}")
        value = value_of(chance, row)
        if value is None:
            return []
        names = NAMES[row["kind"]]
        name = names[seed % len(names)]
        words = [row["provider"], *(w for w in row["context_words"].split("|") if w.isalnum())]
        word = words[min(seed, len(words) - 1)].lower()
        joined = re.sub(r"[^a-z0-9]", "", word)
        parts = name.split("_")
        camel = "".join(part.capitalize() for part in parts)
        slots = {
            "v": value,
            "w": joined,
            "k": re.sub(r"[^a-z0-9]+", "-", word),
            "W": re.sub(r"[^a-z0-9]+", "_", word).upper(),
            "Pascal": "".join(p.capitalize() for p in re.split(r"[^a-z0-9]+", word)),
            "Camel": camel,
            "n": name,
            "N": name.upper(),
            "n-": "-".join(parts),
            "N-": "-".join(part.capitalize() for part in parts),
            "n.": ".".join(parts),
            "n ": " ".join(parts),
        }
        for form, template in FORMS.items():
            if form in NEEDS_NO_WORD and row["distinctiveness"] != "high":
                continue
            found.append(Sample(number, form, value, filled(template, slots)))
    return found


def filled(template: str, slots: dict[str, str]) -> str:
    text = re.sub(r"\{(\w+[-. ]?)\}", lambda found: slots[found[1]], template)
    return text.replace("{{", "{").replace("}}", "}")


def scan(samples: list[Sample], folder: Path) -> dict[int, set[str]]:
    """
    Return for each sample that is found the ids of the rules that found it.
    """
    for number, sample in enumerate(samples):
        place = folder / f"{number // 1000}"
        place.mkdir(exist_ok=True)
        (place / f"{number}.txt").write_text(sample.text, "utf8")
    command = [sys.executable, "-m", "scanner", "scan", str(folder), "-f", "jsonl"]
    done = subprocess.run(
        [*command, "--show-secrets", "--no-progress"], cwd=ROOT, check=False, capture_output=True
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"the scan failed: {done.returncode}")
    hits: dict[int, set[str]] = collections.defaultdict(set)
    for line in done.stdout.decode().splitlines():
        finding = json.loads(line)
        if finding["type"] != "finding":
            continue
        secret = finding["secret"] or ""
        for place in finding["occurrences"]:
            number = int(Path(place["path"]).stem)
            value = samples[number].value
            if secret in value or value in secret:
                hits[number].add(finding["rule"])
    return hits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--misses", type=Path, help="write the missed samples here as JSON lines")
    parser.add_argument("--worst", type=int, default=60, help="rows to list")
    args = parser.parse_args()

    with args.facts.open(newline="", encoding="utf8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["secret_part"] == "yes"]
    samples: list[Sample] = []
    left_out: list[int] = []
    for number, row in enumerate(rows):
        of_row = [] if row["kind"] in SKIPPED_KINDS else samples_of(number, row, args.seeds)
        samples += of_row
        if not of_row:
            left_out.append(number)
    with tempfile.TemporaryDirectory() as folder:
        hits = scan(samples, Path(folder))
    report(rows, samples, hits, args.worst)
    print(f"\n{len(left_out)} rows are told in other words than shapes:")
    print("; ".join(f"{rows[n]['provider']}/{rows[n]['credential']}" for n in left_out))
    if args.misses:
        with args.misses.open("w", encoding="utf8") as out:
            for number, sample in enumerate(samples):
                if number not in hits:
                    row = rows[sample.row]
                    told = {key: row[key] for key in ("provider", "credential", "distinctiveness")}
                    out.write(json.dumps({**told, "form": sample.form, "text": sample.text}) + "\n")


def report(
    rows: list[dict[str, str]], samples: list[Sample], hits: dict[int, set[str]], worst: int
) -> None:
    by_kind: dict[str, list[bool]] = collections.defaultdict(list)
    by_form: dict[str, list[bool]] = collections.defaultdict(list)
    by_row: dict[int, list[bool]] = collections.defaultdict(list)
    missed: dict[int, set[str]] = collections.defaultdict(set)
    for number, sample in enumerate(samples):
        hit = number in hits
        by_kind[rows[sample.row]["distinctiveness"]].append(hit)
        by_form[sample.form].append(hit)
        by_row[sample.row].append(hit)
        if not hit:
            missed[sample.row].add(sample.form)
    for title, table in (("distinctiveness", by_kind), ("form", by_form)):
        print(f"\n{title:20} {'found':>7} {'of':>7} recall")
        for name, told in table.items():
            print(f"{name:20} {sum(told):7} {len(told):7} {sum(told) / len(told):.3f}")
    shares = {number: sum(told) / len(told) for number, told in by_row.items()}
    print(f"\nrows: {len(shares)}; found in every form: {sum(s == 1 for s in shares.values())}; "
          f"in none: {sum(s == 0 for s in shares.values())}")  # fmt: skip
    for number in sorted(shares, key=lambda n: (shares[n], n))[:worst]:
        row = rows[number]
        print(
            f"{shares[number]:.2f} {row['distinctiveness']:6} {row['provider']} / "
            f"{row['credential']}: {', '.join(sorted(missed[number]))}"
        )


if __name__ == "__main__":
    main()
