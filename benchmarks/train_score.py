"""
Train the confidence score and write `scanner/detect/weights.bin`.

    python benchmarks/train_score.py CORPUS [--write] [--peers FILE] [--popular DIR] [--folds DIR]
                                      [--plot FILE]

CORPUS is a folder with `data/` (repositories by id) and `meta/` (one CSV of labelled lines a
repository) in the layout of CredData.  `--peers` adds the test cases of other scanners (JSON lines
with `text`, `secret`, `label`, `provider`).  `--popular` adds the candidates of well-known
repositories, checked out under DIR by the names of `popular.json`, which also lists those that
were judged right by eye; all others count as false.  Both are learnt from, but neither measured
nor calibrated on.  `--folds` writes the weights of each fold, for `score_folds.py`.  Needs
scikit-learn and lightgbm, which the product does not.
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
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import hyperscan
import lightgbm
import numpy as np
import reliability
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

sys.path.insert(0, str(Path(__file__).parents[1]))

from scanner.detect import generic_lines
from scanner.detect.features import content_features
from scanner.detect.features_words import PATH_NAMES, path_features
from scanner.detect.generic_forms import Candidate, describe, values_on
from scanner.detect.generic_names import is_telling
from scanner.detect.generic_triggers import EXPRESSIONS
from scanner.detect.score_tables import WEIGHTS, Tables, Words, dump, shelved

FOLDS = 5
SEED = 7
SHORT_WORDS = 400
COMMON_FROM = 3
"""Repositories in which a word must be used to count as an ordinary one."""

PARAMS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "max_depth": 8,
    "min_child_samples": 40,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 127,
    "path_smooth": 5.0,
    "verbosity": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
}
ROUNDS = 150
REPEATS = 3
"""Shuffles of the folds whose sums calibrate together: one alone has too few in the middle."""

CALIBRATION_FOLDS = 40
BENDS = (-3, -1, 1, 3)
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
    labels: Labels | None, number: int, located: generic_lines.Located, data: bytes
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
        for located in generic_lines.candidates(data, first_pass(data)):
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


def learn_tables(repositories: list[Path]) -> Tables:
    """
    Learn common words and letter trigrams: a word counts once for each repository that uses it,
    and only if some do, so that no secret of one repository is learnt.  No labels are used.
    """
    seen: collections.Counter[bytes] = collections.Counter()
    for repo in repositories:
        words: set[bytes] = set()
        for file in readable(repo):
            words.update(word.lower() for word in _WORD.findall(file.read_bytes()))
        seen.update(words)
    common = [
        w
        for w, n in sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        if n >= COMMON_FROM and len(w) >= 3
    ]
    short = [w for w in common if len(w) == 3][:SHORT_WORDS]
    words = frozenset([w for w in common if len(w) >= 4] + short)
    counts = np.full((27, 27, 27), 0.02)
    for word, repos in seen.items():
        if repos < 2:
            continue
        symbols = [0, 0, *(c - 96 for c in word), 0]
        for a, b, c in zip(symbols, symbols[1:], symbols[2:], strict=False):
            counts[a, b, c] += math.log1p(repos)
    bits = -np.log2(counts / counts.sum(axis=2, keepdims=True))
    return Tables(
        words=Words(*shelved(words)),
        trigrams=np.clip(np.round(bits * 16), 0, 255).astype(np.uint8).tobytes(),
    )


def readable(folder: Path) -> Iterator[Path]:
    """
    Yield the files below a folder that are worth reading.
    """
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= LARGEST:
            yield file


def popular_samples(folder: Path) -> list[Sample]:
    """
    Return the candidates of well-known repositories, equal lines once.
    """
    samples: dict[tuple[str, bytes, bytes], Sample] = {}
    for name, told in json.loads(POPULAR.read_text("utf8")).items():
        repo = f"popular/{name}"
        for file in readable(folder / name):
            data = file.read_bytes()
            if b"\0" in data[:8000]:
                continue
            path = file.relative_to(folder / name).as_posix()
            right = told["true"].get(path, ())
            for located in generic_lines.candidates(data, first_pass(data)):
                one = located.candidate
                number = data.count(b"\n", 0, located.base + one.start) + 1
                samples.setdefault(
                    (repo, one.value, one.line),
                    Sample(repo, f"{repo}/{path}", number, one, int(number in right)),
                )
    return list(samples.values())


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
"""What a test case, and a candidate of a well-known repository, weighs beside a labelled line."""

POPULAR = Path(__file__).with_name("popular.json")
LARGEST = 2_000_000

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


def splits(
    samples: list[Sample], repeat: int = 0, folds: int = FOLDS
) -> list[tuple[np.ndarray, np.ndarray]]:
    groups = np.array([s.repo for s in samples])
    folder = GroupKFold(folds, shuffle=True, random_state=SEED + repeat)
    return list(folder.split(groups, groups=groups))


def cross_validate(
    x: np.ndarray, samples: list[Sample], weight: np.ndarray, repeat: int
) -> tuple[list[lightgbm.Booster], np.ndarray]:
    """
    Return the forest of each fold, and the raw sum of each sample by the one that has not seen its
    repository (nor, for a test case of another scanner, its provider).
    """
    y = np.array([s.label for s in samples])
    raw = np.zeros(len(samples))
    boosters = []
    for train_on, test in splits(samples, repeat):
        use = train_on[y[train_on] >= 0]
        boosters.append(fit(x[use], y[use], weight[use]))
        raw[test] = boosters[-1].predict(x[test], raw_score=True)
    return boosters, raw


def calibrate(raw: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Return knots and levels that turn out-of-fold raw sums into probabilities: a logistic curve
    whose slope may change at `BENDS`.

    Isotonic regression fits the chance of which repository repeats itself, and has plateaus on
    which all order is lost.
    """
    model = LogisticRegression(C=10, max_iter=1000).fit(_bent(raw), y)
    grid = np.linspace(-8, 8, DENSE)
    levels = model.predict_proba(_bent(grid))[:, 1]
    return grid, np.clip(np.maximum.accumulate(levels), 0.0005, 0.995)


