"""What changes between a decision and its delivery: settings, rosters, the clock. Nothing goes where it should not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from delivery_cases import MORNING, assessment, confirm, delivery_worker, destination, new_store, reasons, states

from portal.sandbox import RunningSandbox, running_sandbox
from records.patient import RosterPatient
from records.submission import DeliveryState as D
from store import addresses, notices, outbox, portal_patients, roster
from store.database import Database

DAY = timedelta(days=1)
BORN = date(1980, 1, 2)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def listed(
    patient_id: str, *, site: str = "WCP", birth_date: date = BORN, merged_into: str | None = None
) -> RosterPatient:
    return RosterPatient(
        patient_id=patient_id,
        site=site,
        family="Print",
        given=patient_id,
        mrn=f"M{patient_id}",
        birth_date=birth_date,
        active=merged_into is None,
        merged_into=merged_into,
    )


def bring_roster(database: Database, *patients: RosterPatient, now=MORNING) -> None:
    with database.session() as session:
        roster.replace(
            session,
            patients[0].site,
            patients,
            as_of=now,
            imported_from="roster.csv",
            actor="ida",
            now=now,
            max_removed_share=1.0,
            max_identity_share=1.0,
        )


def withdraw(database: Database, record_id: int) -> None:
    with database.session() as session:
        outbox.enqueue_withdrawal(session, record_id, reason="wrong", actor="ida", now=MORNING, reopen=False)


def told(database: Database) -> list[str]:
    with database.reading() as session:
        return [notice.kind for notice in notices.list_open(session)]


def step(database: Database, *destinations, now=MORNING) -> int:
    return delivery_worker(database, *destinations, clock=lambda: now).step(now)


def test_what_a_trial_froze_is_made_anew_by_the_file_that_goes_live(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    usual = yaml.safe_load((Path("portal") / "destinations" / "generic-json.yaml").read_text("utf-8"))
    draft = tmp_path / "draft.yaml"
    draft.write_text(yaml.safe_dump(usual | {"body": usual["body"] | {"instrument": "draft"}}, sort_keys=False))
    confirm(database, [("P1", assessment("P1"))])
    step(database, destination(tmp_path, sandbox.url, mode="shadow", file="draft.yaml"))
    with database.reading() as session:
        (entry,) = outbox.list_submissions(session)
    assert json.loads(entry.submission.payload or b"")["instrument"] == "draft"
    step(database, destination(tmp_path, sandbox.url, send_shadow_backlog=True), now=MORNING + DAY)
    assert [measure.instrument for measure in sandbox.values.all()] == ["phq-9"]


@pytest.mark.parametrize("mode", [{"mode": "shadow"}, {"mode": "staging", "allow_list": "P9"}])
def test_a_withdrawal_that_the_mode_holds_back_is_told_of(
    database: Database, sandbox: RunningSandbox, tmp_path: Path, mode: dict[str, object]
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    step(database, destination(tmp_path, sandbox.url))
    withdraw(database, record_id)
    step(database, destination(tmp_path, sandbox.url, **mode))
    assert states(database) == {D.DELIVERED: 1, D.HELD: 1}
    assert "change-held" in told(database)


def test_a_value_for_a_chart_that_was_merged_meanwhile_is_held(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    bring_roster(database, listed("P1"), listed("P2"))
    confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    bring_roster(database, listed("P1", merged_into="P2"), listed("P2"))
    step(database, destination(tmp_path, sandbox.url))
    assert [measure.patientId for measure in sandbox.values.all()] == ["P2"]
    assert reasons(database) == {None, "patient-merged"}


def test_a_withdrawal_from_a_merged_chart_goes_where_the_value_went(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    bring_roster(database, listed("P1"), listed("P2"))
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    step(database, destination(tmp_path, sandbox.url))
    bring_roster(database, listed("P1", merged_into="P2"), listed("P2"))
    withdraw(database, record_id)
    step(database, destination(tmp_path, sandbox.url))
    assert [measure.status for measure in sandbox.values.all()] == ["entered-in-error"]


def test_a_clock_that_jumps_a_day_ahead_sends_nothing_twice(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"slow": 1, "slow_seconds": 0.6, "methods": ["POST"]})
    confirm(database, [("P1", assessment("P1"))])
    jumped = threading.Event()
    stop = threading.Event()
    worker = delivery_worker(
        database,
        destination(tmp_path, sandbox.url),
        clock=lambda: MORNING + (DAY if jumped.is_set() else timedelta()),
        poll_seconds=0.02,
    )
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    threading.Timer(0.2, jumped.set).start()
    stop.wait(2.0)
    stop.set()
    thread.join()
    with database.reading() as session:
        (entry,) = outbox.list_submissions(session)
    assert (entry.state, entry.submission.attempts) == (D.DELIVERED, 1)
    assert len(sandbox.values.all()) == 1


def test_whom_a_portal_means_is_asked_again_after_every_roster(database: Database) -> None:
    bring_roster(database, listed("P1"))
    with database.session() as session:
        portal_patients.keep(session, "portal", "P1", "x-1", now=MORNING)
        assert portal_patients.is_settled(session, "portal", "P1")
    bring_roster(database, listed("P1", birth_date=date(1990, 1, 1)), now=MORNING + timedelta(minutes=1))
    with database.reading() as session:
        assert not portal_patients.is_settled(session, "portal", "P1")


def test_one_id_that_means_two_people_at_two_sites_is_never_taken_from_memory(database: Database) -> None:
    bring_roster(database, listed("P1"))
    bring_roster(database, listed("P1", site="EAST", birth_date=date(1990, 1, 1)))
    with database.session() as session:
        portal_patients.keep(session, "portal", "P1", "x-1", now=MORNING)
        assert not portal_patients.is_settled(session, "portal", "P1")


def test_another_address_stops_a_destination_until_a_person_says_it_is_the_same_portal(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    first, _ = confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    step(database, destination(tmp_path, sandbox.url))
    withdraw(database, first)
    with running_sandbox() as other:
        moved = destination(tmp_path, other.url)
        step(database, moved)
        step(database, moved)
        assert other.values.all() == []
        assert states(database) == {D.DELIVERED: 2, D.PENDING: 1}
        assert told(database) == ["destination-paused"]
        with database.session() as session:
            assert outbox.paused(session) == {"portal": addresses.CHANGED}
            outbox.resume(session, "portal", actor="ida", now=MORNING)
    back = destination(tmp_path, sandbox.url)
    step(database, back)
    with database.session() as session:
        outbox.resume(session, "portal", actor="ida", now=MORNING)
    step(database, back)
    assert [measure.status for measure in sandbox.values.all()] == ["entered-in-error", "final"]


def test_a_destination_that_has_nothing_of_ours_may_move_freely(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    step(database, destination(tmp_path, "http://127.0.0.1:9"))
    confirm(database, [("P1", assessment("P1"))])
    step(database, destination(tmp_path, sandbox.url))
    assert states(database) == {D.DELIVERED: 1}


def test_what_waits_for_a_destination_that_nobody_serves_is_known(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    step(database, destination(tmp_path, sandbox.url))
    withdraw(database, record_id)
    with database.reading() as session:
        assert addresses.unserved(session, ["renamed"]) == {"portal"}
        assert addresses.unserved(session, ["portal"]) == set()
