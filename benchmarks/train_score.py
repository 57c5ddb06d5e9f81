"""
Train the confidence score and write `scanner/detect/weights.bin`.

    python benchmarks/train_score.py CORPUS [--write] [--findings FILE] [--peers FILE]

CORPUS is a folder with `data/` (repositories by id) and `meta/` (one CSV of labelled lines a
repository) in the layout of CredData.  `--peers` adds the test cases of other scanners (JSON lines
with `text`, `secret`, `label`, `provider`): they are learnt from, but neither measured nor
calibrated on.  Needs scikit-learn and lightgbm, which the product does not.
"""

from __future__ import annotations

import argparse
import array
import base64
import collections
import csv
import itertools
import json
import math
import re
import sys
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import hyperscan
import lightgbm
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold

sys.path.insert(0, str(Path(__file__).parents[1]))

from scanner.detect import generic
from scanner.detect.features import content_features
from scanner.detect.features_words import PATH_NAMES, path_features
from scanner.detect.generic_forms import Candidate, describe, is_telling, values_on
from scanner.detect.generic_triggers import EXPRESSIONS
from scanner.detect.score_tables import WEIGHTS, Tables, dump

FOLDS = 5
SEED = 7
WORDS = 9000
PARAMS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 20,
    "max_depth": 6,
    "min_child_samples": 15,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "path_smooth": 5.0,
    "verbosity": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
}
ROUNDS = 120
MIN_STRETCH = 60
MIN_TRUE = 40
DENSE = 160


@dataclass
class Sample:
    """
    One candidate of the corpus, with what the labels say of it.
    """

    repo: str
    path: str
    line: int
    candidate: Candidate
    label: int
    """1 true, 0 false or unlabelled, -1 on a true line but another value: not trained on."""
    categories: frozenset[str] = field(default_factory=frozenset)

    @property
    def measured(self) -> bool:
        """Whether it is of the corpus: figures and calibration ask no others."""
        return self.path.startswith("data/")


@dataclass
class Labels:
    true: dict[tuple[int, int], set[str]] = field(
        default_factory=lambda: collections.defaultdict(set)
    )
    values: dict[tuple[int, int], list[tuple[int, int]]] = field(
        default_factory=lambda: collections.defaultdict(list)
    )


def read_labels(meta: Path) -> dict[str, Labels]:
    labels: dict[str, Labels] = collections.defaultdict(Labels)
    for name in sorted(meta.glob("*.csv")):
        with name.open(newline="", encoding="utf8") as lines:
            for row in csv.DictReader(lines):
                if row["GroundTruth"] != "T":
                    continue
                key = int(row["LineStart"]), int(row["LineEnd"])
                of_file = labels[row["FilePath"]]
                of_file.true[key].update(row["Category"].split(":"))
                if (
                    row["ValueStart"]
                    and row["ValueEnd"]
                    and float(row["ValueEnd"]) > float(row["ValueStart"]) >= 0
                ):
                    of_file.values[key].append(
                        (int(float(row["ValueStart"])), int(float(row["ValueEnd"])))
                    )
    return labels


def label_of(
    labels: Labels | None, number: int, located: generic.Located, data: bytes
) -> tuple[int, frozenset[str]]:
    if labels is None:
        return 0, frozenset()
    hits = [key for key in labels.true if key[0] <= number <= key[1]]
    if not hits:
        return 0, frozenset()
    categories = frozenset(category for key in hits for category in labels.true[key])
    spans = [span for key in hits if key[0] == key[1] for span in labels.values.get(key, ())]
    if not spans:
        return 1, categories
    begin = located.base + located.candidate.start
    line = data.rfind(b"\n", 0, begin) + 1
    start = len(data[line:begin].decode("utf8", "replace"))
    end = start + len(located.candidate.value.decode("utf8", "replace"))
    good = any(start < b and a < end for a, b in spans)
    return (1 if good else -1), categories


def read_samples(corpus: Path, labels: dict[str, Labels]) -> list[Sample]:
    samples: list[Sample] = []
    for file in sorted((corpus / "data").rglob("*")):
        if not file.is_file():
            continue
        path = file.relative_to(corpus).as_posix()
        data = file.read_bytes()
        of_file = labels.get(path)
        for located in generic.candidates(data, first_pass(data)):
            candidate = located.candidate
            number = data.count(b"\n", 0, located.base + candidate.start) + 1
            label, categories = label_of(of_file, number, located, data)
            samples.append(Sample(path.split("/")[1], path, number, candidate, label, categories))
    return samples


