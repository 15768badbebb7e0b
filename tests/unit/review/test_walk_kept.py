"""Whoever goes through one site or one cause goes on through it, whatever they do on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import SITE, Clinic

_FILTERS = (f"?site={SITE}", "?cause=report-1", f"?site={SITE}&cause=report-1")


@pytest.fixture
def sam(clinic: Clinic) -> Browser:
    return Browser(clinic.app).signed_in("sam")


@pytest.mark.parametrize("query", _FILTERS)
def test_finding_another_patient_keeps_the_filter(clinic: Clinic, rosa: Browser, query: str) -> None:
    at = f"/cases/{clinic.case_ids[1]}"
    rosa.open(f"{at}{query}")
    found = rosa.submit(f"{at}/find{query}", query="moreau")
    assert found.headers["hx-push-url"] == f"{at}{query}"
    assert f"{at}/approve{query}" in rosa.forms()
    assert rosa.submit(f"{at}/approve{query}", patient_id="D5", confirmed="D5").status_code == 409  # sum-differs
    assert f"{at}/approve{query}" in rosa.forms()


@pytest.mark.parametrize("query", _FILTERS)
def test_correcting_a_value_keeps_the_filter(clinic: Clinic, rosa: Browser, query: str) -> None:
    at = f"/cases/{clinic.case_ids[1]}"
    rosa.open(f"{at}{query}")
    refused = rosa.submit(f"{at}/correct{query}", total="99")
    assert refused.status_code == 409
    corrected = rosa.submit(f"{at}/correct{query}", total="8")
    assert corrected.headers["location"] == f"{at}{query}&said=corrected"
    rosa.open(f"{at}{query}")
    answer = rosa.submit(f"{at}/correct{query}", then="approve", chosen="D6")
    assert answer.headers["location"].startswith("/cases/")
    assert answer.headers["location"].endswith(f"{query}&said=approved")


@pytest.mark.parametrize("query", _FILTERS)
def test_taking_over_keeps_the_filter(clinic: Clinic, rosa: Browser, sam: Browser, query: str) -> None:
    at = f"/cases/{clinic.case_ids[1]}"
    rosa.open(at)
    sam.open(f"{at}{query}")
    assert sam.submit(f"{at}/take-over{query}").headers["location"] == f"{at}{query}"


def test_ruling_out_putting_back_and_undoing_keep_the_filter(clinic: Clinic, rosa: Browser) -> None:
    query = _FILTERS[0]
    at = f"/cases/{clinic.case_ids[1]}"
    rosa.open(f"{at}{query}")
    ruled_out = rosa.submit(f"{at}/not-this-patient{query}", patient_id="D7")
    assert ruled_out.headers["location"] == f"{at}{query}&said=ruled-out"
    rosa.open(f"{at}{query}")
    rosa.submit(f"{at}/reject{query}", reason="duplicate")
    rosa.open(f"{at}{query}&said=rejected")
    assert f"/queue/undo{query}" in rosa.forms()
    assert "/queue/undo" not in rosa.forms()
    assert rosa.submit(f"{at}/reopen{query}").headers["location"] == f"{at}{query}&said=reopened"


def test_a_record_that_changed_is_shown_anew_within_the_filter(clinic: Clinic, rosa: Browser, sam: Browser) -> None:
    query = _FILTERS[0]
    at = f"/cases/{clinic.case_ids[1]}"
    rosa.open(f"{at}{query}")
    clinic.clock.advance(timedelta(minutes=6))
    sam.open(at)
    sam.submit(f"{at}/correct", total="8")
    clinic.clock.advance(timedelta(minutes=6))
    stale = rosa.submit(f"{at}/reject{query}", reason="duplicate")
    assert stale.status_code == 409
    assert f'href="{at}{query}"' in stale.text


def test_the_way_back_from_a_question_keeps_the_filter(clinic: Clinic, rosa: Browser) -> None:
    query = _FILTERS[0]
    at = f"/cases/{clinic.case_ids[0]}"
    rosa.open(f"{at}{query}")
    asked = rosa.submit(f"{at}/approve{query}", patient_id="D2").text
    assert f'data-key="Escape" href="{at}{query}"' in asked
    assert f'href="{at}"' not in asked
