"""
The providers' own libraries, asked against our fakes: what these accept is what they say.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import google.auth.exceptions
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from tests.verify.cloud import test_azure as azure
from tests.verify.cloud import test_google as google_
from tests.verify.cloud.fake_azure import App, FakeEntra
from tests.verify.cloud.fake_google import Account, FakeGoogle
from tests.verify.provider import Asked, Authority, Provider, Say

pytestmark = pytest.mark.servers


@pytest.fixture
def session(authority: Authority) -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.verify = str(authority.ca_file)
    return made


def _as(fake: object, host: str) -> object:
    def behave(asked: Asked) -> Say:
        return fake(dataclasses.replace(asked, host=host))  # type: ignore[operator,no-any-return]

    return behave


def account(provider: Provider, private: str) -> service_account.Credentials:
    return service_account.Credentials.from_service_account_info(
        {
            "client_email": google_.EMAIL,
            "private_key": private,
            "private_key_id": google_.KEY_ID,
            "token_uri": f"https://localhost:{provider.port}/token",
        },
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )


def test_googles_library_gets_a_token_with_a_live_key_alone(
    provider: Provider, session: requests.Session
) -> None:
    fake = FakeGoogle({google_.EMAIL: Account({google_.KEY_ID: google_.CERTIFICATE})})
    provider.behave = _as(fake, "oauth2.googleapis.com")  # type: ignore[assignment]
    live = account(provider, google_.PRIVATE)

    live.refresh(Request(session))

    assert live.token in fake.tokens
    fake.accounts[google_.EMAIL].certificates = {}
    with pytest.raises(google.auth.exceptions.RefreshError, match="Invalid JWT Signature"):
        account(provider, google_.PRIVATE).refresh(Request(session))


def test_microsofts_library_gets_a_token_with_a_live_secret_alone(
    provider: Provider, authority: Authority, tmp_path: Path
) -> None:
    fake = FakeEntra({azure.CLIENT: App({azure.SECRET: azure.LATER}, azure.TENANT)})

    def behave(asked: Asked) -> Say:
        reply = fake(dataclasses.replace(asked, host="login.microsoftonline.com"))
        local = f"localhost:{provider.port}".encode()
        body = reply.body.replace(b"login.microsoftonline.com", local)
        return dataclasses.replace(reply, body=body)

    provider.behave = behave

    def credential(secret: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            azure.TENANT,
            azure.CLIENT,
            secret,
            authority=f"https://localhost:{provider.port}",
            disable_instance_discovery=True,
            connection_verify=str(authority.ca_file),
        )

    with credential(azure.SECRET) as live:
        token = live.get_token("https://graph.microsoft.com/.default").token
    assert fake.granted[token] == (azure.CLIENT, "graph.microsoft.com")
    with (
        credential("not-the-secret") as wrong,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        wrong.get_token("https://graph.microsoft.com/.default")
