"""What a person decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store_cases import NOW, PORTAL, SITE, assessment, handed, match, record, with_roster

from records.case import CaseState, RejectReason, ReviewCase
from records.decision import Decision, MatchGrade
from records.errors import DecisionRefusedError, StaleCaseError
from records.patient import Veto
from records.submission import ResultStatus
from store import audit, balance, cases, kept_records, outbox, roster
from store.cases import ApprovedAs
from store.database import Database, Session
from store.kept_records import RecordState


def waiting_case(session: Session, **changes: object) -> ReviewCase:
    number = handed(session, record(Decision.REVIEW, made=assessment(**changes), reasons=("near-second",))).records[0]
    case = cases.of_record(session, number)
    assert case is not None
    return case


def approve(session: Session, case: ReviewCase, *, patient_id: str = "D1", **more: object) -> int:
    return cases.approve(  # type: ignore[arg-type]
        session,
        case.case_id,
        version=case.version,
        patient_id=patient_id,
        actor="ida",
        now=NOW,
        destinations=(PORTAL,),
        **more,
    )


def test_a_case_shows_everything_the_reviewer_needs(database: Database) -> None:
    with database.session() as session:
        case = waiting_case(session)
    assert case.state is CaseState.OPEN
    assert (case.site, case.file_name, case.reasons) == (SITE, "scores.pdf", ("near-second",))
    assert case.assessment == assessment()
    assert case.match == match("D1", MatchGrade.PROBABLE)


def test_critical_answers_stand_first_then_the_oldest(database: Database) -> None:
    with database.session() as session:
        first = waiting_case(session)
        second = waiting_case(session, total=3)
        critical = waiting_case(session, critical=True)
        assert [one.case_id for one in cases.list_open(session)] == [
            critical.case_id,
            first.case_id,
            second.case_id,
        ]
        assert cases.count_open(session, site=SITE) == 3
        assert cases.count_open(session, site="EAST") == 0


def test_an_approved_record_is_queued_for_the_patient_the_person_chose(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        number = approve(session, waiting_case(session), patient_id="D2")
        (queued,) = outbox.list_submissions(session)
        assert queued.submission.patient_id == "D2"
        assert outbox.confirmed_record(session, number).confirmed_by == "ida"
        assert cases.list_open(session) == []
        assert [one.event.action for one in audit.events(session, actor="ida")] == [
            "roster.imported",
            "case.approved",
            "alias.taught",
        ]


def test_two_reviewers_cannot_both_decide(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session)
        approve(session, case)
        with pytest.raises(StaleCaseError):
            approve(session, case)
        with pytest.raises(StaleCaseError):
            cases.reject(
                session,
                case.case_id,
                version=case.version,
                reason=RejectReason.OTHER,
                note="",
                actor="ben",
                now=NOW,
            )


def test_a_decision_on_an_older_version_is_refused(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session)
        cases.correct(session, case.case_id, version=case.version, assessment=assessment(total=3), actor="ben", now=NOW)
        with pytest.raises(StaleCaseError):
            approve(session, case)


def test_nobody_who_is_not_on_the_roster_gets_a_score(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        with_roster(session, "E1", site="EAST")
        case = waiting_case(session)
        for stranger in ("E1", "nobody"):
            with pytest.raises(DecisionRefusedError):
                approve(session, case, patient_id=stranger)


@pytest.mark.parametrize("lack", [{"instrument": None}, {"authored_on": None}, {"total": None}])
def test_what_must_be_sent_must_be_there(database: Database, lack: dict[str, object]) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session, **lack)
        with pytest.raises(DecisionRefusedError):
            approve(session, case)
        approve(session, case, corrected=assessment())
        assert outbox.counts(session)["pending"] == 1


def test_a_result_word_is_enough_to_be_sent(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        approve(session, waiting_case(session, instrument="c-ssrs", total=None, result="moderate"))
        assert outbox.counts(session)["pending"] == 1


def test_a_case_whose_values_became_known_meanwhile_is_a_duplicate(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session)
        first = handed(session, record()).records[0]
        kept = kept_records.get(session, approve(session, case))
        assert (kept.state, kept.duplicate_of) == (RecordState.DUPLICATE, first)
        assert len(outbox.list_submissions(session)) == 1
        assert balance.of_report(session, kept.report_id).duplicate == 1


def test_other_known_values_need_a_word_from_the_person(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session, total=12)
        handed(session, record())
        with pytest.raises(DecisionRefusedError) as refused:
            approve(session, case)
        assert refused.value.code == "correction"
        assert cases.get(session, case.case_id) == case


def test_a_correction_is_sent_as_one(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session, total=12)
        first = handed(session, record()).records[0]
        kept = kept_records.get(session, approve(session, case, as_=ApprovedAs.CORRECTION))
        assert (kept.corrects, kept.revision) == (first, 2)
        earlier, later = (one.submission for one in outbox.list_submissions(session))
        assert (later.status, later.external_id) == (ResultStatus.CORRECTED, earlier.external_id)


def test_a_print_of_the_value_before_a_correction_is_no_duplicate(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session, total=12)
        handed(session, record())
        approve(session, case, as_="correction")
        done = handed(session, record())
        assert kept_records.get(session, done.records[0]).reasons == ("correction",)


def test_a_correction_needs_something_to_correct(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        with pytest.raises(DecisionRefusedError):
            approve(session, waiting_case(session), as_=ApprovedAs.CORRECTION)


def test_a_second_administration_has_an_id_of_its_own(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session, total=12)
        handed(session, record())
        kept = kept_records.get(session, approve(session, case, as_=ApprovedAs.SECOND_ADMINISTRATION))
        assert kept.occurrence == 2
        earlier, later = (one.submission for one in outbox.list_submissions(session))
        assert later.external_id != earlier.external_id
        assert later.status is ResultStatus.FINAL
        for total in (9, 12):  # both are known from now on
            repeat = handed(session, record(made=assessment(total=total))).records[0]
            assert kept_records.get(session, repeat).state is RecordState.DUPLICATE


def test_a_rejected_record_stays_out_until_the_rejection_is_taken_back(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session)
        cases.reject(
            session,
            case.case_id,
            version=case.version,
            reason=RejectReason.NOT_A_PATIENT_ROW,
            note="A heading.",
            actor="ida",
            now=NOW,
        )
        assert balance.of_report(session, case.report_id).rejected == 1
        again = cases.reopen(session, case.case_id, actor="ida", now=NOW + timedelta(minutes=1))
        approve(session, again)
        assert balance.of_report(session, case.report_id).waiting == 1


def test_the_note_of_a_rejection_is_not_in_the_audit_trail(database: Database) -> None:
    with database.session() as session:
        case = waiting_case(session)
        cases.reject(
            session,
            case.case_id,
            version=case.version,
            reason=RejectReason.OTHER,
            note="Ada has moved away",
            actor="ida",
            now=NOW,
        )
        assert "Ada" not in "".join(audit.export(session))


def test_not_this_patient_is_remembered_until_the_person_says_otherwise(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        case = waiting_case(session)
        changed = cases.not_this_patient(session, case.case_id, "D1", actor="ida", now=NOW)
        assert changed.version == case.version + 1
        assert roster.vetoes(session, SITE) == {Veto(fingerprint="print-of-D1", patient_id="D1")}
        assert roster.vetoes(session, "EAST") == frozenset()
        cases.not_this_patient(session, case.case_id, "D1", actor="ida", now=NOW)
        approve(session, cases.get(session, case.case_id))
        assert roster.vetoes(session, SITE) == frozenset()
