"""What people ask of the service: asked once, done once, and still there after a restart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from records.errors import StoreError
from store import outbox, template_drafts, work_requests
from store.database import Database
from store.work_requests import MOST_ATTEMPTS, WorkKind, WorkState
from tests.unit.store.conftest import NOW

LATER = NOW + timedelta(minutes=1)


def _ask(database: Database, kind: WorkKind = WorkKind.SCAN_SOURCE, subject: str = "NORTH:/print") -> int:
    with database.session() as session:
        return work_requests.ask(session, kind, subject, site="NORTH", actor="ada", now=NOW).request_id


def test_the_same_that_already_waits_is_not_asked_for_twice(database: Database) -> None:
    first = _ask(database)
    assert _ask(database) == first
    with database.session() as session:
        assert work_requests.claim_next(session, now=NOW) is not None
    assert _ask(database) != first  # what runs may have looked already


def test_requests_are_done_in_the_order_they_were_asked_for(database: Database) -> None:
    first, second = _ask(database), _ask(database, WorkKind.TEST_ALERT, "alerts")
    with database.session() as session:
        claimed = [work_requests.claim_next(session, now=NOW) for _ in range(3)]
    assert [one and one.request_id for one in claimed] == [first, second, None]


def test_what_a_stopped_service_left_is_tried_again_but_not_for_ever(database: Database) -> None:
    request_id = _ask(database)
    for _ in range(MOST_ATTEMPTS):
        with database.session() as session:
            assert work_requests.claim_next(session, now=NOW) is not None
            assert work_requests.give_back_all(session) == 1
    with database.session() as session:
        assert work_requests.claim_next(session, now=LATER) is None
        given_up = work_requests.get(session, request_id, sites=None)
    assert given_up.state is WorkState.FAILED
    assert given_up.ended_at == LATER


def test_an_outcome_is_written_once(database: Database) -> None:
    request_id = _ask(database)
    with database.session() as session:
        work_requests.finish(session, request_id, went_well=True, outcome="Read.", found={"files": "2"}, now=LATER)
        work_requests.finish(session, request_id, went_well=False, outcome="Again.", now=LATER)
        done = work_requests.get(session, request_id, sites=None)
    assert (done.state, done.outcome, done.found) == (WorkState.DONE, "Read.", {"files": "2"})


def test_a_file_is_known_to_the_archive_until_its_request_is_done(database: Database) -> None:
    archived = database.archive.put(b"%PDF-")
    with database.session() as session:
        asked = work_requests.ask(
            session, WorkKind.TAKE_REPORT, "NORTH:upload", site="NORTH", actor="ada", now=NOW, document=archived,
            file_name="a.pdf",
        )  # fmt: skip
        assert work_requests.document_ids(session) == {archived.document_id}
        released = work_requests.finish(session, asked.request_id, went_well=True, outcome="Taken.", now=LATER)
        assert work_requests.document_ids(session) == frozenset()
    assert released == archived.document_id


def test_a_shown_list_is_kept_until_it_is_let_go(database: Database) -> None:
    archived = database.archive.put(b"id")
    with database.session() as session:
        asked = work_requests.ask(
            session, WorkKind.PREVIEW_ROSTER, "NORTH", site="NORTH", actor="ada", now=NOW, document=archived,
            file_name="list.csv",
        )  # fmt: skip
        number = asked.request_id
        work_requests.finish(session, number, went_well=True, outcome="2 patients.", keeps_document=True, now=NOW)
        assert work_requests.outdated(session, before=NOW) == []
        assert work_requests.outdated(session, before=LATER) == [number]
        assert work_requests.let_go(session, number) == archived.document_id
        assert work_requests.outdated(session, before=LATER) == []


def test_another_sites_request_does_not_exist(database: Database) -> None:
    request_id = _ask(database)
    with database.session() as session:
        nobodys = work_requests.ask(session, WorkKind.TEST_ALERT, "alerts", actor="ada", now=NOW).request_id
    with database.reading() as session:
        with pytest.raises(StoreError, match=f"There is no request {request_id}"):
            work_requests.get(session, request_id, sites=("SOUTH",))
        seen = work_requests.latest(session, sites=("SOUTH",))
    assert [one.request_id for one in seen] == [nobodys]


def test_the_same_draft_brought_again_is_the_same_draft(database: Database) -> None:
    with database.session() as session:
        first = template_drafts.bring(session, "sheet", 2, "id: sheet\n", actor="tom", now=NOW)
        assert template_drafts.bring(session, "sheet", 2, "id: sheet\n", actor="ada", now=LATER) == first
        template_drafts.drop(session, first.draft_id, actor="tom", now=LATER)
        with pytest.raises(StoreError):
            template_drafts.get(session, first.draft_id)


def test_a_persons_pause_names_the_person(database: Database) -> None:
    with database.session() as session:
        outbox.pause(session, "portal", reason=outbox.BY_PERSON, now=NOW, actor="ada")
        assert outbox.paused(session) == {"portal": "paused-by-person"}
