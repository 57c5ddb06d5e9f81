"""
Kubernetes manifests: Secret (base64 is no encryption), SealedSecret, and what only refers to
a secret kept elsewhere (ExternalSecret, SecretStore, CSI, Vault agent, kustomize files).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scanner.detect.sealed.evidence import (
    TEMPLATE,
    ValueKind,
    base_name,
    extension,
    from_base64,
    is_filler,
    is_readable,
    tells,
    value_kind,
)
from scanner.detect.sealed.line_reader import Leaf
from scanner.detect.sealed.sample import is_sample
from scanner.detect.sealed.structure import Tree, documents
from scanner.model import SealRecord
from scanner.records import replace

_TEXT_SUFFIXES = frozenset({"yaml", "yml", "json", "tpl", "tmpl", "j2", "jinja", "jinja2", "gotmpl",
    "yamlt", "template", "txt", "bak", "orig", "old", "tmp", "dist", ""})  # fmt: skip
_WANTED = re.compile(
    r"kind[\"']?\s*:\s*[\"']?(?:\w*Secret\w*|Kustomization|Component|List)\b"
    r"|secretGenerator|vault\.hashicorp\.com/|SealedSecret"
)
_REFERENCES = frozenset({
    "ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret",
    "SecretProviderClass", "VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret",
    "VaultSecret", "AzureKeyVaultSecret", "OnePasswordItem", "InfisicalSecret", "DopplerSecret",
    "ExternalSecretsConfig", "GCPSecretManagerSecret", "AWSSecretsManagerSecret",
    "HCPVaultSecretsApp", "BitwardenSecret", "AkeylessSecret", "SecretClaim",
})  # fmt: skip
_PUBLIC_KEYS = re.compile(
    r"(?i)^(?:ca\.crt|tls\.crt|ca\.pem|cert\.pem|.*\.crt|namespace|service-ca\.crt"
    r"|user(?:[_-]?name)?|login|host(?:name)?|port)$"
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TELLING = re.compile(r"(?i)pass|pwd|secret|token|key|cred")
_RSA_SIZES = frozenset({128, 256, 384, 512, 1024})
_DEEPEST = 14  # keys down to a `kind`; no manifest lies deeper
_TAG_SIZE = 16  # bytes of the AES-GCM tag at the end


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record for each manifest in `data` that holds, seals or names a secret.
    """
    if path is not None and extension(path) not in _TEXT_SUFFIXES:
        return []
    records: list[SealRecord] = []
    kustomize = base_name(path).startswith("kustomization")
    for tree in documents(data, lambda text: _WANTED.search(text) is not None):
        seen = _seen(tree)
        for part, prefix, kind, line in _objects(tree, seen.kinds):
            if kind == "Secret" and not seen.sops:
                records.append(_secret(part, prefix, line))
            elif kind == "SealedSecret":
                records.append(_sealed_secret(part, prefix, line))
            elif kind in _REFERENCES:
                records.append(_external(part, prefix, kind, line))
        if seen.generators and (kustomize or _is_kustomize(seen.kinds)):
            records += _generators(seen.generators)
        records += _agent(seen.agents)
        records += _inside(seen.texts)
    return records


class _Seen(NamedTuple):
    """
    The leaves of a document that say what it is, gathered in one walk.
    """

    kinds: list[Leaf]
    generators: list[Leaf]
    agents: list[Leaf]
    texts: list[Leaf]
    """Those of several lines."""

    sops: bool


def _seen(tree: Tree) -> _Seen:
    kinds: list[Leaf] = []
    generators: list[Leaf] = []
    agents: list[Leaf] = []
    texts: list[Leaf] = []
    sops = False
    for leaf in tree.leaves:
        path, value, *_ = leaf
        if "\n" in value:
            texts.append(leaf)
        if not path:
            continue
        last = path[-1]
        if last == "kind":
            kinds.append(leaf)
        elif "vault.hashicorp.com/" in last and "annotations" in path:
            agents.append(leaf)
        if path[0] == "secretGenerator":
            generators.append(leaf)
        elif path[0] == "sops":
            sops = True
    return _Seen(kinds, generators, agents, texts, sops)


