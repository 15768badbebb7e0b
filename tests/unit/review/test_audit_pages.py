"""The audit pages: what an auditor finds, what stays closed, and what every look leaves behind."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest

from store import activity_signing, audit_search, users
from store.audit import ChainedEvent
from store.audit_search import Wanted
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import SITE, ZONE, Clinic


def tamper(clinic: Clinic, statement: str) -> None:
    """What somebody with the key of the database, but not of the trail, could do."""
    with clinic.database.session() as session:
        connection = session.connection()
        connection.exec_driver_sql("DROP TRIGGER audit_event_no_update")
        connection.exec_driver_sql(statement)


@pytest.fixture
def odo(clinic: Clinic) -> Browser:
    """An auditor who is signed in."""
    return Browser(clinic.app).signed_in("odo")


def newest(clinic: Clinic, **wanted: str) -> ChainedEvent:
    with clinic.database.reading() as session:
        return audit_search.find(session, Wanted(**wanted), sites=None, limit=1).events[0]  # type: ignore[arg-type]


def test_the_list_names_users_actions_and_numbers_and_no_patient(clinic: Clinic, odo: Browser) -> None:
    Browser(clinic.app).signed_in("rosa").open(f"/cases/{clinic.case_ids[0]}")
    text = odo.open("/audit").text
    assert "Case viewed" in text
    assert "rosa" in text
    assert "Kowalsk" not in text.replace("KOWALSK", "Kowalsk")


def test_events_are_found_by_who_action_and_number(clinic: Clinic, odo: Browser) -> None:
    Browser(clinic.app).signed_in("rosa").open(f"/cases/{clinic.case_ids[1]}")
    odo.open("/audit")
    text = odo.submit("/audit", who="rosa", action="case.viewed").text
    assert f"case {clinic.case_ids[1]}" in text
    assert "1 entry" in text
    assert "No entries match" in odo.submit("/audit", who="rosa", action="report.settled").text
    assert "Case viewed" in odo.submit("/audit", about=f"case {clinic.case_ids[1]}", who="", action="").text
    assert "No entries match" in odo.submit("/audit", about="", first="2031-01-01").text


def test_a_patient_is_found_and_everybody_who_looked_is_named(clinic: Clinic, odo: Browser) -> None:
    Browser(clinic.app).signed_in("rosa").open(f"/cases/{clinic.case_ids[0]}")
    odo.open("/audit")
    answer = odo.submit("/audit", about="Kowalski Tomasz")
    assert "Who saw this patient" in answer.text
    assert newest(clinic).event.action == "patient.searched"
    text = odo.submit("/audit/patient", patient_id="D1").text
    assert "Who saw KOWALSKI, Tomasz" in text
    assert "rosa" in text
    assert "carla" not in text
    assert newest(clinic).event.action == "patient.looks-viewed"


def test_names_are_opened_one_event_at_a_time_and_that_is_an_event(clinic: Clinic, odo: Browser) -> None:
    Browser(clinic.app).signed_in("rosa").open(f"/cases/{clinic.case_ids[0]}")
    seq = newest(clinic, actor="rosa", action="case.viewed").seq
    assert "Kowalsky" not in odo.open(f"/audit/{seq}").text
    text = odo.submit(f"/audit/{seq}/names").text
    assert "Kowalsky, Thomas" in text
    opened = newest(clinic)
    assert (opened.event.action, opened.event.object_id) == ("audit.names-shown", str(seq))


def test_an_export_needs_a_reason_and_is_an_event_itself(clinic: Clinic, odo: Browser) -> None:
    odo.open("/audit")
    assert odo.submit("/audit/export", format="csv").status_code == 422
    odo.open("/audit")
    answer = odo.submit("/audit/export", format="csv", reason="yearly audit")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert rows[1][3] == "audit.exported"
    assert "reason=yearly audit" in rows[1][6]
    odo.open("/audit")
    lines = odo.submit("/audit/export", format="jsonl", reason="again").text.splitlines()
    assert json.loads(lines[0])["detail"]["format"] == "jsonl"
    assert json.loads(lines[-1])["seq"] == 1


def test_no_cell_of_an_export_is_a_formula(clinic: Clinic, odo: Browser) -> None:
    with clinic.database.session() as session:
        users.add(
            session, "=HYPERLINK(1)", "correct horse battery", users.Role.VIEWER, actor="@SUM(1)", now=clinic.clock()
        )
    odo.open("/audit")
    answer = odo.submit("/audit/export", format="csv", reason="x")
    cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert "'@SUM(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_chain_is_verified_on_demand_and_a_broken_one_is_an_alert(clinic: Clinic, odo: Browser) -> None:
    assert "Chain not verified yet" in odo.open("/audit").text
    assert odo.submit("/audit/verify").headers["location"] == "/audit?said=chain-verified"
    assert "Chain verified" in odo.open("/audit").text
    tamper(clinic, "UPDATE audit_event SET actor = 'x' WHERE seq = 3")
    odo.submit("/audit/verify")
    page = odo.open("/audit")
    assert "Entry 3 doesn't match its hash." in page.text.replace("&#39;", "'")
    assert 'role="alert"' in page.text
    assert odo.submit("/audit/export", format="jsonl", reason="evidence").status_code == 200


def test_a_user_of_another_site_sees_nothing_of_this_one(clinic: Clinic, odo: Browser) -> None:
    Browser(clinic.app).signed_in("rosa").open(f"/cases/{clinic.case_ids[0]}")
    seq = newest(clinic, actor="rosa", action="case.viewed").seq
    with clinic.database.reading() as session:
        found = audit_search.find(session, Wanted(actor="rosa", action="case.viewed"), sites={"OTHER"})
        own = audit_search.find(session, Wanted(actor="rosa", action="case.viewed"), sites={SITE})
    assert found.events == ()
    assert [one.seq for one in own.events] == [seq]


def test_a_week_is_reviewed_and_signed_once(clinic: Clinic, odo: Browser) -> None:
    Browser(clinic.app).signed_in("rosa").open(f"/cases/{clinic.case_ids[0]}")
    clinic.clock.advance(timedelta(days=7))
    odo.signed_in("odo")
    week = "2026-11-16"
    assert f"/audit/weeks/{week}" in odo.open("/audit/weeks").text
    page = odo.open(f"/audit/weeks/{week}")
    assert "rosa" in page.text
    assert odo.submit(f"/audit/weeks/{week}", note=" ").status_code == 409
    assert odo.submit(f"/audit/weeks/{week}", note="Nothing unusual").status_code == 303
    assert "Nothing unusual" in odo.open(f"/audit/weeks/{week}").text
    assert newest(clinic).event.action == "activity.reviewed"
    with clinic.database.reading() as session:
        assert activity_signing.unsigned_weeks(session, zone=ZONE, now=clinic.clock()) == []
        review = activity_signing.reviews(session)[0]
    assert review.intact
    assert {one.name: one.patients for one in review.activity.people}["rosa"] == 4  # the print and three candidates


def test_a_week_that_is_not_over_is_no_monday_or_lies_ahead_cannot_be_signed(clinic: Clinic, odo: Browser) -> None:
    assert "when it is over" in odo.open("/audit/weeks/2026-11-16").text
    assert odo.open("/audit/weeks/2026-11-17").status_code == 404
    assert odo.open("/audit/weeks/2026-11-23").status_code == 404


def test_nobody_else_reads_the_trail(clinic: Clinic) -> None:
    for name in ("rosa", "carla", "vera", "tom"):
        person = Browser(clinic.app).signed_in(name)
        for path in ("/audit", "/audit/1", "/audit/weeks", "/audit/weeks/2026-11-16"):
            assert person.open(path).status_code == 403, (name, path)


def test_an_event_that_is_not_there_says_so(odo: Browser) -> None:
    assert odo.open("/audit/99999").status_code == 404


def test_nobody_signs_a_week_with_their_own_activity_while_somebody_else_can(clinic: Clinic, odo: Browser) -> None:
    ada = Browser(clinic.app).signed_in("ada")
    ada.open(f"/cases/{clinic.case_ids[0]}")
    clinic.clock.advance(timedelta(days=7))
    week = "/audit/weeks/2026-11-16"
    page = ada.signed_in("ada").open(week).text
    assert "Your own activity is in this week, so somebody else signs it: odo." in page
    assert "Sign as reviewed" not in page
    form = odo.signed_in("odo").open(week) and odo.forms()[week]
    token = ada.open("/account") and next(iter(ada.forms().values()))["form_token"]
    refused = ada.http.post(week, data=form | {"form_token": token, "note": "fine"}, headers=SAME_ORIGIN)
    assert refused.status_code == 409
    with clinic.database.reading() as session:
        assert activity_signing.review_of(session, date(2026, 11, 16)) is None
    assert odo.submit(week, note="fine").status_code == 303
    assert "own activity" not in odo.open(week).text


def test_the_only_one_who_can_sign_does_and_the_sign_off_says_so(clinic: Clinic) -> None:
    with clinic.database.session() as session:
        users.disable(session, "odo", actor="ada", now=clinic.clock())
    ada = Browser(clinic.app).signed_in("ada")
    ada.open(f"/cases/{clinic.case_ids[0]}")
    clinic.clock.advance(timedelta(days=7))
    week = "/audit/weeks/2026-11-16"
    assert "Nobody can sign it whose activity is not" in ada.signed_in("ada").open(week).text
    assert ada.submit(week, note="fine").status_code == 303
    assert "ada’s own activity is in this week." in ada.open(week).text
    assert ("own-activity", "True") in newest(clinic).event.detail
    assert "own activity in it" in ada.open("/audit/weeks").text
