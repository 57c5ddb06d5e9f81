"""
Which cluster a credential of a kubeconfig is for; where the file leaves it open, none.
"""

from __future__ import annotations

import json

import pytest

from scanner.detect.kubeconfig import beside

SECRET = b"t0ken" * 8
CONFIG = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0EtT05F
    server: https://one.example:6443
  name: one
- cluster:
    certificate-authority-data: Q0EtVFdP
    server: "https://two.example:6443"  # the other
    tls-server-name: two
  name: two
contexts:
- context:
    cluster: one
    user: ada
  name: first
- context:
    cluster: two
    namespace: shop
    user: bot
  name: second
current-context: first
kind: Config
preferences: {}
users:
- name: ada
  user:
    exec:
      command: aws
      env:
      - name: AWS_PROFILE
        value: shop
- name: bot
  user:
    client-certificate-data: Q0VSVA==
    token: SECRET
"""
TWO = {
    "server": b"https://two.example:6443",
    "certificate_authority": b"Q0EtVFdP",
    "tls_server_name": b"two",
    "client_certificate": b"Q0VSVA==",
    "namespace": b"shop",
}


def near(text: str) -> dict[str, bytes]:
    data = text.encode().replace(b"SECRET", SECRET)
    start = data.index(SECRET)
    return beside(data, start, start + len(SECRET))


def as_json(text: str = CONFIG) -> str:
    import yaml

    return json.dumps(yaml.safe_load(text), indent=2)


FORMS = {
    "as kubectl writes it": CONFIG,
    "JSON": as_json(),
    "within another file": "kind: ConfigMap\ndata:\n  config: |\n" + "".join(f"    {line}\n" for line in CONFIG.splitlines()),
    "Windows": CONFIG.replace("\n", "\r\n"),
    "after another document": "kind: Pod\nusers:\n- name: x\n---\n" + CONFIG,
    "before another": CONFIG + "---\nkind: Config\nclusters: []\nusers:\n- name: bot\n  user: {}\n",
    "two contexts of one cluster": CONFIG.replace("current-context", "- context:\n    cluster: two\n    user: bot\n  name: third\ncurrent-context"),
    "two clusters, and the current context says which": CONFIG.replace(
        "current-context: first",
        "- context:\n    cluster: one\n    user: bot\n  name: third\ncurrent-context: second",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_cluster_is_the_one_of_its_context(text: str) -> None:
    assert near(text) == TWO


OPEN = {
    "two clusters and no current one": CONFIG.replace(
        "current-context", "- context:\n    cluster: one\n    user: bot\n  name: third\ncurrent-context"
    ),
    "no context of it": CONFIG.replace("user: bot", "user: eve"),
    "a context of no cluster": CONFIG.replace("cluster: two", "cluster: three"),
    "two users of one name": CONFIG.replace("- name: ada", "- name: bot"),
    "two clusters of one name": CONFIG.replace("  name: one", "  name: two"),
    "no server": CONFIG.replace('    server: "https://two.example:6443"  # the other\n', ""),
    "no kubeconfig": "token: SECRET\nserver: https://one.example\n",
    "damaged JSON": as_json()[:-3],
    "another section": CONFIG.replace("users:", "people:"),
}  # fmt: skip


@pytest.mark.parametrize("text", OPEN.values(), ids=OPEN)
def test_where_it_is_left_open_none_is_told(text: str) -> None:
    assert near(text) == {}
