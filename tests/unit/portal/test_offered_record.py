"""What a destination file may pick from, beyond what is printed: codes, ids, words of status."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from parsers.instrument_library import load_instruments
from portal.offered_record import Sender, record_fields
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.patient import PatientIdentity
from records.submission import ResultStatus, Submission
from store.outbox import ConfirmedRecord

SENDER = Sender(deployment=UUID(int=7), version="1.2.3", instruments=load_instruments())
SHA256 = hashlib.sha256(b"Hello World!").hexdigest()
SUBMISSION = Submission(
    submission_id=1,
    record_id=1,
    destination="portal",
    patient_id="P1",
    sequence=1,
    external_id="E" * 32,
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
PRINTED = SymptomAssessment(
    page=1,
    line=None,
    region=None,
    patient=PatientIdentity(name="DOE, JANE", family="DOE", given="JANE", mrn="M1", birth_date=date(1980, 1, 1)),
    instrument="phq-9",
    instrument_printed="PHQ-9",
    authored_on=date(2026, 3, 2),
    authored_time=None,
    total=4,
    total_printed="4",
    result=None,
    items=None,
    severity="minimal",
    critical=None,
)
CONFIRMED = ConfirmedRecord(
    record_id=1,
    report_id=1,
    site="WCP",
    assessment=PRINTED,
    patient_id="P1",
    document_sha256=SHA256,
    earlier_documents=(),
    earlier_items=False,
    file_name="scores.pdf",
    template="t@1",
    confirmed_by="service",
    confirmed_at=datetime(2026, 3, 3, 6, 0, tzinfo=UTC),
)


def answers(*points: int | None) -> tuple[ItemScore, ...]:
    states = {True: ItemState.BLANK, False: ItemState.ANSWERED}
    return tuple(
        ItemScore(link_id=str(number), state=states[given is None], points=given, source=None)
        for number, given in enumerate(points, start=1)
    )


def offered(
    submission: Submission = SUBMISSION, confirmed: ConfirmedRecord = CONFIRMED, **printed: object
) -> dict[str, JsonValue]:
    record = replace(confirmed, assessment=replace(confirmed.assessment, **printed))
    return record_fields(submission, record, sender=SENDER)


def part(fields: dict[str, JsonValue], name: str) -> dict[str, JsonValue]:
    value = fields[name]
    assert isinstance(value, dict)
    return value


def test_only_codes_that_were_verified_are_offered() -> None:
    phq = offered(items=answers(3, None))
    assert (phq["loinc"], phq["panel_loinc"], phq["title"]) == (
        "44261-6", "44249-1", "Patient Health Questionnaire 9 item",
    )  # fmt: skip
    assert phq["items"] == [
        {"link_id": "1", "points": 3, "blank": False, "loinc": "44250-9", "form_link_id": "/44250-9",
         "answer_code": "LA6571-9"},
        {"link_id": "2", "points": None, "blank": True, "loinc": "44255-8", "form_link_id": "/44255-8",
         "answer_code": None},
    ]  # fmt: skip
    cssrs = offered(instrument="c-ssrs", total=None, result="high", items=answers(1))
    assert (cssrs["loinc"], cssrs["panel_loinc"], cssrs["unit"], cssrs["score"]) == (None, None, None, "high")
    assert cssrs["items"] == [
        {"link_id": "1", "points": 1, "blank": False, "loinc": None, "form_link_id": "1", "answer_code": None}
    ]


@pytest.mark.parametrize(
    ("status", "answered", "document", "earlier", "activity"),
    [
        (ResultStatus.FINAL, "completed", "current", "superseded", "CREATE"),
        (ResultStatus.CORRECTED, "amended", "current", "superseded", "UPDATE"),
        (ResultStatus.ENTERED_IN_ERROR, "entered-in-error", "entered-in-error", "entered-in-error", "NULLIFY"),
    ],
)
def test_every_resource_has_its_own_word_for_what_became_of_the_result(
    status: ResultStatus, answered: str, document: str, earlier: str, activity: str
) -> None:
    confirmed = replace(CONFIRMED, earlier_documents=("ab" * 32,))
    fields = offered(replace(SUBMISSION, status=status), confirmed, items=answers(1))
    assert part(fields, "observation")["status"] == status
    assert part(fields, "answers")["status"] == answered
    assert part(fields, "document")["status"] == document
    assert part(fields, "provenance")["activity"] == activity
    (before,) = fields["earlier_documents"] if isinstance(fields["earlier_documents"], list) else ()
    assert isinstance(before, dict)
    assert before["status"] == earlier


def test_answers_that_a_corrected_print_no_longer_has_are_taken_back() -> None:
    corrected = replace(SUBMISSION, status=ResultStatus.CORRECTED, revision=2)
    gone = offered(corrected, replace(CONFIRMED, earlier_items=True))
    assert part(gone, "answers")["status"] == "entered-in-error"
    assert offered(corrected)["answers"] is None


def test_a_person_is_named_and_the_gates_are_nobody() -> None:
    assert offered()["confirmed_by"] is None
    assert offered(confirmed=replace(CONFIRMED, confirmed_by="ida"))["confirmed_by"] == "ida"


def test_a_file_is_named_by_what_is_in_it() -> None:
    """The example of RFC 6920, section 8.1."""
    document = part(offered(), "document")
    assert document["ni"] == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
    assert document["media_type"] == "application/pdf"
    csv = offered(confirmed=replace(CONFIRMED, file_name="SCORES.CSV"))
    assert part(csv, "document")["media_type"] == "text/csv"


def test_a_correction_changes_the_same_resources_and_has_a_provenance_of_its_own() -> None:
    first = offered(items=answers(1))
    second = offered(replace(SUBMISSION, status=ResultStatus.CORRECTED, revision=2), items=answers(2))
    for name in ("observation", "answers", "document"):
        assert part(first, name)["token"] == part(second, name)["token"]
    assert part(first, "provenance")["token"] != part(second, "provenance")["token"]


def test_two_installations_never_speak_of_one_resource() -> None:
    other = record_fields(SUBMISSION, CONFIRMED, sender=replace(SENDER, deployment=UUID(int=8)))
    for name in ("observation", "document", "provenance"):
        assert part(other, name)["token"] != part(offered(), name)["token"]
        assert part(other, name)["full_url"] != part(offered(), name)["full_url"]


def test_times_are_instants_and_the_printed_day_stays_a_day() -> None:
    fields = offered(authored_time="9:30")
    assert (fields["queued_at"], fields["authored_on"]) == ("2026-03-03T06:00:00.000Z", "2026-03-02")


def test_the_portals_own_id_of_a_patient_is_the_rosters_unless_it_was_looked_up() -> None:
    assert offered()["portal_patient_id"] == "P1"
    fields = record_fields(SUBMISSION, CONFIRMED, sender=SENDER, portal_patient_id="x-9")
    assert (fields["patient_id"], fields["portal_patient_id"]) == ("P1", "x-9")


# Letters that no code, no word of FHIR and no digest is written in.
words = st.text("ЖЗИКЛМНПРСТУФХЦЧШЩЫЭЮЯ", min_size=3, max_size=12)


@given(family=words, given_name=words, mrn=st.integers(10**7, 10**9), patient_id=st.integers(10**7, 10**9))
def test_nothing_offered_but_the_patient_ids_says_who_it_is_about(
    family: str, given_name: str, mrn: int, patient_id: int
) -> None:
    who = PatientIdentity(name=f"{family}, {given_name}", family=family, given=given_name, mrn=f"M{mrn}")
    file_name = f"{family}_{given_name}.pdf"
    fields = offered(
        replace(SUBMISSION, patient_id=f"P{patient_id}"), replace(CONFIRMED, file_name=file_name), patient=who
    )
    del fields["patient_id"], fields["portal_patient_id"]
    told = json.dumps(fields, ensure_ascii=False)
    assert not [word for word in (family, given_name, f"M{mrn}", f"P{patient_id}", file_name) if word in told]


@given(points=st.lists(st.none() | st.integers(0, 3), max_size=9), revision=st.integers(1, 9))
def test_the_same_record_is_offered_as_the_same_values(points: list[int | None], revision: int) -> None:
    submission = replace(SUBMISSION, revision=revision)
    assert offered(submission, items=answers(*points)) == offered(submission, items=answers(*points))


@pytest.mark.parametrize("wanted", [("external_id",), ("document", "items"), ()])
def test_what_no_file_asks_for_is_not_worked_out(wanted: tuple[str, ...]) -> None:
    assert set(record_fields(SUBMISSION, CONFIRMED, sender=SENDER, wanted=wanted)) == set(wanted)
