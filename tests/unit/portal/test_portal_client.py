"""One delivery: every row of the classification table, over real connections."""

from __future__ import annotations

import json
import logging
import socket
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from portal.client import PortalClient
from portal.sandbox import RunningSandbox, SandboxOptions
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DeliveryUnknownError,
    DestinationPausedError,
)
from records.submission import ResultStatus, Submission

Clients = Callable[..., PortalClient]
Submissions = Callable[..., Submission]


def shown(submission: Submission, **other: object) -> dict[str, object]:
    assert submission.payload is not None
    return {"id": "r1", "version": "1", "patientId": submission.patient_id} | json.loads(submission.payload) | other


def faults(sandbox: RunningSandbox, *next_faults: str, **settings: object) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"next": next_faults, **settings}).raise_for_status()


def test_a_value_arrives_with_its_key_and_token(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(201, {"id": "r1", "version": "7"})
    receipt = client_of(scripted.url, read_back=False).deliver(submission())
    method, path, headers, body = scripted.requests[0]
    assert (method, path) == ("POST", "/v1/patients/P100/outcome-measures")
    assert headers["idempotency-key"] == "key-1-1"
    assert headers["authorization"] == "Bearer secret-token-of-the-test"
    assert body == submission().payload
    assert (receipt.remote_id, receipt.version, receipt.http_status, receipt.found) == ("r1", "7", 201, False)


def test_a_patient_id_is_one_piece_of_the_address(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(201, {"id": "r1"})
    client_of(scripted.url, read_back=False).deliver(submission(patient_id="a/../b?c#d e"))
    assert scripted.requests[0][1] == "/v1/patients/a%2F..%2Fb%3Fc%23d%20e/outcome-measures"


@pytest.mark.parametrize("patient_id", ["", ".", "..", "a\nb"])
def test_a_patient_id_that_leads_elsewhere_is_held(
    scripted, client_of: Clients, submission: Submissions, patient_id: str
) -> None:
    with pytest.raises(DeliveryHeldError):
        client_of(scripted.url).deliver(submission(patient_id=patient_id))
    assert scripted.requests == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, DeliveryDeferredError),
        (425, DeliveryDeferredError),
        (429, DeliveryDeferredError),
        (500, DeliveryDeferredError),
        (502, DeliveryDeferredError),
        (503, DeliveryDeferredError),
        (504, DeliveryDeferredError),
        (401, DestinationPausedError),
        (403, DeliveryHeldError),
        (404, DeliveryHeldError),
        (400, DeliveryRefusedError),
        (412, DeliveryRefusedError),
        (413, DeliveryRefusedError),
        (422, DeliveryRefusedError),
        (302, DeliveryRefusedError),
        (307, DeliveryRefusedError),
        (202, DeliveryUnknownError),
        (204, DeliveryUnknownError),
    ],
)
def test_each_status_has_its_class(
    scripted, client_of: Clients, submission: Submissions, status: int, kind: type[DeliveryError]
) -> None:
    for _ in range(3):
        scripted.will_answer(status, {"id": "r1"} if status != 204 else None, Location="http://127.0.0.1:1/")
    with pytest.raises(kind) as caught:
        client_of(scripted.url).deliver(submission())
    assert type(caught.value) is kind
    # After a gateway's answer the portal may have the value: nothing is written again before a look.
    at_once = kind is DeliveryDeferredError and status not in (500, 502, 504)
    assert len(scripted.requests) == (3 if at_once else 1)
    assert {request[2].get("idempotency-key") for request in scripted.requests} == {"key-1-1"}


def test_a_portal_that_does_not_listen_defers(client_of: Clients, submission: Submissions) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryDeferredError) as caught:
            client_of(f"http://127.0.0.1:{taken.getsockname()[1]}").deliver(submission())
    assert caught.value.code == "not-reached"


def test_a_cut_connection_is_unknown_and_not_sent_again(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_cut()
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission())
    assert len(scripted.requests) == 1


def test_an_answer_that_does_not_come_in_time_is_unknown(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    faults(sandbox, "slow", slow_seconds=1.0)
    with pytest.raises(DeliveryUnknownError):
        client_of(sandbox.url, read_seconds=0.1).deliver(submission())


@pytest.mark.parametrize(
    "body", [b"<html>ok</html>", b"", b"[]", b"{}", b'{"id": null}', b'{"id": ""}', b'{"id": true}']
)
def test_a_success_that_names_no_id_is_unknown(
    scripted, client_of: Clients, submission: Submissions, body: bytes
) -> None:
    scripted.will_answer(201, body)
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission())


