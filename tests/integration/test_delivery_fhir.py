"""Delivery to a FHIR portal that nobody here wrote: Medplum's router, with faults, tokens and restarts around it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from delivery_cases import MORNING, assessment, confirm, destination, new_store, reasons, states, wait_until

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination, connected
from portal.delivery import DeliverySettings, DeliveryWorker
from portal.freezing import PayloadFreezer
from portal.offered_record import Sender
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.errors import DeliveryDeferredError
from records.patient import RosterPatient
from records.submission import DeliveryState, ResultStatus
from store import cases, outbox, roster
from store.cases import ApprovedAs
from store.database import Database
from tests.portals.fhir_portal import RECORD_NUMBERS, RunningFhirPortal, patient, running_fhir_portal
from tests.portals.fhir_validators import faults

D = DeliveryState
T = TypeVar("T")
PATIENTS = ("P1", "P2", "P3")
BORN = date(1980, 1, 2)
INSTRUMENTS = load_instruments()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        listed = tuple(
            RosterPatient(
                patient_id=number, site="WCP", family="Print", given=number, mrn=f"M{number}", birth_date=BORN
            )
            for number in (*PATIENTS, "P9")
        )
        with opened.session() as session:
            roster.replace(
                session,
                "WCP",
                listed,
                as_of=MORNING,
                imported_from="roster.csv",
                actor="ida",
                now=MORNING,
                max_removed_share=1.0,
            )
        yield opened


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[RunningFhirPortal]:
    with running_fhir_portal(tmp_path, patients=[patient(number) for number in PATIENTS]) as running:
        yield running


def at(portal: RunningFhirPortal, tmp_path: Path, **settings: object) -> ConfiguredDestination:
    return destination(tmp_path, portal.url, **{"file": "fhir-r4.yaml", **settings})


def sender(
    database: Database, to: ConfiguredDestination, *, clock: Callable[[], datetime] = lambda: MORNING
) -> DeliveryWorker:
    return DeliveryWorker(
        database=database,
        destinations=[to],
        instruments=INSTRUMENTS,
        settings=DeliverySettings(first_pause=timedelta(milliseconds=10)),
        clock=clock,
        chance=random.Random(7),
    )


def deliver(database: Database, to: ConfiguredDestination, *, now: datetime = MORNING) -> datetime:
    """Deliver until nothing is due, the clock moving on for what is to come again; when that was."""
    worker = sender(database, to, clock=lambda: now)
    for _ in range(40):
        worker.step(now)
        if not set(states(database)) & {D.PENDING, D.SENDING, D.UNKNOWN}:
            break
        now += timedelta(minutes=20)
    return now


def correct(database: Database, record_id: int, changed: SymptomAssessment, *, now: datetime) -> None:
    with database.session() as session:
        outbox.enqueue_correction(
            session, record_id, assessment=changed, actor="ida", now=now, destinations=("portal",)
        )


def withdraw(database: Database, record_id: int, *, now: datetime, reopen: bool = False) -> None:
    with database.session() as session:
        outbox.enqueue_withdrawal(session, record_id, reason="wrong patient", actor="ida", now=now, reopen=reopen)


def resend_the_refused(database: Database, *, now: datetime) -> None:
    with database.session() as session:
        dead = only(outbox.list_submissions(session, state=D.DEAD))
        outbox.resend(session, dead.submission.submission_id, actor="ida", now=now)


def decide(database: Database, patient_id: str, *, now: datetime, as_: ApprovedAs = ApprovedAs.CONFIRMATION) -> None:
    with database.session() as session:
        (case,) = cases.list_open(session)
        cases.approve(
            session,
            case.case_id,
            version=case.version,
            patient_id=patient_id,
            actor="ida",
            now=now,
            destinations=("portal",),
            as_=as_,
        )


def only(things: Sequence[T]) -> T:
    assert len(things) == 1
    return things[0]


def told(portal: RunningFhirPortal) -> list[dict[str, Any]]:
    """Everything stored but the patients."""
    return [one for one in portal.resources() if one["resourceType"] != "Patient"]


def statuses(portal: RunningFhirPortal) -> dict[str, list[str]]:
    kinds = ("Observation", "QuestionnaireResponse", "DocumentReference")
    return {kind: sorted(one["status"] for one in portal.resources(kind)) for kind in kinds}


def test_a_result_arrives_as_one_transaction_of_four_resources(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1", total=7))])
    deliver(database, at(portal, tmp_path))
    assert states(database) == {D.DELIVERED: 1}
    assert sorted(one["resourceType"] for one in told(portal)) == [
        "DocumentReference", "Observation", "Provenance", "QuestionnaireResponse",
    ]  # fmt: skip
    total, answers = only(portal.resources("Observation")), only(portal.resources("QuestionnaireResponse"))
    print_, provenance = only(portal.resources("DocumentReference")), only(portal.resources("Provenance"))
    assert total["valueQuantity"] == {
        "value": 7, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}",
    }  # fmt: skip
    assert total["code"]["coding"] == [{"system": "http://loinc.org", "code": "44261-6"}]
    assert (total["subject"], total["effectiveDateTime"]) == ({"reference": "Patient/P1"}, "2026-03-02")
    of_answers, of_print = f"QuestionnaireResponse/{answers['id']}", f"DocumentReference/{print_['id']}"
    assert total["derivedFrom"] == [{"reference": of_answers}, {"reference": of_print}]
    assert provenance["target"] == [
        {"reference": f"Observation/{total['id']}"}, {"reference": of_answers}, {"reference": of_print},
    ]  # fmt: skip
    assert answers["item"][8] == {
        "linkId": "/44260-8",
        "answer": [
            {
                "valueCoding": {
                    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 0}],
                    "system": "http://loinc.org",
                    "code": "LA6568-5",
                }
            }
        ],
    }
    assert portal.counts()["requests"] == 3  # the patient, the transaction, the look afterwards


def test_the_same_message_twice_is_stored_once(database: Database, portal: RunningFhirPortal, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    deliver(database, to)
    with database.reading() as session:
        sent = only(outbox.list_submissions(session)).submission
    again = replace(sent, attempts=1, was_unknown=False, remote_id=None)
    with connected(to, clock=lambda: MORNING) as client:
        receipt = client.deliver(again)
    assert (receipt.found, receipt.remote_id) == (True, only(portal.resources("Observation"))["id"])
    assert len(portal.history("Observation")) == len(portal.history("Provenance")) == 1


def test_a_lost_answer_leaves_one_of_everything(database: Database, portal: RunningFhirPortal, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    portal.misbehave(next=[None, "commit_then_cut"])
    sender(database, to).step(MORNING)
    assert states(database) == {D.UNKNOWN: 1}
    deliver(database, to, now=MORNING + timedelta(minutes=20))
    assert states(database) == {D.DELIVERED: 1}
    assert len(portal.history()) == len(PATIENTS) + 4


def test_a_transaction_that_fails_leaves_nothing(database: Database, portal: RunningFhirPortal, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    portal.misbehave(next=[None, "cut_before_commit"])
    sender(database, to).step(MORNING)
    assert (states(database), told(portal)) == ({D.UNKNOWN: 1}, [])
    deliver(database, to, now=MORNING + timedelta(minutes=20))
    assert states(database) == {D.DELIVERED: 1}


def test_a_correction_changes_the_same_resources_and_names_who_made_it(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1", total=7))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(hours=1)
    correct(database, record_id, assessment("P1", total=9), now=now)
    deliver(database, to, now=now)
    assert states(database) == {D.DELIVERED: 2}
    assert statuses(portal) == {
        "Observation": ["corrected"], "QuestionnaireResponse": ["amended"], "DocumentReference": ["current"],
    }  # fmt: skip
    assert only(portal.resources("Observation"))["valueQuantity"]["value"] == 9
    first, second = sorted(portal.resources("Provenance"), key=lambda one: str(one["recorded"]))
    assert [one["activity"]["coding"][0]["code"] for one in (first, second)] == ["CREATE", "UPDATE"]
    assert [len(one["agent"]) for one in (first, second)] == [1, 2]
    assert second["agent"][1]["who"] == {"display": "ida"}


def test_a_corrected_print_supersedes_the_first_one(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1", total=7))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(hours=1)
    without_answers = replace(assessment("P1", total=8), items=None)
    confirm(database, [("P1", without_answers)])
    decide(database, "P1", now=now, as_=ApprovedAs.CORRECTION)
    deliver(database, to, now=now)
    assert states(database) == {D.DELIVERED: 2}
    assert statuses(portal) == {
        "Observation": ["corrected"],
        "QuestionnaireResponse": ["entered-in-error"],
        "DocumentReference": ["current", "superseded"],
    }
    current, old = sorted(portal.resources("DocumentReference"), key=lambda one: str(one["status"]))
    assert current["relatesTo"] == [{"code": "replaces", "target": {"reference": f"DocumentReference/{old['id']}"}}]


def test_a_withdrawal_takes_everything_back(database: Database, portal: RunningFhirPortal, tmp_path: Path) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(hours=1)
    withdraw(database, record_id, now=now)
    deliver(database, to, now=now)
    assert states(database) == {D.DELIVERED: 2}
    wrong = ["entered-in-error"]
    assert statuses(portal) == {
        "Observation": wrong, "QuestionnaireResponse": wrong, "DocumentReference": wrong,
    }  # fmt: skip


def test_the_right_patient_gets_the_value_and_the_wrong_one_keeps_a_mark_only(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1", total=7))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(hours=1)
    withdraw(database, record_id, now=now, reopen=True)
    decide(database, "P2", now=now)
    deliver(database, to, now=now)
    by_patient = {one["subject"]["reference"]: one["status"] for one in portal.resources("Observation")}
    assert by_patient == {"Patient/P1": "entered-in-error", "Patient/P2": "final"}


@pytest.mark.parametrize("taken_back", [False, True])
def test_what_somebody_changed_at_the_portal_waits_for_a_person(
    database: Database, portal: RunningFhirPortal, tmp_path: Path, taken_back: bool
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1", total=7))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(hours=1)
    portal.put(only(portal.resources("Observation")) | {"note": [{"text": "Asked again by telephone."}]})
    if taken_back:
        withdraw(database, record_id, now=now)
    else:
        correct(database, record_id, assessment("P1", total=9), now=now)
    deliver(database, to, now=now)
    assert states(database) == {D.DELIVERED: 1, D.DEAD: 1}
    assert "http-412" in {str(reason)[:8] for reason in reasons(database)}
    kept = only(portal.resources("Observation"))
    assert (kept["status"], kept["valueQuantity"]["value"], len(kept["note"])) == ("final", 7, 1)
    assert statuses(portal)["QuestionnaireResponse"] == ["completed"]
    resend_the_refused(database, now=now)
    deliver(database, to, now=now)
    assert states(database) == {D.DELIVERED: 2}
    sent = only(portal.resources("Observation"))
    wanted = ("entered-in-error", 7) if taken_back else ("corrected", 9)
    assert (sent["status"], sent["valueQuantity"]["value"]) == wanted


def test_a_patient_the_portal_does_not_know_is_never_created(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [("P9", assessment("P9"))])
    deliver(database, at(portal, tmp_path))
    assert (states(database), reasons(database)) == ({D.HELD: 1}, {"patient-not-at-portal"})
    assert len(portal.resources("Patient")) == len(PATIENTS)
    assert told(portal) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"birthDate": "1979-12-31"}, "patient-differs-at-portal"),
        ({"active": False}, "patient-inactive-at-portal"),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/P2"}}]}, "patient-inactive-at-portal"),
    ],
)
def test_a_patient_who_is_another_one_at_the_portal_holds_the_record(
    database: Database, portal: RunningFhirPortal, tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    portal.put({**patient("P1"), **changed})
    confirm(database, [("P1", assessment("P1"))])
    deliver(database, at(portal, tmp_path))
    assert (states(database), reasons(database)) == ({D.HELD: 1}, {reason})
    assert told(portal) == []


def test_a_trial_finds_out_who_is_not_at_the_portal_and_stores_nothing(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [(number, assessment(number)) for number in ("P1", "P9")])
    deliver(database, at(portal, tmp_path, mode="shadow"))
    assert (states(database), reasons(database)) == ({D.HELD: 2}, {"shadow", "patient-not-at-portal"})
    assert told(portal) == []


def test_nobody_outside_the_allow_list_is_looked_up(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [(number, assessment(number)) for number in ("P1", "P2")])
    deliver(database, at(portal, tmp_path, mode="staging", allow_list=["P2"]))
    assert (states(database), reasons(database)) == ({D.DELIVERED: 1, D.HELD: 1}, {None, "not-on-allow-list"})
    assert portal.counts()["requests"] == 3


def test_a_withdrawal_goes_to_whom_the_value_was_sent_to_whatever_became_of_them(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(days=30)
    portal.put({**patient("P1"), "active": False})
    withdraw(database, record_id, now=now)
    deliver(database, to, now=now)
    assert states(database) == {D.DELIVERED: 2}
    assert statuses(portal)["Observation"] == ["entered-in-error"]


def test_a_patient_is_looked_up_again_the_next_day(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(days=1)
    portal.put({**patient("P1"), "active": False})
    confirm(database, [("P1", assessment("P1", day=date(2026, 3, 1)))])
    deliver(database, to, now=now)
    assert reasons(database) == {None, "patient-inactive-at-portal"}


def test_a_look_that_outlives_its_lease_freezes_and_sends_nothing(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1"))])
    to = at(portal, tmp_path)
    who = Sender(deployment=database.deployment, version="1", instruments=INSTRUMENTS)
    freezer = PayloadFreezer(database=database, destination=to, sender=who)
    with database.reading() as session:
        waiting = only(outbox.list_submissions(session)).submission
    with connected(to, clock=lambda: MORNING) as client, pytest.raises(DeliveryDeferredError):
        freezer.frozen_after_look(client, waiting, owner="whose-lease-ended", now=MORNING)
    with database.reading() as session:
        assert only(outbox.list_submissions(session)).submission.payload is None


def test_patients_are_found_by_their_record_number_and_looked_up_once(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    portal.put({**patient("P1"), "identifier": []})
    portal.put(patient("x-9") | {"identifier": [{"system": RECORD_NUMBERS, "value": "P1"}]})
    to = at(portal, tmp_path, variables={"patient_search": f"identifier={RECORD_NUMBERS}|"})
    before = portal.counts()["requests"]
    days = [date(2026, 3, number) for number in (1, 2)]
    confirm(database, [("P1", assessment("P1", day=day)) for day in days])
    deliver(database, to)
    assert states(database) == {D.DELIVERED: 2}
    assert {one["subject"]["reference"] for one in portal.resources("Observation")} == {"Patient/x-9"}
    assert portal.counts()["requests"] - before == 1 + 2 * 2


def test_a_portal_that_is_restarted_and_tokens_that_expire_change_nothing(database: Database, tmp_path: Path) -> None:
    patients = [patient(number) for number in PATIENTS]
    with running_fhir_portal(tmp_path, patients=patients, client_secret="shh", token_seconds=0.2) as portal:
        secret = tmp_path / "client-secret"
        secret.write_text("shh")
        oauth2 = {"token_url": portal.token_url, "client_id": "scorebridge", "client_secret": f"file:{secret}"}
        to = at(portal, tmp_path, token=None, oauth2=oauth2)
        confirm(database, [(number, assessment(number)) for number in PATIENTS])
        portal.misbehave(next=[None, "commit_then_cut", None, "unavailable"])
        sender(database, to).step(MORNING)
        portal.kill()
        sender(database, to).step(MORNING + timedelta(minutes=30))
        assert D.DELIVERED not in states(database) or states(database)[D.DELIVERED] < len(PATIENTS)
        portal.start()
        portal.misbehave(revoke_tokens=True)
        deliver(database, to, now=MORNING + timedelta(hours=1))
        assert states(database) == {D.DELIVERED: len(PATIENTS)}
        assert len(portal.history("Observation")) == len(PATIENTS)
        assert portal.counts()["tokens"] > 0


def test_many_faults_later_everything_is_there_once(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    shares = {"too_many": 0.08, "unavailable": 0.05, "cut_before_commit": 0.03, "commit_then_cut": 0.1}
    portal.misbehave(**shares, seed=5, retry_after=0)
    days = [date(2026, 2, number) for number in range(1, 21)]
    confirm(database, [(number, assessment(number, day=day)) for day in days for number in PATIENTS])
    deliver(database, at(portal, tmp_path))
    assert states(database) == {D.DELIVERED: 60}
    assert len(portal.history("Observation")) == len(portal.history("Provenance")) == 60
    assert portal.counts()["faults"].keys() == shares.keys()


def of_every_instrument() -> Iterator[SymptomAssessment]:
    """With answers and without, blank ones among them."""
    for number, (name, known) in enumerate(INSTRUMENTS.items(), start=1):
        by_level = known.minimum is None
        items = tuple(
            ItemScore(
                link_id=item.link_id,
                state=ItemState.BLANK if place == 2 else ItemState.ANSWERED,
                points=None if place == 2 else item.maximum,
                source=None,
            )
            for place, item in enumerate(known.items)
        )
        printed = replace(
            assessment("P1", instrument=name, day=date(2026, 1, number)),
            total=None if by_level else known.maximum,
            result=known.levels[-1] if known.levels else None,
            severity=known.bands[-1].label if known.bands else None,
            items=items or None,
        )
        if by_level and not known.levels:
            continue
        yield printed
        yield replace(printed, authored_time="2", items=None, severity=None)


def test_every_stored_resource_of_every_instrument_is_valid(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    printed = list(of_every_instrument())
    record_ids = confirm(database, [("P1", one) for one in printed])
    to = at(portal, tmp_path)
    now = deliver(database, to) + timedelta(hours=1)
    for record_id, one in zip(record_ids[::3], printed[::3], strict=True):
        changed = {"total": one.total - 1} if one.total else {"result": "low"}
        correct(database, record_id, replace(one, **changed), now=now)  # type: ignore[arg-type]
    for record_id in record_ids[1::3]:
        withdraw(database, record_id, now=now)
    deliver(database, to, now=now)
    assert states(database).keys() == {D.DELIVERED}
    stored = portal.history()
    assert {one["status"] for one in stored if one["resourceType"] == "Observation"} == set(ResultStatus)
    assert len(stored) > 4 * len(printed)
    assert [(one["resourceType"], said) for one in stored for said in faults(one)] == []


def test_looking_for_a_patient_first_costs_no_second_attempt(
    database: Database, portal: RunningFhirPortal, tmp_path: Path
) -> None:
    confirm(database, [(one, assessment(one)) for one in PATIENTS])
    delivering, stop = sender(database, at(portal, tmp_path), clock=lambda: datetime.now(UTC)), threading.Event()
    running = threading.Thread(target=delivering.run, args=(stop,))
    running.start()
    wait_until(lambda: states(database) == {D.DELIVERED: len(PATIENTS)})
    stop.set()
    delivering.wake.set()
    running.join()
    with database.reading() as session:
        sent = outbox.list_submissions(session)
    assert [(entry.state, entry.submission.attempts) for entry in sent] == [(D.DELIVERED, 1)] * len(PATIENTS)
