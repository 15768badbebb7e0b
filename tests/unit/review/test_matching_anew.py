"""A corrected identity, people who are registered later, and cases of one cause: all by today's roster."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ingest.rosters import Rosters
from ingest.settings import Settings, SiteSettings
from matching.normalisation import fingerprint
from parsers.instrument_library import load_instruments
from records.case import CaseState, RejectReason, ReviewCase
from records.decision import MatchGrade
from records.errors import DecisionRefusedError
from records.patient import RosterPatient
from review import actions, bulk, pace, registrations, undo
from review.bulk import Approve, BulkDone, Cause, Chosen, Reject
from review.live_check import CheckedValues, checked
from store import aliases, cases, kept_records, roster, templates
from store.kept_records import RecordState
from store.templates import TemplateState
from tests.unit.review.review_clinic import (
    AUDITED,
    DESTINATIONS,
    ROSTER,
    SITE,
    TODAY,
    Clinic,
    Row,
    answers,
    blind_check,
    hand_in,
    identity,
    match_of,
    patient,
)
from tests.unit.review.test_undo import approve, case_of, correct

NEWCOMER = identity("Ferreira, Ines", date(1993, 8, 21), "BH-70001", "F")
REGISTERED = patient("D9", "Ferreira", "Ines", date(1993, 8, 21), "BH-70001", "F")


@pytest.fixture
def rosters(clinic: Clinic) -> Rosters:
    settings = Settings(home=clinic.database.settings.home, site=(SiteSettings(id=SITE, time_zone="America/Chicago"),))
    return Rosters(clinic.database, settings)


def with_roster(clinic: Clinic, *patients: RosterPatient) -> None:
    with clinic.database.session() as session:
        roster.replace(
            session, SITE, patients, as_of=clinic.clock(), imported_from="roster.csv", actor="setup",
            now=clinic.clock(), max_removed_share=1.0, max_identity_share=1.0,
        )  # fmt: skip


def waiting(clinic: Clinic, *rows: Row) -> list[ReviewCase]:
    report_id = hand_in(clinic.database, rows, now=clinic.clock())
    with clinic.database.reading() as session:
        found = [cases.of_record(session, kept.record_id) for kept in kept_records.of_report(session, report_id)]
    return [case for case in found if case is not None]


def chosen(*found: bulk.BulkCase) -> list[Chosen]:
    return [Chosen(case_id=one.case.case_id, version=one.case.version, patient_id=one.patient_id) for one in found]


def decide(clinic: Clinic, rosters: Rosters, picked: list[Chosen], what: Approve | Reject) -> BulkDone:
    return bulk.decide(
        clinic.database, picked, what, rosters=rosters, today_of=lambda _: TODAY,
        destinations_of=lambda _: DESTINATIONS, sites=(SITE,), actor="rosa", now=clinic.clock(),
    )  # fmt: skip


def retype(clinic: Clinic, rosters: Rosters | None, at: int, **changes: str) -> ReviewCase:
    case = case_of(clinic, at)
    return actions.correct(
        clinic.database, case.case_id, version=case.version, changes=changes, actor="rosa", now=clinic.clock(),
        today=TODAY, rosters=rosters,
    )  # fmt: skip


def test_a_misread_record_number_is_corrected_and_the_evidence_is_that_of_the_number(
    clinic: Clinic, rosters: Rosters
) -> None:
    before = case_of(clinic, 0)
    after = retype(clinic, rosters, 0, mrn="BH-40771")
    assert after.assessment.patient == replace(before.assessment.patient, mrn="BH-40771")
    assert after.match.patient_id == "D1"
    levels = {bar.identifier: bar.level for bar in after.match.candidates[0].evidence}
    assert levels["mrn"] == "exact"
    assert "identity-corrected" in after.reasons
    assert "mrn-near" not in after.reasons
    with clinic.database.reading() as session:
        kept = kept_records.of_report(session, clinic.report_id)[0]
    assert kept.as_read.patient == before.assessment.patient, "what was printed stays beside it"
    assert kept.fingerprint == after.fingerprint == fingerprint(before.assessment.patient)


def test_what_is_learnt_from_a_corrected_identity_is_learnt_of_the_print(clinic: Clinic, rosters: Rosters) -> None:
    retype(clinic, rosters, 1, mrn="BH-60002", name="Reyes, Mario")
    correct(clinic, 1, total="8")
    approve(clinic, 1, "D7")
    with clinic.database.reading() as session:
        standing = aliases.standing(session, site=SITE, source="print")
    assert {said_of: alias.patient_id for said_of, alias in standing.items()} == {case_of(clinic, 1).fingerprint: "D7"}


def test_a_no_that_was_said_of_the_print_holds_for_what_a_person_types(clinic: Clinic, rosters: Rosters) -> None:
    case = case_of(clinic, 0)
    actions.not_this_patient(
        clinic.database, case.case_id, "D1", version=case.version, actor="rosa", now=clinic.clock()
    )
    assert retype(clinic, rosters, 0, mrn="BH-40771").match.patient_id != "D1"


def test_an_identity_that_was_typed_can_be_taken_back(clinic: Clinic, rosters: Rosters) -> None:
    before = case_of(clinic, 0)
    retype(clinic, rosters, 0, mrn="BH-40771")
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert replace(case_of(clinic, 0), version=before.version) == before


@pytest.mark.parametrize(
    ("field", "text"), [("birth_date", "tomorrow"), ("birth_date", "03/04/1987"), ("mrn", "4" * 201), ("name", "A\nB")]
)
def test_an_identity_that_cannot_be_read_changes_nothing(
    clinic: Clinic, rosters: Rosters, field: str, text: str
) -> None:
    before = case_of(clinic, 0)
    with pytest.raises(DecisionRefusedError) as refused:
        retype(clinic, rosters, 0, **{field: text})
    assert text not in str(refused.value)
    assert case_of(clinic, 0) == before


def test_without_rosters_an_identity_cannot_be_corrected(clinic: Clinic) -> None:
    with pytest.raises(DecisionRefusedError):
        retype(clinic, None, 0, mrn="BH-40771")


def test_values_are_checked_while_they_are_typed_and_nothing_is_kept(clinic: Clinic) -> None:
    case = case_of(clinic, 1)

    def typed(**changes: str) -> CheckedValues:
        return checked(case.assessment, changes, load_instruments(), today=TODAY)

    found = typed(total="8")
    assert (found.severity, found.sum, found.sum_agrees, found.raises_alert) == ("mild", 8, True, False)
    assert found.can_be_saved
    wrong = checked(
        case.assessment, {"total": "99", "item-2": "7", "authored_on": "x"}, load_instruments(), today=TODAY
    )
    assert {one.field for one in wrong.fields if one.fault} == {"total", "item-2", "authored_on"}
    assert not wrong.can_be_saved
    assert typed(total="9", **{"item-9": "1"}).raises_alert
    assert case_of(clinic, 1) == case


@pytest.mark.parametrize(
    "changes",
    [{"total": "8"}, {"total": "10"}, {"item-9": "1"}, {"item-1": "", "total": "7"}, {"total": ""}, {"total": "88"}],
)
def test_what_the_check_allows_can_be_saved_and_nothing_else(clinic: Clinic, changes: dict[str, str]) -> None:
    case = case_of(clinic, 1)
    if checked(case.assessment, changes, load_instruments(), today=TODAY).can_be_saved:
        correct(clinic, 1, **changes)
        assert case_of(clinic, 1).version == case.version + 1
    else:
        with pytest.raises(DecisionRefusedError):
            correct(clinic, 1, **changes)


def test_a_parked_case_comes_back_when_its_patient_is_registered(clinic: Clinic, rosters: Rosters) -> None:
    (case,) = waiting(clinic, Row(who=NEWCOMER, match=match_of(), reasons=("patient-not-found",), total=4))
    registrations.park(clinic.database, case.case_id, version=case.version, actor="rosa", now=clinic.clock())
    with_roster(clinic, *ROSTER[:-1])
    assert registrations.bring_back_registered(clinic.database, rosters, now=clinic.clock()) == 0
    with clinic.database.reading() as session:
        (parked,) = registrations.list_parked(session, sites=(SITE,))
    assert parked.assessment.patient == NEWCOMER
    with_roster(clinic, *ROSTER, REGISTERED)
    assert registrations.bring_back_registered(clinic.database, rosters, now=clinic.clock()) == 1
    with clinic.database.reading() as session:
        back = cases.get(session, case.case_id)
        assert registrations.count(session, sites=None) == 0
    assert (back.match.patient_id, back.match.grade) == ("D9", MatchGrade.CERTAIN)
    assert back.reasons == ("patient-registered",)
    assert back.state is CaseState.OPEN
    assert registrations.bring_back_registered(clinic.database, rosters, now=clinic.clock()) == 0


def test_parking_can_be_taken_back(clinic: Clinic) -> None:
    case = case_of(clinic, 2)
    registrations.park(clinic.database, case.case_id, version=case.version, actor="rosa", now=clinic.clock())
    with pytest.raises(DecisionRefusedError):
        registrations.park(clinic.database, case.case_id, version=case.version, actor="sam", now=clinic.clock())
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert replace(case_of(clinic, 2), version=case.version) == case
    with clinic.database.reading() as session:
        assert cases.count_open(session) == len(clinic.case_ids)


def stale(total: int, *, critical: bool = False, who: object = AUDITED, reasons: tuple[str, ...] = ()) -> Row:
    items = answers(1, 1, 1, 1, 1, 1, 1, total - 7, int(critical))
    return Row(
        who=who, match=match_of(), reasons=("patient-not-found", "roster-stale", *reasons),  # type: ignore[arg-type]
        total=total + critical, items=items, critical=critical, authored_on=date(2026, 11, total),
    )  # fmt: skip


def test_records_that_waited_for_the_roster_alone_are_approved_together_once_each_is_certain(
    clinic: Clinic, rosters: Rosters
) -> None:
    twin = identity("Reyes, Marco", date(2001, 12, 1), None, "M")
    waiting(
        clinic, stale(8), stale(9), stale(10, critical=True), stale(8, who=twin), stale(9, who=NEWCOMER),
        stale(7, reasons=("unclaimed-word",)), stale(10),
    )  # fmt: skip
    with clinic.database.reading() as session:
        group = next(one for one in bulk.groups(session, sites=(SITE,)) if one.is_safe and one.cause is Cause.REASONS)
        found = bulk.members(session, group)
    assert (group.number, group.critical) == (6, 1)
    seen = bulk.looked_at(
        clinic.database, found, Approve(), rosters=rosters, today_of=lambda _: TODAY, now=clinic.clock()
    )
    assert [(one.patient_id, bool(one.why_not)) for one in seen] == [
        ("D4", False), ("D4", False), (None, True), (None, True), (None, True), ("D4", False),
    ]  # fmt: skip
    done = decide(clinic, rosters, chosen(*seen), Approve())
    assert len(done.decided) == 3
    assert len(done.left) == 3
    with clinic.database.reading() as session:
        kept = kept_records.of_report(session, found[0].report_id)
        assert [one.patient_id for one in kept] == ["D4", "D4", None, None, None, None, "D4"]
        assert all(undoable.decision.batch == done.batch for undoable in undo.recent(session, actor="rosa"))
    taken = [undo.undo_last(clinic.database, actor="rosa", now=clinic.clock()).case_id for _ in range(3)]
    assert sorted(taken) == sorted(done.decided)
    with clinic.database.reading() as session:
        again = bulk.members(session, group)
    assert [replace(one, version=0) for one in again] == [replace(one, version=0) for one in found]


def test_a_case_that_changed_or_shows_another_patient_is_left(clinic: Clinic, rosters: Rosters) -> None:
    first, second = waiting(clinic, stale(8), stale(9))
    done = decide(
        clinic, rosters,
        [Chosen(case_id=first.case_id, version=first.version + 1, patient_id="D4"),
         Chosen(case_id=second.case_id, version=second.version, patient_id="D5"),
         Chosen(case_id=10_000, version=1)], Approve(),
    )  # fmt: skip
    assert done.decided == ()
    assert len(done.left) == 3


def test_records_of_a_template_are_approved_together_only_after_it_was_released(
    clinic: Clinic, rosters: Rosters
) -> None:
    rows = [replace(stale(total), reasons=("template-held",)) for total in (8, 9)]
    found = waiting(clinic, *rows)

    def seen() -> list[bool]:
        looked = bulk.looked_at(
            clinic.database, found, Approve(), rosters=rosters, today_of=lambda _: TODAY, now=clinic.clock()
        )
        return [not one.why_not for one in looked]

    with clinic.database.session() as session:
        templates.set_state(session, "riverside", 3, TemplateState.HELD, actor="tom", now=clinic.clock())
    assert seen() == [False, False]
    clinic.clock.advance(timedelta(hours=1))
    with clinic.database.session() as session:
        templates.set_state(session, "riverside", 3, TemplateState.LIVE, actor="tom", now=clinic.clock())
    assert seen() == [True, True]


def test_the_rows_of_one_report_are_rejected_together_but_for_answers_about_self_harm(
    clinic: Clinic, rosters: Rosters
) -> None:
    found = waiting(clinic, stale(8), stale(9, critical=True), stale(10))
    with clinic.database.reading() as session:
        groups = bulk.groups(session, sites=(SITE,))
        assert bulk.groups(session, sites=()) == ()
        group = next(one for one in groups if one.report_id == found[0].report_id)
        members = bulk.members(session, group)
    assert [one.case_id for one in members] == [one.case_id for one in sorted(found, key=lambda one: one.case_id)]
    picked = [Chosen(case_id=one.case_id, version=one.version) for one in members]
    done = decide(clinic, rosters, picked, Reject(reason=RejectReason.WRONG_REPORT))
    assert len(done.decided) == 2
    assert [one.why for one in done.left] == ["It holds an answer about self-harm."]
    with clinic.database.reading() as session:
        states = [one.state for one in kept_records.of_report(session, found[0].report_id)]
    assert states == [RecordState.REJECTED, RecordState.REVIEW, RecordState.REJECTED]
    with pytest.raises(DecisionRefusedError):
        Reject(reason=RejectReason.DUPLICATE)


def test_ten_approvals_under_a_second_each_are_noticed_and_a_day_is_counted(clinic: Clinic) -> None:
    from review import locks

    made = waiting(clinic, *(replace(stale(8), authored_on=date(2026, 10, day)) for day in range(1, 12)))
    for number, case in enumerate(made):
        with clinic.database.reading() as session:
            assert pace.going_fast(session, actor="rosa") is (number >= 10)
        locks.open_case(clinic.database, case.case_id, actor="rosa", now=clinic.clock())
        clinic.clock.advance(timedelta(milliseconds=900))
        actions.approve(
            clinic.database, case.case_id, version=case.version, patient_id="D4", actor="rosa", now=clinic.clock(),
            today=TODAY, destinations=DESTINATIONS,
        )  # fmt: skip
    clinic.clock.advance(timedelta(seconds=20))
    actions.skip(clinic.database, clinic.case_ids[0], actor="rosa", now=clinic.clock())
    with clinic.database.reading() as session:
        assert not pace.going_fast(session, actor="rosa")
        done = pace.pace_of(session, actor="rosa", since=clinic.clock() - timedelta(hours=1))
        assert (done.decided, done.mean_seconds) == (11, pytest.approx(0.9))
        assert pace.pace_of(session, actor="sam", since=clinic.clock() - timedelta(hours=1)).decided == 0


def test_a_check_with_a_known_answer_comes_after_every_so_many_decisions(clinic: Clinic) -> None:
    task_id = blind_check(clinic)
    since = clinic.clock() - timedelta(hours=1)

    def due(every: int, sites: tuple[str, ...] | None = None) -> int | None:
        with clinic.database.reading() as session:
            return pace.due_check(session, actor="rosa", every=every, since=since, sites=sites)

    assert due(1) is None
    for at in (0, 2):
        case = case_of(clinic, at)
        actions.reject(
            clinic.database, case.case_id, version=case.version, reason=RejectReason.DUPLICATE, note="", actor="rosa",
            now=clinic.clock(),
        )  # fmt: skip
    assert [due(every) for every in (0, 1, 2, 3)] == [None, task_id, task_id, None]
    assert due(2, ("EAST",)) is None
