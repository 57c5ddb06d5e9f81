"""
The hook's second glance is silent only where the engine is.
"""

from __future__ import annotations

import marshal
import random
import types

import pytest

from scanner.detect import score_code
from scanner.detect.databases import Databases
from scanner.detect.engine import Engine
from scanner.detect.features import content_features
from scanner.detect.features_words import path_features
from scanner.detect.first_pass import FirstPass
from scanner.detect.generic_forms import values_on
from scanner.detect.plan import Plan
from scanner.detect.score import plain_sums
from scanner.detect.score_tables import load
from scanner.detect.silence import silent
from scanner.model import MEDIUM_FROM, Document, Place
from scanner.ruleset.shipped import shipped_packs
from scanner.sources.batch import ListBatch
from tests.lookalikes import fill

CODE = (
    "    acting.password = os.environ['bover_12']\n"
    "    fiport_key = get_secount_key(17)\n"
    "    secret = load('melist/pating')\n"
    'password = "changeme"\n'
)
LOUD = {
    "a password": 'password = "{{ascii:16}}"\n',
    "a token": 'x.api_token = "{{alnum:40}}"\n',
    "a rule's own pattern": "ghp_{{alnum:36}}\n",
    "in a URL": "redis://:{{alnum:20}}@cache.internal:6379/0\n",
    "a common word around": "acting password = load('a/b')\nbox_secret = '{{alnum:32}}'\n",
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Engine.load([shipped_packs()]).plan


def told(plan: Plan, texts: dict[bytes, bytes]) -> bool:
    documents = [(text, path) for path, text in texts.items()]
    databases = Databases(plan.parts)
    hits = FirstPass(databases.early()).hits(b"\n".join(text for text, _ in documents))
    return silent(plan.parts, databases, documents, hits)


def test_code_that_names_secrets_is_silent(plan) -> None:
    assert told(plan, {b"a.py": CODE.encode(), b"b.py": CODE.encode() * 3})


@pytest.mark.parametrize("template", LOUD.values(), ids=LOUD)
@pytest.mark.parametrize("before", ["", CODE], ids=["alone", "after code"])
def test_what_the_engine_reports_is_not_silent(plan, template: str, before: str) -> None:
    text = (before + fill(template)).encode()
    found = Engine(plan).scanner().scan(ListBatch([(Document(Place.INDEX, b"b.py"), text)]))
    assert any(match.score >= MEDIUM_FROM for match in found)
    assert not told(plan, {b"a.py": CODE.encode(), b"b.py": text})


def test_what_is_allowed_is_looked_at(plan) -> None:
    line = CODE.replace("17)\n", "17)  # unsealed:allow it is none\n")
    assert not told(plan, {b"a.py": line.encode()})


@pytest.fixture(scope="module")
def rows() -> list[tuple[float, ...]]:
    random_ = random.Random(7)
    tables = load().tables
    lines = [fill(one).encode() for one in LOUD.values()] + CODE.encode().splitlines()
    made = [content_features(one, tables) for line in lines for one in values_on(line)]
    paths = [path_features(path) for path in (b"a.py", b"tests/x.json", b".env")]
    near = [(*row, *path) for row in made for path in paths]
    mixed = [
        tuple(random_.choice(column) for column in zip(*near, strict=True)) for _ in range(500)
    ]
    return near + mixed


def test_the_trees_as_code_say_what_the_trees_say(rows) -> None:
    likely = types.FunctionType(marshal.loads(score_code.likely_code()), {})
    forest = load().whole
    least = max(
        knot for knot, level in zip(forest.knots, forest.levels, strict=True) if level < MEDIUM_FROM
    )
    expected = [total >= least for total in plain_sums(forest, rows)]
    assert [likely(row) for row in rows] == expected
    assert True in expected
    assert False in expected
