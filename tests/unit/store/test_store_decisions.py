"""What is kept of a decision, and what cases have in common, on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from records.case import RejectReason
from records.decision import Decision
from records.errors import DecisionRefusedError
from store import case_groups, cases, decisions, decisions_undoing, kept_records, vetoes
from store.case_groups import Cause
from store.database import Database, Session
from store.decisions import DecisionKind
from store.kept_records import RecordState
from tests.unit.store.store_cases import NOW, PORTAL, SITE, handed, record, with_roster


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
