"""Whether the portal's patient is the roster's; nobody is ever created."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import JsonValue

from portal.destination_patients import PatientLookup, PatientSearch, compile_lookup
from portal.patients import verified_id
from records.errors import DeliveryDeferredError, DeliveryHeldError

BORN = date(1980, 1, 2)
LOOKUP = PatientLookup(
    url="{base_url}/Patient?{variables.patient_search}{patient_id}",
    results="type == 'searchset' && (entry[].resource || `[]`)",
    known_as="[[id], identifier[].join('|', [system || '', value || ''])][]",
    portal_id="id",
    birth_date="birthDate",
    inactive="active == `false` || link[?type=='replaced-by']",
)


def search(patient_search: str = "identifier=urn:mrn|") -> PatientSearch:
    faults: list[str] = []
    compiled = compile_lookup(LOOKUP, variables={"patient_search": patient_search}, faults=faults)
    assert compiled is not None, faults
    return compiled


def someone(**changed: JsonValue) -> dict[str, JsonValue]:
    return {
        "resourceType": "Patient",
        "id": "x-9",
        "identifier": [{"system": "urn:mrn", "value": "P1"}],
        "birthDate": "1980-01-02",
    } | changed


def found(*patients: JsonValue, by: PatientSearch | None = None, birth_date: date | None = BORN) -> str:
    answer: JsonValue = {"type": "searchset", "entry": [{"resource": patient} for patient in patients]}
    return verified_id(by or search(), answer, patient_id="P1", birth_date=birth_date)


def reason(*patients: JsonValue, birth_date: date | None = BORN) -> str:
    with pytest.raises(DeliveryHeldError) as held:
        found(*patients, birth_date=birth_date)
    assert "P1" not in str(held.value)
    assert "1980" not in str(held.value)
    return held.value.code


def test_the_patient_with_the_rosters_number_is_the_one() -> None:
    assert found(someone()) == "x-9"
    assert found(someone(id="P1"), by=search("_id=")) == "P1"


def test_what_is_asked_for_is_put_into_the_address_whole() -> None:
    address = search("identifier=http://clinic.example.org/mrn|").address
    assert address.fill(base_url="https://portal", fields={"patient_id": "P/1"}) == (
        "https://portal/Patient?identifier=http://clinic.example.org/mrn%7CP%2F1"
    )


@pytest.mark.parametrize(
    ("patients", "code"),
    [
        ((), "patient-not-at-portal"),
        ((someone(identifier=[{"system": "urn:mrn", "value": "P2"}]),), "patient-not-at-portal"),
        ((someone(identifier=[{"system": "urn:licence", "value": "P1"}]),), "patient-not-at-portal"),
        ((someone(), someone(id="x-10")), "patient-several-at-portal"),
        ((someone(active=False),), "patient-inactive-at-portal"),
        ((someone(link=[{"type": "replaced-by", "other": {"reference": "Patient/x-10"}}]),),
         "patient-inactive-at-portal"),
        ((someone(birthDate="1980-02-01"),), "patient-differs-at-portal"),
        ((someone(birthDate="1981"),), "patient-differs-at-portal"),
    ],
)  # fmt: skip
def test_anybody_else_holds_the_record(patients: tuple[JsonValue, ...], code: str) -> None:
    assert reason(*patients) == code


def test_a_server_that_ignores_the_parameter_and_shows_everybody_finds_the_right_one() -> None:
    assert found(someone(id="a", identifier=[]), someone(), someone(id="b", identifier=[])) == "x-9"


@pytest.mark.parametrize("birth_date", ["1980", "1980-01", "1980-01-02", None])
def test_a_birth_date_is_compared_as_far_as_it_is_known(birth_date: str | None) -> None:
    assert found(someone(birthDate=birth_date)) == "x-9"
    assert found(someone(), birth_date=None) == "x-9"


def test_a_portal_that_says_there_is_none_and_one_that_says_nothing_are_two_things() -> None:
    with pytest.raises(DeliveryHeldError) as none:
        verified_id(search(), None, patient_id="P1", birth_date=BORN)
    assert none.value.code == "patient-not-at-portal"
    with pytest.raises(DeliveryDeferredError):
        verified_id(search(), {"resourceType": "OperationOutcome"}, patient_id="P1", birth_date=BORN)


def test_a_lookup_that_cannot_work_is_refused_with_every_fault() -> None:
    faults: list[str] = []
    wrong = LOOKUP.model_copy(update={"url": "{base_url}/Patient", "portal_id": "id]"})
    assert compile_lookup(wrong, variables={}, faults=faults) is None
    assert [fault.split(":")[0] for fault in faults] == ["patients.url", "patients.portal_id"]
    faults.clear()
    nowhere = LOOKUP.model_copy(update={"url": "{base_url}/Patient/{patient_id}", "method": "POST"})
    assert compile_lookup(nowhere, variables={}, faults=faults) is None
    assert "behind a question mark" in faults[0]
