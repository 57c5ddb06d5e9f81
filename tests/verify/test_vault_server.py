"""
Every answer of a real OpenBao, judged end to end: a look-alike in a file, a scan, a verdict.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.cli import main
from tests.verify.clients import Clients
from tests.verify.fake_kubernetes import said
from tests.verify.openbao import OpenBao, free_port
from tests.verify.provider import Authority, Provider
from tests.verify.test_kubernetes import jwt

pytestmark = pytest.mark.servers

READER = 'path "secret/data/app/*" { capabilities = ["read"] }'
PASSWORD = "kT7-mQz9xW2" + "pL4vB"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    server = OpenBao(tmp_path_factory.mktemp("bao"))
    server.ok("POST", "sys/policies/acl/reader", {"policy": READER})
    server.ok("POST", "sys/auth/approle", {"type": "approle"})
    server.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    yield server
    server.close()


Scan = Callable[..., dict[str, Any]]


@pytest.fixture
def scan(bao: OpenBao, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scan:
    def one(text: str, *flags: str, rule: str = "hashicorp-vault-", ca: Path | None = None) -> dict[str, Any]:  # fmt: skip
        folder = tmp_path / "repo"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "settings.env").write_text(text)
        given = flags or ("--allow-found-hosts", "--allow-login")
        code = main(
            ["scan", str(folder), "--verify", "--allow-private", "--ca-file", str(ca or bao.ca_file),
             "--verdict-lifetime", "0", "-f", "json", "--no-progress", *given]
        )  # fmt: skip
        out = capsys.readouterr().out
        assert code == 1, out
        findings = [
            f for f in json.loads(out)["findings"] if f["rule"].startswith(rule) and f.get("secret")
        ]
        assert len(findings) == 1, [f["rule"] for f in json.loads(out)["findings"]]
        found: dict[str, Any] = findings[0]
        return found["verification"] | {"severity": found["severity"], "rule": found["rule"]}

    return one


def env(bao: OpenBao, token: str) -> str:
    return f"VAULT_ADDR={bao.address}\nVAULT_TOKEN={token}\n"


def test_a_live_token(bao: OpenBao, scan: Scan) -> None:
    token, _ = bao.token(policies=["reader"], ttl="1h")

    verdict = scan(env(bao, token), "--allow-found-hosts")

    assert verdict["status"] == "active"
    assert set(verdict["scopes"]) == {"default", "reader"}
    assert "ends by itself in" in verdict["reason"]
    assert "renewable" in verdict["reason"]
    assert verdict["expires_at"]
    assert "read: secret/data/app/*" in verdict["rights"]


def test_the_root_token_is_critical_and_may_do_everything(bao: OpenBao, scan: Scan) -> None:
    token, _ = bao.token()

    verdict = scan(env(bao, token), "--allow-found-hosts")

    assert verdict["status"] == "active"
    assert verdict["severity"] == "critical"
    assert "never expires" in verdict["reason"]
    assert any("seal the server" in right for right in verdict["rights"])


def test_dangerous_rights_of_a_token_that_is_not_root(bao: OpenBao, scan: Scan) -> None:
    policy = 'path "sys/policies/acl/*" { capabilities = ["update"] }'
    bao.ok("POST", "sys/policies/acl/climber", {"policy": policy})
    token, _ = bao.token(policies=["climber"])

    verdict = scan(env(bao, token), "--allow-found-hosts")

    assert verdict["rights"][0].startswith("write policies: it can give itself any right")
    assert verdict["severity"] == "critical"


def test_a_batch_token(bao: OpenBao, scan: Scan) -> None:
    token, _ = bao.token(type="batch", policies=["reader"], ttl="1h")

    verdict = scan(env(bao, token), "--allow-found-hosts")

    assert verdict["status"] == "active"
    assert "batch token" in verdict["reason"]


def test_an_orphan_with_a_period(bao: OpenBao, scan: Scan) -> None:
    token, _ = bao.token(no_parent=True, period="1h", policies=["reader"])

    reason = scan(env(bao, token), "--allow-found-hosts")["reason"]

    assert "orphan" in reason
    assert "periodic" in reason


def test_a_valid_token_without_the_right_to_look_itself_up(bao: OpenBao, scan: Scan) -> None:
    token, accessor = bao.token(no_default_policy=True, policies=["reader"], num_uses=3)

    verdict = scan(env(bao, token), "--allow-found-hosts")

    assert verdict["status"] == "active"
    about = bao.about(accessor)
    assert about is not None
    assert about["num_uses"] == 3


def dead_tokens(bao: OpenBao) -> dict[str, str]:
    revoked, _ = bao.token()
    bao.ok("POST", "auth/token/revoke", {"token": revoked})
    expired, _ = bao.token(ttl="1s")
    used, _ = bao.token(num_uses=1, policies=["reader"])
    bao.ok("GET", "auth/token/lookup-self", token=used)
    unknown = revoked[:-6] + "Zz9Yy8"
    time.sleep(1.5)
    return {"revoked": revoked, "expired": expired, "used up": used, "unknown": unknown}


def test_dead_tokens(bao: OpenBao, scan: Scan) -> None:
    for token in dead_tokens(bao).values():
        assert scan(env(bao, token), "--allow-found-hosts")["status"] == "unknown"
        believed = scan(env(bao, token), "--allow-found-hosts", "--believe-refusals")
        assert (believed["status"], believed["severity"]) == ("inactive", "low")


def test_a_live_token_that_is_bound_to_other_addresses_is_not_called_dead(
    bao: OpenBao, scan: Scan
) -> None:
    # OpenBao refuses it in the very words of a dead one, whatever is asked.
    bao.ok("POST", "auth/token/roles/far", {"token_bound_cidrs": ["10.9.9.9/32"]})
    made = bao.ok("POST", "auth/token/create/far", {"policies": ["reader"]})["auth"]

    verdict = scan(env(bao, made["client_token"]), "--allow-found-hosts")

    assert (verdict["status"], "bound to other addresses" in verdict["reason"]) == ("unknown", True)
    assert bao.about(made["accessor"]) is not None


def test_a_live_login_from_another_address_is_not_called_dead(bao: OpenBao, scan: Scan) -> None:
    far = {"token_bound_cidrs": ["10.9.9.9/32"]}
    bao.ok("POST", "auth/userpass/users/far", {"password": PASSWORD, **far})
    bao.ok("POST", "auth/approle/role/far", {"policies": "reader"})
    role_id = bao.ok("GET", "auth/approle/role/far/role-id")["data"]["role_id"]
    made = bao.ok(
        "POST", "auth/approle/role/far/secret-id", {"cidr_list": far["token_bound_cidrs"]}
    )

    assert scan(userpass_env(bao, "far", PASSWORD))["status"] == "unknown"
    secret_id = made["data"]["secret_id"]
    assert scan(approle_env(bao, role_id, secret_id))["status"] == "unknown"


def test_a_token_with_few_uses_is_told_and_not_spent(bao: OpenBao, scan: Scan) -> None:
    token, accessor = bao.token(num_uses=3, policies=["reader"])

    verdict = scan(env(bao, token), "--allow-found-hosts")

    assert verdict["status"] == "active"
    assert "2 uses left, not spent" in verdict["reason"]
    about = bao.about(accessor)
    assert about is not None
    assert about["num_uses"] == 2


def test_with_spare_uses_the_only_use_stays(bao: OpenBao, scan: Scan) -> None:
    token, accessor = bao.token(num_uses=1, policies=["reader"])

    verdict = scan(env(bao, token), "--allow-found-hosts", "--spare-uses")

    assert verdict["status"] == "active"
    about = bao.about(accessor)
    assert about is not None
    assert about["num_uses"] == 1


def test_a_wrapping_token_can_still_be_unwrapped_afterwards(bao: OpenBao, scan: Scan) -> None:
    answer = bao.ok("GET", "auth/token/lookup-self", X_Vault_Wrap_TTL="300")
    token = answer["wrap_info"]["token"]

    verdict = scan(env(bao, token))

    assert verdict["status"] == "active"
    assert "not unwrapped" in verdict["reason"]
    assert bao.call("POST", "sys/wrapping/unwrap", {}, token=token)[0] == 200


def approle_env(bao: OpenBao, role_id: str, secret_id: str) -> str:
    return f"VAULT_ADDR={bao.address}\nVAULT_ROLE_ID={role_id}\nVAULT_SECRET_ID={secret_id}\n"


def test_approle(bao: OpenBao, scan: Scan) -> None:
    bao.ok("POST", "auth/approle/role/app", {"token_policies": ["reader"]})
    role_id = bao.ok("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
    made = bao.ok("POST", "auth/approle/role/app/secret-id", {})["data"]
    before = bao.accessors()

    live = scan(approle_env(bao, role_id, made["secret_id"]))

    assert live["status"] == "active"
    assert set(live["scopes"]) == {"default", "reader"}
    assert "revoked at once" in live["reason"]
    assert bao.accessors() == before

    bao.ok("POST", "auth/approle/role/app/secret-id/destroy", {"secret_id": made["secret_id"]})
    assert scan(approle_env(bao, role_id, made["secret_id"]))["status"] == "inactive"

    short = bao.ok("POST", "auth/approle/role/app/secret-id", {"ttl": "1s"})["data"]
    time.sleep(1.5)
    assert scan(approle_env(bao, role_id, short["secret_id"]))["status"] == "inactive"


def test_an_approle_is_not_tried_without_consent(bao: OpenBao, scan: Scan) -> None:
    bao.ok("POST", "auth/approle/role/once", {"token_policies": ["reader"]})
    role_id = bao.ok("GET", "auth/approle/role/once/role-id")["data"]["role_id"]
    made = bao.ok("POST", "auth/approle/role/once/secret-id", {"num_uses": 1})["data"]

    verdict = scan(approle_env(bao, role_id, made["secret_id"]), "--allow-found-hosts")

    assert verdict["status"] == "not-tried"
    login = {"role_id": role_id, "secret_id": made["secret_id"]}
    assert bao.call("POST", "auth/approle/login", login)[0] == 200


def userpass_env(bao: OpenBao, user: str, password: str) -> str:
    return f"VAULT_ADDR={bao.address}\nVAULT_USERNAME={user}\nVAULT_PASSWORD={password}\n"


def test_userpass(bao: OpenBao, scan: Scan) -> None:
    bao.ok("POST", "auth/userpass/users/ada", {"password": PASSWORD, "token_policies": "reader"})
    before = bao.accessors()

    live = scan(userpass_env(bao, "ada", PASSWORD))

    assert live["status"] == "active"
    assert live["identity"] == "username ada"
    assert bao.accessors() == before
    assert scan(userpass_env(bao, "ada", PASSWORD + "x"))["status"] == "inactive"
    assert scan(userpass_env(bao, "nobody", PASSWORD))["status"] == "inactive"


def test_a_wrong_password_is_tried_once_and_a_locked_out_user_is_unknown(
    bao: OpenBao, scan: Scan
) -> None:
    bao.ok("POST", "auth/userpass/users/bob", {"password": PASSWORD})
    for _ in range(3):
        assert bao.call("POST", "auth/userpass/login/bob", {"password": "wrong"})[0] == 400

    # The fourth bad try of five: one more than one would lock him out.
    assert scan(userpass_env(bao, "bob", PASSWORD + "x"))["status"] == "inactive"
    assert bao.call("POST", "auth/userpass/login/bob", {"password": "wrong"})[0] == 400

    locked = scan(userpass_env(bao, "bob", PASSWORD))
    assert locked["status"] == "unknown"
    assert "locked out" in locked["reason"]


def test_a_sealed_server_tells_nothing(bao: OpenBao, scan: Scan, tmp_path: Path) -> None:
    other = OpenBao(tmp_path / "other")
    try:
        token, _ = other.token()
        other.ok("POST", "sys/seal", {})

        verdict = scan(env(other, token), ca=other.ca_file)
    finally:
        other.close()

    assert verdict["status"] == "unknown"
    assert "sealed" in verdict["reason"]


def test_a_server_with_another_certificate_is_told_nothing(
    bao: OpenBao, scan: Scan, authority: Authority
) -> None:
    token, _ = bao.token()

    verdict = scan(env(bao, token), ca=authority.ca_file)

    assert verdict["status"] == "unknown"
    assert "certificate" in verdict["reason"]


def test_tls_certificates(bao: OpenBao, scan: Scan) -> None:
    ours, theirs = Clients(), Clients()
    bao.ok("POST", "sys/auth/cert", {"type": "cert"})
    role = {"certificate": ours.pem, "allowed_common_names": "web", "token_policies": "reader"}
    bao.ok("POST", "auth/cert/certs/web", role)
    before = bao.accessors()
    issued = {
        "active": ours.issue("web"),
        "wrong authority": theirs.issue("web"),
        "wrong name": ours.issue("db"),
        "expired": ours.issue("web", days=-1),
    }
    verdicts = {
        name: scan(f"VAULT_ADDR={bao.address}\n{pem}{key}", rule="private-key")
        for name, (pem, key) in issued.items()
    }

    assert {name: verdict["status"] for name, verdict in verdicts.items()} == {
        "active": "active",
        "wrong authority": "inactive",
        "wrong name": "unknown",
        "expired": "inactive",
    }
    assert "reader" in verdicts["active"]["scopes"]
    assert bao.accessors() == before


def test_kubernetes_logins(
    bao: OpenBao, scan: Scan, provider: Provider, authority: Authority
) -> None:
    def claims(namespace: str, name: str) -> dict[str, str]:
        start = "kubernetes.io/serviceaccount/"
        return {
            f"{start}namespace": namespace,
            f"{start}service-account.name": name,
            f"{start}service-account.uid": "1",
            f"{start}secret.name": f"{name}-token",
        }

    token = jwt(iss="kubernetes/serviceaccount", **claims("shop", "bot"))
    other = jwt(iss="kubernetes/serviceaccount", **claims("x", "y"))
    names = {token: "system:serviceaccount:shop:bot", other: "system:serviceaccount:x:y"}

    def behave(asked: Any) -> Any:
        given = json.loads(asked.body)["spec"]["token"]
        user = {"username": names.get(given), "uid": "1", "groups": []}
        alive = {"authenticated": given in names, "user": user}
        return said(
            201, {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": alive}
        )

    provider.behave = behave
    bao.ok("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    settings = {
        "kubernetes_host": f"https://localhost:{provider.port}",
        "kubernetes_ca_cert": authority.ca_file.read_text(),
        "token_reviewer_jwt": "reviewer",
        "disable_local_ca_jwt": True,
    }
    bao.ok("POST", "auth/kubernetes/config", settings)
    role = {"bound_service_account_names": "bot", "bound_service_account_namespaces": "shop", "token_policies": "reader"}  # fmt: skip
    bao.ok("POST", "auth/kubernetes/role/shop", role)
    before = bao.accessors()

    def ask(given: str) -> dict[str, Any]:
        text = f"VAULT_ADDR={bao.address}\nVAULT_ROLE=shop\nSA_TOKEN={given}\n"
        return scan(text, rule="kubernetes-")

    assert ask(token)["status"] == "active"
    assert bao.accessors() == before
    assert ask(other)["status"] == "unknown"
    tampered = ask(token[:-8] + "c2lnc2ln"[::-1])
    assert tampered["status"] == "unknown"


POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[int]:
    assert POSTGRES, "PostgreSQL is not installed: run .ci/install"
    port, data = free_port(), tmp_path / "pg"
    data.mkdir()
    login: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(data, user.pw_uid, user.pw_gid)
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and folder != Path("/") and str(folder).count("/") > 1:
                folder.chmod(0o755)
        login = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    secret = data.parent / "pw"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)

    def run(*words: object) -> None:
        # Output goes nowhere: a daemon would keep a pipe open.
        subprocess.run(
            [str(word) for word in words],
            check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **login,
        )  # fmt: skip

    run(POSTGRES / "initdb", "-D", data, "-U", "boss", "--auth=scram-sha-256", f"--pwfile={secret}")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    run(POSTGRES / "pg_ctl", "-D", data, "-o", options, "-l", data / "log", "-w", "start")
    yield port
    run(POSTGRES / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def test_leases_of_dynamic_database_credentials(bao: OpenBao, scan: Scan, postgres: int) -> None:
    bao.ok("POST", "sys/mounts/database", {"type": "database"})
    url = f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{postgres}/postgres?sslmode=disable"
    bao.ok("POST", "database/config/pg", {"plugin_name": "postgresql-database-plugin", "connection_url": url, "username": "boss", "password": PASSWORD, "allowed_roles": "app"})  # fmt: skip
    statement = (
        "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
    )
    bao.ok("POST", "database/roles/app", {"db_name": "pg", "creation_statements": statement, "default_ttl": "1h"})  # fmt: skip
    made = bao.ok("GET", "database/creds/app")
    asking, _ = bao.token(ttl="1h")
    text = (
        f"export VAULT_ADDR={bao.address}\nexport VAULT_TOKEN={asking}\n\n$ vault read database/creds/app\n"
        "Key                Value\n---                -----\n"
        f"lease_id           {made['lease_id']}\nlease_duration     1h\nlease_renewable    true\n"
        f"password           {made['data']['password']}\nusername           {made['data']['username']}\n"
    )
    rule = "hashicorp-vault-dynamic-password"

    live = scan(text, rule=rule)

    assert live["status"] == "active"
    assert "open and ends by itself" in live["reason"]
    assert live["expires_at"]

    bao.ok("POST", "sys/leases/revoke", {"lease_id": made["lease_id"]})
    assert scan(text, rule=rule)["status"] == "inactive"
    bao.ok("POST", "auth/token/revoke", {"token": asking})
    assert scan(text, rule=rule)["status"] == "unknown"
