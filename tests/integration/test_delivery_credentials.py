"""Credentials in the delivery worker: what a refused one costs, and that none is ever shown."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from delivery_cases import MORNING, assessment, confirm, delivery_worker, destination, new_store, reasons, states

from portal.connections import configure
from portal.sandbox import SandboxOptions, running_sandbox
from portal.settings import DestinationSettings
from portal.signing_keys import new_private_key
from records.errors import SettingsError
from records.submission import DeliveryState
from store import notices, outbox
from store.database import Database
from tests.portals.certificates import new_authority
from tests.portals.tls_portal import tls_portal

CANARY = "canary-7f3a9c51"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


def test_a_missing_client_certificate_opens_the_breaker_and_costs_no_record(database: Database, tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(12)])
    with tls_portal(authority.server(), clients=authority.file) as (url, values):
        without = delivery_worker(
            database, destination(tmp_path, url, ca_file=str(authority.file)), first_pause=timedelta(minutes=1)
        )
        tried = without.step(MORNING)
        assert 5 <= tried <= 8
        assert without.step(MORNING + timedelta(seconds=1)) == 0
        assert values.all() == []
        given = {"ca_file": str(authority.file), "client_certificate": str(authority.client("scorebridge"))}
        delivery_worker(database, destination(tmp_path, url, **given)).step(MORNING + timedelta(hours=1))
        assert states(database) == {DeliveryState.DELIVERED: 12}
        assert len(values.all()) == 12


def test_a_key_that_the_portal_stopped_to_accept_pauses_once_and_every_record_waits(
    database: Database, tmp_path: Path
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(5)])
    (tmp_path / "key.pem").write_bytes(new_private_key("ES384"))
    with running_sandbox(SandboxOptions(client_secret="another")) as sandbox:
        smart = {"token_url": f"{sandbox.url}/oauth/token", "client_id": "a", "scope": "system/*.c"}
        worker = delivery_worker(
            database, destination(tmp_path, sandbox.url, token=None, smart=smart | {"key": f"file:{tmp_path}/key.pem"})
        )
        worker.step(MORNING)
        worker.step(MORNING + timedelta(hours=1))
    with database.reading() as session:
        assert outbox.paused(session) == {"portal": "token-refused"}
        assert [notice.kind for notice in notices.unsent(session)] == ["destination-paused"]
    assert states(database) == {DeliveryState.PENDING: 5}


def _token(folder: Path, url: str) -> dict[str, object]:
    return {"token": f"file:{folder}/secret"}


def _api_key(folder: Path, url: str) -> dict[str, object]:
    return {"token": f"file:{folder}/secret", "token_header": "X-Api-Key"}


def _basic(folder: Path, url: str) -> dict[str, object]:
    return {"token": None, "basic": {"user": "scorebridge", "password": f"file:{folder}/secret"}}


def _post(folder: Path, url: str) -> dict[str, object]:
    return {"token": None, "oauth2": _client(folder, url) | {"send_as": "post"}}


def _header(folder: Path, url: str) -> dict[str, object]:
    return {"token": None, "oauth2": _client(folder, url)}


def _client(folder: Path, url: str) -> dict[str, str]:
    return {"token_url": f"{url}/oauth/token", "client_id": "a", "client_secret": f"file:{folder}/secret"}


def _smart(folder: Path, url: str) -> dict[str, object]:
    (folder / "secret").write_bytes(new_private_key("ES384"))
    smart = {"token_url": f"{url}/oauth/token", "client_id": "a", "key": f"file:{folder}/secret", "scope": "system/*.c"}
    return {"token": None, "smart": smart}


@pytest.mark.parametrize("kind", [_token, _api_key, _basic, _post, _header, _smart], ids=lambda kind: kind.__name__)
def test_no_secret_is_in_a_log_a_notice_the_outbox_or_on_the_terminal(
    database: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: Callable[[Path, str], dict[str, object]],
) -> None:
    (tmp_path / "secret").write_text(CANARY)
    confirm(database, [("P1", assessment("P1"))], destinations=["refusing", "dead", "failing"])
    caplog.set_level(logging.DEBUG)
    terminal = io.StringIO()
    with (
        running_sandbox(SandboxOptions(token="another", client_secret="another")) as sandbox,
        redirect_stdout(terminal),
        redirect_stderr(terminal),
        structlog.testing.capture_logs() as lines,
    ):
        urls = {"refusing": sandbox.url, "dead": "http://127.0.0.1:1", "failing": f"{sandbox.url}/nowhere"}
        ready = [destination(tmp_path, url, id=name, **kind(tmp_path, url)) for name, url in urls.items()]
        worker = delivery_worker(database, *ready)
        for minutes in (0, 10):
            worker.step(MORNING + timedelta(minutes=minutes))
    secrets = _forms_of((tmp_path / "secret").read_text())
    seen = [*map(repr, lines), caplog.text, terminal.getvalue(), repr(ready), *map(str, ready), *_stored(database)]
    assert len(lines) >= 3
    assert not [secret for secret in secrets if any(secret in text for text in seen)]


def _forms_of(secret: str) -> set[str]:
    """The secret and what it looks like on the wire."""
    lines = {line for line in secret.splitlines() if len(line) > 10 and "-----" not in line}
    pairs = (f"scorebridge:{secret}", f"a:{secret}")
    return lines | {base64.b64encode(pair.encode()).decode() for pair in pairs}


def _stored(database: Database) -> list[str]:
    with database.reading() as session:
        told = [repr(notice) for notice in notices.unsent(session)]
        entries = [repr(entry) for entry in outbox.list_submissions(session)]
    return [*told, *entries, *map(str, reasons(database))]


@pytest.mark.parametrize(
    "wrong",
    [{"token": CANARY}, {"token": f"plain:{CANARY}"}, {"basic": {"user": "a", "password": CANARY}},
     {"oauth2": {"token_url": "https://t.example.org", "client_id": "a", "client_secret": CANARY}},
     {"smart": {"token_url": "https://t.example.org", "client_id": "a", "key": CANARY, "scope": "s"}},
     {"token": "env:A", "token_header": f"X {CANARY}"}],
)  # fmt: skip
def test_a_secret_pasted_in_place_of_its_place_is_not_shown(wrong: dict[str, object], tmp_path: Path) -> None:
    given = {"id": "portal", "file": "generic-json.yaml", "base_url": "https://portal.example.org", "mode": "live"}
    with pytest.raises(ValueError) as caught:
        DestinationSettings.model_validate(given | wrong)
    assert CANARY not in f"{caught.value}{caught.value!r}"


def test_every_fault_of_a_way_in_is_listed_with_the_place_and_without_the_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(CANARY)
    smart = {"token_url": "https://t.example.org", "client_id": "a", "key": f"file:{tmp_path}/key", "scope": "s"}
    given = {
        "id": "portal", "file": "generic-json.yaml", "base_url": "https://portal.example.org", "mode": "live",
        "smart": smart, "ca_file": "nowhere.pem",
    }  # fmt: skip
    with pytest.raises(SettingsError) as caught:
        configure([DestinationSettings.model_validate(given)], folder=tmp_path)
    assert f"file:{tmp_path}/key" in caught.value.message
    assert "certificate" in caught.value.message
    assert CANARY not in str(caught.value)
