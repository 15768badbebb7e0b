"""From a confirmed record to the bytes that are sent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.instrument_library import load_instruments
from portal.destination_files import load_destination, read_destination
from portal.offered_record import Sender, record_fields
from portal.payloads import make_payload
from portal.record_shape import RECORD_FIELDS
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.errors import DeliveryHeldError
from records.patient import PatientIdentity
from records.submission import ResultStatus, Submission
from store.outbox import ConfirmedRecord

GENERIC = load_destination("generic-json.yaml", folder=Path("/nowhere"))
SENDER = Sender(deployment=UUID(int=1), version="1", instruments=load_instruments())
SUBMISSION = Submission(
    submission_id=1,
    record_id=1,
    destination="portal",
    patient_id="P1",
    sequence=1,
    external_id="EXT1",
    revision=1,
    status=ResultStatus.FINAL,
    payload=None,
    idempotency_key="key",
    attempts=1,
    remote_id=None,
    remote_version=None,
    was_unknown=False,
    created_at=datetime(2026, 3, 3, 6, 0, tzinfo=UTC),
)
POINTS = st.none() | st.integers(0, 3)


def confirmed(
    *,
    instrument: str = "phq-9",
    total: int | None = 4,
    result: str | None = None,
    points: list[int | None] | None = None,
) -> ConfirmedRecord:
    items = None
    if points is not None:
        items = tuple(
            ItemScore(
                link_id=str(number),
                state=ItemState.BLANK if value is None else ItemState.ANSWERED,
                points=value,
                source=None,
            )
            for number, value in enumerate(points, start=1)
        )
    printed = SymptomAssessment(
        page=1,
        line=None,
        region=None,
        patient=PatientIdentity(name="DOE, JANE", family="DOE", given="JANE", mrn="M1", birth_date=date(1980, 1, 1)),
        instrument=instrument,
        instrument_printed="PHQ-9",
        authored_on=date(2026, 3, 2),
        authored_time=None,
        total=total,
        total_printed="4",
        result=result,
        items=items,
        severity="minimal",
        critical=None,
    )
    return ConfirmedRecord(
        record_id=1,
        report_id=1,
        site="WCP",
        assessment=printed,
        patient_id="P1",
        document_sha256="0" * 64,
        earlier_documents=(),
        earlier_items=False,
        file_name="scores.pdf",
        template="t@1",
        confirmed_by="a",
        confirmed_at=datetime(2026, 3, 3, 6, 0, tzinfo=UTC),
    )


def payload(record: ConfirmedRecord, submission: Submission = SUBMISSION) -> dict[str, object]:
    content = json.loads(make_payload(submission, record, destination=GENERIC, sender=SENDER))
    assert isinstance(content, dict)
    return content


def test_the_body_is_the_one_the_portal_was_promised() -> None:
    assert make_payload(SUBMISSION, confirmed(points=[3, 1]), destination=GENERIC, sender=SENDER) == (
        b'{"externalId":"EXT1","instrument":"phq-9","loinc":"44261-6","score":4,"administeredOn":"2026-03-02",'
        b'"status":"final","items":[{"linkId":"1","value":3},{"linkId":"2","value":1}]}'
    )


def test_nothing_that_names_the_person_is_in_it() -> None:
    body = json.dumps(payload(confirmed(points=[1])))
    for word in ("DOE", "JANE", "M1", "1980"):
        assert word not in body


@given(st.lists(POINTS, max_size=20))
def test_blank_answers_keep_their_place_and_are_never_zero(points: list[int | None]) -> None:
    items = payload(confirmed(points=points))["items"]
    assert items == [{"linkId": str(number), "value": value} for number, value in enumerate(points, start=1)]


def test_a_print_of_the_total_alone_has_no_items() -> None:
    assert payload(confirmed())["items"] == []


def test_a_code_that_was_not_verified_is_null() -> None:
    assert payload(confirmed(instrument="madrs"))["loinc"] is None
    assert payload(confirmed(instrument="unheard-of"))["loinc"] is None


def test_a_score_of_zero_is_a_score() -> None:
    assert payload(confirmed(total=0))["score"] == 0


def test_a_missing_total_holds_the_record() -> None:
    with pytest.raises(DeliveryHeldError) as caught:
        payload(confirmed(total=None, result="high"))
    assert caught.value.code == "missing-total"


def test_a_destination_may_take_the_result_word() -> None:
    text = (Path(__file__).parents[3] / "portal/destinations/generic-json.yaml").read_text()
    text = text.replace('score: "=total"', 'score: "=score"').replace("score: {type: integer}", "score: {type: string}")
    words = read_destination(text, file_name="x.yaml")
    record = confirmed(total=None, result="high")
    assert b'"score":"high"' in make_payload(SUBMISSION, record, destination=words, sender=SENDER)


def test_a_record_given_to_another_patient_is_held_but_can_be_taken_back() -> None:
    moved = replace(confirmed(), patient_id="P2")
    with pytest.raises(DeliveryHeldError):
        payload(moved)
    withdrawal = replace(SUBMISSION, status=ResultStatus.ENTERED_IN_ERROR, remote_id="r1")
    assert payload(moved, withdrawal)["status"] == "entered-in-error"


def test_every_field_a_file_may_name_exists() -> None:
    assert record_fields(SUBMISSION, confirmed(), sender=SENDER).keys() == RECORD_FIELDS


@pytest.mark.parametrize("leaf", ["=@", "=record", "=keys(@)", "=[record, total][0]"])
def test_a_file_that_picks_the_whole_record_gets_all_of_it(leaf: str) -> None:
    file = (Path("portal/destinations/csv-drop.yaml")).read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(file) if line.startswith("columns:"))
    text = "\n".join([*file[:start], f"columns: {{All: '=length(to_string({leaf[1:]})) > `300`'}}"])
    whole = read_destination(text, file_name="whole.yaml")
    assert b"true" in make_payload(SUBMISSION, confirmed(), destination=whole, sender=SENDER)
