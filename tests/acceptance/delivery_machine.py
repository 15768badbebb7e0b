"""People, prints, portals and mishaps in any order, and a model of what the portals must show in the end.

The store, the worker and its client are the real ones; the portals are the sandbox's values without a network.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import stamina
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination
from portal.delivery import DeliverySettings, DeliveryWorker
from records.assessment import SymptomAssessment
from records.case import RejectReason
from records.decision import Candidate, DecidedRecord, Decision, MatchDecision, MatchGrade
from records.errors import DecisionRefusedError
from records.patient import PatientIdentity, RosterPatient
from records.printed_file import PrintedFile
from records.submission import DeliveryState, ResultStatus
from review import actions, amendments
from review.amendments import AfterWithdrawal, ApprovedAs, Undone
from store import aliases, audit, balance, cases, kept_records, outbox, reports, roster
from store.alias_states import AliasState
from store.database import create, open_existing
from store.handover import ReadOutcome, RecordToStore, hand_over
from store.kept_records import RecordState
from store.outbox_entries import OutboxEntry
from store.settings import StoreSettings
from tests.acceptance.portal_in_process import Mishap, PortalInProcess, ProcessDied, reached_in_process
from tests.integration.delivery_cases import MORNING, assessment, destination

T = TypeVar("T")
SITE, SOURCE, ACTOR = "WCP", "wcp", "anna"
PLACES = ("portal", "second")
PATIENTS = ("P1", "P2", "P3")
DAYS = (date(2026, 3, 1), date(2026, 3, 2))
TODAY = MORNING.date()
AT_THEIR_END = (DeliveryState.DELIVERED, DeliveryState.CANCELLED, DeliveryState.DEAD)
INSTRUMENTS = load_instruments()

patients = st.sampled_from(PATIENTS)
days = st.sampled_from(DAYS)
totals = st.integers(0, 3)
picks = st.integers(0, 1_000)
as_what = st.sampled_from(ApprovedAs)
mishaps = st.lists(st.sampled_from(Mishap), max_size=5)


@dataclass(frozen=True)
class Looked:
    """What may be acted upon: looked up once after each step, because every rule asks.

    Attributes:
        standing: Whether a record stands.
        cases: Whether a case is open.
    """

    standing: bool
    cases: bool


@dataclass
class Standing:
    """What a portal must show of one assessment in the end."""

    patient: str
    day: date
    total: int


Snapshot = dict[str, Standing]


@dataclass
class Known:
    """What the model knows of one record.

    Attributes:
        decisions: What each of its open decisions changed: at the destination, what was to be shown before.
    """

    patient: str
    day: date
    total: int
    external_ids: list[str] = field(default_factory=list)
    decisions: list[tuple[Undone, Snapshot, int]] = field(default_factory=list)


def printed(patient: str, day: date, total: int) -> SymptomAssessment:
    """A print that names its person by name, birth date and number."""
    who = PatientIdentity(
        name=f"{patient}, Print", family=patient, given="Print", birth_date=date(1980, 1, 1), mrn=f"MRN{patient}"
    )
    return replace(assessment(patient, total=total, day=day), patient=who)


def make_home(folder: Path) -> None:
    """A store with a roster, to be copied for every run."""
    with create(StoreSettings(home=folder), now=MORNING) as database, database.session() as session:
        people = [
            RosterPatient(
                patient_id=one, site=SITE, family=one, given="Print", birth_date=date(1980, 1, 1), mrn=f"MRN{one}"
            )
            for one in PATIENTS
        ]
        roster.replace(
            session, SITE, people, as_of=MORNING, imported_from="roster.csv", actor="setup", now=MORNING,
            max_removed_share=1.0,
        )  # fmt: skip


class DeliveryMachine(RuleBasedStateMachine):
    """Each rule is something that a person, a printer, a portal or the power supply does."""

    home: Path  # of the furnished store; set by the test

    # --- the stage

    @initialize(
        seed=st.integers(0, 9),
        hold_minutes=st.sampled_from((0, 0, 1)),
        prints=st.lists(st.tuples(patients, days, totals), min_size=1, max_size=4),
    )
    def open_clinic(self, seed: int, hold_minutes: int, prints: list[tuple[str, date, int]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="delivery-machine-"))
        shutil.copytree(self.home, self.folder / "home")
        self.database = open_existing(StoreSettings(home=self.folder / "home"))
        self.portals = {f"{place}.example.org": PortalInProcess() for place in PLACES}
        self.modes = dict.fromkeys(PLACES, "live")
        self.hold_minutes = hold_minutes
        self.chance = random.Random(seed)
        self.now = MORNING
        self.files = 0
        self.records: dict[int, Known] = {}
        self.expected: dict[str, dict[str, Standing]] = {place: {} for place in PLACES}
        self.out_of_turn: set[tuple[str, str]] = set()
        self.start()
        for patient, day, total in prints:
            self.a_report_is_printed(patient, day, total)

    def start(self) -> None:
        self.worker = DeliveryWorker(
            database=self.database,
            destinations=[self.configured(place) for place in PLACES],
            instruments=INSTRUMENTS,
            settings=DeliverySettings(first_pause=timedelta(seconds=2)),
            clock=lambda: self.now,
            chance=self.chance,
        )

    def configured(self, place: str) -> ConfiguredDestination:
        settings: dict[str, object] = {"mode": self.modes[place], "id": place, "hold_minutes": self.hold_minutes}
        if self.modes[place] == "staging":
            settings["allow_list"] = ["P1"]
        return destination(self.folder, f"https://{place}.example.org", **settings)

    def portal(self, place: str) -> PortalInProcess:
        return self.portals[f"{place}.example.org"]

    @property
    def active(self) -> tuple[str, ...]:
        return tuple(place for place in PLACES if self.modes[place] != "off")

    def tick(self, **delta: float) -> None:
        self.now += timedelta(**delta) if delta else timedelta(milliseconds=1)

    def teardown(self) -> None:
        if not hasattr(self, "database"):
            return
        try:
            self.everything_ends_right()
        finally:
            self.database.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the printer

    @rule(patient=patients, day=days, total=totals)
    def a_report_is_printed(self, patient: str, day: date, total: int) -> None:
        self.tick()
        self.files += 1
        file = PrintedFile(
            path=f"/print/{self.files}.csv", sha256=f"{self.files:064x}", size_bytes=1, seen_at=self.now, site=SITE
        )
        print_of = f"fp-{patient}"
        with self.database.session() as session:
            taught = aliases.standing(session, site=SITE, source=SOURCE).get(print_of)
            target = taught.patient_id if taught else patient
            record = RecordToStore(
                decided=DecidedRecord(
                    assessment=printed(patient, day, total), match=certain(target), decision=Decision.CONFIRMED,
                    reasons=(),
                ),
                fingerprint=print_of,
                by_alias=taught is not None,
            )  # fmt: skip
            report = reports.take(session, file, source=SOURCE, file_name="scores.csv", archived=None)
            (number,) = hand_over(
                session,
                report.report_id,
                ReadOutcome(
                    template="t@1", pages=0, no_score=0, findings=(), records=(record,), destinations=self.active,
                    day=TODAY,
                ),
                now=self.now,
            ).records  # fmt: skip
        self.records[number] = Known(patient=target, day=day, total=total)
        if self.state(number) is RecordState.CONFIRMED:
            self.stands(number, Undone.CONFIRMATION)

    # --- people at the queue

    @precondition(lambda self: self.looked.cases)
    @rule(pick=picks, patient=patients, as_=as_what)
    def a_case_is_approved(self, pick: int, patient: str, as_: ApprovedAs) -> None:
        self.tick()
        case = self.one_of(self.open_cases(), pick)
        number = self.record_of(case.case_id)
        with self.refusable():
            actions.approve(
                self.database, case.case_id, version=case.version, patient_id=patient, actor=ACTOR, now=self.now,
                today=TODAY, destinations=self.active, as_=as_,
            )  # fmt: skip
            self.records[number].patient = patient
            if self.state(number) is RecordState.CONFIRMED:
                self.stands(number, Undone.CONFIRMATION)

    @precondition(lambda self: self.looked.cases)
    @rule(pick=picks)
    def a_case_is_rejected(self, pick: int) -> None:
        self.tick()
        case = self.one_of(self.open_cases(), pick)
        actions.reject(
            self.database, case.case_id, version=case.version, reason=RejectReason.WRONG_REPORT, note="", actor=ACTOR,
            now=self.now,
        )  # fmt: skip

    # --- people who change what was confirmed

    @precondition(lambda self: self.looked.standing)
    @rule(pick=picks, total=totals)
    def a_record_is_corrected(self, pick: int, total: int) -> None:
        self.tick()
        number = self.one_of(self.standing(), pick)
        answers = ",".join("1" if n <= total else "0" for n in range(1, 10))
        with self.refusable():
            amendments.correct(
                self.database, number, version=self.version(number), changes={"total": str(total), "items": answers},
                actor=ACTOR, now=self.now, today=TODAY, destinations=self.active,
            )  # fmt: skip
            before = self.records[number].total
            self.records[number].total = total
            self.stands(number, Undone.CORRECTION, total_before=before)

    @precondition(lambda self: self.looked.standing)
    @rule(pick=picks, reopen=st.booleans(), wrong_patient=st.booleans())
    def a_record_is_withdrawn(self, pick: int, reopen: bool, wrong_patient: bool) -> None:
        self.tick()
        number = self.one_of(self.standing(), pick)
        amendments.withdraw(
            self.database, number, version=self.version(number), reason="looked again",
            after=AfterWithdrawal(reopen=reopen, wrong_patient=reopen and wrong_patient), actor=ACTOR, now=self.now,
        )  # fmt: skip
        self.falls(number)

    @precondition(lambda self: self.looked.standing)
    @rule(pick=picks, patient=patients, as_=as_what)
    def a_record_is_moved(self, pick: int, patient: str, as_: ApprovedAs) -> None:
        self.tick()
        number = self.one_of(self.standing(), pick)
        with self.refusable():
            amendments.move(
                self.database, number, version=self.version(number), patient_id=patient, reason="wrong patient",
                actor=ACTOR, now=self.now, today=TODAY, destinations=self.active, as_=as_,
            )  # fmt: skip
            self.falls(number)
            self.records[number].patient = patient
            if self.state(number) is RecordState.CONFIRMED:
                self.stands(number, Undone.CONFIRMATION)

    @precondition(lambda self: self.looked.standing)
    @rule(pick=picks, day=days, as_=as_what)
    def a_record_is_given_another_day(self, pick: int, day: date, as_: ApprovedAs) -> None:
        self.tick()
        number = self.one_of(self.standing(), pick)
        with self.refusable():
            amendments.reassign(
                self.database, number, version=self.version(number), changes={"authored_on": day.isoformat()},
                reason="read wrongly", actor=ACTOR, now=self.now, today=TODAY, destinations=self.active, as_=as_,
            )  # fmt: skip
            self.falls(number)
            self.records[number].day = day
            if self.state(number) is RecordState.CONFIRMED:
                self.stands(number, Undone.CONFIRMATION)

    @precondition(lambda self: self.looked.standing)
    @rule(pick=picks)
    def a_decision_is_undone(self, pick: int) -> None:
        self.tick()
        number = self.one_of(self.standing(), pick)
        known = self.records[number]
        external_id = known.external_ids[-1]
        with self.refusable():
            undone = amendments.undo(self.database, number, version=self.version(number), actor=ACTOR, now=self.now)
            expected, before, total = known.decisions.pop()
            assert undone is expected
            known.total = total
            for place in PLACES:
                if external_id in self.expected[place]:
                    self.expected[place].pop(external_id)
                    if place in before:
                        self.expected[place][external_id] = before[place]

    @precondition(lambda self: self.looked.standing)
    @rule(pick=picks)
    def two_people_withdraw_the_same_record_at_once(self, pick: int) -> None:
        self.tick()
        number = self.one_of(self.standing(), pick)
        seen = self.version(number)
        after = AfterWithdrawal(reopen=True, wrong_patient=True)
        amendments.withdraw(
            self.database, number, version=seen, reason="first", after=after, actor=ACTOR, now=self.now
        )  # fmt: skip
        self.falls(number)
        try:
            amendments.withdraw(
                self.database, number, version=seen, reason="second", after=after, actor="bert", now=self.now
            )
        except DecisionRefusedError:
            return
        raise AssertionError("the second withdrawal was taken")

    @rule(pick=picks)
    def an_alias_is_revoked(self, pick: int) -> None:
        self.tick()
        with self.database.reading() as session:
            active = aliases.list_aliases(session, state=AliasState.ACTIVE)
        if active:
            alias = self.one_of(active, pick)
            for number in actions.revoke_alias(self.database, alias.alias_id, actor=ACTOR, now=self.now):
                self.falls(number)

    # --- people at the outbox

    @precondition(lambda self: self.records)
    @rule(pick=picks)
    def a_submission_is_cancelled(self, pick: int) -> None:
        self.tick()
        waiting = [
            one
            for one in self.entries()
            if one.state in (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD)
        ]
        if not waiting:
            return
        one = self.one_of(waiting, pick).submission
        with self.refusable():
            with self.database.session() as session:
                outbox.cancel(session, one.submission_id, actor=ACTOR, now=self.now)
            left = [
                other
                for other in self.entries()
                if other.submission.external_id == one.external_id
                and other.submission.destination == one.destination
                and other.state is not DeliveryState.CANCELLED
            ]
            left.sort(key=lambda other: other.submission.revision)
            if not left or left[-1].submission.status is ResultStatus.ENTERED_IN_ERROR:
                self.expected[one.destination].pop(one.external_id, None)

    @precondition(lambda self: self.records)
    @rule(pick=picks)
    def a_submission_is_sent_again(self, pick: int) -> None:
        self.tick()
        stuck = [one for one in self.entries() if one.state in (DeliveryState.HELD, DeliveryState.DEAD)]
        if stuck:
            self.resend(self.one_of(stuck, pick))

    def resend(self, one: OutboxEntry) -> bool:
        with self.refusable() as refused:
            with self.database.session() as session:
                outbox.resend(session, one.submission.submission_id, actor=ACTOR, now=self.now)
            self.out_of_turn.add((one.submission.destination, one.submission.patient_id))
        return not refused

    @rule(place=st.sampled_from(PLACES), by_hand=st.booleans())
    def a_destination_is_paused_or_resumed(self, place: str, by_hand: bool) -> None:
        self.tick()
        with self.database.session() as session:
            if place in outbox.paused(session):
                outbox.resume(session, place, actor=ACTOR, now=self.now)
            elif by_hand:
                outbox.pause(session, place, reason="http-401", now=self.now)

    @rule(place=st.sampled_from(PLACES), mode=st.sampled_from(("live", "shadow", "staging", "off")))
    def the_settings_change(self, place: str, mode: str) -> None:
        if place == "portal" and mode == "off":
            return  # a clinic has one destination at least
        self.modes[place] = mode
        self.start()

    # --- the sender, the wires and the portals

    @rule()
    def late_requests_arrive(self) -> None:
        for place in PLACES:
            self.portal(place).late_arrivals()

    @rule(first=mishaps, second=mishaps)
    def the_sender_works(self, first: list[Mishap], second: list[Mishap]) -> None:
        self.portal("portal").mishaps, self.portal("second").mishaps = list(first), list(second)
        self.tick()
        self.send()

    @rule(first=mishaps, second=mishaps, seconds=st.sampled_from((3, 70, 150, 2000)))
    def time_passes_and_the_sender_works(self, first: list[Mishap], second: list[Mishap], seconds: int) -> None:
        self.tick(seconds=seconds)
        self.the_sender_works(first, second)

    @rule(seconds=st.sampled_from((3, 150, 2000)))
    def time_passes_and_all_goes_well(self, seconds: int) -> None:
        self.tick(seconds=seconds)
        self.the_sender_works([], [])

    def send(self) -> None:
        try:
            with stamina.set_testing(True, attempts=3, cap=True), reached_in_process(self.portals):
                self.worker.step(self.now)
        except ProcessDied:
            self.start()
        for one in self.entries():
            if one.state is DeliveryState.DEAD:
                self.out_of_turn.add((one.submission.destination, one.submission.patient_id))

    # --- what must hold at any moment

    @invariant()
    def no_value_stands_in_the_chart_it_was_moved_from(self) -> None:
        if not hasattr(self, "records"):
            return
        self.looked = Looked(standing=bool(self.standing()), cases=bool(self.open_cases()))
        for number, known in self.records.items():
            if len(set(known.external_ids)) < 2:
                continue
            told = [one for one in self.entries() if one.submission.external_id in known.external_ids]
            for place in PLACES:
                shown = {m.externalId for m in self.portal(place).values.all() if m.status != "entered-in-error"}
                others = {
                    one.submission.external_id
                    for one in told
                    if one.submission.record_id != number and one.submission.destination == place
                }
                mine = shown & set(known.external_ids) - others
                assert len(mine) <= 1, f"record {number} stands twice at {place}"

    # --- the end

    def everything_ends_right(self) -> None:
        """Faults end, everything is let go, and the portals show just what the model says."""
        self.modes = dict.fromkeys(PLACES, "live")
        for place in PLACES:
            self.portal(place).mishaps.clear()
        self.start()
        for _ in range(80):
            with self.database.session() as session:
                for place in PLACES:
                    outbox.resume(session, place, actor=ACTOR, now=self.now)
                    outbox.release_held(session, place, actor="operator", now=self.now)
            again = [self.resend(one) for one in self.entries() if one.state is DeliveryState.DEAD]
            self.send()
            self.tick(minutes=16)
            for place in PLACES:
                self.portal(place).late_arrivals()
            if not any(again) and all(one.state in AT_THEIR_END for one in self.entries()):
                break
        open_ones = [one for one in self.entries() if one.state not in AT_THEIR_END]
        assert open_ones == [], [(one.state, one.reason) for one in open_ones]
        for place in PLACES:
            self.check_portal(place)
        self.check_books()

    def check_portal(self, place: str) -> None:
        stored = self.portal(place).values.all()
        shown = Counter(m.externalId for m in stored)
        assert all(number == 1 for number in shown.values()), f"{place} has an assessment twice"
        stands = {
            m.externalId: Standing(patient=m.patientId, day=m.administeredOn, total=m.score)
            for m in stored
            if m.status != "entered-in-error"
        }
        assert stands == self.expected[place], place
        for patient in PATIENTS:
            if (place, patient) not in self.out_of_turn:
                assert self.arrived(place, patient) == self.confirmed(place, patient)

    def arrived(self, place: str, patient: str) -> list[str]:
        return [m.externalId for m in self.portal(place).values.of_patient(patient, None)]

    def confirmed(self, place: str, patient: str) -> list[str]:
        """The assessments in the order of the first message that arrived of each."""
        first: dict[str, int] = {}
        for one in self.entries():
            told = one.submission
            if (told.destination, told.patient_id, one.state) == (place, patient, DeliveryState.DELIVERED):
                first[told.external_id] = min(told.sequence, first.get(told.external_id, told.sequence))
        arrived = set(self.arrived(place, patient))
        return [one for one in sorted(first, key=lambda one: first[one]) if one in arrived]

    def check_books(self) -> None:
        with self.database.reading() as session:
            assert audit.verify(session, anchor_file=None).intact
            assert balance.mismatches(session) == []
            books = balance.of_day(session, site=SITE, day=TODAY)
            split = balance.split_of_day(session, site=SITE, day=TODAY)
        assert books.sent + books.waiting + books.rejected + books.duplicate == len(self.records)
        assert split["review"] == len(self.open_cases())
        assert books.waiting == split["review"] + split["dead"] + split["shadow"]
        for number, known in self.records.items():
            with self.database.reading() as session:
                kept = kept_records.get(session, number)
            if kept.state is RecordState.CONFIRMED:
                assert (kept.patient_id, kept.assessment.authored_on, kept.assessment.total) == (
                    known.patient, known.day, known.total,
                )  # fmt: skip

    # --- looking

    def stands(self, number: int, decision: Undone, *, total_before: int | None = None) -> None:
        """A record stands, or has other values: every active portal is to show it, and every one that shows it now."""
        known = self.records[number]
        with self.database.reading() as session:
            external_id = kept_records.get(session, number).external_id
        assert external_id is not None
        before = {place: shown[external_id] for place, shown in self.expected.items() if external_id in shown}
        for place in {*self.active, *before}:
            self.expected[place][external_id] = Standing(patient=known.patient, day=known.day, total=known.total)
        if decision is Undone.CONFIRMATION:
            known.external_ids.append(external_id)
            known.decisions.clear()
        known.decisions.append((decision, before, known.total if total_before is None else total_before))

    def falls(self, number: int) -> None:
        """A record was taken back: no portal is to show it."""
        known = self.records[number]
        for place in PLACES:
            self.expected[place].pop(known.external_ids[-1], None)
        known.decisions.clear()

    def state(self, number: int) -> RecordState:
        with self.database.reading() as session:
            return kept_records.get(session, number).state

    def standing(self) -> list[int]:
        with self.database.reading() as session:
            kept = [kept_records.get(session, number) for number in self.records]
        confirmed = [one for one in kept if one.state is RecordState.CONFIRMED]
        replaced = {one.corrects for one in confirmed}
        return [one.record_id for one in confirmed if one.record_id not in replaced]

    def version(self, number: int) -> int:
        return amendments.record_version(self.database, number)

    def open_cases(self) -> list[cases.ReviewCase]:
        with self.database.reading() as session:
            return sorted(cases.list_open(session, limit=1000), key=lambda case: case.case_id)

    def record_of(self, case_id: int) -> int:
        with self.database.reading() as session:
            found = {number: cases.of_record(session, number) for number in self.records}
        return next(number for number, case in found.items() if case is not None and case.case_id == case_id)

    def entries(self) -> list[OutboxEntry]:
        with self.database.reading() as session:
            return outbox.list_submissions(session, limit=10_000)

    @staticmethod
    def one_of(things: list[T], pick: int) -> T:
        return things[pick % len(things)]

    @contextmanager
    def refusable(self) -> Iterator[list[str]]:
        """A refusal is an answer: nothing may have changed, and the model stays as it is."""
        refused: list[str] = []
        try:
            yield refused
        except DecisionRefusedError as error:
            refused.append(error.message)


def certain(patient_id: str) -> MatchDecision:
    """A match that every gate lets through."""
    candidate = Candidate(
        patient_id=patient_id, grade=MatchGrade.CERTAIN, probability=1.0, score=20.0, evidence=(), reasons=()
    )
    return MatchDecision(
        grade=MatchGrade.CERTAIN, patient_id=patient_id, probability=1.0, runner_up=0.0, candidates=(candidate,),
        reasons=(),
    )  # fmt: skip
