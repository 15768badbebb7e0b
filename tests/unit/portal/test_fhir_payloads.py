"""The FHIR R4 destination file: what becomes of a record, judged by validators nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import fhirkit
import pytest
from test_offered_record import CONFIRMED, PRINTED, SENDER, SUBMISSION, answers

from portal.destination import Destination
from portal.destination_files import load_destination
from portal.payloads import make_payload
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.errors import DeliveryHeldError
from records.submission import ResultStatus, Submission
from store.outbox import ConfirmedRecord
from tests.portals.fhir_validators import faults

FHIR = load_destination("fhir-r4.yaml", folder=Path("/nowhere"))
FIXTURES = sorted(path for path in Path("fixtures").rglob("expected.json") if "records" in json.loads(path.read_text()))
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"
PANELS = {known.panel_loinc for known in SENDER.instruments.values()} - {None}
Json = dict[str, Any]


def bundle(
    printed: SymptomAssessment,
    submission: Submission = SUBMISSION,
    confirmed: ConfirmedRecord = CONFIRMED,
    to: Destination = FHIR,
) -> Json:
    record = replace(confirmed, assessment=printed)
    made = json.loads(make_payload(submission, record, destination=to, sender=SENDER, document_sha1="LA=="))
    assert isinstance(made, dict)
    return made


def resources(made: Json, kind: str) -> list[Json]:
    return [entry["resource"] for entry in made["entry"] if entry["resource"]["resourceType"] == kind]


def observation(printed: SymptomAssessment, **changed: Any) -> Json:
    (found,) = resources(bundle(replace(printed, **changed)), "Observation")
    return found


def of_fixture(path: Path) -> Iterator[SymptomAssessment]:
    """Every record of a case that could be sent."""
    for record in json.loads(path.read_text("utf-8"))["records"]:
        score = record["total"] if record["total"] is not None else record.get("result")
        if record["instrument"] is None or record["authored_on"] is None or score is None:
            continue
        given = record["items"]
        items = None if given is None else tuple(
            ItemScore(
                link_id=str(number),
                state=ItemState.BLANK if points is None else ItemState.ANSWERED,
                points=points,
                source=None,
            )
            for number, points in enumerate(given, start=1)
        )  # fmt: skip
        yield replace(
            PRINTED,
            instrument=record["instrument"],
            authored_on=date.fromisoformat(record["authored_on"]),
            total=record["total"],
            result=record.get("result"),
            severity=record["severity"],
            items=items,
        )


def of_instruments() -> Iterator[SymptomAssessment]:
    for name, known in SENDER.instruments.items():
        by_level = bool(known.levels)
        items = tuple(
            ItemScore(link_id=item.link_id, state=ItemState.ANSWERED, points=item.maximum, source=None)
            for item in known.items
        )
        yield replace(
            PRINTED,
            instrument=name,
            total=None if by_level else known.maximum or 1,
            result=known.levels[-1] if by_level else None,
            severity=known.bands[0].label if known.bands else None,
            items=items or None,
        )


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.parent))
def test_every_record_of_the_fixtures_makes_valid_resources(path: Path) -> None:
    wrong = [
        (entry["resource"]["resourceType"], said)
        for printed in of_fixture(path)
        for entry in bundle(printed)["entry"]
        for said in faults(entry["resource"])
    ]
    assert wrong == []


@pytest.mark.parametrize("status", ResultStatus)
def test_every_instrument_makes_valid_resources_and_a_valid_bundle(status: ResultStatus) -> None:
    submission = replace(SUBMISSION, status=status, revision=2, remote_id="o1", remote_version="3")
    earlier = replace(CONFIRMED, earlier_documents=("ab" * 32, "cd" * 32), confirmed_by="ida")
    for printed in of_instruments():
        made = bundle(printed, submission, earlier)
        assert [one.message for one in fhirkit.validate(made) if one.severity == "error"] == []
        assert [said for entry in made["entry"] for said in faults(entry["resource"])] == []


def test_there_are_fixtures_with_records() -> None:
    assert sum(1 for path in FIXTURES for _ in of_fixture(path)) > 500


WRONG: list[tuple[str, Any]] = [
    ("Observation", lambda one: one.update(status="fnal")),
    ("Observation", lambda one: one.pop("code")),
    ("Observation", lambda one: one["valueQuantity"].update(value="14")),
    ("Observation", lambda one: one.update(effectiveDateTime="2026-03-02T10:00:00")),
    ("Observation", lambda one: one.update(valueString="4")),
    ("Observation", lambda one: one.update(category=[])),
    ("Observation", lambda one: one.update(subjekt={})),
    ("QuestionnaireResponse", lambda one: one.update(status="corrected")),
    ("QuestionnaireResponse", lambda one: one["item"][0].pop("linkId")),
    ("QuestionnaireResponse", lambda one: one["item"][0]["answer"][0].update(valueInteger="3")),
    ("DocumentReference", lambda one: one.pop("content")),
    ("DocumentReference", lambda one: one.update(status="final")),
    ("Provenance", lambda one: one.pop("agent")),
    ("Provenance", lambda one: one["entity"][0].pop("what")),
    ("Provenance", lambda one: one.update(recorded="2026-03-03")),
]


@pytest.mark.parametrize(("kind", "spoil"), WRONG, ids=range(len(WRONG)))
def test_the_validators_see_what_is_wrong(kind: str, spoil: Any) -> None:
    (good,) = resources(bundle(replace(PRINTED, items=answers(3, 2))), kind)
    assert faults(good) == []
    bad = deepcopy(good)
    spoil(bad)
    assert faults(bad) != []


# --- US Core screening assessment: ten rules of the profile


@pytest.mark.parametrize("printed", list(of_instruments()), ids=lambda printed: str(printed.instrument))
def test_what_claims_the_us_core_profile_fulfils_it(printed: SymptomAssessment) -> None:
    made = observation(printed)
    assert (US_CORE in made.get("meta", {}).get("profile", [])) == (
        SENDER.instruments[printed.instrument or ""].total_loinc is not None
    )
    surveys = [coding for one in made["category"] for coding in one["coding"] if coding["code"] == "survey"]
    assert [one["system"] for one in surveys] == ["http://terminology.hl7.org/CodeSystem/observation-category"]  # 1
    assert made["status"] in {"final", "corrected", "entered-in-error"}  # 2
    assert made["code"]["text"]  # 3
    assert made["subject"]["reference"].startswith("Patient/")  # 4
    assert len(made["effectiveDateTime"]) >= len("2026-03-02")  # 5 us-core-1: to the day
    values = [name for name in made if name.startswith("value")]
    assert len(values) == 1  # 6 us-core-2: a value, a reason for its absence, or members
    assert not {"component", "hasMember", "dataAbsentReason"} & made.keys()  # 7 and so none of the others
    if US_CORE in made.get("meta", {}).get("profile", []):
        assert made["code"]["coding"][0]["system"] == "http://loinc.org"  # 8 preferred binding
        assert values == ["valueQuantity"]  # 9
    if "valueQuantity" in made:
        assert (made["valueQuantity"]["system"], made["valueQuantity"]["code"]) == (
            "http://unitsofmeasure.org", "{score}",
        )  # fmt: skip  # 10 us-core-3: UCUM
    assert {one["reference"][:9] for one in made["derivedFrom"]} == {"urn:uuid:"}


def test_the_profile_is_not_claimed_where_the_settings_do_not_want_it() -> None:
    without = FHIR.with_variables({"us_core": False})
    (made,) = resources(bundle(PRINTED, to=without), "Observation")
    assert "meta" not in made


# --- rulings


@pytest.mark.parametrize("printed", list(of_instruments()), ids=lambda printed: str(printed.instrument))
def test_a_panels_code_never_has_a_value(printed: SymptomAssessment) -> None:
    made = bundle(printed)
    codes = {one["code"] for total in resources(made, "Observation") for one in total["code"].get("coding", ())}
    assert not codes & PANELS


def test_a_level_is_a_word_without_a_number_and_without_an_unverified_code() -> None:
    made = observation(PRINTED, instrument="c-ssrs", total=None, result="high", severity=None)
    assert made["valueCodeableConcept"] == {"text": "high"}
    assert made["code"] == {"text": "Columbia-Suicide Severity Rating Scale Screener"}
    assert "valueQuantity" not in made


def test_a_total_of_zero_is_a_value() -> None:
    assert observation(PRINTED, total=0)["valueQuantity"]["value"] == 0


def test_no_printed_day_gets_a_time_zone() -> None:
    assert observation(PRINTED, authored_time="9:30")["effectiveDateTime"] == "2026-03-02"


def test_a_print_of_the_total_alone_has_no_questionnaire_response() -> None:
    made = bundle(PRINTED)
    assert resources(made, "QuestionnaireResponse") == []
    assert [len(one["target"]) for one in resources(made, "Provenance")] == [2]


def test_a_blank_answer_is_an_item_without_an_answer_and_a_zero_is_an_answer() -> None:
    (made,) = resources(bundle(replace(PRINTED, instrument="madrs", items=answers(None, 0))), "QuestionnaireResponse")
    assert made["item"] == [{"linkId": "1"}, {"linkId": "2", "answer": [{"valueInteger": 0}]}]


def test_new_values_are_created_once_and_changes_go_to_what_is_there() -> None:
    first = bundle(replace(PRINTED, items=answers(1)))
    assert {entry["request"]["method"] for entry in first["entry"]} == {"POST"}
    assert all("ifNoneExist" in entry["request"] for entry in first["entry"])
    corrected = replace(SUBMISSION, status=ResultStatus.CORRECTED, revision=2, remote_id="o1", remote_version="3")
    second = bundle(replace(PRINTED, items=answers(2)), corrected)
    requests = [entry["request"] for entry in second["entry"]]
    assert [one["method"] for one in requests] == ["PUT", "PUT", "PUT", "POST"]
    assert [one.get("ifMatch") for one in requests] == ['W/"3"', None, None, None]
    asked = [one["ifNoneExist"] for one in (entry["request"] for entry in first["entry"])]
    assert [one["url"].partition("?")[2] for one in requests[:3]] == asked[:3]


def test_without_a_version_and_where_the_settings_say_so_a_change_is_not_guarded() -> None:
    unknown = replace(SUBMISSION, status=ResultStatus.CORRECTED, revision=2, remote_id="o1")
    assert "ifMatch" not in bundle(PRINTED, unknown)["entry"][0]["request"]
    known = replace(unknown, remote_version="3")
    free = FHIR.with_variables({"if_match": False})
    assert "ifMatch" not in bundle(PRINTED, known, to=free)["entry"][0]["request"]


def test_every_name_within_a_message_is_one_resource() -> None:
    made = bundle(replace(PRINTED, items=answers(1)), confirmed=replace(CONFIRMED, earlier_documents=("ab" * 32,)))
    names = [entry["fullUrl"] for entry in made["entry"]]
    assert len(set(names)) == len(names) == 5
    text = json.dumps(made)
    assert all(text.count(name) > 1 for name in names if name != names[3] and name != names[4])


def test_a_record_of_an_instrument_without_a_name_is_held() -> None:
    with pytest.raises(DeliveryHeldError) as held:
        bundle(replace(PRINTED, instrument="unheard-of"))
    assert held.value.code == "missing-title"


def test_nothing_that_names_the_person_or_the_file_is_in_it() -> None:
    told = json.dumps(bundle(PRINTED, confirmed=replace(CONFIRMED, file_name="DOE_JANE.pdf")))
    assert not [word for word in ("DOE", "JANE", "M1", "1980") if word in told]
