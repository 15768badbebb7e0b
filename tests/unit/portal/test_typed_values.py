"""What staff typed is read from a portal whole, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import JsonValue

from parsers.instrument_library import load_instruments
from portal.connections import configure
from portal.settings import DestinationSettings
from portal.typed_values import TypedAtPortal, read_typed_values
from records.errors import DeliveryError, SettingsError

VALUE: dict[str, JsonValue] = {
    "id": "r1", "externalId": "staff-1", "patientId": "P1", "instrument": "PHQ-9", "score": 14,
    "administeredOn": "2026-03-02", "status": "final",
    "items": [{"linkId": "1", "value": 2}, {"linkId": "2", "value": None}],
}  # fmt: skip


class Portal:
    """A portal that answers every look with `content`."""

    def __init__(self) -> None:
        self.content: JsonValue = []
        portal = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(portal.content).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def portal() -> Iterator[Portal]:
    made = Portal()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join(timeout=10)
    made.server.server_close()


def read(portal: Portal, folder: Path, *, file: str = "generic-json.yaml") -> TypedAtPortal:
    (folder / "token").write_text("secret-token-of-the-test")
    settings = DestinationSettings.model_validate(
        {"id": "portal", "file": file, "base_url": portal.url, "mode": "shadow", "token": f"file:{folder}/token"}
    )
    return read_typed_values(
        configure([settings], folder=folder)[0],
        ["P1"],
        ours=frozenset({"ours"}),
        first=date(2026, 3, 1),
        instruments=load_instruments(),
        clock=lambda: datetime(2026, 3, 16, tzinfo=UTC),
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_value_is_read_with_its_answers_wherever_the_list_stands(
    portal: Portal, tmp_path: Path, wrapped: bool
) -> None:
    portal.content = {"items": [VALUE], "total": 1, "next": None} if wrapped else [VALUE]
    found = read(portal, tmp_path)
    (entry,) = found.entries
    assert (entry.patient_id, entry.instrument, entry.total, entry.items) == ("P1", "phq-9", 14, (2, None))
    assert (entry.remote_id, found.ours, found.other) == ("r1", 0, 0)


def test_our_own_values_and_those_taken_back_are_left_out(portal: Portal, tmp_path: Path) -> None:
    portal.content = [VALUE | {"externalId": "ours"}, VALUE | {"status": "entered-in-error"}]
    found = read(portal, tmp_path)
    assert (found.entries, found.ours, found.other) == ((), 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        {"items": [VALUE], "total": 2},
        {"items": [VALUE], "next": "/v1/more"},
        [VALUE | {"patientId": "P2"}],
        [VALUE | {"score": None}],
        [VALUE | {"administeredOn": "soon"}],
        [VALUE | {"id": None}],
        [VALUE | {"items": [{"linkId": "1", "value": "two"}]}],
        {"message": "P1 has nothing"},
    ],
)
def test_half_a_list_or_a_crooked_value_is_no_list(portal: Portal, tmp_path: Path, content: JsonValue) -> None:
    portal.content = content
    with pytest.raises(DeliveryError) as refused:
        read(portal, tmp_path)
    assert "nothing was read" in str(refused.value)
    assert "P1" not in str(refused.value)


def test_a_portal_of_another_kind_is_compared_by_file(portal: Portal, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not known"):
        read(portal, tmp_path, file="fhir-r4.yaml")
