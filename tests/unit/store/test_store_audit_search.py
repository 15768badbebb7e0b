"""Events are found by page and key, looks by patient, and the chain is followed a piece at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store_cases import NOW, SITE, handed, record, with_roster
from test_store_audit import fill, tamper

from records.audit import AuditEvent
from records.decision import Decision
from store import audit, audit_checking, audit_looks, audit_search, cases, notices
from store.audit import Shown
from store.audit_search import Wanted
from store.database import Database

HOUR = timedelta(hours=1)


def viewed(database: Database, kind: str, number: str, *, shown: Shown | None = None, actor: str = "rosa") -> None:
    event = AuditEvent(actor=actor, action=f"{kind}.viewed", object_kind=kind, object_id=number)
    with database.session() as session:
        audit.append_view(session, event, shown or Shown(), now=NOW)


def test_pages_by_key_show_every_event_once_newest_first(database: Database) -> None:
    fill(database, 25)
    seen: list[int] = []
    before = None
    with database.reading() as session:
        while True:
            page = audit_search.find(session, Wanted(), sites=None, before=before, limit=10)
            seen += [link.seq for link in page.events]
            before = page.older
            if before is None:
                break
    assert seen == list(range(25, 0, -1))


def test_filters_narrow_by_actor_action_object_and_time(database: Database) -> None:
    fill(database)
    with database.session() as session:
        event = AuditEvent(actor="user-1", action="case.rejected", object_kind="case", object_id="1")
        audit.append(session, event, now=NOW + HOUR)
    with database.reading() as session:

        def numbers(**wanted: object) -> list[int]:
            return [one.seq for one in audit_search.find(session, Wanted(**wanted), sites=None).events]  # type: ignore[arg-type]

        assert numbers(actor="user-1") == [9, 2]
        assert numbers(action="case.rejected") == [9]
        assert numbers(actor="user-1", action="case.approved") == [2]
        assert numbers(objects=(("case", "1"), ("case", "3"))) == [9, 4, 2]
        assert numbers(first=NOW + HOUR) == [9]
        assert numbers(until=NOW + HOUR, actor="user-1") == [2]
        assert audit_search.actions(session) == ["case.approved", "case.rejected"]
        assert len(audit_search.actors(session)) == 8


def test_events_of_another_site_are_left_out_and_those_of_no_site_stay(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record(Decision.REVIEW)).records[0]
        case = cases.of_record(session, number)
    assert case is not None
    viewed(database, "case", str(case.case_id))
    viewed(database, "template", "x@1")
    with database.reading() as session:
        other = audit_search.find(session, Wanted(actor="rosa"), sites={"ELSEWHERE"}).events
        here = audit_search.find(session, Wanted(actor="rosa"), sites={SITE}).events
    assert [link.event.object_kind for link in other] == ["template"]
    assert len(here) == 2


def test_who_saw_a_patient_counts_cases_records_reports_lists_and_candidates(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        done = handed(session, record())
        other = handed(session, record(Decision.REVIEW, patient_id="D2", fingerprint="another"))
        number, elsewhere = done.records[0], other.records[0]
    viewed(database, "record", str(number), actor="a")
    viewed(database, "list", "all", shown=Shown(records=frozenset({number, elsewhere})), actor="b")
    viewed(database, "record", str(elsewhere), shown=Shown(patients=frozenset({(SITE, "D1")})), actor="c")
    viewed(database, "record", str(elsewhere), actor="d")
    with database.reading() as session:
        looks = audit_looks.who_saw(session, site=SITE, patient_id="D1")
        more = audit_looks.who_saw(session, site=SITE, patient_id="D1", everything=True)
        stranger = audit_looks.who_saw(session, site="OTHER", patient_id="D1")
    assert sorted(look.link.event.actor for look in looks) == ["a", "b", "c"]
    assert "record.confirmed" in {look.link.event.action for look in more}
    assert stranger == ()


def test_whom_a_list_showed_cannot_be_taken_away_unseen(database: Database) -> None:
    viewed(database, "list", "all", shown=Shown(records=frozenset({1, 2}), patients=frozenset({(SITE, "D1")})))
    fill(database, 2)
    with database.reading() as session:
        assert audit.verify(session, anchor_file=None).intact
    with database.session() as session:
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER audit_shown_patient_no_delete")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_shown_patient_no_change ON audit_shown_patient")
        connection.exec_driver_sql("DELETE FROM audit_shown_patient")
    with database.reading() as session:
        found = audit.verify(session, anchor_file=None)
    assert (found.first_bad, found.reason) == (1, "altered")


def test_the_database_refuses_to_forget_whom_a_list_showed(database: Database) -> None:
    viewed(database, "list", "all", shown=Shown(records=frozenset({1})))
    with pytest.raises(Exception, match="cannot be changed"), database.session() as session:
        session.connection().exec_driver_sql("DELETE FROM audit_shown_record")


def test_the_chain_is_followed_in_pieces_and_goes_on_with_what_is_added(database: Database) -> None:
    fill(database, 25)
    first = audit_checking.advance(database, limit=10, now=NOW)
    assert (first.intact, first.under_way) == (None, 10)
    for _ in range(3):
        state = audit_checking.advance(database, limit=10, now=NOW)
    assert (state.intact, state.events, state.under_way) == (True, 25, None)
    fill(database, 5)
    state = audit_checking.advance(database, limit=10, now=NOW + HOUR)
    assert (state.events, state.checked_at) == (30, NOW + HOUR)


def test_what_was_altered_behind_the_last_check_is_found_by_the_next_pass_and_told(database: Database) -> None:
    fill(database, 12)
    audit_checking.advance(database, limit=100, now=NOW)
    tamper(database, "UPDATE audit_event SET actor = 'x' WHERE seq = 3")
    assert audit_checking.advance(database, limit=100, now=NOW + HOUR).intact
    state = audit_checking.advance(database, limit=100, now=NOW + 25 * HOUR)
    assert (state.intact, state.first_bad, state.reason) == (False, 3, "altered")
    with database.reading() as session:
        assert [notice.kind for notice in notices.list_open(session)] == [audit_checking.BROKEN]


def test_an_end_cut_off_since_the_last_check_is_found_at_once_without_an_anchor(database: Database) -> None:
    fill(database, 12)
    audit_checking.advance(database, limit=100, now=NOW)
    tamper(database, "DELETE FROM audit_event WHERE seq > 9")
    state = audit_checking.advance(database, limit=100, now=NOW + HOUR)
    assert (state.intact, state.reason) == (False, "truncated")


def test_a_verdict_that_somebody_else_wrote_is_not_believed(database: Database) -> None:
    fill(database, 12)
    audit_checking.advance(database, limit=100, now=NOW)
    with database.session() as session:
        session.connection().exec_driver_sql("UPDATE audit_check SET checked_seq = 99")
    with database.reading() as session:
        assert audit_checking.state(session).reason == "verdict-altered"
