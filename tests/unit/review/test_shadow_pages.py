"""The comparison with what staff typed is settled with the print in front, and signed without naming a patient."""

from __future__ import annotations

import re

import pytest

from review.rendering import format_interval
from store import audit, shadow_report, shadow_signing
from store.shadow_report import Scope
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import ROSTER, SITE, STAFF, Clinic
from tests.unit.review.shadow_clinic import signed_day, with_typed_values

SCOPE = Scope(sites=(SITE,))


@pytest.fixture
def typed(clinic: Clinic) -> Clinic:
    """The clinic with both sides, slips planted."""
    with_typed_values(clinic)
    return clinic


@pytest.fixture
def ada(clinic: Clinic) -> Browser:
    """An administrator who is signed in."""
    return Browser(clinic.app).signed_in("ada")


def links(page: str) -> list[str]:
    return list(
        dict.fromkeys(path.replace("&amp;", "&") for path in re.findall(r'href="(/shadow/\d+/\d+[^"]*)"', page))
    )


def settle_everything(browser: Browser, *, found: str = "scorebridge-right") -> int:
    """Settle the differences one after the other, as the pages lead; how many pages that took."""
    at = links(browser.open("/shadow").text)[0]
    for number in range(1, 50):
        page = browser.open(at).text
        fields = set(re.findall(r'name="(found-[a-z0-9-]+)"', page))
        answer = browser.submit(at.partition("?")[0], **dict.fromkeys(fields, found))
        assert answer.status_code == 303, answer.text
        at = answer.headers["location"]
        if "settled-all" in at:
            return number
    raise AssertionError("it never ends")


def test_without_anything_typed_the_page_says_how_to_begin(rosa: Browser) -> None:
    assert "scorebridge shadow import" in rosa.open("/shadow").text


def test_every_planted_slip_is_listed_by_record_number_and_no_patient_is_named(typed: Clinic, rosa: Browser) -> None:
    page = rosa.open("/shadow").text
    assert len(links(page)) == 6
    for said in (
        "Typed twice",
        "another patient",
        "1 day later",
        "Only typed",
        "Only with Scorebridge",
        "6 not settled",
    ):
        assert said in page, said
    for patient in ROSTER:
        assert patient.family not in page
        assert f">{patient.patient_id}<" not in page


def test_a_difference_is_shown_with_the_printed_row_and_both_patients(typed: Clinic, rosa: Browser) -> None:
    wrong_patient = next(
        path for path in links(rosa.open("/shadow").text) if "Patient: who is right?" in rosa.open(path).text
    )
    page = rosa.open(wrong_patient).text
    assert "Printed row, enlarged" in page
    assert re.search(r'href="/reports/\d+/pages/1.png"', page)
    assert "KOWALCZYK" in page.upper()
    assert "These are two different values" in page


def test_each_answer_leads_to_the_next_difference_until_none_is_left(typed: Clinic, rosa: Browser) -> None:
    assert settle_everything(rosa) == 6
    page = rosa.open("/shadow").text
    assert "Nothing is left to settle" in rosa.open("/shadow?site=&first=&last=&days=7&said=settled-all").text
    assert "6 wrong of 16, " in page
    assert "An administrator can sign it." in page


def test_an_answer_without_a_choice_or_of_another_kind_is_not_taken(typed: Clinic, rosa: Browser) -> None:
    path = links(rosa.open("/shadow").text)[0]
    rosa.open(path)
    assert "Say who is right" in rosa.submit(path.partition("?")[0]).text
    rosa.open(path)
    answer = rosa.submit(path.partition("?")[0], **{"found-severity": "staff-right"})
    assert answer.status_code == 409


def test_a_difference_that_is_gone_says_so(typed: Clinic, rosa: Browser) -> None:
    assert rosa.open("/shadow/999/999").status_code == 404