def _inside(texts: Iterable[Leaf]) -> Iterator[SealRecord]:
    """
    Yield what lies open in manifests that stand as text in another's values.
    """
    for leaf in texts:
        if leaf.path[-1:] == ("description",) or _WANTED.search(leaf.value) is None:
            continue
        body = leaf.value.encode("utf-8", "replace")
        for inner in documents(body, lambda text: _WANTED.search(text) is not None):
            for part, prefix, kind, line in _objects(inner, _seen(inner).kinds):
                if kind == "Secret":
                    record = _secret(part, prefix, line)
                    if record.state == "plaintext":
                        yield replace(
                            record, line=leaf.line + (record.line if leaf.kind == "block" else 0)
                        )


def _objects(tree: Tree, kinds: Sequence[Leaf]) -> Iterator[tuple[Tree, tuple[str, ...], str, int]]:
    """
    Yield each manifest that holds, seals or names a secret: its own part of the tree, where it
    stands, its kind and line.
    """
    found: dict[tuple[str, ...], dict[str, int]] = {}
    if any(leaf.path == ("kind",) and leaf.value == "SecretList" for leaf in kinds):
        found = _of_a_list(tree)
    for leaf in kinds:
        path = leaf.path
        if len(path) <= _DEEPEST and _is_kind(leaf.value):
            found.setdefault(path[:-1], {}).setdefault(leaf.value, leaf.line)
    parts = {(): tree} if found.keys() == {()} else _parts(tree, found)
    for prefix, part in parts.items():
        for kind, line in found[prefix].items():
            if _is_object(part, prefix):
                yield part, prefix, kind, line


def _is_kind(value: str) -> bool:
    return value in ("Secret", "SealedSecret") or value in _REFERENCES


def _of_a_list(tree: Tree) -> dict[tuple[str, ...], dict[str, int]]:
    # The items of a list of one kind need not say what they are.
    named = {leaf.path[:2] for leaf in tree.leaves if leaf.path[2:] == ("kind",)}
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for leaf in tree.leaves:
        prefix = leaf.path[:2]
        if len(leaf.path) > 2 and prefix[0] == "items" and prefix not in named:
            found.setdefault(prefix, {"Secret": leaf.line})
    return found


def _parts(tree: Tree, prefixes: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Tree]:
    """
    Return the part of the tree below each prefix, in one walk: a list may hold thousands.
    """
    parts = {prefix: tree.part() for prefix in prefixes}
    lengths = sorted({len(prefix) for prefix in parts})
    for leaf in tree.leaves if parts else ():
        for length in lengths:
            if length > len(leaf.path):
                break
            part = parts.get(leaf.path[:length])
            if part is not None:
                part.leaves.append(leaf)
    return parts


def _is_object(part: Tree, prefix: tuple[str, ...]) -> bool:
    """
    Whether this `kind` names an object and not a reference to one (`secretStoreRef.kind`).
    """
    if not prefix:
        return True
    size = len(prefix)
    names = {leaf.path[size] for leaf in part.leaves if len(leaf.path) > size}
    if "items" not in prefix and not prefix[-1].startswith("#") and "data" not in names:
        return False
    return bool(names & {"data", "stringData", "spec", "metadata", "apiVersion"})


def _record(
    fmt: str, state: str, reason: str, line: int, *, sample: bool = False, **more: str | None
) -> SealRecord:
    detail = tuple([(key, value) for key, value in more.items() if value])
    return SealRecord(
        format=fmt, state=state, reason=reason, line=line, detail=detail, sample=sample
    )


def _name(tree: Tree, prefix: tuple[str, ...]) -> str | None:
    wanted = (*prefix, "metadata", "name")
    return next((leaf.value for leaf in tree.leaves if leaf.path == wanted), None)


