"""
Every answer of a real kube-apiserver, judged end to end: a kubeconfig, a scan, a verdict.
"""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.cli import main
from tests.verify.clients import Clients
from tests.verify.kube_apiserver import KubeApiServer
from tests.verify.provider import Authority

pytestmark = pytest.mark.servers

RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[KubeApiServer]:
    server = KubeApiServer(tmp_path_factory.mktemp("kube"), authority)
    server.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "app"}})
    for name in ("plain", "reader", "boss", "reviewer"):
        server.account(name)
    read = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    roles = f"{RBAC}/namespaces/app"
    server.ok("POST", f"{roles}/roles", {"metadata": {"name": "read"}, "rules": [read]})
    bind(server, f"{roles}/rolebindings", "Role", "read", "reader")
    bind(server, f"{RBAC}/clusterrolebindings", "ClusterRole", "cluster-admin", "boss")
    bind(server, f"{RBAC}/clusterrolebindings", "ClusterRole", "system:auth-delegator", "reviewer")
    yield server
    server.close()


def bind(server: KubeApiServer, path: str, kind: str, role: str, name: str) -> None:
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "app"}
    ref = {"kind": kind, "name": role, "apiGroup": "rbac.authorization.k8s.io"}
    body = {
        "metadata": {"name": f"{name}-{role.replace(':', '-')}"},
        "subjects": [subject],
        "roleRef": ref,
    }
    server.ok("POST", path, body)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(kube: KubeApiServer, user: str, *, ca: str | None = None) -> str:
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: decoy
  cluster:
    server: https://decoy.example:6443
- name: shop
  cluster:
    certificate-authority-data: {b64(ca or kube.ca_pem)}
    server: {kube.address}
contexts:
- name: shop
  context:
    cluster: shop
    namespace: app
    user: one
