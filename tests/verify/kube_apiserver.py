"""
A real kube-apiserver with its etcd on the loopback, started by a test.

`.ci/kube-apiserver` builds the one, and installs the other.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.verify.clients import Clients
from tests.verify.openbao import free_port
from tests.verify.provider import Authority

ISSUER = "https://kubernetes.default.svc.cluster.local"
# Read when imported: tests have a home of their own.
CACHE = Path(os.environ.get("UNSEALED_CACHE", Path.home() / ".cache" / "unsealed-ci"))


def coded(data: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class KubeApiServer:
    """One server; ask it as its administrator."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        program, etcd = CACHE / "kube-apiserver", shutil.which("etcd")
        assert program.exists(), f"no kube-apiserver in {CACHE}: run .ci/kube-apiserver {CACHE}"
        assert etcd, f"etcd is not installed: run .ci/kube-apiserver {CACHE}"
        self.port = free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.ca_pem = authority.ca_file.read_text()
        self.clients = Clients()
        self._signing = rsa.generate_private_key(65537, 2048)
        authority.context("127.0.0.1")
        served = authority.folder / f"{abs(hash('127.0.0.1'))}.pem"
        (folder / "clients.pem").write_text(self.clients.pem)
        signing = folder / "signing.pem"
        signing.write_bytes(
            self._signing.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        store, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._processes = [
            self._start(folder / "etcd.log", etcd, f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={store}", f"--advertise-client-urls={store}",
                f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}"),
            self._start(folder / "server.log", program, f"--etcd-servers={store}",
                f"--secure-port={self.port}", "--bind-address=127.0.0.1",
                f"--tls-cert-file={served}", f"--tls-private-key-file={served}",
                f"--client-ca-file={folder / 'clients.pem'}", f"--cert-dir={folder}",
                f"--service-account-issuer={ISSUER}", f"--service-account-key-file={signing}",
                f"--service-account-signing-key-file={signing}",
                "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount"),
        ]  # fmt: skip
        certificate, key = self.clients.issue("boss", group="system:masters")
        pair = folder / "boss.pem"
        pair.write_text(certificate + key)
        self._tls = ssl.create_default_context(cadata=self.ca_pem)
        self._tls.load_cert_chain(pair)
        self._wait(folder / "server.log")

    def _start(self, log: Path, *words: object) -> subprocess.Popen[bytes]:
        with log.open("wb") as out:
            return subprocess.Popen([str(word) for word in words], stdout=out, stderr=out)

    def _wait(self, log: Path) -> None:
        end = time.monotonic() + 90
        while True:
            try:
                status, _ = self.call("GET", "/readyz")
                # The roles that every cluster has are written after it is up.
                path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:basic-user"
                if status == 200 and self.call("GET", path)[0] == 200:
                    return
            except OSError:
                pass
            assert self._processes[1].poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.3)

    def close(self) -> None:
        """End both."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask as the administrator."""
        request = urllib.request.Request(
            f"{self.address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=10) as reply:
                text = reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")
        try:
            return reply.status, json.loads(text)
        except ValueError:
            return reply.status, text.decode(errors="replace")

    def ok(self, method: str, path: str, body: object = None) -> Any:
        """Ask, and insist."""
        status, answer = self.call(method, path, body)
        assert 200 <= status < 300, (path, answer)
        return answer

    def account(self, name: str, namespace: str = "app") -> None:
        """Make a service account."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.ok("POST", path, {"metadata": {"name": name}})

    def token(self, name: str, *, audience: str | None = None) -> str:
        """Have a token made for a service account of `app`."""
        spec: dict[str, object] = {"expirationSeconds": 3600}
        if audience is not None:
            spec["audiences"] = [audience]
        path = f"/api/v1/namespaces/app/serviceaccounts/{name}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self.ok("POST", path, body)["status"]["token"])

    def again(self, token: str, **claims: object) -> str:
        """The same token with other claims, signed by the cluster's own key."""
        head, body, _ = token.split(".")
        known = json.loads(base64.urlsafe_b64decode(body + "=="))
        body = coded(json.dumps({**known, **claims}, separators=(",", ":")).encode())
        signed = self._signing.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{head}.{body}.{coded(signed)}"
