"""A site's patients from a FHIR server: all of them, or none; and what each field becomes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fhir_server import FhirServer, fhir_server, person
from pydantic import ValidationError

from portal.fhir_patient import Patient, read_patient
from portal.patient_search import FoundPatients, search_patients
from portal.settings import PatientSearchSettings
from records.errors import RosterError
from records.patient import RosterPatient

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with fhir_server() as running:
        running.patients = [person(number) for number in range(5)]
        yield running


def search(server: FhirServer, **settings: object) -> FoundPatients:
    given = {"base_url": server.url, "identifier_system": "urn:mrn"} | settings
    return search_patients(PatientSearchSettings.model_validate(given), site="WCP", now=NOW)


def read(**changes: Any) -> tuple[RosterPatient, tuple[str, ...]]:
    found = read_patient(
        Patient.model_validate(person(1, **changes)),
        site="WCP", patient_id="id", record_numbers="urn:mrn", today=NOW.date(),
    )  # fmt: skip
    assert found.patient is not None
    return found.patient, found.remarks


# --- the search


def test_every_page_is_read(server: FhirServer) -> None:
    found = search(server, query="organization=12&_count=2")
    assert [patient.patient_id for patient in found.patients] == ["r0", "r1", "r2", "r3", "r4"]
    assert server.requests[0][0] == "/fhir/Patient?organization=12&_count=2"
    assert found.patients[3] == RosterPatient(
        patient_id="r3", site="WCP", family="Avery", given="Ana3", middle="M", mrn="00003",
        birth_date=date(1984, 6, 30), sex="F",
    )  # fmt: skip
    assert (len(server.requests), found.remarks, found.left_out) == (3, (), 0)


def test_unknown_parameters_are_asked_to_be_refused(server: FhirServer) -> None:
    search(server)
    assert {headers["prefer"] for _, headers in server.requests} == {"handling=strict"}


@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_page_that_fails_fails_the_whole_search(server: FhirServer, page: int) -> None:
    server.statuses[page] = [500, 503, 500, 500]
    with pytest.raises(RosterError, match=f"Page {page + 1} .* status 500"):
        search(server)


def test_a_page_that_fails_once_is_asked_for_again(server: FhirServer) -> None:
    server.statuses[1] = [503]
    assert len(search(server).patients) == 5


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404])
def test_an_answer_that_is_no_list_is_not_tried_again(server: FhirServer, status: int) -> None:
    server.statuses[0] = [status]
    with pytest.raises(RosterError, match=str(status)) as refused:
        search(server)
    assert (len(server.requests), bool(refused.value.next_step)) == (1, True)


def test_a_search_that_ends_early_is_no_list_of_who_is_left(server: FhirServer) -> None:
    server.next_links[1] = None
    with pytest.raises(RosterError, match="counts 5 patients and has shown 4"):
        search(server)


def test_a_server_that_counts_nothing_is_believed_at_its_last_page(server: FhirServer) -> None:
    server.total = None
    assert len(search(server).patients) == 5


def test_next_links_that_go_in_a_circle_end_the_search(server: FhirServer) -> None:
    server.next_links[2] = f"{server.url}/Patient?page=1"
    with pytest.raises(RosterError, match="circle"):
        search(server)


@pytest.mark.parametrize(
    "link", ["http://other.example/fhir/Patient?page=1", "https://127.0.0.1/Patient", "//other.example/x", "http://[x"]
)
def test_a_next_link_to_another_server_is_not_followed(server: FhirServer, link: str) -> None:
    server.next_links[0] = link
    with pytest.raises(RosterError, match="another server"):
        search(server)
    assert len(server.requests) == 1


def test_a_relative_next_link_is_followed(server: FhirServer) -> None:
    server.next_links = {0: "?page=1", 1: "/fhir/Patient?page=2"}
    assert len(search(server).patients) == 5


@pytest.mark.parametrize("body", [b"<html>", b'{"resourceType": "CapabilityStatement"}', b'{"entry": 3}', b"[]"])
def test_what_is_no_bundle_is_refused(server: FhirServer, body: bytes) -> None:
    server.bodies[1] = body
    with pytest.raises(RosterError, match=r"Page 2 .* no list of patients"):
        search(server)


def test_an_error_among_the_entries_fails_the_search_and_a_hint_does_not(server: FhirServer) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}
    server.extra = [{"resource": outcome, "search": {"mode": "outcome"}}]
    assert len(search(server).patients) == 5
    outcome["issue"] = [{"severity": "error", "diagnostics": "Avery"}]
    with pytest.raises(RosterError, match="OperationOutcome") as refused:
        search(server)
    assert "Avery" not in str(refused.value)


def test_included_resources_are_no_patients_of_the_site(server: FhirServer) -> None:
    server.extra = [{"resource": person(99), "search": {"mode": "include"}}, {"resource": {"resourceType": "Group"}}]
    assert len(search(server).patients) == 5


def test_a_server_that_does_not_answer_is_named_with_a_next_step() -> None:
    settings = PatientSearchSettings.model_validate({"base_url": "http://127.0.0.1:9", "page_seconds": 1})
    with pytest.raises(RosterError, match="did not come") as refused:
        search_patients(settings, site="WCP", now=NOW)
    assert refused.value.next_step


def test_the_credential_is_sent_and_never_told(server: FhirServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_TOKEN", "secret-word")
    server.token = "secret-word"
    assert len(search(server, token="env:FHIR_TOKEN").patients) == 5
    server.token = "renewed"
    with pytest.raises(RosterError, match="401") as refused:
        search(server, token="env:FHIR_TOKEN")
    assert "secret-word" not in f"{refused.value!r}"


def test_a_credential_that_is_nowhere_is_said(server: FhirServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FHIR_TOKEN", raising=False)
    with pytest.raises(RosterError, match="no secret at env:FHIR_TOKEN"):
        search(server, token="env:FHIR_TOKEN")


def test_an_empty_list_is_an_error(server: FhirServer) -> None:
    server.patients = []
    with pytest.raises(RosterError, match="lists no patient"):
        search(server)


def test_two_resources_with_one_patient_id_are_refused(server: FhirServer) -> None:
    for patient in server.patients:
        patient["identifier"] = [{"system": "urn:portal", "value": "same"}]
    with pytest.raises(RosterError, match="Entries 1 and 2"):
        search(server, patient_id="identifier:urn:portal")


def test_a_patient_without_the_id_of_the_portal_is_left_out_and_told(server: FhirServer) -> None:
    for number, patient in enumerate(server.patients[1:]):
        patient["identifier"].append({"system": "urn:portal", "value": f"P{number}"})
    found = search(server, patient_id="identifier:urn:portal")
    assert [patient.patient_id for patient in found.patients] == ["P0", "P1", "P2", "P3"]
    assert found.remarks == ((1, "it has no single patient id; the patient is left out"),)


def test_a_resource_of_another_shape_is_left_out_and_told(server: FhirServer) -> None:
    server.patients[2]["name"] = "Avery"
    found = search(server)
    assert (found.left_out, found.remarks) == (1, ((3, "it is no FHIR R4 Patient; left out"),))


@pytest.mark.parametrize("by", ["replaced-by", "replaces"])
@pytest.mark.parametrize("patient_id", ["id", "identifier:urn:mrn"])
def test_a_merged_record_leads_to_its_survivor_whoever_says_it(server: FhirServer, by: str, patient_id: str) -> None:
    teller, other = (1, 4) if by == "replaced-by" else (4, 1)
    server.patients[teller]["link"] = [{"type": by, "other": {"reference": f"Patient/r{other}"}}]
    merged = search(server, patient_id=patient_id).patients[1]
    assert (merged.active, merged.merged_into) == (False, "r4" if patient_id == "id" else "00004")


def test_a_survivor_elsewhere_is_nobodys_id(server: FhirServer) -> None:
    server.patients[1]["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/r77/_history/2"}}]
    assert search(server).patients[1].merged_into == "Patient/r77"


# --- one resource


def test_the_official_name_counts_and_the_others_are_kept_beside_it() -> None:
    patient, _ = read(
        name=[
            {"use": "maiden", "family": "Moss"},
            {"use": "usual", "family": "Avery-Reed", "given": ["Annie"]},
            {"use": "official", "family": "Avery", "given": ["Ana", "María"], "suffix": ["MD", "Jr."]},
            {"use": "old", "family": "Stone", "given": ["Ana"]},
            {"family": "Wood", "given": ["Ana"], "period": {"end": "2020-05"}},
        ]
    )
    assert (patient.family, patient.given, patient.middle, patient.suffix) == ("Avery", "Ana", "María", "Jr")
    assert patient.preferred == "Annie"
    assert patient.former_family == "Moss; Stone; Wood; Avery-Reed"


def test_a_nickname_is_what_the_patient_is_called() -> None:
    names = [{"use": "official", "family": "Avery", "given": ["Ana"]}, {"use": "nickname", "text": "Annie"}]
    assert read(name=names)[0].preferred == "Annie"


def test_a_name_given_as_text_is_taken_apart() -> None:
    patient, _ = read(name=[{"text": "Ana María de la Cruz"}])
    assert (patient.family, patient.given) == ("de la Cruz", "Ana")


@pytest.mark.parametrize("born", ["1984", "1984-06", "1984-02-31", "2027-01-01", "30/06/1984"])
def test_a_birth_date_without_its_day_is_not_guessed(born: str) -> None:
    patient, remarks = read(birthDate=born)
    assert patient.birth_date is None
    assert remarks == ("the birth date is no whole date of the past, and is not used",)


@pytest.mark.parametrize(
    "left", [{"active": False}, {"deceasedBoolean": True}, {"deceasedDateTime": "2025-12-24T10:00:00Z"}]
)
def test_who_left_or_died_is_inactive(left: dict[str, object]) -> None:
    assert not read(**left)[0].active
    assert read(active=True, deceasedBoolean=False)[0].active


def test_two_record_numbers_are_none_unless_one_is_official() -> None:
    numbers = [{"system": "urn:mrn", "value": "1"}, {"system": "urn:mrn", "value": "2"}, {"system": "x", "value": "3"}]
    patient, remarks = read(identifier=numbers)
    assert (patient.mrn, remarks) == (None, ("it has several record numbers, and none is used",))
    assert read(identifier=[numbers[0] | {"use": "old"}, numbers[1]])[0].mrn == "2"
    assert read(identifier=[numbers[0] | {"use": "official"}, numbers[1]])[0].mrn == "1"


def test_without_a_system_the_number_of_type_mr_is_taken() -> None:
    typed = person(1, identifier=[{"value": "9", "type": {"coding": [{"code": "MR"}]}}, {"value": "8"}])
    found = read_patient(
        Patient.model_validate(typed), site="WCP", patient_id="id", record_numbers=None, today=NOW.date()
    )
    assert found.patient is not None
    assert found.patient.mrn == "9"


def test_phone_and_clinician_come_along() -> None:
    patient, _ = read(
        telecom=[
            {"system": "email", "value": "a@example.org"},
            {"system": "phone", "use": "work", "value": "555-0101"},
            {"system": "phone", "use": "mobile", "value": "555-0102"},
        ],
        generalPractitioner=[{"reference": "Practitioner/1"}, {"display": "Dr. Yes"}],
        gender="unknown",
    )
    assert (patient.phone, patient.clinician, patient.sex) == ("555-0102", "Dr. Yes", None)


def test_text_that_no_database_takes_is_cleaned() -> None:
    assert read(name=[{"family": "Av\ud800ery\x00 ", "given": ["Ana\n"]}])[0].family == "Av ery"


def test_who_has_no_name_is_left_out() -> None:
    nameless = Patient.model_validate(person(1, name=[{"use": "anonymous", "family": "X", "given": ["Y"]}]))
    found = read_patient(nameless, site="WCP", patient_id="id", record_numbers=None, today=NOW.date())
    assert found.patient is None
    assert found.remarks == ("it has no current family and given name; the patient is left out",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://example.org"}, {"query": "?_count=2"}, {"patient_id": "mrn"},
        {"token": "abc"}, {"client_key": "/k.pem"}, {"surprise": 1},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PatientSearchSettings.model_validate({"base_url": "https://example.org"} | wrong)
