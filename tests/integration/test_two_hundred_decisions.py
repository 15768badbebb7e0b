"""A morning of two hundred decisions by two people at once, over a real store and a portal that takes what is sent."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from delivery_cases import MORNING, assessment, delivery_worker, destination, new_store

from matching.normalisation import fingerprint
from portal.sandbox import running_sandbox
from records.assessment import SymptomAssessment
from records.case import CaseState, RejectReason, ReviewCase
from records.decision import Candidate, DecidedRecord, Decision, Evidence, MatchDecision, MatchGrade
from records.errors import CaseTakenError, DecisionRefusedError, StaleCaseError
from records.patient import PatientIdentity, RosterPatient
from records.printed_file import PrintedFile
from review import actions, locks, registrations, undo
from review.actions import ApprovalOutcome
from review.undo import HOLD, DecisionKind
from store import aliases, audit, balance, cases, decisions, kept_records, reports, roster
from store.alias_states import STANDING
from store.balance import mismatches
from store.database import Database
from store.handover import ReadOutcome, RecordToStore, hand_over
from store.kept_records import RecordState, StoredRecord

SITE, DESTINATIONS = "WCP", ("portal",)
TODAY = MORNING.date()
PEOPLE = ("ida", "ben")
REPORTS, ROWS = 12, 18
LETTERS = "abdefgiklmnoprstuv"


def listed(number: int) -> RosterPatient:
    family = f"{LETTERS[number % 18]}{LETTERS[number // 18]}rowan".title()
    return RosterPatient(
        patient_id=f"P{number}", site=SITE, family=family, given="Synthea", mrn=f"M{10_000 + 17 * number}",
        birth_date=date(1950, 1, 1) + timedelta(days=97 * number),
    )  # fmt: skip


ROSTER = tuple(listed(number) for number in range(REPORTS * ROWS + 1))


def candidate(patient_id: str, probability: float) -> Candidate:
    evidence = (Evidence(identifier="name", level="exact", weight=8.0),)
    return Candidate(
        patient_id=patient_id, grade=MatchGrade.PROBABLE, probability=probability, score=8.0, evidence=evidence,
        reasons=("mrn-near",),
    )  # fmt: skip


def printed(number: int) -> RecordToStore:
    """One record of each kind in turn: likely, unlikely, about self-harm and unlikely, and one that adds up wrongly."""
    who = ROSTER[number]
    is_grave, is_unlikely, is_wrong = number % 9 == 4, number % 3 == 1, number % 7 == 5
    made: SymptomAssessment = replace(
        assessment(who.patient_id, total=5, day=date(2026, 2, 20)),
        patient=PatientIdentity(
            name=f"{who.family}, {who.given}", family=who.family, given=who.given, birth_date=who.birth_date,
            mrn=f"{who.mrn}0",
        ),
        critical=is_grave,
        total=6 if is_wrong else 5,
    )  # fmt: skip
    first = candidate(who.patient_id, 0.6 if is_unlikely else 0.95)
    match = MatchDecision(
        grade=MatchGrade.PROBABLE, patient_id=who.patient_id, probability=first.probability, runner_up=0.03,
        candidates=(first, candidate(ROSTER[number + 1].patient_id, 0.03)), reasons=("mrn-near",),
    )  # fmt: skip
    decided = DecidedRecord(assessment=made, match=match, decision=Decision.REVIEW, reasons=("mrn-near",))
    return RecordToStore(decided=decided, fingerprint=fingerprint(made.patient))


def furnish(database: Database) -> list[int]:
    """The clinic's morning; the numbers of its reports."""
    made = []
    with database.session() as session:
        roster.replace(
            session, SITE, ROSTER, as_of=MORNING, imported_from="roster.csv", actor="setup", now=MORNING,
            max_removed_share=1.0,
        )  # fmt: skip
    for at in range(REPORTS):
        file = PrintedFile(path=f"/p/{at}.csv", sha256=f"{at:064x}", size_bytes=9, seen_at=MORNING, site=SITE)
        archived = database.archive.put(str(at).encode())
        with database.session() as session:
            report = reports.take(session, file, source="wcp", file_name=f"{at}.csv", archived=archived)
            rows = tuple(printed(at * ROWS + row) for row in range(ROWS))
            outcome = ReadOutcome(
                template="t@1", pages=0, no_score=0, findings=(), records=rows, destinations=DESTINATIONS, day=TODAY
            )
            hand_over(session, report.report_id, outcome, now=MORNING)
            made.append(report.report_id)
    return made