@pytest.mark.parametrize(
    "lie", [{"externalId": "EXT2"}, {"patientId": "P101"}, {"score": 15}, {"score": None}, {"status": "corrected"},
            {"items": [{"linkId": "1", "value": 3}, {"linkId": "2", "value": 0}]}, {"items": []}]
)  # fmt: skip
def test_a_success_that_shows_something_else_is_refused(
    scripted, client_of: Clients, submission: Submissions, lie: dict[str, object]
) -> None:
    scripted.will_answer(201, shown(submission(), **lie))
    with pytest.raises(DeliveryRefusedError) as caught:
        client_of(scripted.url).deliver(submission())
    assert caught.value.code == "portal-differs"


def test_a_portal_may_choose_its_own_types(scripted, client_of: Clients, submission: Submissions) -> None:
    its_own = shown(submission(), score="14", administeredOn="2026-03-02T00:00:00Z", extra={"unit": "{score}"}, id=17)
    scripted.will_answer(201, its_own)
    scripted.will_answer(200, {"items": [its_own]})
    assert client_of(scripted.url).deliver(submission()).remote_id == "17"


def test_after_a_success_the_portal_is_looked_at(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(201, {"id": "r1"})
    scripted.will_answer(200, [shown(submission(), score=41)])
    with pytest.raises(DeliveryRefusedError) as caught:
        client_of(scripted.url).deliver(submission())
    assert caught.value.code == "portal-differs"
    assert scripted.requests[1][:2] == ("GET", "/v1/patients/P100/outcome-measures?externalId=EXT1")


def test_a_success_that_is_not_shown_afterwards_is_unknown(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    scripted.will_answer(201, {"id": "r1"})
    scripted.will_answer(200, [])
    with pytest.raises(DeliveryUnknownError) as caught:
        client_of(scripted.url).deliver(submission())
    assert caught.value.code == "not-shown"


def test_a_short_refusal_for_now_is_sat_out(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    faults(sandbox, "unavailable", "too_many", retry_after=0.1)
    assert client_of(sandbox.url).deliver(submission()).remote_id == "om-1"


def test_a_long_wait_goes_back_to_the_outbox(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(429, None, Retry_After="120")
    with pytest.raises(DeliveryDeferredError) as caught:
        client_of(scripted.url).deliver(submission())
    assert caught.value.retry_after == 120
    assert len(scripted.requests) == 1


def test_a_wait_may_be_a_date_and_is_an_hour_at_most(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(503, None, Retry_After=format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True))
    with pytest.raises(DeliveryDeferredError) as caught:
        client_of(scripted.url).deliver(submission())
    assert caught.value.retry_after == 3600


def test_a_lost_answer_is_found_and_not_sent_again(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    client = client_of(sandbox.url)
    faults(sandbox, "commit_then_cut")
    with pytest.raises(DeliveryUnknownError):
        client.deliver(submission())
    receipt = client.deliver(submission(was_unknown=True, attempts=2))
    assert (receipt.remote_id, receipt.found) == ("om-1", True)
    assert sandbox.values.writes == 1


def test_what_was_lost_on_the_way_there_is_sent_with_the_same_key(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    client = client_of(sandbox.url)
    faults(sandbox, "cut_before_commit")
    with pytest.raises(DeliveryUnknownError):
        client.deliver(submission())
    assert not client.deliver(submission(was_unknown=True, attempts=2)).found
    assert [measure.externalId for measure in sandbox.values.all()] == ["EXT1"]


def test_a_request_that_arrives_late_after_all_is_not_doubled(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    client = client_of(sandbox.url, read_seconds=0.2)
    faults(sandbox, "hang", hang_seconds=0.8)
    with pytest.raises(DeliveryUnknownError):
        client.deliver(submission())
    with pytest.raises(DeliveryDeferredError) as caught:
        client.deliver(submission(was_unknown=True, attempts=2))
    assert caught.value.code == "http-409"
    while not sandbox.values.all():
        pass
    assert client.deliver(submission(attempts=3)).found
    assert len(sandbox.values.all()) == 1


def test_other_values_under_our_id_are_for_a_person(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(200, [shown(submission(), score=3)])
    with pytest.raises(DeliveryRefusedError):
        client_of(scripted.url).deliver(submission(was_unknown=True, attempts=2))
    assert [request[0] for request in scripted.requests] == ["GET"]


def test_our_id_shown_twice_is_for_a_person(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(200, {"results": [shown(submission()), shown(submission(), id="r2")]})
    with pytest.raises(DeliveryRefusedError) as caught:
        client_of(scripted.url).deliver(submission(was_unknown=True, attempts=2))
    assert caught.value.code == "portal-has-several"


def test_a_server_that_ignores_the_filter_is_no_match(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(200, [shown(submission(number=2)), shown(submission(number=3))])
    scripted.will_answer(201, {"id": "r9"})
    receipt = client_of(scripted.url, read_back=False).deliver(submission(was_unknown=True, attempts=2))
    assert (receipt.remote_id, receipt.found) == ("r9", False)


@pytest.mark.parametrize("status", [302, 400, 403, 405, 429, 500, 503])
def test_what_cannot_be_looked_up_stays_unknown(
    scripted, client_of: Clients, submission: Submissions, status: int
) -> None:
    for _ in range(3):
        scripted.will_answer(status)
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission(was_unknown=True, attempts=2))
    assert {request[0] for request in scripted.requests} == {"GET"}


@pytest.mark.parametrize("body", [b"no json", b'"text"', b"{}", b'{"items": 3}', b'[{"id": "r1"}]'])
def test_a_search_without_our_ids_settles_nothing(
    scripted, client_of: Clients, submission: Submissions, body: bytes
) -> None:
    scripted.will_answer(200, body)
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission(was_unknown=True, attempts=2))


def test_a_correction_replaces_the_result(sandbox: RunningSandbox, client_of: Clients, submission: Submissions) -> None:
    client = client_of(sandbox.url)
    first = client.deliver(submission())
    corrected = submission(score=15, status=ResultStatus.CORRECTED, revision=2, remote_id=first.remote_id)
    receipt = client.deliver(corrected)
    assert (receipt.remote_id, receipt.version) == (first.remote_id, "2")
    (measure,) = sandbox.values.all()
    assert (measure.score, measure.status) == (15, "corrected")


def test_a_correction_whose_answer_was_lost_is_sent_again_over_the_old_value(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    client = client_of(sandbox.url)
    first = client.deliver(submission())
    corrected = {"score": 15, "status": ResultStatus.CORRECTED, "revision": 2, "remote_id": first.remote_id}
    faults(sandbox, "cut_before_commit")
    with pytest.raises(DeliveryUnknownError):
        client.deliver(submission(**corrected))
    assert not client.deliver(submission(**corrected, was_unknown=True, attempts=2)).found
    faults(sandbox, "commit_then_cut")
    again = corrected | {"score": 16, "revision": 3}
    with pytest.raises(DeliveryUnknownError):
        client.deliver(submission(**again))
    assert client.deliver(submission(**again, was_unknown=True, attempts=2)).found
    (measure,) = sandbox.values.all()
    assert (measure.score, measure.version) == (16, "3")


def test_a_correction_of_what_never_arrived_creates_it(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    receipt = client_of(sandbox.url).deliver(submission(status=ResultStatus.CORRECTED, revision=2))
    assert receipt.remote_id == "om-1"


def test_a_withdrawal_is_shown_and_one_of_nothing_is_settled(
    sandbox: RunningSandbox, client_of: Clients, submission: Submissions
) -> None:
    client = client_of(sandbox.url)
    nothing = client.deliver(submission(status=ResultStatus.ENTERED_IN_ERROR, revision=2))
    assert nothing.remote_id == ""
    first = client.deliver(submission())
    withdrawn = submission(status=ResultStatus.ENTERED_IN_ERROR, revision=3)
    assert client.deliver(withdrawn).remote_id == first.remote_id
    (measure,) = sandbox.values.all()
    assert measure.status == "entered-in-error"


def test_a_patient_the_portal_does_not_know_is_held(
    start_sandbox: Callable[..., RunningSandbox], client_of: Clients, submission: Submissions
) -> None:
    sandbox = start_sandbox(SandboxOptions(patients=frozenset({"P999"})))
    with pytest.raises(DeliveryHeldError) as caught:
        client_of(sandbox.url).deliver(submission())
    assert caught.value.code == "http-404"


def test_neither_logs_nor_errors_tell_of_a_patient(
    scripted, client_of: Clients, submission: Submissions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client, told_of = client_of(scripted.url), submission(patient_id="SECRETPATIENT")
    scripted.will_answer(201, {"id": "r1"})
    scripted.will_answer(200, [shown(told_of, score=1)])
    for _ in range(4):
        try:
            client.deliver(told_of)
        except DeliveryError as error:
            told = "".join(traceback.format_exception(error)) + repr(error)
            assert "SECRETPATIENT" not in told
            assert "EXT1" not in told
        scripted.will_cut()
    assert "SECRETPATIENT" not in caplog.text
    assert "secret-token" not in caplog.text
