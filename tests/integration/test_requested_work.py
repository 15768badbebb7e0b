"""What people ask for on the pages, done by the running service: an uploaded report, a list, a template."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.service import Service
from ingest.settings import ReadingSettings, Settings, SiteSettings, SourceSettings
from portal.settings import DestinationSettings
from records.submission import DestinationMode
from review.settings import WebSettings
from store import cases, destination_modes, roster, roster_layouts, template_figures, users, work_requests
from store import database as databases
from store.database import Database
from store.settings import StoreSettings
from store.users import Role
from store.work_requests import WorkKind, WorkRequest, WorkState
from tests.integration.reading_clinic import FORMS, ROSTER, export, row
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import PASSWORD

SITE = "LMH"
LIST = ROSTER.encode()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "print"
    folder.mkdir()
    settings = Settings(
        home=tmp_path / "home",
        site=(SiteSettings(id=SITE, time_zone="America/Chicago"),),
        source=(SourceSettings(site=SITE, folder=folder, quiet_seconds=0.1, poll_seconds=0.5),),
        destination=(
            DestinationSettings(
                id="portal", file="generic-json.yaml", base_url="http://127.0.0.1:9", token="env:NO_TOKEN"
            ),
        ),
        reading=ReadingSettings(workers=1),
        web=WebSettings(port=0),
        alerts="none",
    )
    with (
        databases.create(StoreSettings(home=tmp_path / "home"), now=datetime.now(UTC)) as made,
        made.session() as session,
    ):
        users.add(session, "ada", PASSWORD, Role.ADMINISTRATOR, actor="setup", now=datetime.now(UTC))
    database = databases.open_existing(settings.store)
    running = Service(settings, database, folder=tmp_path, started_on=None)
    running.start()
    yield running
    running.finish()


@pytest.fixture
def ada(service: Service) -> Browser:
    assert service._web is not None
    return Browser(service._web.config.app).signed_in("ada")


def _send(ada: Browser, page: str, action: str, name: str, content: bytes, **fields: str) -> None:
    ada.open(page)
    token = ada.forms()[action]["form_token"]
    answer = ada.http.post(
        action, data={"form_token": token} | fields, files={"file": (name, content)}, headers=SAME_ORIGIN
    )
    assert answer.status_code == 303, answer.text


def _done(service: Service, kind: WorkKind) -> WorkRequest:
    """The latest request of a kind, once the service has done it."""
    for _ in range(300):
        with service._database.reading() as session:
            found = work_requests.latest(session, sites=None, kinds=(kind,), limit=1)
        if found and found[0].is_at_its_end:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"{kind} was not done")


def _eventually(look: Callable[[], bool]) -> None:
    for _ in range(600):
        if look():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def test_a_clinic_is_run_from_its_pages(service: Service, ada: Browser) -> None:
    """A template brought and published, a list imported, a report uploaded: its record waits in the queue."""
    database = service._database
    text = (FORMS / "lmh_measure_export" / "template.yaml").read_bytes()
    _send(ada, "/templates", "/templates/bring", "export.yaml", text)
    ada.open("/templates/drafts/1")
    ada.submit("/templates/drafts/1/publish", state="shadow")
    published = _done(service, WorkKind.PUBLISH_TEMPLATE)
    assert published.state is WorkState.DONE, published.outcome
    with database.reading() as session:
        (booked,) = template_figures.booked(session)
    assert (booked.name, booked.state, booked.changed_by) == ("lmh-measure-export@1", "shadow", "ada")

    _send(ada, "/patient-lists", "/patient-lists/upload", "list.csv", LIST, site=SITE, exported_on=_local_day())
    shown = _done(service, WorkKind.PREVIEW_ROSTER)
    assert shown.found["added"] == "3", shown.outcome
    with database.reading() as session:
        assert roster.current(session, SITE) is None  # showing changes nothing
    ada.open(f"/patient-lists/previews/{shown.request_id}")
    ada.submit(f"/patient-lists/previews/{shown.request_id}/import")
    imported = _done(service, WorkKind.IMPORT_ROSTER)
    assert imported.state is WorkState.DONE, imported.outcome

    _send(ada, "/sources", "/sources/upload", "export.csv", export(row()), site=SITE)
    taken = _done(service, WorkKind.TAKE_REPORT)
    assert taken.found == {"report": "1"}, taken.outcome
    _eventually(lambda: _waiting(database) == 1)

    _send(ada, "/sources", "/sources/upload", "again.csv", export(row()), site=SITE)
    assert "taken before, as report 1" in _done(service, WorkKind.TAKE_REPORT).outcome


def test_a_list_with_unknown_headers_is_imported_and_the_next_one_read_the_same_way(
    service: Service, ada: Browser
) -> None:
    """Refused, its columns chosen, looked at, imported; the next list needs no person to say it again."""
    odd = "Kd.-Id,Person A,Person B,Tag\nP1,Avery,Ana,03/04/1984\nP2,Brandt,Bo,05/06/1990\n"
    _send(ada, "/patient-lists", "/patient-lists/upload", "a.csv", odd.encode(), site=SITE, exported_on=_local_day())
    refused = _done(service, WorkKind.PREVIEW_ROSTER)
    assert refused.state is WorkState.FAILED
    place = f"/patient-lists/previews/{refused.request_id}"
    assert f'href="{place}/columns"' in ada.open(place).text
    chosen = {"column-0": "patient_id", "column-1": "family", "column-2": "given", "column-3": "birth_date"}
    ada.open(f"{place}/columns")
    assert ada.submit(f"{place}/columns", **chosen).status_code == 303
    still = _done(service, WorkKind.PREVIEW_ROSTER)
    assert "Whether the day or the month comes first" in still.outcome
    ada.open(f"/patient-lists/previews/{still.request_id}/columns")
    ada.submit(f"/patient-lists/previews/{still.request_id}/columns", date_format="%d/%m/%Y")
    shown = _done(service, WorkKind.PREVIEW_ROSTER)
    assert (shown.found["added"], shown.found["dates"]) == ("2", "as set, %d/%m/%Y"), shown.outcome
    with service._database.reading() as session:
        assert roster_layouts.chosen(session, SITE) is None, "nothing is kept before the list is imported"
    ada.open(f"/patient-lists/previews/{shown.request_id}")
    ada.submit(f"/patient-lists/previews/{shown.request_id}/import")
    assert _done(service, WorkKind.IMPORT_ROSTER).state is WorkState.DONE
    with service._database.reading() as session:
        current = roster.current(session, SITE)
        kept = roster_layouts.chosen(session, SITE)
    assert current is not None
    assert {(one.given, one.birth_date) for one in current.patients} == {
        ("Ana", date(1984, 4, 3)),
        ("Bo", date(1990, 6, 5)),
    }
    assert kept is not None
    assert kept.chosen_by == "ada"
    more = (odd + "P3,Ceder,Cy,07/08/1991\n").encode()
    _send(ada, "/patient-lists", "/patient-lists/upload", "b.csv", more, site=SITE, exported_on=_local_day())
    next_one = _done(service, WorkKind.PREVIEW_ROSTER)
    assert (next_one.found["added"], next_one.found["unchanged"]) == ("1", "2"), next_one.outcome


def test_the_mode_that_is_chosen_on_a_page_is_taken_up_by_the_running_service(service: Service, ada: Browser) -> None:
    def is_in(mode: DestinationMode) -> bool:
        with service._database.reading() as session:
            found = destination_modes.current(session, "portal")
        return found is not None and found.mode is mode

    _eventually(lambda: is_in(DestinationMode.SHADOW))
    page = ada.open("/destinations/portal").text
    assert "Its allow_list in scorebridge.toml names no patient who may be sent." in page
    assert f"is signed for {SITE}." in page or "NO_TOKEN" in page
    assert ada.submit("/destinations/portal/mode", mode="live", sure="yes").status_code == 409
    ada.open("/destinations/portal")
    assert ada.submit("/destinations/portal/mode", mode="off", sure="yes").status_code == 303
    _eventually(lambda: is_in(DestinationMode.OFF))
    assert service._served() == ()
    assert service.health()["stopped_threads"] == []


def _waiting(database: Database) -> int:
    with database.reading() as session:
        return cases.count_open(session, site=SITE)


def _local_day() -> str:
    return datetime.now(ZoneInfo("America/Chicago")).date().isoformat()
