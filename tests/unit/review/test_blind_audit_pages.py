"""A person checks an automatic match on the pages without being told what it was."""

from __future__ import annotations

import re

import pytest

from review.rendering import format_small_share
from store import blind_audit, kept_records
from store.kept_records import RecordState
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import ROSTER, Clinic, blind_check


@pytest.fixture
def task_id(clinic: Clinic) -> int:
    """A check of an automatic match to D4."""
    return blind_check(clinic)


def state_of_record(clinic: Clinic, task_id: int) -> RecordState:
    with clinic.database.reading() as session:
        return kept_records.get(session, blind_audit.get(session, task_id).record_id).state


def choices(page: str) -> list[str]:
    return re.findall(r'name="choice" value="([^"]+)"', page)


def test_the_page_shows_the_print_among_several_patients_and_no_score(
    clinic: Clinic, rosa: Browser, task_id: int
) -> None:
    page = rosa.open(f"/blind-audit/{task_id}").text
    shown = choices(page)
    assert "D4" in shown
    assert len([one for one in shown if one in {patient.patient_id for patient in ROSTER}]) >= 2
    assert shown[-2:] == ["-none-of-these", "-cannot-tell"]
    assert "Osei, Hannah" in page
    for told in ("99.9", "0.9", "over 99%", "certain", "chosen", "Very likely", "log2"):
        assert told not in page
    assert re.search(r'name="choice"[^>]*checked', page) is None


def test_the_list_names_what_is_to_be_checked(clinic: Clinic, rosa: Browser, task_id: int) -> None:
    page = rosa.open("/blind-audit").text
    assert f'href="/blind-audit/{task_id}"' in page
    assert "Nothing has been checked yet" in page


def test_the_same_patient_is_kept_and_changes_nothing(clinic: Clinic, rosa: Browser, task_id: int) -> None:
    rosa.open(f"/blind-audit/{task_id}")
    answer = rosa.submit(f"/blind-audit/{task_id}/answer", choice="D4")
    assert answer.headers["location"] == "/blind-audit?said=answered"
    assert state_of_record(clinic, task_id) is RecordState.CONFIRMED
    assert "at most 95%" in rosa.open("/").text


def test_another_patient_is_found_by_search_and_the_wrong_match_withdrawn(
    clinic: Clinic, rosa: Browser, task_id: int
) -> None:
    rosa.open(f"/blind-audit/{task_id}")
    found = rosa.submit(f"/blind-audit/{task_id}/find", query="Moreau")
    assert "D5" in choices(found.text)
    answer = rosa.submit(f"/blind-audit/{task_id}/answer", choice="D5")
    assert answer.headers["location"] == f"/blind-audit/{task_id}?said=differs"
    assert state_of_record(clinic, task_id) is RecordState.CONFIRMED
    page = rosa.open(f"/blind-audit/{task_id}").text
    assert "OSEI" in page
    assert "MOREAU" in page
    assert "Keep the record" not in page
    assert rosa.submit(f"/blind-audit/{task_id}/settle").status_code == 303
    assert state_of_record(clinic, task_id) is RecordState.REVIEW


def test_another_person_may_keep_the_record(clinic: Clinic, rosa: Browser, task_id: int) -> None:
    rosa.open(f"/blind-audit/{task_id}")
    rosa.submit(f"/blind-audit/{task_id}/answer", choice="-none-of-these")
    sam = Browser(clinic.app).signed_in("sam")
    assert "none of the patients shown" in sam.open(f"/blind-audit/{task_id}").text
    assert sam.submit(f"/blind-audit/{task_id}/settle", found="match-was-right").status_code == 303
    assert state_of_record(clinic, task_id) is RecordState.CONFIRMED


def test_an_answer_without_a_choice_or_a_second_one_is_not_taken(clinic: Clinic, rosa: Browser, task_id: int) -> None:
    rosa.open(f"/blind-audit/{task_id}")
    assert "Choose an answer first" in rosa.submit(f"/blind-audit/{task_id}/answer").text
    rosa.submit(f"/blind-audit/{task_id}/answer", choice="-cannot-tell")
    assert rosa.submit(f"/blind-audit/{task_id}/answer", choice="D4").status_code == 409


@pytest.mark.parametrize("name", ["carla", "vera", "tom", "odo"])
def test_only_those_who_decide_see_a_check(clinic: Clinic, task_id: int, name: str) -> None:
    browser = Browser(clinic.app).signed_in(name)
    assert browser.open(f"/blind-audit/{task_id}").status_code == 403
    assert browser.open("/blind-audit").status_code == 403


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0%"), (0.95, "95%"), (0.0950339, "9.6%"), (0.00099, "0.099%"), (0.0010001, "0.11%")]
)
def test_a_bound_is_never_shown_smaller_than_it_is(share: float, shown: str) -> None:
    assert format_small_share(share) == shown
