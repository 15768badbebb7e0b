"""Ways to see or decide what one should not, each tried through the pages or the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from ingest.rosters import Rosters
from ingest.settings import Settings, SiteSettings
from records.case import CaseState
from records.decision import Decision
from records.submission import DeliveryState
from store import (
    blind_audit,
    case_locks,
    cases,
    emergency_access,
    outbox,
    second_factors,
    second_words,
    tokens,
    users,
)
from store.tables import SubmissionRow
from store.users import Role
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import AUDITED, PASSWORD, SITE, SURE, Clinic, Row, hand_in
from tests.unit.review.shadow_clinic import signed_day, with_typed_values
from tests.unit.review.two_sites import OTHER, OtherSite, furnish_second, open_both, token_for


@pytest.fixture
def both(home: Path) -> Iterator[tuple[Clinic, OtherSite]]:
    opened = open_both(home)
    yield opened, furnish_second(opened.database)
    opened.database.close()


@pytest.fixture
def sam(clinic: Clinic) -> Browser:
    return Browser(clinic.app).signed_in("sam")


def _limit(clinic: Clinic, name: str, *sites: str) -> None:
    with clinic.database.session() as session:
        users.set_sites(session, name, set(sites), actor="setup", now=clinic.clock())


def test_who_sees_one_site_neither_stops_nor_resumes_what_others_send(both: tuple[Clinic, OtherSite]) -> None:
    clinic, _ = both
    _second_administrator(clinic)
    _limit(clinic, "ada", SITE)
    ada = Browser(clinic.app).signed_in("ada")
    page = ada.open("/destinations/portal").text
    assert "Other sites send there too, and you do not see them all." in page
    assert re.search(r"<button[^>]* disabled[^>]*>Pause", page)
    assert OTHER not in page
    assert ada.submit("/destinations/portal/pause").status_code == 409
    with clinic.database.reading() as session:
        assert outbox.paused(session) == {}
    bea = Browser(clinic.app).signed_in("bea")
    assert "Other sites" not in bea.open("/destinations/portal").text
    assert bea.submit("/destinations/portal/pause").status_code == 303


def _second_administrator(clinic: Clinic) -> None:
    with clinic.database.session() as session:
        users.add(session, "bea", PASSWORD, Role.ADMINISTRATOR, actor="setup", now=clinic.clock())


def _app_of(clinic: Clinic, name: str) -> pyotp.TOTP:
    with clinic.database.session() as session:
        user = users.named(session, name)
        assert user is not None
        app = pyotp.TOTP(second_factors.begin(session, user, now=clinic.clock()).secret)
        assert second_factors.confirm(session, user, app.at(clinic.clock()), now=clinic.clock())
    clinic.clock.advance(timedelta(minutes=2))
    return app


def test_past_decisions_of_a_site_one_no_longer_sees_are_neither_named_nor_taken_back(
    both: tuple[Clinic, OtherSite],
) -> None:
    clinic, foreign = both
    case_id = foreign.ids["case_id"]
    rosa = Browser(clinic.app).signed_in("rosa")
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/reject", reason="not-a-patient-row")
    rosa.open("/queue")
    offered = rosa.forms()["/queue/undo"]["decision"]
    _limit(clinic, "rosa", SITE)
    assert "ZWINGLI" not in rosa.open("/queue").text
    page = rosa.open(f"/cases/{clinic.case_ids[0]}?said=rejected").text
    assert "ZWINGLI" not in page
    assert "Zwingli" not in page
    form = rosa.forms()["/queue/undo"]
    assert rosa.http.post("/queue/undo", data=form, headers=SAME_ORIGIN).status_code == 409
    assert rosa.http.post("/queue/undo", data=form | {"decision": offered}, headers=SAME_ORIGIN).status_code == 404
    with clinic.database.reading() as session:
        assert [word.actor for word in second_words.of_case(session, case_id)] == ["rosa"]


def test_undo_takes_back_the_decision_that_its_page_showed_not_a_later_one(clinic: Clinic, rosa: Browser) -> None:
    first, second, third = clinic.case_ids
    rosa.open(f"/cases/{first}")
    rosa.submit(f"/cases/{first}/reject", reason="wrong-report")
    rosa.open(f"/cases/{third}?said=rejected")
    stale = rosa.forms()["/queue/undo"]
    rosa.open(f"/cases/{second}")
    rosa.submit(f"/cases/{second}/reject", reason="wrong-report")
    answer = rosa.http.post("/queue/undo", data=stale, headers=SAME_ORIGIN)
    assert answer.headers["location"].startswith(f"/cases/{first}")
    with clinic.database.reading() as session:
        assert cases.get(session, first).state is CaseState.OPEN
        assert cases.get(session, second).state is CaseState.REJECTED


def test_a_page_that_offered_nothing_to_undo_takes_nothing_back(clinic: Clinic, rosa: Browser) -> None:
    _, second, third = clinic.case_ids
    rosa.open(f"/cases/{second}")
    stale = rosa.forms()["/queue/undo"]
    rosa.open(f"/cases/{third}")
    rosa.submit(f"/cases/{third}/reject", reason="wrong-report")
    assert rosa.http.post("/queue/undo", data=stale, headers=SAME_ORIGIN).status_code == 409
    with clinic.database.reading() as session:
        assert cases.get(session, third).state is CaseState.REJECTED


def test_nobody_takes_somebody_elses_decision_back(clinic: Clinic, rosa: Browser, sam: Browser) -> None:
    last = clinic.case_ids[2]
    rosa.open(f"/cases/{last}")
    rosa.submit(f"/cases/{last}/reject", reason="wrong-report")
    rosa.open("/queue")
    hers = rosa.forms()["/queue/undo"]["decision"]
    sam.open(f"/cases/{clinic.case_ids[1]}")
    form = sam.forms()["/queue/undo"] | {"decision": hers}
    assert sam.http.post("/queue/undo", data=form, headers=SAME_ORIGIN).status_code == 409
    with clinic.database.reading() as session:
        assert cases.get(session, last).state is CaseState.REJECTED


def test_checks_of_another_site_are_not_listed(both: tuple[Clinic, OtherSite]) -> None:
    clinic, _ = both
    hand_in(
        clinic.database, (Row(who=AUDITED, match=SURE, reasons=()),), now=clinic.clock(), decision=Decision.CONFIRMED
    )
    with clinic.database.session() as session:
        blind_audit.draw_due(session, share=1.0, per_week=0, now=clinic.clock())
        assert {task.site for task in blind_audit.list_tasks(session)} == {SITE, OTHER}
    rosa = Browser(clinic.app).signed_in("rosa")
    assert "ZWINGLI" in rosa.open("/blind-audit").text
    _limit(clinic, "rosa", SITE)
    page = rosa.open("/blind-audit").text
    assert "OSEI" in page
    assert "ZWINGLI" not in page


def test_an_administrator_of_one_site_sees_and_revokes_no_token_of_anothers_user(
    both: tuple[Clinic, OtherSite],
) -> None:
    clinic, _ = both
    _second_administrator(clinic)
    secret = token_for(clinic, Role.REVIEWER, user="sam")
    _limit(clinic, "ada", SITE)
    ada = Browser(clinic.app).signed_in("ada")
    assert "token-0" not in ada.open("/settings/tokens").text
    form = {"form_token": ada.forms()["/sign-out"]["form_token"]}
    assert ada.http.post("/settings/tokens/1/revoke", data=form, headers=SAME_ORIGIN).status_code == 404
    assert Caller(clinic.app, secret).get("/cases").status_code == 200
    with clinic.database.reading() as session:
        assert [token.revoked_at for token in tokens.list_tokens(session)] == [None]


def test_reasons_of_emergency_access_stay_with_those_who_look_after_the_person(
    both: tuple[Clinic, OtherSite],
) -> None:
    clinic, _ = both
    _app_of(clinic, "carla")
    _limit(clinic, "carla", OTHER)
    with clinic.database.session() as session:
        carla = users.named(session, "carla")
        assert carla is not None
        emergency_access.take(session, carla, "Quirin Zwingli has called from home", now=clinic.clock())
        emergency_access.end(session, carla, actor="carla", now=clinic.clock())
    odo = Browser(clinic.app).signed_in("odo")
    assert "Quirin" in odo.open("/emergency-access").text
    _limit(clinic, "odo", SITE)
    assert "Quirin" not in odo.open("/emergency-access").text
    form = {"form_token": odo.forms()["/sign-out"]["form_token"]}
    assert odo.http.post("/emergency-access/1/review", data=form, headers=SAME_ORIGIN).status_code == 404


def test_a_code_is_good_once_in_whatever_browser(clinic: Clinic) -> None:
    app = _app_of(clinic, "rosa")
    code = app.at(clinic.clock())
    answers = []
    for _ in range(2):
        browser = Browser(clinic.app)
        browser.open("/sign-in")
        browser.submit("/sign-in", name="rosa", password=PASSWORD)
        browser.open("/sign-in/code")
        answers.append(browser.submit("/sign-in/code", code=code).status_code)
    assert answers == [303, 403]


def test_codes_cannot_be_tried_out_by_whoever_has_the_password(clinic: Clinic) -> None:
    app = _app_of(clinic, "rosa")
    for _ in range(2):
        browser = Browser(clinic.app)
        browser.open("/sign-in")
        browser.submit("/sign-in", name="rosa", password=PASSWORD)
        browser.open("/sign-in/code")
        for guess in ("000000", "000001", "000002"):
            browser.submit("/sign-in/code", code=guess)
    assert browser.submit("/sign-in/code", code=app.at(clinic.clock())).status_code in (403, 429)


def test_a_session_opens_nothing_of_the_api_and_a_token_no_page(clinic: Clinic, rosa: Browser) -> None:
    assert rosa.http.get("/api/v1/cases").status_code == 401
    body = {"version": 1, "reason": "wrong-report"}
    case_id = clinic.case_ids[0]
    assert rosa.http.post(f"/api/v1/cases/{case_id}/reject", json=body, headers=SAME_ORIGIN).status_code == 401
    secret = token_for(clinic, Role.REVIEWER, user="rosa")
    stranger = Browser(clinic.app)
    assert stranger.http.get("/queue", headers={"authorization": f"Bearer {secret}"}).status_code == 303


def test_a_token_ends_with_its_users_role_and_with_the_user(clinic: Clinic) -> None:
    reviewer, other = token_for(clinic, Role.REVIEWER, user="rosa"), token_for(clinic, Role.REVIEWER, user="sam")
    with clinic.database.session() as session:
        users.set_role(session, "rosa", Role.VIEWER, actor="ada", now=clinic.clock())
        users.disable(session, "sam", actor="ada", now=clinic.clock())
    assert Caller(clinic.app, reviewer).get("/cases").status_code == 401
    assert Caller(clinic.app, other).get("/cases").status_code == 401


def test_a_demoted_or_disabled_user_is_so_at_the_next_request(clinic: Clinic, rosa: Browser, sam: Browser) -> None:
    with clinic.database.session() as session:
        users.set_role(session, "rosa", Role.VIEWER, actor="ada", now=clinic.clock())
        users.disable(session, "sam", actor="ada", now=clinic.clock())
    assert rosa.open(f"/cases/{clinic.case_ids[0]}").status_code == 403
    assert rosa.open(f"/reports/{clinic.report_id}/pages/1.png").status_code == 403
    assert sam.open("/").status_code == 303


def test_a_form_kept_over_the_end_of_a_session_decides_nothing_that_has_changed_since(
    clinic: Clinic, rosa: Browser, sam: Browser
) -> None:
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    clinic.clock.advance(timedelta(minutes=16))
    assert rosa.submit(f"/cases/{case_id}/approve", patient_id="D7").headers["location"] == "/sign-in?said=kept"
    sam = Browser(clinic.app).signed_in("sam")
    sam.open(f"/cases/{case_id}")
    sam.submit(f"/cases/{case_id}/correct", total="8")
    rosa.open("/sign-in")
    assert rosa.submit("/sign-in", name="rosa", password=PASSWORD).headers["location"] == "/kept"
    page = rosa.open("/kept")
    assert page.status_code == 200
    (send,) = (action for action in rosa.forms() if action.endswith("/send"))
    fields = rosa.forms()[send]
    assert rosa.http.post(send, data=fields, headers=SAME_ORIGIN).status_code == 307
    answer = rosa.http.post(f"/cases/{case_id}/approve", data=fields, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    assert "Nothing was saved." in answer.text
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).state is CaseState.OPEN


def test_two_tokens_and_a_browser_of_one_person_are_one_person(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).critical
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/approve", patient_id="D2", confirmed="D2")
    for _ in range(2):
        caller = Caller(clinic.app, token_for(clinic, Role.REVIEWER, user="rosa"))
        version = caller.get(f"/cases/{case_id}").json()["version"]
        wish = {"version": version, "patient_id": "D2", "although_it_differs": True}
        assert caller.post(f"/cases/{case_id}/approve", wish).json()["outcome"] == "awaits-second"
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).state is CaseState.OPEN


def test_the_same_form_sent_twice_decides_once(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    form = rosa.forms()[f"/cases/{case_id}/approve"]
    answers = [rosa.http.post(f"/cases/{case_id}/approve", data=form, headers=SAME_ORIGIN).status_code for _ in "ab"]
    assert answers == [303, 409]


def test_a_patient_chosen_before_the_identity_was_corrected_is_not_approved_with_it(
    clinic: Clinic, rosa: Browser
) -> None:
    settings = Settings(home=clinic.database.settings.home, site=(SiteSettings(id=SITE, time_zone="America/Chicago"),))
    clinic.app.state.office = replace(clinic.app.state.office, matching=Rosters(clinic.database, settings))
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(
        f"/cases/{case_id}/correct", name="Reyes, M", total="8", then="approve", chosen="D6", birth_date="2001-12-01"
    )
    assert answer.headers["location"] == f"/cases/{case_id}?said=corrected"
    with clinic.database.reading() as session:
        case = cases.get(session, case_id)
    assert (case.state, case.assessment.total, case.assessment.patient.given) == (CaseState.OPEN, 8, "M")


def test_a_program_is_told_of_a_patient_ruled_out_after_the_identity_was_corrected(
    clinic: Clinic, rosa: Browser
) -> None:
    settings = Settings(home=clinic.database.settings.home, site=(SiteSettings(id=SITE, time_zone="America/Chicago"),))
    clinic.app.state.office = replace(clinic.app.state.office, matching=Rosters(clinic.database, settings))
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/not-this-patient", patient_id="D6")
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/correct", total="8", mrn="BH-60001")
    caller = Caller(clinic.app, token_for(clinic, Role.REVIEWER, user="sam"))
    with clinic.database.session() as session:
        case_locks.release(session, case_id, actor="rosa")
    version = caller.get(f"/cases/{case_id}").json()["version"]
    answer = caller.post(f"/cases/{case_id}/approve", {"version": version, "patient_id": "D6"})
    assert (answer.status_code, answer.json()["code"]) == (409, "differs")


def test_a_comparison_signed_for_another_site_is_as_if_it_were_not_there(both: tuple[Clinic, OtherSite]) -> None:
    clinic, _ = both
    with_typed_values(clinic)
    address = f"/shadow/signed/{signed_day(clinic)}"
    odo = Browser(clinic.app).signed_in("odo")
    assert odo.open(address).status_code == 200
    _limit(clinic, "odo", OTHER)
    assert odo.open(address).status_code == 404


def test_what_is_held_at_another_site_is_not_released_by_an_administrator_of_one(
    both: tuple[Clinic, OtherSite],
) -> None:
    clinic, foreign = both
    _second_administrator(clinic)
    with clinic.database.session() as session:
        row = session.get_one(SubmissionRow, foreign.ids["submission_id"])
        row.state, row.reason = DeliveryState.HELD, "shadow"
        session.add(row)
    _limit(clinic, "ada", SITE)
    ada = Browser(clinic.app).signed_in("ada")
    ada.open("/")
    form = {"form_token": ada.forms()["/sign-out"]["form_token"], "reason": "shadow"}
    for wanted, sites in ((DeliveryState.HELD, {SITE}), (DeliveryState.PENDING, {SITE, OTHER})):
        _limit(clinic, "ada", *sites)
        assert ada.http.post("/destinations/portal/release", data=form, headers=SAME_ORIGIN).status_code == 303
        with clinic.database.reading() as session:
            assert session.get_one(SubmissionRow, foreign.ids["submission_id"]).state == wanted