def test_it_is_signed_by_an_administrator_once_all_is_settled(typed: Clinic, rosa: Browser, ada: Browser) -> None:
    assert "/shadow/sign" not in ada_forms(ada)
    settle_everything(rosa)
    ada.open("/shadow")
    answer = ada.submit("/shadow/sign", name="Ada Synthetic, clinic manager")
    assert answer.headers["location"] == "/shadow/signed/1?said=signed"
    page = ada.open("/shadow/signed/1").text
    with typed.database.reading() as session:
        signed = shadow_signing.sign_off(session, 1)
        actions = [one.event.action for one in audit.events(session, limit=1000)]
    assert signed.sha256 in page
    assert "Ada Synthetic, clinic manager" in page
    assert "Going live means" in page
    assert "shadow.signed" in actions
    for patient in ROSTER:
        assert patient.family not in page


def ada_forms(ada: Browser) -> dict[str, dict[str, str]]:
    ada.open("/shadow")
    return ada.forms()


def test_what_changed_since_it_was_shown_is_not_signed(typed: Clinic, rosa: Browser, ada: Browser) -> None:
    settle_everything(rosa)
    ada.open("/shadow")
    answer = ada.submit("/shadow/sign", name="Ada", seen="0" * 64)
    assert answer.status_code == 409
    assert "have changed since they were shown" in answer.text


def test_a_reviewer_cannot_sign_with_a_form_made_by_hand(typed: Clinic, rosa: Browser) -> None:
    settle_everything(rosa)
    rosa.open("/shadow")
    token = rosa.forms()["/sign-out"]["form_token"]
    answer = rosa.http.post(
        "/shadow/sign", data={"form_token": token, "name": "Rosa"}, headers={"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("name", sorted(STAFF))
def test_a_single_difference_is_for_those_who_decide(typed: Clinic, rosa: Browser, name: str) -> None:
    path = links(rosa.open("/shadow").text)[0]
    person = Browser(typed.app).signed_in(name)
    assert person.open(path).status_code == (200 if name in ("rosa", "sam", "ada") else 403)
    assert person.open("/shadow").status_code == (200 if name in ("rosa", "sam", "ada", "odo") else 403)


def test_the_period_and_the_site_can_be_chosen(typed: Clinic, rosa: Browser) -> None:
    page = rosa.open(f"/shadow?site={SITE}&first=2026-11-02&last=2026-11-02&days=0").text
    assert "1 values that both sides have" in page
    assert rosa.open("/shadow?site=XYZ").status_code == 409
    assert rosa.open("/shadow?first=yesterday").status_code == 409


def test_a_look_at_a_difference_is_audited(typed: Clinic, rosa: Browser) -> None:
    rosa.open(links(rosa.open("/shadow").text)[0])
    with typed.database.reading() as session:
        seen = [
            one.event.object_kind for one in audit.events(session, limit=1000) if one.event.action == "shadow.viewed"
        ]
    assert seen == ["shadow", "shadow-difference"]


def test_the_pages_hold_nothing_that_the_policy_would_block(typed: Clinic, ada: Browser) -> None:
    for path in ("/shadow", links(ada.open("/shadow").text)[0], f"/shadow/signed/{signed_day(typed)}"):
        page = ada.open(path).text.lower()
        for blocked in (" style=", "<style", "<script>", " onclick=", "javascript:", "http://", "https://"):
            assert blocked not in page, (path, blocked)


def test_without_slips_both_sides_agree_in_every_field(clinic: Clinic) -> None:
    with_typed_values(clinic, slips=False)
    with clinic.database.reading() as session:
        told = shadow_report.compare(session, SCOPE).figures
    assert (told.compared, told.unsettled) == (14, 0)


def test_an_interval_is_written_as_tables_have_it() -> None:
    assert format_interval(0.00076256, 0.01075885) == "0.08 % to 1.08 %"
    assert format_interval(0.0, 0.0000001) == "0.00 % to 0.01 %"
