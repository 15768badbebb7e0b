"""Credentials: tokens by reference and OAuth 2 client credentials, against a real token server."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from portal.access_settings import OAuth2Settings
from portal.client import PortalClient
from portal.sandbox import RunningSandbox, SandboxOptions
from portal.settings import DestinationSettings
from portal.token_server import SharedSecret, TokenServer
from records.errors import DeliveryDeferredError, DeliveryRefusedError, DestinationPausedError
from records.submission import Submission

Clients = Callable[..., PortalClient]
Submissions = Callable[..., Submission]
SECRET = "client-secret-of-the-test"


@pytest.fixture
def oauth(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    (tmp_path / "client-secret").write_text(f"{SECRET}\n")

    def settings(url: str, send_as: str = "post") -> dict[str, str]:
        return {
            "token_url": f"{url}/oauth/token",
            "client_id": "scorebridge",
            "client_secret": f"file:{tmp_path / 'client-secret'}",
            "send_as": send_as,
        }

    return settings


def test_a_renewed_token_file_is_taken_up_after_a_401(
    start_sandbox: Callable[..., RunningSandbox], client_of: Clients, submission: Submissions, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("first")
    client = client_of(start_sandbox(SandboxOptions(token="second")).url)
    with pytest.raises(DestinationPausedError):
        client.deliver(submission())
    (tmp_path / "token").write_text("second\n")
    assert client.deliver(submission()).remote_id == "om-1"


def test_a_token_from_the_server_is_kept_and_replaced_when_refused(
    start_sandbox: Callable[..., RunningSandbox], client_of: Clients, submission: Submissions, oauth
) -> None:
    sandbox = start_sandbox(SandboxOptions(client_secret=SECRET))
    client = client_of(sandbox.url, oauth2=oauth(sandbox.url))
    client.deliver(submission())
    httpx.post(f"{sandbox.url}/oauth/token", data={"client_secret": SECRET}).raise_for_status()  # ends our token
    client.deliver(submission(number=2))
    assert len(sandbox.values.all()) == 2


def test_a_second_401_pauses(
    start_sandbox: Callable[..., RunningSandbox], client_of: Clients, submission: Submissions, oauth
) -> None:
    sandbox = start_sandbox(SandboxOptions(client_secret=SECRET))
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"unauthorized": 1}).raise_for_status()
    with pytest.raises(DestinationPausedError):
        client_of(sandbox.url, oauth2=oauth(sandbox.url)).deliver(submission())
    assert sandbox.values.all() == []


def test_credentials_that_the_token_server_refuses_pause(
    start_sandbox: Callable[..., RunningSandbox], client_of: Clients, submission: Submissions, oauth
) -> None:
    sandbox = start_sandbox(SandboxOptions(client_secret="another"))
    with pytest.raises(DestinationPausedError) as caught:
        client_of(sandbox.url, oauth2=oauth(sandbox.url)).deliver(submission())
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("answer", [(503, b""), (200, b"no json"), (200, b"{}"), None])
def test_a_token_server_that_fails_only_defers(
    scripted, client_of: Clients, submission: Submissions, oauth, answer
) -> None:
    if answer is None:
        scripted.will_cut()
    else:
        scripted.will_answer(*answer)
    with pytest.raises(DeliveryDeferredError):
        client_of(scripted.url, oauth2=oauth(scripted.url)).deliver(submission())
    assert [request[1] for request in scripted.requests] == ["/oauth/token"]


def test_a_token_is_renewed_thirty_seconds_before_its_end(scripted, oauth) -> None:
    moment = [1000.0]
    source = TokenServer(
        SharedSecret(OAuth2Settings.model_validate(oauth(scripted.url, "basic"))), monotonic=lambda: moment[0]
    )
    for token in ("one", "two"):
        scripted.will_answer(200, {"access_token": token, "expires_in": 100})
    assert source.token().get_secret_value() == "one"
    moment[0] += 69
    assert source.token().get_secret_value() == "one"
    moment[0] += 2
    assert source.token().get_secret_value() == "two"
    assert scripted.requests[0][2]["authorization"].startswith("Basic ")
    assert SECRET.encode() not in scripted.requests[0][3]


def test_an_old_refused_token_does_not_cost_the_new_one(scripted, oauth) -> None:
    source = TokenServer(SharedSecret(OAuth2Settings.model_validate(oauth(scripted.url))))
    for token in ("one", "two"):
        scripted.will_answer(200, {"access_token": token, "expires_in": 100})
    old = source.token()
    assert source.token(refused=old).get_secret_value() == "two"
    assert source.token(refused=old).get_secret_value() == "two"
    assert len(scripted.requests) == 2


def test_an_api_key_stands_bare_in_the_header_that_the_settings_name(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    scripted.will_answer(422)
    with pytest.raises(DeliveryRefusedError):
        client_of(scripted.url, token_header="X-Api-Key").deliver(submission())
    assert scripted.requests[0][2]["x-api-key"] == "secret-token-of-the-test"
    assert "authorization" not in scripted.requests[0][2]


def test_a_user_and_password_are_sent_as_basic_and_read_anew_after_a_401(
    scripted, client_of: Clients, submission: Submissions, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("of:old")
    client = client_of(scripted.url, basic={"user": "sb", "password": f"file:{tmp_path / 'password'}"})
    for status in (401, 401, 422):
        scripted.will_answer(status)
    with pytest.raises(DestinationPausedError):
        client.deliver(submission())
    (tmp_path / "password").write_text("né")
    with pytest.raises(DeliveryRefusedError):
        client.deliver(submission())
    sent = [base64.b64decode(request[2]["authorization"].removeprefix("Basic ")) for request in scripted.requests]
    assert sent == [b"sb:of:old", b"sb:of:old", "sb:né".encode()]


@pytest.mark.parametrize(
    "wrong",
    [{"token_header": "X-Api-Key", "token": None}, {"token_header": "Content-Type"}, {"token_header": "X Key"},
     {"basic": {"user": "a:b", "password": "env:A"}, "token": None}, {"basic": {"user": "a", "password": "env:A"}},
     {"smart": {"token_url": "https://t.org", "client_id": "a", "key": "env:A"}, "token": None}],
)  # fmt: skip
def test_ways_in_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    given = {"id": "portal", "file": "generic-json.yaml", "base_url": "https://portal.example.org", "token": "env:T"}
    DestinationSettings.model_validate(given)
    with pytest.raises(ValidationError):
        DestinationSettings.model_validate(given | wrong)
