"""Taking one's own decisions back: the case is as it was, what was learnt is gone, and a portal is never surprised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from records.case import CaseState, RejectReason, ReviewCase
from records.errors import DecisionRefusedError
from review import actions, registrations, undo
from review.actions import Approval, ApprovalOutcome, RejectionOutcome
from review.undo import HOLD, DecisionKind
from store import aliases, amendments, cases, kept_records, outbox, roster
from store.alias_states import AliasState
from store.kept_records import RecordState
from tests.unit.review.review_clinic import DESTINATIONS, ROWS, SITE, TODAY, Clinic, hand_in
from tests.unit.store.store_cases import receipt


def case_of(clinic: Clinic, at: int) -> ReviewCase:
    with clinic.database.reading() as session:
        return cases.get(session, clinic.case_ids[at])


def approve(clinic: Clinic, at: int, patient_id: str, *, actor: str = "rosa") -> Approval:
    case = case_of(clinic, at)
    return actions.approve(
        clinic.database, case.case_id, version=case.version, patient_id=patient_id, actor=actor, now=clinic.clock(),
        today=TODAY, destinations=DESTINATIONS,
    )  # fmt: skip


def reject(clinic: Clinic, at: int, *, actor: str = "rosa") -> RejectionOutcome:
    case = case_of(clinic, at)
    return actions.reject(
        clinic.database, case.case_id, version=case.version, reason=RejectReason.UNREADABLE, note="", actor=actor,
        now=clinic.clock(),
    )  # fmt: skip


def correct(clinic: Clinic, at: int, *, actor: str = "rosa", **changes: str) -> None:
    case = case_of(clinic, at)
    actions.correct(
        clinic.database, case.case_id, version=case.version, changes=changes, actor=actor, now=clinic.clock(),
        today=TODAY,
    )  # fmt: skip


def rule_out(clinic: Clinic, at: int, patient_id: str, *, actor: str = "rosa") -> None:
    case = case_of(clinic, at)
    actions.not_this_patient(
        clinic.database, case.case_id, patient_id, version=case.version, actor=actor, now=clinic.clock()
    )


def ruled_out(clinic: Clinic) -> set[str]:
    with clinic.database.reading() as session:
        return {veto.patient_id for veto in roster.vetoes(session, SITE)}


def claimed(clinic: Clinic) -> int:
    """How many messages may go now."""
    with clinic.database.session() as session:
        found = outbox.claim_due(
            session, now=clinic.clock(), lease=timedelta(minutes=1), limit=9, owner="w", destinations=DESTINATIONS
        )
        for one in found:
            outbox.mark_delivered(session, one.submission_id, receipt(), owner="w", now=clinic.clock())
    return len(found)


def same_but_for_the_version(before: ReviewCase, after: ReviewCase) -> bool:
    return replace(after, version=before.version) == before and after.version > before.version


def test_an_approval_waits_half_a_minute_and_can_be_taken_back_meanwhile(clinic: Clinic) -> None:
    before = case_of(clinic, 0)
    done = approve(clinic, 0, "D1")
    assert done.outcome is ApprovalOutcome.CONFIRMED
    clinic.clock.advance(HOLD - timedelta(seconds=1))
    assert claimed(clinic) == 0
    taken = undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert (taken.kind, taken.case_id) == (DecisionKind.APPROVED, before.case_id)
    assert same_but_for_the_version(before, case_of(clinic, 0))
    clinic.clock.advance(timedelta(minutes=5))
    assert claimed(clinic) == 0
    with clinic.database.reading() as session:
        kept = kept_records.get(session, done.record_id)
        assert (kept.state, kept.patient_id) == (RecordState.REVIEW, None)
        assert [one.state for one in aliases.list_aliases(session)] == [AliasState.REVOKED]


def test_what_was_delivered_is_corrected_not_undone(clinic: Clinic) -> None:
    approve(clinic, 0, "D1")
    clinic.clock.advance(HOLD)
    assert claimed(clinic) == 1
    with clinic.database.reading() as session:
        (recent,) = undo.recent(session, actor="rosa")
    assert recent.why_not == "Already delivered. Send a correction?"
    with pytest.raises(DecisionRefusedError, match="Already delivered"):
        undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert case_of(clinic, 0).state is CaseState.APPROVED


def test_decisions_come_back_newest_first_each_once_and_only_ones_own(clinic: Clinic) -> None:
    before = [case_of(clinic, at) for at in range(3)]
    correct(clinic, 1, total="8")
    rule_out(clinic, 1, "D7")
    actions.skip(clinic.database, clinic.case_ids[2], actor="rosa", now=clinic.clock())
    approve(clinic, 1, "D6")
    reject(clinic, 2)
    reject(clinic, 0, actor="sam")
    reject(clinic, 0, actor="ada")
    with clinic.database.reading() as session:
        listed = [one.decision.kind for one in undo.recent(session, actor="rosa")]
    taken = [undo.undo_last(clinic.database, actor="rosa", now=clinic.clock()).kind for _ in range(5)]
    assert taken == listed == [
        DecisionKind.REJECTED, DecisionKind.APPROVED, DecisionKind.SKIPPED, DecisionKind.NOT_THIS_PATIENT,
        DecisionKind.CORRECTED,
    ]  # fmt: skip
    with pytest.raises(DecisionRefusedError, match="nothing to undo"):
        undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert case_of(clinic, 0).state is CaseState.REJECTED
    assert all(same_but_for_the_version(before[at], case_of(clinic, at)) for at in (1, 2))
    assert ruled_out(clinic) == set()
    order = [actions.next_case(clinic.database, actor="rosa", sites=None, now=clinic.clock())]
    assert order == [clinic.case_ids[1]]


def test_another_ones_decision_is_not_mine_to_undo(clinic: Clinic) -> None:
    reject(clinic, 0, actor="sam")
    with clinic.database.reading() as session:
        (sams,) = undo.recent(session, actor="sam")
    with pytest.raises(DecisionRefusedError, match="not one of your last decisions"):
        undo.undo(clinic.database, sams.decision.decision_id, actor="rosa", now=clinic.clock())


def test_what_somebody_changed_since_stays_as_it_is(clinic: Clinic) -> None:
    correct(clinic, 1, total="8")
    clinic.clock.advance(timedelta(minutes=6))
    correct(clinic, 1, actor="sam", total="7", **{"item-1": "0"})
    with pytest.raises(DecisionRefusedError, match="changed since"):
        undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert case_of(clinic, 1).assessment.total == 7


def test_the_veto_that_an_approval_overruled_stands_again(clinic: Clinic) -> None:
    rule_out(clinic, 0, "D1", actor="sam")
    clinic.clock.advance(timedelta(minutes=6))
    approve(clinic, 0, "D1")
    assert ruled_out(clinic) == set()
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert ruled_out(clinic) == {"D1"}


def test_an_undone_no_leaves_what_others_have_said_of_the_same_print_since(clinic: Clinic) -> None:
    rule_out(clinic, 1, "D7")
    hand_in(clinic.database, (replace(ROWS[1], authored_on=date(2026, 11, 2)),), now=clinic.clock())
    with clinic.database.reading() as session:
        again = max(cases.list_open(session), key=lambda one: one.case_id)
    actions.not_this_patient(
        clinic.database, again.case_id, "D6", version=again.version, actor="sam", now=clinic.clock()
    )
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert ruled_out(clinic) == {"D6"}


def test_an_alias_that_was_seconded_by_mistake_waits_for_a_second_person_again(clinic: Clinic) -> None:
    approve(clinic, 0, "D1")
    hand_in(clinic.database, (replace(ROWS[0], authored_on=date(2026, 11, 2)),), now=clinic.clock())
    with clinic.database.reading() as session:
        clinic.case_ids.append(max(case.case_id for case in cases.list_open(session)))
    approve(clinic, 3, "D1", actor="sam")
    with clinic.database.reading() as session:
        assert aliases.list_aliases(session)[0].state is AliasState.ACTIVE
    undo.undo_last(clinic.database, actor="sam", now=clinic.clock())
    with clinic.database.reading() as session:
        (alias,) = aliases.list_aliases(session)
    assert (alias.state, alias.seconded_by) == (AliasState.AWAITING_SECOND, None)


def test_a_duplicate_can_be_taken_back_too(clinic: Clinic) -> None:
    approve(clinic, 0, "D1")
    hand_in(clinic.database, (replace(ROWS[0], reasons=("mrn-near",)),), now=clinic.clock())
    with clinic.database.reading() as session:
        clinic.case_ids.append(max(case.case_id for case in cases.list_open(session)))
    before = case_of(clinic, 3)
    assert approve(clinic, 3, "D1", actor="sam").outcome is ApprovalOutcome.DUPLICATE
    undo.undo_last(clinic.database, actor="sam", now=clinic.clock())
    assert same_but_for_the_version(before, case_of(clinic, 3))


def test_a_record_that_was_corrected_after_its_approval_is_not_reopened_by_undo(clinic: Clinic) -> None:
    record = approve(clinic, 1, "D6").record_id if not correct(clinic, 1, total="8") else 0
    from review import amendments as changing

    changing.correct(
        clinic.database, record, version=changing.record_version(clinic.database, record),
        changes={"total": "7", "item-1": "0"}, actor="rosa", now=clinic.clock(), today=TODAY,
        destinations=DESTINATIONS,
    )  # fmt: skip
    with pytest.raises(DecisionRefusedError, match="changed since"):
        undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    with clinic.database.reading() as session:
        assert kept_records.get(session, record).assessment.total == 7
        assert len(amendments.of_record(session, record)) == 1


def test_a_parked_case_that_was_decided_all_the_same_is_taken_back_step_by_step(clinic: Clinic) -> None:
    case = case_of(clinic, 2)
    registrations.park(clinic.database, case.case_id, version=case.version, actor="rosa", now=clinic.clock())
    reject(clinic, 2)
    kinds = [undo.undo_last(clinic.database, actor="rosa", now=clinic.clock()).kind for _ in range(2)]
    assert kinds == [DecisionKind.REJECTED, DecisionKind.PARKED]
    assert actions.next_case(clinic.database, actor="ada", sites=None, now=clinic.clock()) is not None
    with clinic.database.reading() as session:
        assert case.case_id in {one.case_id for one in cases.list_open(session)}
