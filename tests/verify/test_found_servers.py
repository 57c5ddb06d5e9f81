"""
The server beside a credential, in the forms that repositories have; nobody else's server.
"""

from __future__ import annotations

from functools import cache

import pytest

from scanner.detect.engine import Engine
from scanner.model import Document, Place
from scanner.ruleset.shipped import shipped_packs
from scanner.sources.batch import ListBatch
from tests.lookalikes import fill

NEW, OLD = "hvs." + fill("{{alnum:24}}"), "s." + fill("{{alnum:24}}", seed=3)
ROLE, SECRET_ID = fill("{{uuid}}", seed=1), fill("{{uuid}}", seed=2)
PASSWORD = fill("{{alnum:18}}", seed=5)
ADDRESS = "https://vault.widgets.test:8200"
TOKENS = {
    "env": "VAULT_ADDR=ADDRESS\nVAULT_TOKEN=NEW\n",
    "shell": "export VAULT_ADDR='ADDRESS'\nexport VAULT_TOKEN='OLD'\n",
    "OpenBao": "BAO_ADDR=ADDRESS\nBAO_TOKEN=OLD\n",
    "a compose file": "services:\n  app:\n    environment:\n      - VAULT_ADDR=ADDRESS\n      - VAULT_TOKEN=NEW\n",
    "a Kubernetes manifest": "env:\n- name: VAULT_ADDR\n  value: ADDRESS\n- name: VAULT_TOKEN\n  value: NEW\n",
    "Terraform": 'provider "vault" {\n  address = "ADDRESS"\n  token   = "NEW"\n}\n',
    "JSON": '{"vault": {"address": "ADDRESS", "token": "NEW"}}',
    "flat JSON": '{"vault_url": "ADDRESS", "vault_token": "OLD"}',
    "YAML": "vault:\n  addr: ADDRESS\n  token: NEW\n",
    "Spring": "spring.cloud.vault.uri=ADDRESS\nspring.cloud.vault.token=NEW\n",
    "Python": 'client = hvac.Client(url="ADDRESS", token="NEW")\n',
    "a call with the new form": 'curl -H "X-Vault-Token: NEW" ADDRESS/v1/secret/data/app\n',
    "a call with the old form": 'curl --header "X-Vault-Token: OLD" ADDRESS/v1/sys/mounts\n',
    "a command": "vault login -address=ADDRESS NEW\n",
    "a Dockerfile": "ENV VAULT_ADDR ADDRESS\nENV VAULT_TOKEN NEW\n",
    "a page away": "VAULT_ADDR=ADDRESS\n" + "# nothing\n" * 60 + "VAULT_TOKEN=NEW\n",
}  # fmt: skip
APPROLES = {
    "env": "VAULT_ADDR=ADDRESS\nVAULT_ROLE_ID=ROLE\nVAULT_SECRET_ID=SECRET_ID\n",
    "Terraform": 'provider "vault" {\n  address = "ADDRESS"\n  auth_login {\n    path = "auth/approle/login"\n    parameters = {\n      role_id   = "ROLE"\n      secret_id = "SECRET_ID"\n    }\n  }\n}\n',
    "a command": "vault write -address=ADDRESS auth/approle/login role_id=ROLE secret_id=SECRET_ID\n",
    "a call": 'curl --data \'{"role_id":"ROLE","secret_id":"SECRET_ID"}\' ADDRESS/v1/auth/approle/login\n',
    "YAML": "vault:\n  url: ADDRESS\n  role_id: ROLE\n  secret_id: SECRET_ID\n",
}  # fmt: skip
USERS = {
    "a command": "export VAULT_ADDR=ADDRESS\nvault login -method=userpass username=ada password=PASSWORD\n",
    "a call": "curl --data '{\"password\": \"PASSWORD\"}' ADDRESS/v1/auth/userpass/login/ada\n",
    "env": "VAULT_ADDR=ADDRESS\nVAULT_USERNAME=ada\nVAULT_PASSWORD=PASSWORD\n",
    "Python": "client = hvac.Client(url='ADDRESS')\nclient.auth.userpass.login(username='ada', password='PASSWORD')\n",
}  # fmt: skip
NONE = {
    "another's address": "GITLAB_URL=https://gitlab.widgets.test\nVAULT_TOKEN=NEW\n",
    "a reference": "VAULT_ADDR=${ADDR}\nVAULT_TOKEN=NEW\n",
    "another's call": "X-Vault-Token: NEW\ncurl https://api.widgets.test/v2/auth/me\n",
    "none": "VAULT_TOKEN=NEW\n",
}  # fmt: skip


@cache
def engine() -> Engine:
    return Engine.load((shipped_packs(),))


def beside(text: str, rule: str = "hashicorp-vault-") -> dict[str, str]:
    for name, value in (("ADDRESS", ADDRESS), ("NEW", NEW), ("OLD", OLD)):
        text = text.replace(name, value)
    for name, value in (("=ROLE", f"={ROLE}"), ('"ROLE"', f'"{ROLE}"'), (": ROLE", f": {ROLE}")):
        text = text.replace(name, value)
    for mark in ("=", '"', ": ", "'"):
        text = text.replace(f"{mark}SECRET_ID", f"{mark}{SECRET_ID}")
        text = text.replace(f"{mark}PASSWORD", f"{mark}{PASSWORD}")
    batch = ListBatch([(Document(Place.FILE, path=b"a.env"), text.encode())])
    found = [m for m in engine().scanner().scan(batch) if m.rule_id.startswith(rule)]
    assert len(found) == 1, [m.rule_id for m in found]
    return {c.name: c.value.reveal().decode() for c in found[0].companions}


@pytest.mark.parametrize("text", TOKENS.values(), ids=TOKENS)
def test_the_address_of_a_token_is_found(text: str) -> None:
    assert beside(text)["address"] == ADDRESS


@pytest.mark.parametrize("text", APPROLES.values(), ids=APPROLES)
def test_address_and_role_of_a_secret_id_are_found(text: str) -> None:
    found = beside(text)

    assert (found["address"], found["role_id"]) == (ADDRESS, ROLE)


@pytest.mark.parametrize("text", USERS.values(), ids=USERS)
def test_address_and_name_of_a_user_are_found(text: str) -> None:
    found = beside(text)

    assert (found["address"], found["username"]) == (ADDRESS, "ada")


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_no_address_is_made_up(text: str) -> None:
    assert "address" not in beside(text)


SERVER = "https://kube.widgets.test:6443"
ACCOUNTS = {
    "kubectl": "kubectl --server=SERVER --token=TOKEN get pods\n",
    "oc": "oc login SERVER --token=TOKEN\n",
    "env": "K8S_SERVER=SERVER\nK8S_TOKEN=TOKEN\n",
    "a call": 'curl -H "Authorization: Bearer TOKEN" SERVER/api/v1/namespaces/shop/pods\n',
}  # fmt: skip


@pytest.mark.parametrize("text", ACCOUNTS.values(), ids=ACCOUNTS)
def test_the_server_of_a_service_account_is_found(text: str) -> None:
    from tests.verify.test_kubernetes import jwt

    token = jwt(iss="kubernetes/serviceaccount", **{"kubernetes.io/serviceaccount/namespace": "x"})
    whole = text.replace("SERVER", SERVER, 1).replace("K8S_" + SERVER, "K8S_SERVER")
    whole = whole.replace("=SERVER", f"={SERVER}")

    assert beside(whole.replace("=TOKEN", f"={token}").replace("Bearer TOKEN", f"Bearer {token}"), "kubernetes-")["server"] == SERVER  # fmt: skip
