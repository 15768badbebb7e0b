"""Where one person's word is not enough, the next one is told whose word waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from store import aliases, cases
from store.alias_states import AliasState
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import ROWS, Clinic, hand_in


def test_a_second_reviewer_sees_the_proposal_and_makes_the_alias_active(clinic: Clinic, rosa: Browser) -> None:
    first = clinic.case_ids[0]
    assert "has said of a print" not in rosa.open(f"/cases/{first}").text
    rosa.submit(f"/cases/{first}/approve", patient_id="D1", confirmed="D1")
    hand_in(clinic.database, (replace(ROWS[0], authored_on=date(2026, 11, 19)),), now=clinic.clock())
    with clinic.database.reading() as session:
        second = max(case.case_id for case in cases.list_open(session))
        assert aliases.list_aliases(session)[0].state is AliasState.AWAITING_SECOND
    assert "Another person must say it too" in rosa.open(f"/cases/{second}").text
    clinic.clock.advance(timedelta(minutes=6))  # rosa has it open no longer
    sam = Browser(clinic.app).signed_in("sam")
    page = sam.open(f"/cases/{second}").text
    assert "rosa has said of a print" in page
    assert "KOWALSKI, Tomasz" in page
    sam.submit(f"/cases/{second}/approve", patient_id="D1", confirmed="D1")
    with clinic.database.reading() as session:
        assert aliases.list_aliases(session)[0].state is AliasState.ACTIVE
