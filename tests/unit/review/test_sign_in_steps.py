"""Signing in with a second factor, ending sessions without losing work, and emergency access, through the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from records.case import CaseState
from review.settings import WebSettings
from store import cases, second_factors, users
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import PASSWORD, Clinic, open_clinic


@pytest.fixture
def strict(home: Path) -> Iterator[Clinic]:
    """A clinic in which everybody has a second factor."""
    opened = open_clinic(home, settings=WebSettings(second_factor="required"))
    yield opened
    opened.database.close()


def _app_of(clinic: Clinic, name: str) -> pyotp.TOTP:
    with clinic.database.session() as session:
        user = users.named(session, name)
        assert user is not None
        app = pyotp.TOTP(second_factors.begin(session, user, now=clinic.clock()).secret)
        assert second_factors.confirm(session, user, app.at(clinic.clock()), now=clinic.clock())
    clinic.clock.advance(timedelta(minutes=2))
    return app


def test_the_first_sign_in_sets_up_an_app_and_shows_recovery_codes_once(strict: Clinic) -> None:
    browser = Browser(strict.app)
    browser.open("/sign-in")
    assert browser.submit("/sign-in", name="rosa", password=PASSWORD).headers["location"] == "/sign-in/app"
    shown = browser.open("/sign-in/app").text
    assert "<svg" in shown
    secret = "".join(re.findall(r"<code>([A-Z2-7 ]+)</code>", shown)[0].split())
    assert browser.open("/").headers["location"].startswith("/sign-in")
    browser.open("/sign-in/app")
    answer = browser.submit("/sign-in/app", code=pyotp.TOTP(secret).at(strict.clock()))
    assert len(re.findall(r"<li><code>", answer.text)) == 10
    assert browser.submit("/sign-in/continue").headers["location"] == "/"
    assert browser.open("/queue").status_code == 200


def test_a_password_alone_opens_nothing_where_an_app_is_set_up(clinic: Clinic) -> None:
    app = _app_of(clinic, "rosa")
    browser = Browser(clinic.app)
    browser.open("/sign-in?next=/queue")
    assert browser.submit("/sign-in", name="rosa", password=PASSWORD).headers["location"] == (
        "/sign-in/code?next=/queue"
    )
    assert browser.open("/queue").status_code == 303
    browser.open("/sign-in/code?next=/queue")
    wrong = browser.submit("/sign-in/code", code="000000")
    assert "That code didn’t work." in wrong.text
    assert browser.submit("/sign-in/code", code=app.at(clinic.clock())).headers["location"] == "/queue"
    assert browser.open("/queue").status_code == 200


def test_a_form_sent_after_the_session_ended_is_kept_and_sent_by_a_button_only(clinic: Clinic, rosa: Browser) -> None:
    path = f"/cases/{clinic.case_ids[2]}/reject"
    rosa.open(path.removesuffix("/reject"))
    form = rosa.forms()[path] | {"reason": "duplicate"}
    clinic.clock.advance(timedelta(minutes=16))
    late = rosa.http.post(path, data=form, headers=SAME_ORIGIN)
    assert late.headers["location"] == "/sign-in?said=kept"
    rosa.open("/sign-in")
    assert rosa.submit("/sign-in", name="rosa", password=PASSWORD).headers["location"] == "/kept"
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[2]).state is CaseState.OPEN
    (send,) = [action for action in _kept(rosa) if action.endswith("/send")]
    fields = form | {"form_token": rosa.forms()[send]["form_token"]}
    onward = rosa.submit(send)
    assert (onward.status_code, onward.headers["location"]) == (307, path)
    assert rosa.http.post(path, data=fields, headers=SAME_ORIGIN).status_code == 303
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[2]).state is CaseState.REJECTED


def _kept(browser: Browser) -> list[str]:
    assert browser.open("/kept").status_code == 200
    return [action for action in browser.forms() if action.startswith("/kept/")]


def test_nobody_else_is_offered_what_was_kept(clinic: Clinic, rosa: Browser) -> None:
    path = f"/cases/{clinic.case_ids[0]}/reject"
    rosa.open(path.removesuffix("/reject"))
    form = rosa.forms()[path] | {"reason": "duplicate"}
    clinic.clock.advance(timedelta(minutes=16))
    rosa.http.post(path, data=form, headers=SAME_ORIGIN)
    assert _kept(Browser(clinic.app).signed_in("sam")) == []


def test_asking_for_the_time_left_keeps_no_session_alive(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/")
    clinic.clock.advance(timedelta(minutes=10))
    assert rosa.open("/session").json()["seconds"] == 300
    clinic.clock.advance(timedelta(minutes=5))
    assert rosa.open("/session").status_code == 303


def test_users_are_changed_only_after_a_proof_within_fifteen_minutes(clinic: Clinic) -> None:
    ada = Browser(clinic.app).signed_in("ada")
    for _ in range(2):
        clinic.clock.advance(timedelta(minutes=10))
        ada.open("/users")
    ada.open("/users/1")
    assert ada.submit("/users/1/role", role="viewer").headers["location"] == "/prove?next=/kept"
    ada.open("/prove?next=/kept")
    assert ada.submit("/prove", password="wrong password").status_code == 403
    before = ada.http.cookies["scorebridge"]
    assert ada.submit("/prove", password=PASSWORD).headers["location"] == "/kept"
    assert ada.http.cookies["scorebridge"] != before
    ada.open("/users/1")
    assert ada.submit("/users/1/role", role="viewer").status_code == 303


def test_emergency_access_reads_for_an_hour_and_is_on_every_page(clinic: Clinic) -> None:
    app = _app_of(clinic, "vera")
    vera = Browser(clinic.app)
    vera.open("/sign-in")
    vera.submit("/sign-in", name="vera", password=PASSWORD)
    vera.open("/sign-in/code")
    vera.submit("/sign-in/code", code=app.at(clinic.clock()))
    assert vera.open("/queue").status_code == 403
    vera.open("/emergency-access")
    assert vera.submit("/emergency-access", reason="Patient at the door, in danger").status_code == 303
    assert "Emergency access is on" in vera.open("/queue").text
    assert vera.open("/users").status_code == 403
    vera.open("/queue")
    assert vera.submit("/emergency-access/end").status_code == 303
    assert vera.open("/queue").status_code == 403


def test_emergency_access_is_no_fresh_proof_of_who_somebody_is(clinic: Clinic) -> None:
    app = _app_of(clinic, "vera")
    vera = Browser(clinic.app)
    vera.open("/sign-in")
    vera.submit("/sign-in", name="vera", password=PASSWORD)
    vera.open("/sign-in/code")
    vera.submit("/sign-in/code", code=app.at(clinic.clock()))
    clinic.clock.advance(timedelta(minutes=10))
    vera.open("/emergency-access")
    before = vera.http.cookies["scorebridge"]
    assert vera.submit("/emergency-access", reason="Patient at the door, in danger").headers["location"] == "/"
    assert vera.http.cookies["scorebridge"] != before
    vera.open("/queue")
    vera.submit("/emergency-access/end")
    clinic.clock.advance(timedelta(minutes=5))
    vera.open("/emergency-access")
    again = vera.submit("/emergency-access", reason="Patient at the door, in danger")
    assert again.headers["location"].startswith("/prove")


def test_a_temporary_password_must_be_changed(clinic: Clinic) -> None:
    ada = Browser(clinic.app).signed_in("ada")
    ada.open("/users")
    shown = ada.submit("/users", name="new@clinic.example", role="reviewer").text
    password = re.findall(r"<code>([a-z0-9-]+)</code>", shown)[0]
    new = Browser(clinic.app)
    new.open("/sign-in")
    assert new.submit("/sign-in", name="new@clinic.example", password=password).headers["location"] == (
        "/sign-in/password"
    )
    new.open("/sign-in/password")
    assert new.submit("/sign-in/password", password=password, again=password).status_code == 403
    chosen = "three words are easy"
    assert new.submit("/sign-in/password", password=chosen, again=chosen).headers["location"] == "/"
    assert new.open("/queue").status_code == 200