def _secret(tree: Tree, prefix: tuple[str, ...], line: int) -> SealRecord:
    fmt, name = "kubernetes-secret", _name(tree, prefix)
    values = [
        (leaf, section)
        for section in ("data", "stringData")
        for leaf in tree.under((*prefix, section))
    ]
    values += _applied(tree, prefix)
    open_ones = [
        (leaf, text)
        for leaf, section in values
        if (text := _open_text(leaf, encoded=section == "data")) is not None
    ]
    if open_ones:
        opened = [leaf for leaf, _ in open_ones]
        keys = ", ".join(repr(leaf.path[-1]) for leaf in opened[:5])
        more = f" and {len(opened) - 5} more" if len(opened) > 5 else ""
        reason = f"{keys}{more}: base64 or plain text, which anyone can read"
        place = next((leaf for leaf in opened if _TELLING.search(leaf.path[-1])), opened[0])
        sample = all(is_sample(text) for _, text in open_ones)
        return _record(fmt, "plaintext", reason, place.line, sample=sample, name=name)
    if any(leaf.value.strip() for leaf, _ in values) or tree.templated:
        return _record(fmt, "reference", "its values come from elsewhere", line, name=name)
    return _record(fmt, "reference", "holds no value", line, name=name)


def _applied(tree: Tree, prefix: tuple[str, ...]) -> Iterator[tuple[Leaf, str]]:
    """
    Yield the values that `kubectl apply` leaves in an annotation: the whole manifest once more.
    """
    wanted = (*prefix, "metadata", "annotations", _LAST_APPLIED)
    for leaf in tree.leaves:
        if leaf.path != wanted:
            continue
        for inner in documents(leaf.value.encode(), lambda _text: True):
            for section in ("data", "stringData"):
                for one in inner.under((section,)):
                    yield Leaf(one.path, one.value, leaf.line, one.kind), section


def _lies_open(leaf: Leaf) -> bool:
    return _open_text(leaf, encoded=False) is not None


def _open_text(leaf: Leaf, *, encoded: bool) -> str | None:
    """
    Return what a value says that lies open, undone if it is `encoded`; `None` if it does not.
    """
    value = leaf.value.strip()
    if value_kind(value) is not ValueKind.LITERAL or value in ("null", "~"):
        return None
    if value.startswith(("ENC[", "$ANSIBLE_VAULT", "encrypted:", "-----BEGIN AGE ENCRYPTED")):
        return None
    if _PUBLIC_KEYS.match(leaf.path[-1]):
        return None
    plain = from_base64("".join(value.split()).encode()) if encoded else None
    if plain is None:
        return leaf.value
    text = plain.decode("utf-8", "replace")
    if not text.strip() or value_kind(text) is not ValueKind.LITERAL or _is_sealed(plain):
        return None
    return text


def _is_sealed(plain: bytes) -> bool:
    """
    Whether a value is sealed by itself, or public.
    """
    return plain.startswith((b"$ANSIBLE_VAULT;", b"age-encryption.org/v1\n", b"\0GITCRYPT\0",
                             b"-----BEGIN CERTIFICATE", b"-----BEGIN PUBLIC"))  # fmt: skip


def _sealed_secret(tree: Tree, prefix: tuple[str, ...], line: int) -> SealRecord:
    fmt, name = "sealed-secret", _name(tree, prefix)
    spec = (*prefix, "spec")
    values = [*tree.under((*spec, "encryptedData"))]
    values += [leaf for leaf in tree.leaves if leaf.path == (*spec, "data")]
    plain_beside = [
        leaf
        for where in (
            (*prefix, "data"),
            (*prefix, "stringData"),
            (*spec, "stringData"),
            (*spec, "template", "data"),
            (*spec, "template", "stringData"),
            (*spec, "data"),
        )
        for leaf in tree.under(where)
        if leaf.path != (*spec, "data") and _lies_open(leaf)
    ]
    judged = [(leaf, *judge_sealed_value(leaf.value)) for leaf in values if not _cut_out(leaf)]
    bad = [(leaf, state, why) for leaf, state, why in judged if state != "sealed"]
    fakes = [one for one in bad if one[1] == "fake"]
    broken = [one for one in bad if one[1] == "broken"]
    if not judged:
        if tree.templated or any(_cut_out(leaf) for leaf in values):
            return _record(fmt, "reference", "its values come from a template", line, name=name)
        if plain_beside:
            reason = "nothing in it is sealed: its values stand plain"
            return _record(fmt, "fake", reason, plain_beside[0].line, name=name)
        return _record(fmt, "broken", "holds no encrypted value", line, name=name)
    if fakes:
        leaf, _, why = fakes[0]
        state = "fake" if len(fakes) == len(judged) else "partly-sealed"
        return _record(fmt, state, f"{leaf.path[-1]!r}: {why}", leaf.line, name=name)
    if broken:
        leaf, _, why = broken[0]
        return _record(fmt, "broken", f"{leaf.path[-1]!r}: {why}", leaf.line, name=name)
    if plain_beside:
        leaf = plain_beside[0]
        reason = f"{leaf.path[-1]!r} stands plain beside sealed values"
        return _record(fmt, "partly-sealed", reason, leaf.line, name=name)
    return _record(
        fmt, "sealed", f"{len(judged)} values, each RSA-OAEP and AES-GCM", line, name=name
    )