def first_pass_database() -> hyperscan.Database:
    database = hyperscan.Database()
    database.compile(
        expressions=[e.pattern for e in EXPRESSIONS],
        ids=list(range(len(EXPRESSIONS))),
        elements=len(EXPRESSIONS),
        flags=[
            hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_CASELESS if e.caseless else 0)
            for e in EXPRESSIONS
        ],
    )
    return database


DATABASE = first_pass_database()


def first_pass(data: bytes) -> list[tuple[int, int]]:
    hits: set[tuple[int, int]] = set()
    DATABASE.scan(
        data, match_event_handler=lambda i, _, end, *__: hits.add((end, int(EXPRESSIONS[i].tag)))
    )
    return sorted(hits)


_WORD = re.compile(rb"[A-Z]?[a-z]{2,15}|[A-Z]{3,15}(?![a-z])")


def learn_tables(corpus: Path) -> Tables:
    """
    Learn common words and letter trigrams: a word counts once for each repository that uses it,
    and only if two do, so that no secret of one repository is learnt.  No labels are used.
    """
    seen: collections.Counter[bytes] = collections.Counter()
    for repo in sorted((corpus / "data").iterdir()):
        words: set[bytes] = set()
        for file in repo.rglob("*"):
            if file.is_file():
                words.update(word.lower() for word in _WORD.findall(file.read_bytes()))
        seen.update(words)
    common = [
        w
        for w, n in sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        if n >= 4 and len(w) >= 3
    ]
    short = [w for w in common if len(w) == 3][:400]
    words = frozenset([w for w in common if len(w) >= 4][:WORDS] + short)
    counts = np.full((27, 27, 27), 0.02)
    for word, repos in seen.items():
        if repos < 2:
            continue
        symbols = [0, 0, *(c - 96 for c in word), 0]
        for a, b, c in zip(symbols, symbols[1:], symbols[2:], strict=False):
            counts[a, b, c] += math.log1p(repos)
    bits = -np.log2(counts / counts.sum(axis=2, keepdims=True))
    return Tables(
        words=words, trigrams=np.clip(np.round(bits * 16), 0, 255).astype(np.uint8).tobytes()
    )


def path_of(sample: Sample) -> bytes:
    """
    Return the path inside its repository; a test case of another scanner has a plain one.
    """
    if sample.repo.startswith("peers/"):
        return b"src/main"
    return sample.path.split("/", 2)[-1].encode()


def matrix(samples: list[Sample], tables: Tables) -> np.ndarray:
    rows = [content_features(s.candidate, tables) + path_features(path_of(s)) for s in samples]
    return np.array(rows, dtype=np.float32)


def weights_of(samples: list[Sample]) -> np.ndarray:
    """
    Return weights under which a repository full of one pattern speaks a little less.
    """
    counts = collections.Counter(s.repo for s in samples)
    weight = np.array([counts[s.repo] ** -0.25 * (1.0 if s.measured else FOREIGN) for s in samples])
    return weight / weight.mean()


USERS = ("user", "username", "admin", "test", "foo", "root", "alice", "spring", "my-user", "name")
PLACEHOLDERS = ("pass", "passwd", "password", "secret", "bar", "boot", "admin", "test", "my-pw")
HEADERS = (
    b"Authorization: Basic %s",
    b'headers["Authorization"] = "Basic %s"',
    b'"auth": "%s"',
    b"credential=%s",
)


def made_up_negatives() -> list[Sample]:
    """
    Return basic authorisations that spell out a placeholder in base64: they let nobody in.
    """
    samples = []
    for index, (user, word) in enumerate(itertools.product(USERS, PLACEHOLDERS)):
        coded = base64.b64encode(f"{user}:{word}".encode())
        line = HEADERS[index % len(HEADERS)] % coded
        samples += [
            Sample("made-up", "made-up/src/client", 1, candidate, 0)
            for candidate in values_on(line)
        ]
    return samples


_UNFIT = {"placeholder", "component", "needs_companion", "path_only"}
_SOFT = {
    "conflict", "contains_positive_secret", "context_too_far", "valid_but_incomplete",
    "generic_shape", "disputed",
}  # fmt: skip
FOREIGN = 0.4
"""What a test case weighs beside a line of a real repository."""

