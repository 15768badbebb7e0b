"""Running a clinic from the pages: folders, portals, lists, templates, and files through the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from httpx import Response

from records.submission import DeliveryState
from review.routing import MOST_FORM_BYTES
from review.template_changes import field_changes
from review.uploads import MOST_FILES
from store import audit, outbox, roster, template_drafts, templates, work_requests
from store.sightings import SightingState, counts, remember
from store.templates import TemplateState
from store.work_requests import WorkKind, WorkRequest, WorkState
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import ROSTER, SETUP, SITE, TEMPLATE, ZONE, Clinic, open_clinic, report_pdf

SOURCE = SETUP.sources[0]


@pytest.fixture
def ada(clinic: Clinic) -> Browser:
    """An administrator who is signed in."""
    return Browser(clinic.app).signed_in("ada")


@pytest.fixture
def tom(clinic: Clinic) -> Browser:
    """A template author who is signed in."""
    return Browser(clinic.app).signed_in("tom")


@pytest.fixture
def elsewhere(clinic: Clinic) -> Browser:
    """An administrator who sees another site only."""
    clinic.app.state.office = replace(clinic.app.state.office, sites={"OTHER": ZONE})
    return Browser(clinic.app).signed_in("ada")


def _send(person: Browser, action: str, files: list[tuple[str, bytes]], **fields: str) -> Response:
    form = person.forms()[action] | fields
    form = {name: value for name, value in form.items() if name not in ("files", "file")}
    parts = [("files", (name, content, "application/octet-stream")) for name, content in files]
    return person.http.post(action, data=form, files=parts, headers=SAME_ORIGIN)


def _asked(clinic: Clinic, kind: WorkKind) -> list[WorkRequest]:
    with clinic.database.reading() as session:
        return work_requests.latest(session, sites=None, kinds=(kind,))


def _actions(clinic: Clinic) -> list[str]:
    with clinic.database.reading() as session:
        return [entry.event.action for entry in reversed(list(audit.events(session)))]


# --- sources and uploads


def test_a_folder_shows_why_each_of_its_files_waits(clinic: Clinic, rosa: Browser) -> None:
    states = {"half.pdf": (SightingState.PENDING, None), "old.pdf": (SightingState.BACKLOG, "backlog")}
    with clinic.database.session() as session:
        for name, (state, reason) in states.items():
            remember(
                session, SOURCE.name, f"/print/rbh/{name}", size=9, mtime_ns=1, state=state, reason=reason,
                now=clinic.clock(),
            )  # fmt: skip
    page = rosa.open(f"/sources/{SOURCE.key}").text
    assert "half.pdf" in page
    assert "old.pdf" in page
    assert rosa.submit(f"/sources/{SOURCE.key}/backlog").status_code == 303
    with clinic.database.reading() as session:
        assert counts(session, SOURCE.name)[SightingState.BACKLOG] == 0
    assert "backlog.released" in _actions(clinic)


def test_a_scan_is_asked_for_once_however_often_the_button_is_pressed(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/sources/{SOURCE.key}")
    for _ in range(3):
        rosa.submit(f"/sources/{SOURCE.key}/scan")
    assert len(_asked(clinic, WorkKind.SCAN_SOURCE)) == 1  # the one that the clinic was furnished with


def test_an_uploaded_report_waits_encrypted_for_the_service(clinic: Clinic, rosa: Browser) -> None:
    content = report_pdf()
    rosa.open("/sources")
    answer = _send(rosa, "/sources/upload", [("C:\\x\\Kowalsky <b>.pdf", content)], site=SITE)
    assert answer.headers["location"] == "/sources?said=uploaded"
    (asked,) = _asked(clinic, WorkKind.TAKE_REPORT)
    assert (asked.site, asked.file_name, asked.state) == (SITE, "Kowalsky <b>.pdf", WorkState.WAITING)
    assert asked.document is not None
    assert clinic.database.archive.get(*asked.document) == content
    assert "Kowalsky &lt;b&gt;.pdf" in rosa.open("/sources").text


def test_of_several_files_all_are_taken_or_none(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/sources")
    answer = _send(rosa, "/sources/upload", [("a.pdf", b"%PDF-"), ("b.exe", b"MZ"), ("c.pdf", b"")], site=SITE)
    assert answer.status_code == 422
    assert "b.exe: only PDF and CSV files are reports." in answer.text
    assert "c.pdf: the file is empty." in answer.text
    assert not _asked(clinic, WorkKind.TAKE_REPORT)


def test_more_files_than_allowed_are_refused_whole(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/sources")
    answer = _send(rosa, "/sources/upload", [(f"{n}.pdf", b"%PDF-") for n in range(MOST_FILES + 1)], site=SITE)
    assert answer.status_code == 403
    assert not _asked(clinic, WorkKind.TAKE_REPORT)


def test_a_file_larger_than_the_service_reads_is_not_taken(home: Path) -> None:
    clinic = open_clinic(home, setup=replace(SETUP, largest_report=1024 * 1024))
    rosa = Browser(clinic.app).signed_in("rosa")
    rosa.open("/sources")
    answer = _send(rosa, "/sources/upload", [("big.pdf", b"x" * (1024 * 1024 + 1))], site=SITE)
    clinic.database.close()
    assert answer.status_code == 422
    assert "larger than 1 MB" in answer.text


def test_a_form_with_files_needs_the_sessions_token_too(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/sources")
    for token in ("", "x"):
        assert _send(rosa, "/sources/upload", [("a.pdf", b"%PDF-")], site=SITE, form_token=token).status_code == 403
    headers = SAME_ORIGIN | {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\n\r\n\r\n--x--", b"\xff" * 100):
        assert rosa.http.post("/sources/upload", content=body, headers=headers).status_code == 403
    assert not _asked(clinic, WorkKind.TAKE_REPORT)


def test_only_the_addresses_for_files_read_forms_with_files(clinic: Clinic, ada: Browser) -> None:
    ada.open("/settings")
    large = b"x" * (MOST_FORM_BYTES + 1)
    token = ada.forms()["/settings/test-alert"]["form_token"]
    answer = ada.http.post(
        "/settings/test-alert", data={"form_token": token}, files={"file": ("a", large)}, headers=SAME_ORIGIN
    )
    assert answer.status_code == 413
    form = {"form_token": token, "site": SITE}
    assert ada.http.post("/sources/upload", data=form, headers=SAME_ORIGIN).status_code == 415


def test_reports_of_a_site_that_one_does_not_see_cannot_be_uploaded(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/sources")
    for site in ("OTHER", "", "NOWHERE"):
        assert _send(rosa, "/sources/upload", [("a.pdf", b"%PDF-")], site=site).status_code == 404


# --- destinations


def test_a_paused_portal_stays_paused_until_a_person_resumes_it(clinic: Clinic, ada: Browser) -> None:
    ada.open("/destinations/portal")
    assert ada.submit("/destinations/portal/pause").status_code == 303
    with clinic.database.reading() as session:
        assert outbox.paused(session) == {"portal": outbox.BY_PERSON}
    assert "Somebody has paused this destination" in ada.open("/destinations/portal").text
    ada.submit("/destinations/portal/resume")
    with clinic.database.reading() as session:
        assert outbox.paused(session) == {}
    assert _actions(clinic)[:2] == ["destination.resumed", "destination.paused"]


def test_the_check_of_a_portal_is_left_for_the_service_and_its_outcome_shown(clinic: Clinic, ada: Browser) -> None:
    ada.open("/destinations/portal")
    ada.submit("/destinations/portal/probe")
    (asked,) = _asked(clinic, WorkKind.PROBE_DESTINATION)
    found = {"checks": "fault\treached\tThe portal <b>cannot</b> be reached."}
    with clinic.database.session() as session:
        work_requests.finish(
            session, asked.request_id, went_well=False, outcome="1 checks: 1 faults.", found=found, now=clinic.clock()
        )
    page = ada.open("/destinations/portal").text
    assert "The portal &lt;b&gt;cannot&lt;/b&gt; be reached." in page
    assert "hx-trigger" not in page  # at its end nothing asks again


def test_a_destination_that_is_not_set_is_nowhere(ada: Browser) -> None:
    assert ada.open("/destinations/elsewhere").status_code == 404


# --- patient lists


def test_an_uploaded_list_is_shown_before_it_is_imported(clinic: Clinic, ada: Browser) -> None:
    ada.open("/patient-lists")
    answer = _send(
        ada, "/patient-lists/upload", [("list.csv", b"id,last,first\n")], site=SITE, exported_on="2026-11-19"
    )
    asked = _asked(clinic, WorkKind.PREVIEW_ROSTER)[0]
    assert answer.headers["location"] == f"/patient-lists/previews/{asked.request_id}"
    assert asked.arguments["as_of"] == "2026-11-19T00:00:00-06:00"
    assert not _asked(clinic, WorkKind.IMPORT_ROSTER)


def test_a_list_from_the_future_or_of_no_day_is_not_taken(clinic: Clinic, ada: Browser) -> None:
    ada.open("/patient-lists")
    for day in ("2026-11-21", "", "yesterday"):
        answer = _send(ada, "/patient-lists/upload", [("list.csv", b"id\n1\n")], site=SITE, exported_on=day)
        assert answer.status_code == 409


def test_a_list_that_changes_too_much_is_imported_only_with_a_persons_word(clinic: Clinic, ada: Browser) -> None:
    found = {"patients": "2", "removed": "6", "refused": "The new roster of RBH lacks 6 of 8 patients."}
    with clinic.database.session() as session:
        work_requests.finish(
            session, clinic.preview_id, went_well=True, outcome="2 patients", found=found, now=clinic.clock()
        )
    action = f"/patient-lists/previews/{clinic.preview_id}/import"
    ada.open(f"/patient-lists/previews/{clinic.preview_id}")
    form = {name: value for name, value in ada.forms()[action].items() if name != "accepted"}
    assert ada.http.post(action, data=form, headers=SAME_ORIGIN).status_code == 409
    assert not _asked(clinic, WorkKind.IMPORT_ROSTER)
    assert ada.submit(action, accepted="yes").status_code == 303
    (asked,) = _asked(clinic, WorkKind.IMPORT_ROSTER)
    assert asked.arguments == {"preview": str(clinic.preview_id), "accepted": "yes"}


def test_a_list_is_rolled_back_and_new_ones_wait(clinic: Clinic, ada: Browser) -> None:
    with clinic.database.session() as session:
        roster.replace(
            session, SITE, ROSTER[:7], as_of=clinic.clock(), imported_from="new.csv", actor="setup",
            now=clinic.clock(), max_removed_share=1.0,
        )  # fmt: skip
    ada.open(f"/patient-lists/{SITE}")
    ada.submit(f"/patient-lists/{SITE}/rollback", sure="yes", to="1")
    with clinic.database.reading() as session:
        assert roster.is_held(session, SITE)
        assert len((roster.current(session, SITE) or pytest.fail("no roster")).patients) == len(ROSTER)


def test_no_page_about_lists_shows_a_patient(clinic: Clinic, ada: Browser) -> None:
    for path in ("/patient-lists", f"/patient-lists/{SITE}", f"/patient-lists/previews/{clinic.preview_id}"):
        page = ada.open(path).text
        assert "Kowalsk" not in page
        assert "BH-4" not in page


def test_another_sites_lists_folders_and_requests_do_not_exist(clinic: Clinic, elsewhere: Browser) -> None:
    for path in (
        f"/patient-lists/{SITE}", f"/patient-lists/previews/{clinic.preview_id}", f"/sources/{SOURCE.key}",
        f"/work-requests/{clinic.scan_id}", "/work-requests/999999", "/patient-lists/NOWHERE",
    ):  # fmt: skip
        answer = elsewhere.open(path)
        assert answer.status_code == 404, path
        assert "There is nothing at this address." in answer.text
    assert SOURCE.folder not in elsewhere.open("/sources").text


# --- templates


def test_a_template_is_held_and_released_by_its_author(clinic: Clinic, tom: Browser) -> None:
    for action, state in (("hold", TemplateState.HELD), ("release", TemplateState.LIVE)):
        tom.open("/templates/riverside")
        assert tom.submit(f"/templates/riverside/3/{action}").status_code == 303
        with clinic.database.reading() as session:
            assert templates.states(session)["riverside", 3] is state


def test_a_faulty_template_is_refused_with_every_line(clinic: Clinic, tom: Browser) -> None:
    tom.open("/templates")
    wrong = TEMPLATE.replace("field: mrn", "field: nonsense").replace("field: authored_on", "field: rubbish")
    answer = _send(tom, "/templates/bring", [("new.yaml", wrong.encode())])
    assert answer.status_code == 422
    assert "new.yaml:12" in answer.text
    assert "new.yaml:13" in answer.text
    with clinic.database.reading() as session:
        assert len(template_drafts.list_drafts(session)) == 1


def test_a_draft_is_compared_and_published_by_the_service(clinic: Clinic, tom: Browser) -> None:
    tom.open("/templates")
    text = TEMPLATE.replace("revision: 3", "revision: 4").replace("header: DOB", "header: Born <i>")
    answer = _send(tom, "/templates/bring", [("new.yaml", text.encode())])
    draft = answer.headers["location"].partition("?")[0]
    page = tom.open(draft).text
    assert "Born &lt;i&gt;" in page
    assert "Born <i>" not in page
    tom.submit(f"{draft}/publish", state="live")
    (asked,) = _asked(clinic, WorkKind.PUBLISH_TEMPLATE)
    assert (asked.subject, asked.arguments["state"]) == ("riverside@4", "live")


def test_rolling_back_names_the_revision_that_was_the_highest_when_it_was_asked_for(
    clinic: Clinic, tom: Browser
) -> None:
    tom.open("/templates/riverside")
    tom.submit("/templates/riverside/2/rollback", state="shadow")
    (asked,) = _asked(clinic, WorkKind.ROLL_BACK_TEMPLATE)
    assert asked.arguments == {"to": "2", "highest": "3", "state": "shadow"}


def test_any_two_revisions_are_compared_line_by_line_with_signs(tom: Browser) -> None:
    assert tom.open("/templates/riverside").text.count('<button type="submit">Compare</button>') == 1
    for against, revision in ((2, 3), (3, 2)):
        page = tom.open(f"/templates/riverside?against={against}&revision={revision}").text
        assert f"From revision {against} to {revision}" in page
        assert f"<del>-revision: {against}</del>" in page
        assert f"<ins>+revision: {revision}</ins>" in page
    assert tom.open("/templates/riverside?against=9").status_code == 404


def test_field_changes_say_place_before_and_after() -> None:
    changed = field_changes(TEMPLATE, TEMPLATE.replace("header: DOB", "header: Born"))
    assert [(before, after) for _, before, after in changed] == [("DOB", "Born")]
    assert field_changes(TEMPLATE, f"# only a remark\n{TEMPLATE}") == ()


# --- the hub


@pytest.mark.parametrize(
    ("name", "sees", "not_"), [("rosa", "/sources", "/destinations"), ("tom", "/templates", "/sources")]
)
def test_the_hub_leads_only_where_a_person_may_go(clinic: Clinic, name: str, sees: str, not_: str) -> None:
    page = Browser(clinic.app).signed_in(name).open("/settings").text
    assert f'class="card pad" href="{sees}"' in page
    assert f'class="card pad" href="{not_}"' not in page
    assert "/var/lib/scorebridge" not in page


def test_whoever_manages_sees_the_settings_in_force_and_tests_the_alerts(clinic: Clinic, ada: Browser) -> None:
    assert "/var/lib/scorebridge" in ada.open("/settings").text
    ada.submit("/settings/test-alert")
    assert _asked(clinic, WorkKind.TEST_ALERT)[0].asked_by == "ada"


@pytest.fixture(autouse=True)
def _nothing_is_delivered(clinic: Clinic) -> Iterator[None]:
    """No page sends anything itself: it leaves rows."""
    yield
    with clinic.database.reading() as session:
        assert outbox.counts(session)[DeliveryState.SENDING.value] == 0