current-context: shop
users:
- name: one
  user:
{user}
"""


def with_token(kube: KubeApiServer, token: str, **more: str) -> str:
    return config(kube, f"    token: {token}\n", **more)


def with_key(kube: KubeApiServer, pair: tuple[str, str]) -> str:
    certificate, key = pair
    return config(
        kube, f"    client-certificate-data: {b64(certificate)}\n    client-key-data: {b64(key)}\n"
    )


Scan = Callable[..., dict[str, Any]]


@pytest.fixture
def scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scan:
    def one(text: str, *flags: str) -> dict[str, Any]:
        folder = tmp_path / "repo"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "deploy.yaml").write_text(text)
        given = flags or ("--allow-found-hosts",)
        code = main(
            ["scan", str(folder), "--verify", "--allow-private", "--verdict-lifetime", "0",
             "-f", "json", "--no-progress", *given]
        )  # fmt: skip
        out = capsys.readouterr().out
        assert code == 1, out
        found = [f for f in json.loads(out)["findings"] if f["provider"] == "kubernetes"]
        assert len(found) == 1, [f["rule"] for f in json.loads(out)["findings"]]
        verdict: dict[str, Any] = found[0]["verification"] | {"severity": found[0]["severity"]}
        return verdict

    return one


def test_a_live_token_without_rights_is_told_with_who_it_is(
    kube: KubeApiServer, scan: Scan
) -> None:
    verdict = scan(with_token(kube, kube.token("plain")))

    assert verdict["status"] == "active"
    assert verdict["identity"] == "system:serviceaccount:app:plain"
    assert verdict["expires_at"]
    assert "scopes" not in verdict or not verdict["scopes"]


def test_a_token_that_reads_secrets_of_one_namespace(kube: KubeApiServer, scan: Scan) -> None:
    verdict = scan(with_token(kube, kube.token("reader")))

    assert verdict["scopes"] == ["secrets:get"]
    assert verdict["rights"][0] == "read the secrets of namespace app"
    assert "get, list: secrets" in verdict["rights"]
    assert verdict["severity"] == "critical"


def test_a_cluster_admin(kube: KubeApiServer, scan: Scan) -> None:
    verdict = scan(with_token(kube, kube.token("boss")))

    assert verdict["status"] == "active"
    assert verdict["identity"] == "system:serviceaccount:app:boss"
    assert verdict["scopes"] == ["cluster-admin"]


def test_one_that_may_review_tokens_reviews_itself(kube: KubeApiServer, scan: Scan) -> None:
    verdict = scan(with_token(kube, kube.token("reviewer")))

    assert verdict["identity"] == "system:serviceaccount:app:reviewer"
    assert "system:serviceaccounts:app" in verdict["reason"]


def test_a_token_of_a_deleted_account_is_inactive(kube: KubeApiServer, scan: Scan) -> None:
    kube.account("gone")
    token = kube.token("gone")
    kube.ok("DELETE", "/api/v1/namespaces/app/serviceaccounts/gone")

    assert scan(with_token(kube, token))["status"] == "inactive"


def test_a_token_is_revoked_after_it_was_seen_alive(kube: KubeApiServer, scan: Scan) -> None:
    kube.account("leaving")
    token = kube.token("leaving")
    assert scan(with_token(kube, token))["status"] == "active"

    kube.ok("DELETE", "/api/v1/namespaces/app/serviceaccounts/leaving")
    time.sleep(11)  # the server remembers an acceptance for ten seconds

    assert scan(with_token(kube, token))["status"] == "inactive"


def test_an_expired_token_is_inactive(kube: KubeApiServer, scan: Scan) -> None:
    now = int(time.time())
    token = kube.again(kube.token("plain"), iat=now - 9000, nbf=now - 9000, exp=now - 5400)

    assert scan(with_token(kube, token))["status"] == "inactive"


def test_the_clusters_own_key_makes_tokens_that_it_takes(kube: KubeApiServer, scan: Scan) -> None:
    token = kube.again(kube.token("plain"), exp=int(time.time()) + 99)

    assert scan(with_token(kube, token))["status"] == "active"


def test_a_tampered_token_is_inactive(kube: KubeApiServer, scan: Scan) -> None:
    head, body, signature = kube.token("plain").split(".")

    assert scan(with_token(kube, f"{head}.{body}.{signature[::-1]}"))["status"] == "inactive"


def test_a_token_for_another_audience_is_unknown(kube: KubeApiServer, scan: Scan) -> None:
    verdict = scan(with_token(kube, kube.token("plain", audience="vault")))

    assert verdict["status"] == "unknown"
    assert "another audience" in verdict["reason"]


def test_client_certificates(kube: KubeApiServer, scan: Scan) -> None:
    pairs = {
        "admin": kube.clients.issue("ops", group="system:masters"),
        "plain": kube.clients.issue("ada"),
        "expired": kube.clients.issue("ada", days=-1),
        "of another authority": Clients().issue("ops", group="system:masters"),
    }
    verdicts = {name: scan(with_key(kube, pair)) for name, pair in pairs.items()}

    assert {name: verdict["status"] for name, verdict in verdicts.items()} == {
        "admin": "active",
        "plain": "active",
        "expired": "inactive",
        "of another authority": "inactive",
    }
    assert verdicts["admin"]["scopes"] == ["cluster-admin"]
    assert verdicts["plain"]["identity"] == "ada"
    assert verdicts["plain"]["expires_at"]


def test_a_server_whose_authority_is_not_the_files_is_told_nothing(
    kube: KubeApiServer, scan: Scan
) -> None:
    verdict = scan(with_token(kube, kube.token("plain"), ca=Clients().pem))

    assert verdict["status"] == "unknown"
    assert "certificate" in verdict["reason"]


def test_without_consent_nothing_is_sent(kube: KubeApiServer, scan: Scan) -> None:
    assert scan(with_token(kube, kube.token("plain")), "--budget", "99")["status"] == "not-tried"


def test_a_token_in_a_script_goes_to_the_server_beside_it(
    kube: KubeApiServer, scan: Scan, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text(kube.ca_pem)
    script = f"kubectl --server={kube.address} --token={kube.token('plain')} get pods\n"

    verdict = scan(script, "--allow-found-hosts", "--ca-file", str(tmp_path / "ca.pem"))

    assert verdict["identity"] == "system:serviceaccount:app:plain"
