"""Files that programs send: the same limits, checks, sites and traces as on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from review.api.wire import MOST_BYTES
from review.uploads import MOST_FILES, MOST_LIST_BYTES
from store import audit, work_requests
from store.users import Role
from store.work_requests import WorkKind, WorkRequest, WorkState
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_clinic import SITE, Clinic, report_pdf
from tests.unit.review.two_sites import OTHER, open_both, token_for

REPORTS = f"/sites/{SITE}/reports"
LIST = f"/sites/{SITE}/patient-list/upload"


@pytest.fixture
def both(home: Path) -> Iterator[Clinic]:
    opened = open_both(home)
    yield opened
    opened.database.close()


@pytest.fixture
def reviewer(both: Clinic) -> Caller:
    return Caller(both.app, token_for(both, Role.REVIEWER, sites={SITE}))


@pytest.fixture
def admin(both: Clinic) -> Caller:
    return Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={SITE}))


def asked_of(clinic: Clinic, kind: WorkKind) -> list[WorkRequest]:
    with clinic.database.reading() as session:
        return work_requests.latest(session, sites=None, kinds=(kind,))


def report(name: str = "scores.pdf", content: bytes = b"%PDF-1.7") -> tuple[str, str, bytes]:
    return "files", name, content


def test_reports_are_left_encrypted_for_the_service_each_as_a_request(both: Clinic, reviewer: Caller) -> None:
    told = reviewer.send(REPORTS, [report("..\\a\\Kowalsky.pdf", report_pdf()), report("two.csv", b"a,b\n")])
    assert told.status_code == 200
    assert [(one["kind"], one["state"], one["site"]) for one in told.json()["items"]] == [
        ("take-report", "waiting", SITE)
    ] * 2
    assert "Kowalsky" not in told.text
    second, first = asked_of(both, WorkKind.TAKE_REPORT)
    assert [one["request_id"] for one in told.json()["items"]] == [first.request_id, second.request_id]
    assert (first.file_name, first.state, first.asked_by) == ("Kowalsky.pdf", WorkState.WAITING, "robot-reviewer")
    assert first.document is not None
    assert both.database.archive.get(*first.document) == report_pdf()
    with both.database.reading() as session:
        done = [one.event for one in audit.events(session, limit=1000)][-3:]
    assert [one.action for one in done] == ["token.used", "work.asked", "work.asked"]
    assert ("operation", "upload_reports") in done[0].detail


def test_of_several_reports_all_are_taken_or_none_and_no_name_is_repeated(both: Clinic, reviewer: Caller) -> None:
    told = reviewer.send(REPORTS, [report(), report("Kowalsky.exe"), report("Kowalsky.pdf", b"")])
    assert told.status_code == 422
    assert told.json()["detail"] == (
        "Nothing was taken: file 2: only PDF and CSV files are reports; file 3: the file is empty."
    )
    assert "Kowalsky" not in told.text
    assert asked_of(both, WorkKind.TAKE_REPORT) == []


@pytest.mark.parametrize(
    ("files", "fields"),
    [
        ([("other", "a.pdf", b"%PDF-")], {}),
        ([report()], {"site": OTHER}),
        ([report(f"{n}.pdf") for n in range(MOST_FILES + 1)], {}),
    ],
)
def test_what_the_description_does_not_name_is_refused(
    both: Clinic, reviewer: Caller, files: list[tuple[str, str, bytes]], fields: dict[str, str]
) -> None:
    assert reviewer.send(REPORTS, files, **fields).status_code == 422
    assert asked_of(both, WorkKind.TAKE_REPORT) == []


def test_a_body_that_is_no_form_with_files_is_refused_whoever_sends_it(both: Clinic, reviewer: Caller) -> None:
    url, boundary = f"/api/v1{REPORTS}", {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\n\r\n\r\n--x--", b"\xff" * 100):
        assert reviewer.http.post(url, content=body, headers=reviewer.headers | boundary).status_code == 422
    assert reviewer.post(REPORTS, {"files": []}).status_code == 415
    assert reviewer.send("/audit/search", [report()]).status_code == 415, "files are read where they belong only"
    longer = {"content-length": str(MOST_BYTES + 1), "content-type": "application/json"}
    assert reviewer.http.post("/api/v1/audit/search", content=b"", headers=longer).status_code == 413
    endless = boundary | {"content-length": str(MOST_LIST_BYTES * 2)}
    assert Caller(both.app, None).http.post(url, content=b"", headers=endless).status_code == 413


def test_nobody_uploads_without_the_role_the_right_to_change_and_the_site(both: Clinic) -> None:
    for token, status in (
        (None, 401),
        (token_for(both, Role.CLINICIAN), 403),
        (token_for(both, Role.ADMINISTRATOR, read_only=True), 403),
        (token_for(both, Role.ADMINISTRATOR, sites={OTHER}), 404),
    ):
        caller = Caller(both.app, token)
        assert caller.send(REPORTS, [report()]).status_code == status
        assert caller.send(LIST, [("file", "a.csv", b"a\n")], exported_on="2026-11-19").status_code == status
    assert Caller(both.app, token_for(both, Role.REVIEWER)).send(LIST, [report()]).status_code == 403
    assert asked_of(both, WorkKind.TAKE_REPORT) == []


def test_four_programs_that_send_files_at_once_are_three_and_one_that_comes_again(
    both: Clinic, reviewer: Caller
) -> None:
    turns = both.app.state.office.uploads
    for _ in range(3):
        assert turns.acquire(blocking=False)
    assert reviewer.send(REPORTS, [report()]).status_code == 409
    turns.release()
    assert reviewer.send(REPORTS, [report()]).status_code == 200
    assert turns.acquire(blocking=False), "a turn is given back"


def test_a_list_is_shown_before_it_is_imported(both: Clinic, admin: Caller) -> None:
    told = admin.send(LIST, [("file", "list.csv", b"id,last,first\n")], exported_on="2026-11-19").json()
    assert (told["kind"], told["state"]) == ("preview-roster", "waiting")
    asked = asked_of(both, WorkKind.PREVIEW_ROSTER)[0]
    assert (asked.request_id, asked.arguments["as_of"]) == (told["request_id"], "2026-11-19T00:00:00-06:00")
    with both.database.session() as session:
        work_requests.finish(
            session, asked.request_id, went_well=True, outcome="Shown.", found={"patients": "1"}, now=both.clock()
        )
    taken = admin.post(f"/sites/{SITE}/patient-list/import/{asked.request_id}", {})
    assert taken.json()["kind"] == "import-roster"


@pytest.mark.parametrize(
    ("files", "fields", "status"),
    [
        ([("file", "list.csv", b"a\n")], {"exported_on": "2026-11-21"}, 409),
        ([("file", "list.csv", b"a\n")], {"exported_on": "yesterday"}, 409),
        ([("file", "list.csv", b"")], {"exported_on": "2026-11-19"}, 409),
        ([("file", "list.csv", b"a\n")], {}, 422),
        ([("file", "list.csv", b"a\n")] * 2, {"exported_on": "2026-11-19"}, 422),
        ([("files", "list.csv", b"a\n")], {"exported_on": "2026-11-19"}, 422),
    ],
)
def test_a_list_that_is_none_is_not_shown(
    both: Clinic, admin: Caller, files: list[tuple[str, str, bytes]], fields: dict[str, str], status: int
) -> None:
    before = len(asked_of(both, WorkKind.PREVIEW_ROSTER))
    assert admin.send(LIST, files, **fields).status_code == status
    assert len(asked_of(both, WorkKind.PREVIEW_ROSTER)) == before
