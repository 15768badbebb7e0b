"""Saying which column of a patient list is which, on the page and through the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import audit, roster_layouts, work_requests
from store.database import Database
from store.roster_layouts import ListLayout
from store.users import Role
from store.work_requests import WorkKind, WorkRequest
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import LIST, SITE, Clinic
from tests.unit.review.two_sites import OTHER, open_both, token_for

CHOICE = {"column-0": "patient_id mrn", "column-1": "family", "column-2": "given", "column-3": "birth_date"}
LAYOUT = ListLayout(columns={"patient_id": "Kd.-Id", "family": "Person A", "given": ""}, date_format="%m/%d/%Y")


@pytest.fixture
def ada(clinic: Clinic) -> Browser:
    return Browser(clinic.app).signed_in("ada")


@pytest.fixture
def both(home: Path) -> Iterator[Clinic]:
    opened = open_both(home)
    yield opened
    opened.database.close()


def newest(clinic: Clinic) -> WorkRequest:
    with clinic.database.reading() as session:
        return work_requests.latest(session, sites=None, kinds=(WorkKind.PREVIEW_ROSTER,))[0]


def events(database: Database) -> list[tuple[str, str, dict[str, str]]]:
    with database.reading() as session:
        found = [one.event for one in audit.events(session, limit=1000)]
    return [(one.action, one.object_id, dict(one.detail)) for one in found]


def uploaded(clinic: Clinic, ada: Browser) -> int:
    ada.open("/patient-lists")
    token = ada.forms()["/patient-lists/upload"]["form_token"]
    fields = {"form_token": token, "site": SITE, "exported_on": "2026-11-19"}
    ada.http.post("/patient-lists/upload", data=fields, files={"file": ("new.csv", LIST)}, headers=SAME_ORIGIN)
    return newest(clinic).request_id


def test_the_page_shows_headers_with_their_first_cells_and_the_look_is_kept(clinic: Clinic, ada: Browser) -> None:
    page = ada.open(f"/patient-lists/previews/{clinic.preview_id}/columns").text
    assert "Person A" in page
    assert "Kowalski · &lt;b&gt;Kowalsky&lt;/b&gt;" in page
    assert "another column has the same header" in page
    assert events(clinic.database)[-1] == ("roster.sample-viewed", SITE, {"shown": "7"})


def test_a_choice_is_shown_in_numbers_before_anything_is_imported_or_kept(clinic: Clinic, ada: Browser) -> None:
    first = uploaded(clinic, ada)
    ada.open(f"/patient-lists/previews/{first}/columns")
    answer = ada.submit(f"/patient-lists/previews/{first}/columns", **CHOICE, date_format="%m/%d/%Y")
    asked = newest(clinic)
    assert answer.headers["location"] == f"/patient-lists/previews/{asked.request_id}"
    assert asked.request_id != first
    assert (asked.file_name, asked.arguments["as_of"]) == ("new.csv", "2026-11-19T00:00:00-06:00")
    layout = roster_layouts.of_arguments(asked.arguments)
    assert layout is not None
    named = {name: header for name, header in layout.columns.items() if header}
    assert named == {
        "patient_id": "Kd.-Id", "mrn": "Kd.-Id", "family": "Person A", "given": "Person B", "birth_date": "Tag"
    }  # fmt: skip
    assert layout.date_format == "%m/%d/%Y"
    assert asked.document is not None
    assert clinic.database.archive.get(*asked.document) == LIST
    with clinic.database.reading() as session:
        assert roster_layouts.chosen(session, SITE) is None
    again = ada.open(f"/patient-lists/previews/{asked.request_id}/columns").text
    assert '<option value="patient_id mrn" selected>' in again


def test_a_choice_that_cannot_be_right_is_shown_again_with_what_is_wrong(clinic: Clinic, ada: Browser) -> None:
    action = f"/patient-lists/previews/{clinic.preview_id}/columns"
    ada.open(action)
    answer = ada.submit(action, **(CHOICE | {"column-0": "", "column-2": "family"}))
    assert answer.status_code == 422
    assert "No column is the portal id." in answer.text
    assert "“Family name” is chosen twice." in answer.text
    assert answer.text.count('<option value="family" selected>') == 2
    assert newest(clinic).request_id == clinic.preview_id
    for number in ("x", "-1", "²", "99999"):
        assert ada.submit(action, **{f"column-{number}": "sex"}).status_code == 422


def test_a_list_that_is_no_longer_kept_is_asked_for_again(clinic: Clinic, ada: Browser) -> None:
    first = uploaded(clinic, ada)
    with clinic.database.session() as session:
        work_requests.let_go(session, first)
    assert "The file is no longer kept." in ada.open(f"/patient-lists/previews/{first}/columns").text


def test_what_was_chosen_is_shown_and_can_be_given_up(clinic: Clinic, ada: Browser) -> None:
    with clinic.database.session() as session:
        roster_layouts.keep(session, SITE, LAYOUT, actor="ada", now=clinic.clock())
    page = ada.open(f"/patient-lists/{SITE}").text
    assert "Person A" in page
    assert "06/30/1984, month first" in page
    assert ada.submit(f"/patient-lists/{SITE}/columns/forget").status_code == 303
    assert "Chosen columns" not in ada.open(f"/patient-lists/{SITE}").text
    told = [one for one in events(clinic.database) if one[0].startswith("roster.columns")]
    assert told == [
        ("roster.columns-chosen", SITE, {"fields": "patient_id family", "dates": "%m/%d/%Y"}),
        ("roster.columns-forgotten", SITE, {}),
    ]


def test_the_same_choice_is_kept_once_and_the_latest_counts(clinic: Clinic) -> None:
    other = ListLayout(columns={"name": "Who"})
    with clinic.database.session() as session:
        for layout in (LAYOUT, LAYOUT, other):
            roster_layouts.keep(session, SITE, layout, actor="ada", now=clinic.clock())
        assert roster_layouts.in_use(session, SITE) == other
        assert roster_layouts.latest_id(session, SITE) == 2
        assert roster_layouts.chosen(session, OTHER) is None
        assert roster_layouts.forget(session, SITE, actor="ada", now=clinic.clock())
        assert not roster_layouts.forget(session, SITE, actor="ada", now=clinic.clock())
        assert roster_layouts.latest_id(session, SITE) == 3


def test_nobody_but_administrators_of_the_site_sees_the_columns(both: Clinic) -> None:
    path = f"/sites/{SITE}/patient-list/columns/{both.preview_id}"
    for token, status in (
        (token_for(both, Role.REVIEWER), 403),
        (token_for(both, Role.ADMINISTRATOR, sites={OTHER}), 404),
        (token_for(both, Role.ADMINISTRATOR, sites={SITE}), 200),
    ):
        assert Caller(both.app, token).get(path).status_code == status
    anywhere = Caller(both.app, token_for(both, Role.ADMINISTRATOR))
    assert anywhere.get(f"/sites/{OTHER}/patient-list/columns/{both.preview_id}").status_code == 409
    assert anywhere.get(f"/sites/{SITE}/patient-list/columns/{both.scan_id}").status_code == 404


def test_a_program_chooses_columns_as_a_person_does(both: Clinic) -> None:
    admin = Caller(both.app, token_for(both, Role.ADMINISTRATOR, user="ada"))
    path = f"/sites/{SITE}/patient-list/columns"
    shown = admin.get(f"{path}/{both.preview_id}").json()
    assert shown["columns"][1] == {
        "number": 1, "header": "Person A", "examples": ["Kowalski", "<b>Kowalsky</b>"], "fields": [],
        "is_fixed": False, "is_nameable": True,
    }  # fmt: skip
    assert ("roster.sample-viewed", SITE, {"shown": "7"}) in events(both.database)
    wish = {"columns": [{"number": 0, "fields": ["patient_id", "mrn"]}, {"number": 1, "fields": ["name"]}]}
    asked = admin.post(f"{path}/{both.preview_id}", wish).json()
    assert (asked["kind"], asked["state"]) == ("preview-roster", "waiting")
    layout = roster_layouts.of_arguments(newest(both).arguments)
    assert layout is not None
    assert (layout.columns["mrn"], layout.columns["name"], layout.columns["family"]) == ("Kd.-Id", "Person A", "")
    twice = {"columns": [{"number": 0, "fields": ["patient_id"]}, {"number": 0, "fields": ["name"]}]}
    for wrong in (twice, {"columns": []}, {"columns": [{"number": 0, "fields": ["nonsense"]}]}):
        assert admin.post(f"{path}/{both.preview_id}", wrong).status_code == 409
    assert admin.get(path).json() == {"columns": {}, "date_format": None, "chosen_by": None, "chosen_at": None}
    assert admin.post(f"{path}/forget").status_code == 409
    with both.database.session() as session:
        roster_layouts.keep(session, SITE, LAYOUT, actor="ada", now=both.clock())
    assert admin.get(path).json()["columns"]["family"] == "Person A"
    assert admin.post(f"{path}/forget").json() == {"done": True}
    assert admin.get(path).json()["chosen_by"] is None