TEMPLATES_KEPT = 12
"""One in so many of the cases that only wrap one secret in another assignment."""


def peers_samples(file: Path) -> list[Sample]:
    """
    Return what other scanners' test cases say: the named secrets are true, and all candidates of
    the negatives are false.  A secret that nothing generic finds is put forward as a rule would.
    """
    samples: list[Sample] = []
    seen: set[tuple[bytes, bytes]] = set()
    for number, row in enumerate(map(json.loads, file.open(encoding="utf8"))):
        group = f"peers/{row['provider']}"
        flags = set(row["flags"])
        lines = row["text"].encode().split(b"\n")
        if row["label"] == "negative":
            if not flags & _SOFT:
                for line in lines:
                    samples += [Sample(group, group, 0, c, 0) for c in values_on(line)]
            continue
        secret = (row["secret"] or row["meta"].get("secret_by_rule") or "").encode()
        template = row["meta"].get("template") and number % TEMPLATES_KEPT
        if row["class"] != "secret" or flags & _UNFIT or template or len(secret) < 6:
            continue
        for line in lines:
            at = line.find(secret)
            if at < 0 or (line, secret) in seen:
                continue
            seen.add((line, secret))
            found = [c for c in values_on(line) if c.start < at + len(secret) and at < c.end]
            if not found:
                one = describe(line, at, at + len(secret))
                if not is_telling(one.name):
                    one = replace(one, name=one.name + b"_api_key")
                found = [one]
            samples += [Sample(group, group, 0, c, 1) for c in found]
    return samples


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> lightgbm.Booster:
    return lightgbm.train(PARAMS, lightgbm.Dataset(x, y, weight=weight), ROUNDS)


def cross_validate(x: np.ndarray, samples: list[Sample], weight: np.ndarray) -> np.ndarray:
    """
    Return the raw sum of each sample by a forest that has not seen its repository (nor, for a test
    case of another scanner, its provider).
    """
    y = np.array([s.label for s in samples])
    groups = np.array([s.repo for s in samples])
    raw = np.zeros(len(samples))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(x, y, groups):
        use = train[y[train] >= 0]
        raw[test] = fit(x[use], y[use], weight[use]).predict(x[test], raw_score=True)
    return raw


