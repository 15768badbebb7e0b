"""Finding a patient by whatever a person remembers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.patient import Roster, RosterPatient
from review.patient_search import find_patients
from tests.unit.review.review_clinic import ROSTER, SITE

PATIENTS = Roster(site=SITE, patients=ROSTER, as_of=datetime(2026, 11, 20, tzinfo=UTC))


def ids(query: str, limit: int = 20) -> list[str]:
    return [patient.patient_id for patient in find_patients(PATIENTS, query, limit=limit)]


@pytest.mark.parametrize(
    "query",
    [
        "Moreau Sofia",
        "sofia moreau",
        "MOREAU, Sofia Luz",
        "1958-02-28",
        "02/28/1958",
        "28.2.1958",
        "2-28-58",
        "28-Feb-1958",
        "February 28th, 1958 Moreau",
        "moreau 1958-02-28 BH-44702",
        "bh44702",
        "BH-44702 Sofia",
        "44702",
        "Morau",
        "D5",
    ],
)
def test_name_birth_date_and_record_number_find_the_patient_in_any_order(query: str) -> None:
    assert ids(query)[0] == "D5"


def test_called_and_former_names_find_the_patient() -> None:
    assert ids("anna mensah") == ["D4"]


def test_every_word_must_fit() -> None:
    assert ids("Moreau Hannah") == []
    assert ids("Moreau 1991-06-09") == []


def test_a_day_with_one_wrong_digit_still_finds_after_the_exact_ones() -> None:
    assert ids("1987-03-14") == ["D1", "D3"]


def test_inactive_patients_come_last_but_are_found() -> None:
    assert ids("Vance") == ["D8"]


@pytest.mark.parametrize("query", ["", "   ", ",;-", "????", "99/99/9999", "\x00"])
def test_a_query_that_says_nothing_finds_nobody(query: str) -> None:
    assert ids(query) == []


def test_a_short_beginning_finds_the_whole_family() -> None:
    assert set(ids("kowal")) == {"D1", "D2", "D3"}
    assert ids("kowal", limit=2) == ids("kowal")[:2]


@given(st.text(max_size=300))
def test_no_query_fails(query: str) -> None:
    assert len(find_patients(PATIENTS, query, limit=3)) <= 3


names = st.text(st.characters(categories=["L"], exclude_characters="ﬀﬁﬂ"), min_size=2, max_size=12)


@given(family=names, given_name=names, born=st.dates(date(1900, 2, 1), date(2026, 1, 1)))
def test_whoever_is_on_the_roster_is_found_by_birth_date(family: str, given_name: str, born: date) -> None:
    wanted = RosterPatient(patient_id="W", site=SITE, family=family, given=given_name, birth_date=born)
    roster = Roster(site=SITE, patients=(*ROSTER, wanted), as_of=PATIENTS.as_of)
    assert wanted in find_patients(roster, born.isoformat(), limit=50)
    assert wanted in find_patients(roster, f"{born:%m/%d/%Y}", limit=50)
    assert wanted in find_patients(roster, f"{born:%d-%b-%Y}", limit=50)