@dataclass
class Clock:
    """One second passes whenever somebody looks."""

    moment: datetime = MORNING
    door: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> datetime:
        with self.door:
            self.moment += timedelta(seconds=1)
            return self.moment


class Reviewer(threading.Thread):
    """Somebody who decides as their own dice say, until nothing is left for them."""

    def __init__(self, name: str, database: Database, clock: Clock) -> None:
        super().__init__(name=name)
        self.database, self.clock = database, clock
        self.dice = random.Random(name)
        self.done: Counter[str] = Counter()
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            while self.decide_next():
                pass
        except BaseException as fault:  # noqa: BLE001 - shown by the test, which waits for this thread
            self.fault = fault

    def decide_next(self) -> bool:
        case_id = actions.next_case(self.database, actor=self.name, sites=(SITE,), now=self.clock())
        if case_id is None:
            return False
        try:
            lock = locks.open_case(self.database, case_id, actor=self.name, now=self.clock())
            if lock.is_mine or self.dice.random() < 0.3:
                self.decide(case_id, take_over=not lock.is_mine)
        except (CaseTakenError, StaleCaseError) as refused:
            self.done[type(refused).__name__] += 1
        return True

    def decide(self, case_id: int, *, take_over: bool) -> None:
        if take_over:
            locks.take_over(self.database, case_id, actor=self.name, now=self.clock())
        with self.database.reading() as session:
            case = cases.get(session, case_id)
        luck = self.dice.random()
        if luck < 0.06 and not self.done["skipped", case_id]:  # type: ignore[index]
            actions.skip(self.database, case_id, actor=self.name, now=self.clock())
            self.done["skipped", case_id] += 1  # type: ignore[index]
        elif luck < 0.12:
            reason = self.dice.choice([one for one in RejectReason if one is not RejectReason.OTHER])
            actions.reject(
                self.database, case_id, version=case.version, reason=reason, note="", actor=self.name,
                now=self.clock(),
            )  # fmt: skip
        elif luck < 0.15:
            registrations.park(self.database, case_id, version=case.version, actor=self.name, now=self.clock())
        else:
            self.approve(case, other=luck > 0.95)
        if self.dice.random() < 0.12:
            self.undo()

    def approve(self, case: ReviewCase, *, other: bool) -> None:
        changes = {"total": "5"} if case.assessment.total == 6 else {}
        if changes:
            case = actions.correct(
                self.database, case.case_id, version=case.version, changes=changes, actor=self.name,
                now=self.clock(), today=TODAY,
            )  # fmt: skip
        patient_id = case.match.candidates[0].patient_id
        if other and not case.critical:
            case = actions.not_this_patient(
                self.database, case.case_id, patient_id, version=case.version, actor=self.name, now=self.clock()
            )
            patient_id = case.match.candidates[1].patient_id
        done = actions.approve(
            self.database, case.case_id, version=case.version, patient_id=patient_id, actor=self.name,
            now=self.clock(), today=TODAY, destinations=DESTINATIONS,
        )  # fmt: skip
        self.done[done.outcome] += 1

    def undo(self) -> None:
        try:
            undo.undo_last(self.database, actor=self.name, now=self.clock())
        except DecisionRefusedError:
            self.done["not undone"] += 1
        else:
            self.done["undone"] += 1


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_store(tmp_path)


def records(database: Database, report_ids: list[int]) -> list[StoredRecord]:
    with database.reading() as session:
        return [kept for report_id in report_ids for kept in kept_records.of_report(session, report_id)]