def calibrate(raw: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Return knots and levels that turn out-of-fold raw sums into probabilities.

    Isotonic regression alone leaves plateaus on which all order is lost, so each knot is the middle
    of a stretch of it, and what lies between two knots is linear.
    """
    order = np.argsort(raw, kind="stable")
    # Stretches with about equal numbers of true ones and at least so many candidates.
    true = np.cumsum(y[order])
    cuts, last = [0], 0
    for index in range(len(order)):
        if index - cuts[-1] >= MIN_STRETCH and (
            true[index] - last >= MIN_TRUE or index - cuts[-1] >= len(order) // 8
        ):
            cuts.append(index)
            last = true[index]
    cuts[-1] = len(order)
    means = [(raw[order[a:b]].mean(), y[order[a:b]].mean(), b - a) for a, b in pairwise(cuts)]
    knots = np.array([m[0] for m in means])
    monotone = IsotonicRegression(y_min=0.001, y_max=0.995)
    monotone.fit(knots, [m[1] for m in means], [m[2] for m in means])
    levels = monotone.predict(knots)
    # Between two knots log odds are straight; the product reads probabilities, so it gets many.
    # The ends are as sure as the data allow.
    odds = np.log(levels / (1 - levels))
    knots = np.concatenate([[raw.min() - 1], knots, [raw.max() + 1]])
    odds = np.concatenate([[odds[0] - 1], odds, [min(odds[-1] + 1, 5.3)]])
    dense = np.linspace(knots[0], knots[-1], DENSE)
    return dense, 1 / (1 + np.exp(-np.interp(dense, knots, odds)))


def cross_calibrated(raw: np.ndarray, samples: list[Sample], own: np.ndarray) -> np.ndarray:
    """
    Return each sample's probability by a calibration that has not seen its repository.
    """
    y = np.array([s.label for s in samples])
    groups = np.array([s.repo for s in samples])
    out = np.zeros(len(raw))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=SEED + 1).split(raw, y, groups):
        use = train[own[train]]
        out[test] = np.interp(raw[test], *calibrate(raw[use], y[use]))
    return out


def flatten(
    booster: lightgbm.Booster, calibration: tuple[np.ndarray, np.ndarray]
) -> dict[str, array.array]:
    parts = {name: array.array(code) for name, code in _CODES.items()}
    for tree in booster.dump_model()["tree_info"]:
        parts["roots"].append(_flatten(tree["tree_structure"], parts))
    knots, levels = calibration
    parts["knots"].extend(float(v) for v in knots)
    parts["levels"].extend(float(v) for v in levels)
    return parts


_CODES = {
    "roots": "i", "feature": "B", "threshold": "f", "left": "i", "right": "i", "leaf": "f",
    "knots": "f", "levels": "f",
}  # fmt: skip


def _flatten(node: dict, parts: dict[str, array.array]) -> int:
    if "leaf_value" in node:
        parts["leaf"].append(node["leaf_value"])
        return ~(len(parts["leaf"]) - 1)
    here = len(parts["feature"])
    parts["feature"].append(node["split_feature"])
    # Rounded down to what a float32 holds, so that `<=` decides as in training.
    threshold = np.float32(node["threshold"])
    if float(threshold) > node["threshold"]:
        threshold = np.nextafter(threshold, np.float32(-np.inf))
    parts["threshold"].append(float(threshold))
    parts["left"].append(0)
    parts["right"].append(0)
    parts["left"][here] = _flatten(node["left_child"], parts)
    parts["right"][here] = _flatten(node["right_child"], parts)
    return here


def write(path: Path, tables: Tables, forests: dict[str, dict[str, array.array]]) -> int:
    arrays: dict[str, array.array] = {
        "words": array.array("B", b"\n".join(sorted(tables.words))),
        "trigrams": array.array("B", tables.trigrams),
    }
    for prefix, parts in forests.items():
        arrays |= {f"{prefix}.{name}": values for name, values in parts.items()}
    data = dump(arrays)
    path.write_bytes(data)
    return len(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--peers", type=Path, help="test cases of other scanners, as JSON lines")
    parser.add_argument(
        "--findings", type=Path, help="where to write the out-of-fold scores as JSON lines"
    )
    args = parser.parse_args()

    labels = read_labels(args.corpus / "meta")
    samples = read_samples(args.corpus, labels) + made_up_negatives()
    if args.peers:
        samples += peers_samples(args.peers)
    tables = learn_tables(args.corpus)
    x = matrix(samples, tables)
    y = np.array([s.label for s in samples])
    print(f"{len(samples)} candidates, {(y == 1).sum()} true; {x.shape[1]} features")
    weight = weights_of(samples)
    own = np.array([s.measured and s.label >= 0 for s in samples])
    content = x.shape[1] - len(PATH_NAMES)
    forests = {}
    for name, columns in (("content", slice(0, content)), ("whole", slice(0, x.shape[1]))):
        raw = cross_validate(x[:, columns], samples, weight)
        calibration = calibrate(raw[own], y[own])
        probability = cross_calibrated(raw, samples, own)
        if name == "whole" and args.findings:
            with args.findings.open("w") as out:
                for s, p in zip(samples, probability, strict=True):
                    if not s.measured:
                        continue
                    out.write(
                        json.dumps(
                            {
                                "path": s.path,
                                "line": s.line,
                                "score": round(float(p), 4),
                                "form": int(s.candidate.form),
                            }
                        )
                        + "\n"
                    )
        print(f"{name}: the calibration as shipped, on sums from unseen repositories")
        report_calibration(name, np.interp(raw, *calibration)[own], y[own])
        print(f"{name}: a calibration that has not seen the repository either")
        report_calibration(name, probability[own], y[own])
        if args.write:
            use = y >= 0
            forests[name] = flatten(fit(x[use][:, columns], y[use], weight[use]), calibration)
    if args.write:
        print("wrote", write(WEIGHTS, tables, forests), "bytes")


def report_calibration(name: str, probability: np.ndarray, y: np.ndarray) -> None:
    p, t = probability, y
    print(f"{name}: decile, candidates, mean score, share true")
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1 + (low > 0.85))
        if inside.any():
            print(f"  {low:.1f}  {inside.sum():6d}  {p[inside].mean():.3f}  {t[inside].mean():.3f}")


if __name__ == "__main__":
    main()
