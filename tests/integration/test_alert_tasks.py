"""Alerts as tasks at a FHIR server that nobody here wrote: once, kept up to date, never with a guessed patient."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from delivery_cases import MORNING, assessment, confirm, new_store

from portal.alert_settings import AlertSettings
from portal.alerting import AlertWorker, send_test
from records.patient import RosterPatient
from review import actions
from store import alert_tellings, alerts, audit, cases, kept_records, notices, roster
from store.corrections import enqueue_withdrawal
from store.database import Database
from tests.portals.fhir_portal import RunningFhirPortal, patient, running_fhir_portal

MINUTE = timedelta(minutes=1)
SECRET = "synthetic-client-secret"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFhirPortal]:
    folder = tmp_path_factory.mktemp("fhir")
    with running_fhir_portal(folder, patients=[patient("P1"), patient("P2")], client_secret=SECRET) as portal:
        yield portal


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def worker(database: Database, server: RunningFhirPortal, tmp_path: Path) -> AlertWorker:
    return AlertWorker(database=database, settings=settings(server, tmp_path))


def settings(server: RunningFhirPortal, folder: Path) -> AlertSettings:
    secret = folder / "secret"
    secret.write_text(SECRET)
    oauth2 = {"token_url": server.token_url, "client_id": "scorebridge", "client_secret": f"file:{secret}"}
    chart = {"name": "chart", "fhir": {"base_url": server.url, "oauth2": oauth2}}
    # The pager is nobody: here it only satisfies the rule that somebody hears of notices.
    return AlertSettings.model_validate({"channel": [chart, {"name": "pager", "webhook": "http://127.0.0.1:9/"}]})


def raise_one(database: Database, key: str, *, record_id: int) -> int:
    with database.session() as session:
        report_id = kept_records.get(session, record_id).report_id
        raised = alerts.raise_alert(
            session,
            alert_key=key,
            site="WCP",
            report_id=report_id,
            position=0,
            instrument="phq-9",
            link_id="9",
            points=2,
            unverified=False,
            now=MORNING,
        )
    assert raised is not None
    return raised.alert_id


def change_at_server(server: RunningFhirPortal, resource: dict[str, Any]) -> None:
    """Store a resource as somebody does who works at the server."""
    form = {"grant_type": "client_credentials", "client_id": "staff", "client_secret": SECRET}
    token = httpx.post(server.token_url, data=form).raise_for_status().json()["access_token"]
    place = f"{server.url}/Task/{resource['id']}"
    httpx.put(place, json=resource, headers={"Authorization": f"Bearer {token}"}).raise_for_status()


def tasks(server: RunningFhirPortal, database: Database, alert_id: int) -> list[dict[str, Any]]:
    """The tasks of an alert at the server, by round."""
    with database.reading() as session:
        rounds = range(1, alerts.get(session, alert_id).round + 1)
        names = [alert_tellings.reference(session, alert_id, round_=number) for number in rounds]
    found = {task["identifier"][0]["value"]: task for task in server.resources("Task")}
    return [found[name] for name in names if name in found]


def test_an_alert_is_one_task_however_often_the_answer_is_lost(
    database: Database, server: RunningFhirPortal, worker: AlertWorker
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    alert_id = raise_one(database, "lost", record_id=record_id)
    before = len(server.history("Task"))
    server.misbehave(next=["commit_then_cut", "commit_then_cut", "unavailable", None])
    for minute in range(5):
        worker.step(MORNING + minute * MINUTE)
    (task,) = tasks(server, database, alert_id)
    assert (task["status"], task["intent"], task["priority"]) == ("requested", "order", "stat")
    assert task["for"] == {"reference": "Patient/P1"}
    assert task["identifier"][0]["system"].startswith("urn:uuid:")
    assert "coding" not in task["code"]
    assert len({one["id"] for one in server.history("Task")[before:]}) == 1
    written = len(server.history("Task"))
    worker.step(MORNING + 300 * MINUTE)
    assert len(server.history("Task")) == written


def test_a_task_names_the_patient_only_once_one_is_confirmed_and_its_owner_once_somebody_took_it(
    database: Database, server: RunningFhirPortal, worker: AlertWorker
) -> None:
    (record_id,) = confirm(database, [("P2", assessment("P2"))])
    alert_id = raise_one(database, "subject", record_id=record_id)
    with database.session() as session:
        enqueue_withdrawal(session, record_id, reason="test", actor="ida", now=MORNING, reopen=True)
    worker.step(MORNING)
    (task,) = tasks(server, database, alert_id)
    assert "for" not in task
    assert "focus" not in task
    change_at_server(server, task | {"status": "in-progress", "note": [{"text": "somebody at the server began"}]})
    with database.session() as session:
        case = cases.of_record(session, record_id)
        assert case is not None
        roster.replace(
            session,
            "WCP",
            [RosterPatient(patient_id="P2", site="WCP", family="P2", given="Print")],
            as_of=MORNING,
            imported_from="roster.csv",
            actor="ida",
            now=MORNING,
            max_removed_share=1.0,
        )
        cases.approve(
            session, case.case_id, version=case.version, patient_id="P2", actor="ida", now=MORNING, destinations=()
        )
    worker.step(MORNING + MINUTE)
    (task,) = tasks(server, database, alert_id)
    assert task["for"] == {"reference": "Patient/P2"}
    assert task["focus"]["type"] == "Observation"
    assert (task["status"], len(task["note"])) == ("in-progress", 1)
    actions.acknowledge_alert(database, alert_id, actor="dr-eve", now=MORNING + MINUTE, note="called P2")
    worker.step(MORNING + 2 * MINUTE)
    (task,) = tasks(server, database, alert_id)
    assert (task["status"], task["owner"]) == ("completed", {"display": "dr-eve"})
    assert "called" not in str(server.history("Task"))


def test_a_task_of_the_wrong_patient_is_an_error_and_another_one_takes_its_place(
    database: Database, server: RunningFhirPortal, worker: AlertWorker
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    alert_id = raise_one(database, "wrong", record_id=record_id)
    worker.step(MORNING)
    actions.acknowledge_alert(database, alert_id, actor="dr-eve", now=MORNING)
    worker.step(MORNING + MINUTE)
    actions.alert_not_this_patient(database, alert_id, "P1", actor="dr-eve", now=MORNING + 2 * MINUTE)
    worker.step(MORNING + 2 * MINUTE)
    wrong, task = tasks(server, database, alert_id)
    assert (wrong["status"], wrong["for"]) == ("entered-in-error", {"reference": "Patient/P1"})
    assert task["status"] == "requested"
    assert "for" not in task
    with database.session() as session:
        shown = [one.event.detail for one in audit.events(session, object_kind="alert") if "task" in one.event.action]
        assert [dict(detail)["status"] for detail in shown] == [
            "requested",
            "completed",
            "requested",
            "entered-in-error",
        ]


def test_a_server_that_is_down_is_a_notice_to_the_others_and_hears_the_latest_when_it_is_back(
    database: Database, server: RunningFhirPortal, worker: AlertWorker
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    alert_id = raise_one(database, "down", record_id=record_id)
    server.misbehave(unavailable=1.0)
    for minute in range(3):
        worker.step(MORNING + minute * MINUTE)
    with database.reading() as session:
        assert {(one.channel, one.attempts) for one in alert_tellings.failing(session)} == {("chart", 3), ("pager", 3)}
        assert {notice.subject for notice in notices.list_open(session)} == {"chart", "pager"}
    server.misbehave(unavailable=0.0)
    worker.step(MORNING + 60 * MINUTE)
    assert [task["status"] for task in tasks(server, database, alert_id)] == ["requested"]
    with database.reading() as session:
        assert {notice.subject for notice in notices.list_open(session)} == {"pager"}


def test_the_test_of_a_fhir_channel_makes_no_task(server: RunningFhirPortal, tmp_path: Path) -> None:
    before = len(server.resources("Task"))
    found = send_test(settings(server, tmp_path), now=MORNING)
    assert found["chart"] is None
    assert found["pager"] is not None
    assert len(server.resources("Task")) == before