def _bent(raw: np.ndarray) -> np.ndarray:
    clipped = np.clip(raw, -7, 6)
    return np.stack([clipped, *(np.maximum(clipped - bend, 0) for bend in BENDS)], axis=1)


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
        "words": array.array("B", tables.words.text),
        "shelves": array.array("I", tables.words.shelves),
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
    parser.add_argument("--popular", type=Path, help="where popular repositories are checked out")
    parser.add_argument("--folds", type=Path, help="where to write the weights of each fold")
    parser.add_argument("--plot", type=Path, help="where to draw the calibration, as SVG")
    args = parser.parse_args()

    labels = read_labels(args.corpus / "meta")
    samples = read_samples(args.corpus, labels) + made_up_negatives()
    repositories = sorted((args.corpus / "data").iterdir())
    if args.peers:
        samples += peers_samples(args.peers)
    if args.popular:
        samples += popular_samples(args.popular)
        repositories += [args.popular / name for name in json.loads(POPULAR.read_text("utf8"))]
    tables = learn_tables(repositories)
    x = matrix(samples, tables)
    y = np.array([s.label for s in samples])
    print(f"{len(samples)} candidates, {(y == 1).sum()} true; {x.shape[1]} features")
    own = np.array([s.measured and s.label >= 0 for s in samples])
    print(f"{own.sum()} of them of the corpus, {y[own].sum()} true")
    shipped, folds = train(x, samples, own, args.plot)
    if args.folds:
        write_folds(args.folds, tables, folds, samples)
    if args.write:
        print("wrote", write(Path(WEIGHTS), tables, shipped), "bytes")


_Forests = dict[str, dict[str, array.array]]


def train(
    x: np.ndarray, samples: list[Sample], own: np.ndarray, plot: Path | None
) -> tuple[_Forests, list[tuple[np.ndarray, _Forests]]]:
    """
    Return the forests to ship, and those of each fold with the indexes that they have not seen.
    """
    plotted: list[tuple[str, np.ndarray, np.ndarray]] = []
    y = np.array([s.label for s in samples])
    weight = weights_of(samples)
    use = y >= 0
    content = x.shape[1] - len(PATH_NAMES)
    shipped: _Forests = {}
    folds: list[tuple[np.ndarray, _Forests]] = [(test, {}) for _, test in splits(samples)]
    for name, columns in (("content", slice(0, content)), ("whole", slice(0, x.shape[1]))):
        part = x[:, columns]
        boosters, first = cross_validate(part, samples, weight, 0)
        raw = np.stack(
            [first, *(cross_validate(part, samples, weight, n)[1] for n in range(1, REPEATS))]
        )
        calibration = calibrate_all(raw, y, own)
        for (test, forests), booster in zip(folds, boosters, strict=True):
            # The others' sums are of forests that have not seen them either.
            others = own.copy()
            others[test] = False
            forests[name] = flatten(booster, calibrate_all(raw, y, others))
        probability = np.zeros(raw.shape)
        for others, test in splits(samples, folds=CALIBRATION_FOLDS):
            seen = np.zeros(len(y), dtype=bool)
            seen[others] = own[others]
            probability[:, test] = np.interp(raw[:, test], *calibrate_all(raw, y, seen))
        truth = np.tile(y[own], REPEATS)
        print(f"{name}: the calibration as shipped, on sums from unseen repositories")
        report_calibration(name, np.interp(raw, *calibration)[:, own].ravel(), truth)
        print(f"{name}: a calibration that has not seen the repository either")
        report_calibration(name, probability[:, own].ravel(), truth)
        plotted.append((name, probability[:, own].ravel(), truth))
        shipped[name] = flatten(fit(part[use], y[use], weight[use]), calibration)
    if plot:
        (_, content_scores, truth), (_, whole_scores, _) = plotted
        sets = [
            ("path not known, tenths", "#b60", reliability.tenths(content_scores, truth)),
            ("path known, tenths", "#06c", reliability.tenths(whole_scores, truth)),
        ]
        reliability.draw(plot, sets)
    return shipped, folds


def calibrate_all(raw: np.ndarray, y: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, ...]:
    """
    Return a calibration on all repeats' sums of the chosen samples.
    """
    return calibrate(raw[:, chosen].ravel(), np.tile(y[chosen], len(raw)))


def write_folds(
    folder: Path,
    tables: Tables,
    folds: list[tuple[np.ndarray, _Forests]],
    samples: list[Sample],
) -> None:
    """
    Write each fold's weights as `N.bin`, and as `N.txt` the repositories that they have not seen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (test, forests) in enumerate(folds):
        write(folder / f"{number}.bin", tables, forests)
        unseen = sorted({samples[index].repo for index in test if samples[index].measured})
        (folder / f"{number}.txt").write_text("\n".join(unseen), "utf8")


def report_calibration(name: str, probability: np.ndarray, y: np.ndarray) -> None:
    kept, scale = reliability.tenths(probability, y), reliability.widths(probability, y)
    print(reliability.told(f"{name}, tenths of what is worth keeping", kept, REPEATS))
    print(reliability.told(f"{name}, tenths of the scale", scale, REPEATS))


if __name__ == "__main__":
    main()
