"""Portals that lie: nothing they say doubles a value, leaves it after a withdrawal, or passes other values off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from portal.client import PortalClient
from portal.mapping import same_value
from records.errors import DeliveryDeferredError, DeliveryRefusedError, DeliveryUnknownError
from records.submission import ResultStatus, Submission

Clients = Callable[..., PortalClient]
Submissions = Callable[..., Submission]
WITHDRAWN = ResultStatus.ENTERED_IN_ERROR
LOST = {"was_unknown": True, "attempts": 2}


def shown(submission: Submission, **other: object) -> dict[str, object]:
    assert submission.payload is not None
    return {"id": "r1", "version": "1", "patientId": submission.patient_id} | json.loads(submission.payload) | other


@pytest.mark.parametrize(
    ("sent", "there"),
    [
        ([0, 3], [3, 0]),
        ([{"linkId": "1", "value": 0}, {"linkId": "9", "value": 3}], [{"value": 3}, {"value": 0}]),
        ([{"linkId": "1", "value": 0}, {"linkId": "9", "value": 3}], [{"linkId": "9"}, {"linkId": "1", "value": 0}]),
    ],
)
def test_answers_that_do_not_say_whose_they_are_must_stand_in_their_places(sent: list[object], there: object) -> None:
    assert not same_value(sent, there)
    assert same_value(sent, sent)


def test_answers_that_name_their_questions_may_stand_in_any_order() -> None:
    sent = [{"linkId": "1", "value": 0}, {"linkId": "9", "value": 3}]
    assert same_value(sent, [{**sent[1], "more": 1}, sent[0]])


@pytest.mark.parametrize("more", [{"next": "/page/2"}, {"has_more": True}, {"links": {"next": "/page/2"}}])
@pytest.mark.parametrize("status", [ResultStatus.FINAL, WITHDRAWN])
def test_what_is_not_on_the_first_page_is_not_taken_for_absent(
    scripted, client_of: Clients, submission: Submissions, more: dict[str, object], status: ResultStatus
) -> None:
    scripted.will_answer(200, {"items": [shown(submission(number=2))], **more})
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission(status=status, **LOST))
    assert [request[0] for request in scripted.requests] == ["GET"]


def test_a_link_to_a_next_page_counts_like_one_in_the_answer(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    link = '</v1?page=1>; rel="prev", </v1?page=3>; rel="next"'
    scripted.will_answer(200, [shown(submission(number=2))], Link=link)
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission(**LOST))
    scripted.will_answer(200, [shown(submission())], Link=link)
    assert client_of(scripted.url).deliver(submission(**LOST)).found


def test_a_withdrawal_is_not_believed_where_the_look_shows_another_page(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    withdrawn = submission(status=WITHDRAWN, revision=2, remote_id="r1")
    scripted.will_answer(200, shown(withdrawn))
    scripted.will_answer(200, {"items": [shown(submission(number=2))], "next": "/page/2"})
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(withdrawn)


def test_a_page_of_a_gateway_is_no_word_of_the_portal(scripted, client_of: Clients, submission: Submissions) -> None:
    scripted.will_answer(404, b"<html>no such host</html>")
    with pytest.raises(DeliveryDeferredError):
        client_of(scripted.url).deliver(submission(status=WITHDRAWN, revision=2))


def test_an_answer_that_names_another_results_id_is_for_a_person(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    scripted.will_answer(201, {"id": "somebody-elses"})
    scripted.will_answer(200, [shown(submission())])
    with pytest.raises(DeliveryRefusedError) as refused:
        client_of(scripted.url).deliver(submission())
    assert refused.value.code == "portal-differs"


def test_an_error_page_with_an_id_and_a_success_status_is_not_believed(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    scripted.will_answer(200, {"id": "request-77", "error": "try again"})
    scripted.will_answer(200, [])
    with pytest.raises(DeliveryUnknownError):
        client_of(scripted.url).deliver(submission())


SUBJECT = "Patient/P100"


def observation(submission: Submission, *, subject: str = SUBJECT, status: str = "final", score: int = 14) -> object:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"versionId": "1"},
        "identifier": [{"system": "urn:uuid:d", "value": submission.external_id}],
        "status": status,
        "code": {"text": "PHQ-9"},
        "subject": {"reference": subject},
        "valueQuantity": {"value": score},
    }


def bundle(submission: Submission, *, status: str, answers: str) -> Submission:
    entries = [
        {"resource": observation(submission, status=status)},
        {"resource": {"resourceType": "QuestionnaireResponse", "status": answers}},
    ]
    payload = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    return replace(submission, payload=payload)


def searchset(*resources: object, **other: object) -> dict[str, object]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **other}


def stored(*resources: dict[str, object]) -> dict[str, object]:
    entries = [
        {"response": {"status": "200", "location": f"{one['resourceType']}/o1/_history/2"}, "resource": one}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}


@pytest.mark.parametrize(
    "answer",
    [
        searchset(OUTCOME),
        searchset(total=1),
        searchset(link=[{"relation": "next", "url": "http://127.0.0.1/page"}]),
    ],
)
def test_a_fhir_search_that_does_not_show_all_it_found_settles_nothing(
    scripted, client_of: Clients, submission: Submissions, answer: dict[str, object]
) -> None:
    client = client_of(scripted.url, file="fhir-r4.yaml")
    scripted.will_answer(200, answer)
    lost = bundle(submission(**LOST), status="final", answers="completed")
    with pytest.raises(DeliveryUnknownError):
        client.deliver(lost)
    scripted.will_answer(200, answer)
    taken_back = submission(status=WITHDRAWN, revision=2)
    with pytest.raises(DeliveryDeferredError):
        client.deliver(bundle(taken_back, status="entered-in-error", answers="entered-in-error"))
    assert [request[0] for request in scripted.requests] == ["GET", "GET"]


@pytest.mark.parametrize("status", [ResultStatus.CORRECTED, WITHDRAWN])
def test_a_result_that_was_moved_to_another_chart_is_not_written_over(
    scripted, client_of: Clients, submission: Submissions, status: ResultStatus
) -> None:
    changed = bundle(submission(status=status, revision=2, **LOST), status=status.value, answers="amended")
    scripted.will_answer(200, searchset(observation(changed, subject="Patient/somebody-else")))
    with pytest.raises(DeliveryRefusedError) as refused:
        client_of(scripted.url, file="fhir-r4.yaml").deliver(changed)
    assert refused.value.code == "portal-differs"
    assert [request[0] for request in scripted.requests] == ["GET"]


def test_a_withdrawal_that_leaves_the_answers_standing_is_for_a_person(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    taken_back = submission(status=WITHDRAWN, revision=2, remote_id="o1")
    taken_back = bundle(taken_back, status="entered-in-error", answers="entered-in-error")
    gone = observation(taken_back, status="entered-in-error")
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    scripted.will_answer(200, stored(gone, answers))
    scripted.will_answer(200, searchset(gone))
    with pytest.raises(DeliveryRefusedError):
        client_of(scripted.url, file="fhir-r4.yaml").deliver(taken_back)


def test_answers_of_an_earlier_attempt_beside_a_new_score_are_for_a_person(
    scripted, client_of: Clients, submission: Submissions
) -> None:
    new = submission()
    sent = bundle(new, status="final", answers="completed")
    body = json.loads(sent.payload or b"")
    body["entry"][1]["resource"]["item"] = [{"linkId": "/44260-8", "answer": [{"valueInteger": 3}]}]
    kept = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    kept_items = [{"linkId": "/44260-8", "answer": [{"valueInteger": 0}]}]
    scripted.will_answer(200, stored(observation(new), {**kept, "item": kept_items}))
    with pytest.raises(DeliveryRefusedError):
        client_of(scripted.url, file="fhir-r4.yaml").deliver(replace(sent, payload=json.dumps(body).encode()))