def test_a_morning_of_two_hundred_decisions_adds_up(database: Database, tmp_path: Path) -> None:
    report_ids, clock = furnish(database), Clock()
    people = [Reviewer(name, database, clock) for name in PEOPLE]
    with running_sandbox() as portal:
        for person in people:
            person.start()
        worker = delivery_worker(database, destination(tmp_path, portal.url), clock=clock)
        while any(person.is_alive() for person in people):
            worker.step(clock())
        for person in people:
            person.join()
        assert [person.fault for person in people] == [None, None]
        clock.moment += 2 * HOLD
        while worker.step(clock()):
            pass
        values = portal.values.all()

    kept = records(database, report_ids)
    confirmed = [one for one in kept if one.state is RecordState.CONFIRMED]
    with database.reading() as session:
        total = balance.of_day(session, site=SITE, day=TODAY)
        made = [d for name in PEOPLE for d in decisions.recent(session, actor=name, limit=10_000)]
        parked = registrations.count(session, sites=None)
        assert mismatches(session) == []
        assert audit.verify(session, anchor_file=None).intact
        left = cases.count_open(session)
    # Whatever waits, waits because somebody parked it, or a third person must settle what the two cannot.
    assert total.sent + total.waiting + total.rejected + total.duplicate == REPORTS * ROWS
    assert total.sent == len(confirmed)
    assert total.waiting == parked + left
    assert total.rejected == sum(one.state is RecordState.REJECTED for one in kept)
    said = Counter(one.kind for one in made)
    assert sum(said.values()) + sum(person.done["undone"] for person in people) >= 200
    assert min(said[kind] for kind in DecisionKind) > 0, said
    assert all(person.done["undone"] for person in people)

    # Nothing twice: one standing decision for each closed case, one value for each sent record.
    ends = Counter(one.case_id for one in made if one.kind in (DecisionKind.APPROVED, DecisionKind.REJECTED))
    assert set(ends.values()) == {1}
    assert len(ends) == len(confirmed) + total.rejected + total.duplicate
    assert {one.external_id for one in confirmed} == {value.externalId for value in values}
    assert len(values) == len(confirmed)
    assert {one.external_id: one.patient_id for one in confirmed} == {
        value.externalId: value.patientId for value in values
    }
    assert {one.status for one in values} == {"final"}


def test_what_was_decided_in_the_morning_is_what_was_learnt(database: Database) -> None:
    report_ids, clock = furnish(database), Clock()
    people = [Reviewer(name, database, clock) for name in PEOPLE]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.fault for person in people] == [None, None]
    kept = {one.record_id: one for one in records(database, report_ids)}
    with database.reading() as session:
        learnt = [one for one in aliases.list_aliases(session) if one.state in STANDING]
        taught = {kept_records.get(session, one.record_id).fingerprint: one.patient_id for one in learnt}
        vetoed = {(veto.fingerprint, veto.patient_id) for veto in roster.vetoes(session, SITE)}
        made = [d for name in PEOPLE for d in decisions.recent(session, actor=name, limit=10_000)]
        patients = {kept[d.record_id].fingerprint: d.patient_id for d in made if d.kind is DecisionKind.APPROVED}
        said = {(kept[d.record_id].fingerprint, d.patient_id) for d in made if d.kind is DecisionKind.NOT_THIS_PATIENT}
        graves = [
            event.event
            for event in audit.events(session, limit=100_000)
            if event.event.action == "case.approved"
            and cases.get(session, int(event.event.object_id)).critical
            and cases.get(session, int(event.event.object_id)).state is CaseState.APPROVED
        ]
    assert taught == patients, "an alias for each approved print and for no other"
    assert vetoed == {one for one in said if patients.get(one[0]) != one[1]}
    assert graves
    assert all({name for key, name in one.detail if key == "first-said-by"} - {one.actor} for one in graves)
    assert all(ApprovalOutcome.AWAITS_SECOND in person.done for person in people)
