"""The GraphQL example against a made-up portal of its kind, which says its errors with status 200."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from parsers.instrument_library import load_instruments
from portal.client import PortalClient
from portal.destination import HttpDestination
from portal.destination_files import load_destination
from portal.synthetic_record import synthetic_submission
from portal.trial import payload_of
from records.errors import DeliveryHeldError, DeliveryRefusedError, DeliveryUnknownError
from records.submission import ResultStatus, Submission

PHQ9 = load_instruments()["phq-9"]
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


@dataclass
class GraphqlPortal:
    """Keeps form answer groups; `lose` answers next are not given, `deny` is an error said with status 200."""

    groups: dict[str, dict[str, object]] = field(default_factory=dict)
    lose: int = 0
    deny: dict[str, object] | None = None
    hide_deleted: bool = True

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        assert request.headers["AuthorizationSource"] == "API"
        if self.deny is not None:
            return httpx.Response(200, json=self.deny)
        if asked["query"].startswith("query"):
            return httpx.Response(
                200, json={"data": {"formAnswerGroup": self._found(asked["variables"]["external_id"])}}
            )
        name = asked["query"].partition("{ ")[2].partition("(")[0]
        shown = self._written(name, asked["variables"]["input"])
        if self.lose:
            self.lose -= 1
            raise httpx.ReadError("cut")
        return httpx.Response(200, json={"data": {name: {"form_answer_group": shown, "messages": None}}})

    def _found(self, external_id: str) -> dict[str, object] | None:
        ours = [group for group in self.groups.values() if group["external_id"] == external_id]
        return next((g for g in ours if not (self.hide_deleted and g.get("deleted_at"))), None)

    def _written(self, name: str, given: dict[str, object]) -> dict[str, object]:
        number = str(given.get("id") or len(self.groups) + 1)
        if name.startswith("delete"):
            self.groups[number]["deleted_at"] = "2026-03-02T06:00:00Z"
            return {"id": number}
        group = self.groups.setdefault(number, {"id": number, "user_id": given.get("user_id")})
        group |= {key: given[key] for key in ("external_id", "metadata", "form_answers")}
        return group


@pytest.fixture
def portal() -> GraphqlPortal:
    return GraphqlPortal()


@pytest.fixture
def destination() -> HttpDestination:
    described = load_destination("healthie-graphql.yaml", folder=Path("/nowhere"))
    assert isinstance(described, HttpDestination)
    return described


@pytest.fixture
def client(portal: GraphqlPortal, destination: HttpDestination) -> PortalClient:
    http = httpx.Client(transport=httpx.MockTransport(portal.answer))
    return PortalClient(destination=destination, base_url="https://p.org", http=http, clock=lambda: NOW)


@pytest.fixture
def message(destination: HttpDestination) -> Callable[..., Submission]:
    def make(status: ResultStatus = ResultStatus.FINAL, remote_id: str | None = None, revision: int = 1) -> Submission:
        told = synthetic_submission(
            external_id="EXT1", patient_id="61", status=status, revision=revision, remote_id=remote_id, now=NOW
        )
        return replace(told, payload=payload_of(told, PHQ9, destination=destination, now=NOW))

    return make


def test_a_result_is_stored_corrected_and_taken_back(client: PortalClient, portal: GraphqlPortal, message) -> None:
    first = client.deliver(message())
    assert (first.remote_id, portal.groups["1"]["external_id"]) == ("1", "EXT1")
    client.deliver(message(ResultStatus.CORRECTED, first.remote_id, 2))
    assert json.loads(str(portal.groups["1"]["metadata"]))["status"] == "corrected"
    client.deliver(message(ResultStatus.ENTERED_IN_ERROR, first.remote_id, 3))
    assert portal.groups["1"]["deleted_at"]
    assert len(portal.groups) == 1


def test_a_deleted_result_that_is_still_shown_is_taken_back(
    client: PortalClient, portal: GraphqlPortal, message
) -> None:
    portal.hide_deleted = False
    client.deliver(message())
    assert client.deliver(message(ResultStatus.ENTERED_IN_ERROR, "1", 2)).remote_id == "1"
    again = replace(message(ResultStatus.ENTERED_IN_ERROR, "1", 2), attempts=2, was_unknown=True)
    assert client.deliver(again).found


def test_a_lost_answer_is_found_by_our_id_and_not_sent_again(
    client: PortalClient, portal: GraphqlPortal, message
) -> None:
    portal.lose = 1
    with pytest.raises(DeliveryUnknownError):
        client.deliver(message())
    assert client.deliver(replace(message(), attempts=2, was_unknown=True)).found
    assert len(portal.groups) == 1


def test_errors_and_messages_under_status_200_are_refusals(
    client: PortalClient, portal: GraphqlPortal, message
) -> None:
    refused = {"messages": [{"field": "user_id", "message": "Jane Doe is no patient"}], "form_answer_group": None}
    for said, code in (
        ({"errors": [{"message": "x", "extensions": {"code": "NOT_FOUND"}}]}, "portal-errors-NOT_FOUND"),
        ({"data": {"createFormAnswerGroup": refused}}, "portal-errors"),
    ):
        portal.deny = said
        with pytest.raises(DeliveryRefusedError) as caught:
            client.deliver(message())
        assert caught.value.code == code
        assert "Jane" not in str(caught.value)


def test_a_correction_of_what_was_never_known_to_be_there_waits_for_a_person(
    client: PortalClient, portal: GraphqlPortal, message
) -> None:
    client.deliver(message())
    with pytest.raises(DeliveryHeldError) as caught:
        client.deliver(message(ResultStatus.CORRECTED, None, 2))
    assert caught.value.code == "other-request"
    assert json.loads(str(portal.groups["1"]["metadata"]))["status"] == "final"