def _cut_out(leaf: Leaf) -> bool:
    return TEMPLATE in leaf.value or leaf.value.strip() in ("", "null", "~")


def judge_sealed_value(value: str) -> tuple[str, str]:
    """
    Return state and reason of one value of `encryptedData`.
    """
    text = re.sub(r"\s", "", value).encode("utf-8", "replace")
    raw = from_base64(text)
    if raw is None:
        start = from_base64(text[: min(len(text), 400) // 4 * 4])
        if start is not None and len(start) > 2 and int.from_bytes(start[:2], "big") in _RSA_SIZES:
            return "broken", "is cut off or altered: no whole base64"
        return "fake", "is no base64, so nothing is sealed"
    if is_readable(raw, minimum=1):
        return "fake", "is base64 of text that anyone can read"
    size = int.from_bytes(raw[:2], "big")
    if size not in _RSA_SIZES:
        return "fake", "has no wrapped key: its first two bytes give no RSA size"
    if len(raw) < 2 + size + _TAG_SIZE:
        return "broken", f"ends after {len(raw)} bytes, inside the wrapped key or the code"
    if is_readable(raw[2 : 2 + size]) or is_filler(raw[2 : 2 + size]):
        return "fake", "its wrapped key is no ciphertext"
    if is_readable(raw[2 + size :]):
        return "fake", "its ciphertext is text that anyone can read"
    return "sealed", "RSA-OAEP and AES-GCM"


def _external(tree: Tree, prefix: tuple[str, ...], kind: str, line: int) -> SealRecord:
    fmt, name = "external-secret", _name(tree, prefix)
    for leaf in tree.under((*prefix, "spec")):
        inside = leaf.path[len(prefix) :]
        if "fake" in inside and inside[-1] == "value" and _lies_open(leaf):
            reason = "a store of kind `fake` holds its values in plain text"
            return _record(fmt, "plaintext", reason, leaf.line, kind=kind, name=name)
        if inside[1:4] == ("target", "template", "data") and tells(inside[-1], leaf.value):
            reason = f"{inside[-1]!r} stands in its template as plain text"
            return _record(fmt, "plaintext", reason, leaf.line, kind=kind, name=name)
    return _record(fmt, "reference", f"{kind}: names a secret kept elsewhere", line, kind=kind,
                   name=name)  # fmt: skip


def _is_kustomize(kinds: Sequence[Leaf]) -> bool:
    return any(
        leaf.path == ("kind",) and leaf.value in ("Kustomization", "Component") for leaf in kinds
    )


def _generators(leaves: Iterable[Leaf]) -> list[SealRecord]:
    records = []
    sources = []
    for leaf in leaves:
        if "literals" in leaf.path:
            key, _, value = leaf.value.partition("=")
            if value and value_kind(value) is ValueKind.LITERAL:
                reason = f"secretGenerator holds {key!r} as a literal"
                records.append(_record("kubernetes-secret", "plaintext", reason, leaf.line))
        elif "files" in leaf.path or "envs" in leaf.path or leaf.path[-1] == "env":
            sources.append(leaf)
    if sources and not records:
        reason = "secretGenerator reads files: they are what must be sealed"
        records.append(_record("kubernetes-secret", "reference", reason, sources[0].line))
    return records


def _agent(annotations: Sequence[Leaf]) -> list[SealRecord]:
    if not annotations:
        return []
    reason = "annotations of the Vault agent: the secret is injected at run time"
    line = annotations[0].line
    return [_record("external-secret", "reference", reason, line, kind="vault-agent")]
