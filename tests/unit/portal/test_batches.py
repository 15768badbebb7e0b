"""Several new values in one request: each is delivered, or looked up, and never taken for delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from portal.client import PortalClient
from portal.destination import as_json
from portal.destination_files import read_destination
from portal.sandbox import RunningSandbox, SandboxOptions
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUnknownError,
    DestinationPausedError,
    SettingsError,
)
from records.submission import DeliveryReceipt, ResultStatus, Submission

Clients = Callable[..., PortalClient]
Submissions = Callable[..., Submission]


def several(submission: Submissions, count: int = 3) -> list[Submission]:
    return [submission(number=number, patient_id=f"P{number}") for number in range(1, count + 1)]


def result(submission: Submission, **other: object) -> dict[str, object]:
    assert submission.payload is not None
    shown = {"id": f"r{submission.submission_id}", "version": "1", "patientId": submission.patient_id}
    return {"status": 201, "measure": shown | json.loads(submission.payload) | other}


def kinds(outcomes: list[DeliveryReceipt | DeliveryError]) -> list[str]:
    return [o.code if isinstance(o, DeliveryError) else f"delivered {o.remote_id}" for o in outcomes]


def test_all_of_a_batch_arrive_in_one_request(sandbox: RunningSandbox, client_of: Clients, submission) -> None:
    client = client_of(sandbox.url, read_back=False)
    assert client.most_in_batch == 50
    outcomes = client.deliver_batch(several(submission))
    assert kinds(outcomes) == ["delivered om-1", "delivered om-2", "delivered om-3"]
    assert [(m.externalId, m.patientId) for m in sandbox.values.all()] == [
        ("EXT1", "P1"),
        ("EXT2", "P2"),
        ("EXT3", "P3"),
    ]


def test_a_batch_whose_answer_is_lost_is_found_one_by_one(
    sandbox: RunningSandbox, client_of: Clients, submission
) -> None:
    client = client_of(sandbox.url, read_back=False)
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"next": ["commit_then_cut"]}).raise_for_status()
    batch = several(submission)
    assert kinds(client.deliver_batch(batch)) == ["answer-lost"] * 3
    for value in batch:
        again = client.deliver(replace(value, attempts=2, was_unknown=True))
        assert again.found
    assert sandbox.values.writes == 3


def test_the_key_of_a_value_is_the_same_in_a_batch_and_alone(
    sandbox: RunningSandbox, client_of: Clients, submission
) -> None:
    client = client_of(sandbox.url, read_back=False)
    (value,) = several(submission, 1)
    assert value.payload is not None
    value = replace(value, payload=as_json(json.loads(value.payload)))
    client.deliver_batch([value])
    assert client.deliver(value).remote_id == "om-1"
    assert sandbox.values.writes == 1


def test_one_that_the_portal_does_not_take_is_looked_up_alone(
    start_sandbox: Callable[..., RunningSandbox], client_of: Clients, submission
) -> None:
    sandbox = start_sandbox(SandboxOptions(patients=frozenset({"P1", "P3"})))
    outcomes = client_of(sandbox.url, read_back=False).deliver_batch(several(submission))
    assert kinds(outcomes) == ["delivered om-1", "batch-entry", "delivered om-2"]
    assert isinstance(outcomes[1], DeliveryUnknownError)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, DeliveryDeferredError, "batch-refused"),
        (403, DeliveryDeferredError, "batch-refused"),
        (404, DeliveryDeferredError, "batch-refused"),
        (413, DeliveryDeferredError, "batch-refused"),
        (422, DeliveryDeferredError, "batch-refused"),
        (302, DeliveryDeferredError, "batch-refused"),
        (429, DeliveryDeferredError, "http-429"),
        (503, DeliveryDeferredError, "http-503"),
        (401, DestinationPausedError, "http-401"),
        (202, DeliveryUnknownError, "unclear"),
        (204, DeliveryUnknownError, "unclear"),
    ],
)
def test_the_answer_to_the_whole_is_the_answer_to_each(
    scripted, client_of: Clients, submission, status: int, kind: type[DeliveryError], code: str
) -> None:
    scripted.will_answer(status)
    outcomes = client_of(scripted.url).deliver_batch(several(submission))
    assert kinds(outcomes) == [code] * 3
    assert {type(outcome) for outcome in outcomes} == {kind}
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "body",
    [b"no json", {}, {"results": []}, {"results": [1, 2]}, {"results": {}}, [], {"results": [None, None, None]},
     {"results": [{"status": 201}] * 3}, {"results": [{"status": 200, "measure": {"id": "r1"}}] * 3}],
)  # fmt: skip
def test_an_answer_that_names_not_each_is_unknown_for_each(scripted, client_of: Clients, submission, body) -> None:
    scripted.will_answer(200, body)
    outcomes = client_of(scripted.url, read_back=False).deliver_batch(several(submission))
    assert {type(outcome) for outcome in outcomes} == {DeliveryUnknownError}


def test_results_in_another_order_are_not_taken_for_each_other(scripted, client_of: Clients, submission) -> None:
    batch = several(submission)
    scripted.will_answer(200, {"results": [result(batch[1]), result(batch[0]), result(batch[2])]})
    outcomes = client_of(scripted.url, read_back=False).deliver_batch(batch)
    assert kinds(outcomes) == ["portal-differs", "portal-differs", "delivered r3"]


def test_a_value_that_is_shown_otherwise_is_refused_alone(scripted, client_of: Clients, submission) -> None:
    batch = several(submission)
    scripted.will_answer(200, {"results": [result(batch[0], score=3), result(batch[1]), result(batch[2])]})
    outcomes = client_of(scripted.url, read_back=False).deliver_batch(batch)
    assert isinstance(outcomes[0], DeliveryRefusedError)
    assert kinds(outcomes)[1:] == ["delivered r2", "delivered r3"]


def test_each_of_a_batch_is_looked_at_where_that_is_set(scripted, client_of: Clients, submission) -> None:
    batch = several(submission, 2)
    scripted.will_answer(200, {"results": [result(value) for value in batch]})
    scripted.will_answer(200, [result(batch[0])["measure"]])
    scripted.will_answer(200, [])
    assert kinds(client_of(scripted.url).deliver_batch(batch)) == ["delivered r1", "not-shown"]


def test_only_first_attempts_of_new_values_go_together(client_of: Clients, submission) -> None:
    client = client_of("http://127.0.0.1:1")
    for other in ({"attempts": 2}, {"was_unknown": True}, {"remote_id": "r1"}, {"status": ResultStatus.CORRECTED}):
        with pytest.raises(ValueError, match="no batch"):
            client.deliver_batch([submission(), submission(**other)])
    with pytest.raises(ValueError, match="no batch"):
        client.deliver_batch([submission()] * 51)
    with pytest.raises(ValueError, match="no batch"):
        client.deliver_batch([])


def test_results_may_be_matched_by_our_id(scripted, client_of: Clients, submission, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "portal/destinations/generic-json.yaml").read_text()
    (tmp_path / "by-id.yaml").write_text(
        text.replace("  results: results\n", "  results: results\n  by: external_id\n")
    )
    batch = several(submission)
    doubled = [result(batch[2]), result(batch[0]), result(batch[2])]
    scripted.will_answer(200, {"results": doubled})
    outcomes = client_of(scripted.url, file="by-id.yaml", read_back=False).deliver_batch(batch)
    assert kinds(outcomes) == ["delivered r1", "batch-entry", "batch-entry"]


def test_headers_of_a_batch_may_name_variables_and_nothing_of_one_submission() -> None:
    text = (Path(__file__).parents[3] / "portal/destinations/generic-json.yaml").read_text()
    fine = text.replace("headers:\n", 'variables: {tenant: a}\nheaders:\n  X: "=variables.tenant"\n', 1)
    assert read_destination(fine, file_name="x.yaml")
    with pytest.raises(SettingsError, match=r"batch.headers.X: there is no field 'external_id'"):
        read_destination(text.replace("headers:\n", 'headers:\n  X: "=external_id"\n', 1), file_name="x.yaml")
