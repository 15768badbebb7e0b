"""What is kept of a decision, and what cases have in common, on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from records.case import RejectReason
from records.decision import Decision
from records.errors import DecisionRefusedError
from store import case_groups, cases, decisions, decisions_undoing, kept_records, undoing, vetoes
from store.case_groups import Cause
from store.database import Database, Session
from store.decisions import DecisionKind
from store.kept_records import RecordState
from tests.unit.store.store_cases import NOW, PORTAL, SITE, handed, match, record, with_roster


def waiting(session: Session, *reasons: str, number: int = 2) -> list[int]:
    rows = (record(Decision.REVIEW, fingerprint=f"{reasons}{at}", reasons=reasons) for at in range(number))
    done = handed(session, *rows)
    found = [cases.of_record(session, record_id) for record_id in done.records]
    return [case.case_id for case in found if case is not None]


def rejected(session: Session, case_id: int, *, at: float = 0.0, actor: str = "ida") -> int:
    moment = NOW + timedelta(seconds=at)
    was = decisions.before(session, case_id, actor=actor)
    version = cases.get(session, case_id).version
    cases.reject(
        session, case_id, version=version, reason=RejectReason.DUPLICATE, note="", actor=actor, now=moment
    )  # fmt: skip
    return decisions.keep(session, case_id, DecisionKind.REJECTED, was, opened_at=None, actor=actor, now=moment)


def test_cases_are_grouped_by_what_they_wait_for_and_by_report_within_the_sites_seen(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        stale, doubtful = waiting(session, "roster-stale", number=3), waiting(session, "twin")
        waiting(session, "mrn-near", number=1)
        found = case_groups.list_groups(session, sites=(SITE,), settled={"roster-stale"})
        shown = [(one.cause, one.reasons, one.number, one.is_safe) for one in found if one.cause is Cause.REASONS]
        assert shown == [
            (Cause.REASONS, ("roster-stale",), 3, True),
            (Cause.REASONS, ("twin",), 2, False),
        ]
        of_reports = [one for one in found if one.cause is Cause.REPORT]
        assert [one.number for one in of_reports] == [3, 2]
        assert [case_groups.case_ids(session, one, limit=9) for one in of_reports] == [tuple(stale), tuple(doubtful)]
        assert {one.oldest for one in found} == {NOW}
        assert case_groups.list_groups(session, sites=("EAST",), settled=()) == ()


def test_a_case_is_counted_by_what_it_waits_for_now_however_it_came_to_wait(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (taken_back, *_) = handed(session, record(fingerprint="sure"), record(fingerprint="surer")).records
        undoing.undo(session, taken_back, actor="ida", now=NOW)
        first, second = waiting(session, "twin")
        for case_id in (first, second):
            cases.match_anew(session, case_id, match(), because="identity-corrected", actor="ida", now=NOW)
        found = {one.reasons for one in case_groups.list_groups(session, sites=None, settled=())}
        assert ("identity-corrected", "twin") in found
        for case_id in (first, second, *(one.case_id for one in cases.list_open(session))):
            case, row = decisions.case_and_record(session, case_id)
            assert (case.reasons, case.report_id) == (row.reasons, row.report_id)
        assert [one.reasons for one in cases.list_open(session)].count(("taken-back",)) == 1


def test_a_case_that_waited_before_causes_were_kept_beside_it_is_counted_by_its_record() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "store:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0018")
        kept = {
            "id": 4, "report_id": 9, "site": SITE, "position": 0, "day": "2026-03-02", "state": "review",
            "fingerprint": "f", "printed_key": "k", "occurrence": 1, "revision": 1, "values_digest": "v",
            "read_digest": "v", "assessment": "{}", "as_read": "{}", "match": "{}", "reasons": '["twin"]',
        }  # fmt: skip
        case = {"id": 3, "record_id": 4, "site": SITE, "version": 1, "state": "open", "critical": 0, "opened_at": "t"}
        for table, row in (("record", kept), ("review_case", case)):
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})"), row)
        command.upgrade(config, "0019")
        assert connection.execute(text("SELECT report_id, reasons FROM review_case")).all() == [(9, '["twin"]')]


def test_the_time_of_a_decision_is_counted_from_the_one_before_where_nothing_was_opened(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        ids = waiting(session, "twin", number=4)
        for case_id, at in zip(ids, (0, 4, 10, 3600), strict=True):
            rejected(session, case_id, at=at)
        newest_first = decisions.recent(session, actor="ida", limit=9)
        assert [one.seconds for one in newest_first] == [None, 6.0, 4.0, None]
        assert decisions.count_since(session, actor="ida", since=NOW) == (4, 5.0)
        assert decisions.decided_since(session, since=NOW, sites=(SITE,)) == {"ida": 4}
        assert decisions.decided_since(session, since=NOW, sites=("EAST",)) == {}


def test_a_rejection_comes_back_with_its_place_and_its_note_once(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (case_id, _) = waiting(session, "twin")
        before = cases.get(session, case_id)
        made = rejected(session, case_id, at=99)
        with pytest.raises(DecisionRefusedError, match="somebody else"):
            decisions_undoing.undo(session, made, actor="ben", now=NOW)
        decisions_undoing.undo(session, made, actor="ida", now=NOW)
        after = cases.get(session, case_id)
        assert (after.opened_at, after.state, after.version) == (before.opened_at, before.state, before.version + 2)
        with pytest.raises(DecisionRefusedError, match="already"):
            decisions_undoing.undo(session, made, actor="ida", now=NOW)


def test_an_approval_that_overruled_a_no_brings_it_back_on_both_engines(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (case_id,) = waiting(session, "twin", number=1)
        case = cases.not_this_patient(session, case_id, "D1", actor="ben", now=NOW)
        was = decisions.before(session, case_id, actor="ida")
        record_id = cases.approve(
            session, case_id, version=case.version, patient_id="D1", actor="ida", now=NOW, destinations=(PORTAL,)
        )
        made = decisions.keep(
            session, case_id, DecisionKind.APPROVED, was, opened_at=NOW, actor="ida", now=NOW, patient_id="D1"
        )
        assert not vetoes.stands(session, site=SITE, fingerprint=case.fingerprint, patient_id="D1")
        assert decisions_undoing.why_not(session, made) == ""
        decisions_undoing.undo(session, made, actor="ida", now=NOW)
        assert vetoes.stands(session, site=SITE, fingerprint=case.fingerprint, patient_id="D1")
        assert kept_records.get(session, record_id).state is RecordState.REVIEW
