"""Any order of opening, deciding, skipping and taking back by three people, against a model of what may happen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from records.case import CaseState, RejectReason, ReviewCase
from records.errors import CaseTakenError, DecisionRefusedError, StaleCaseError
from review import actions, locks, registrations, undo
from review.actions import ApprovalOutcome, RejectionOutcome
from review.undo import DecisionKind
from store import cases, decisions, kept_records, outbox, roster
from store.database import open_existing
from store.kept_records import RecordState
from store.settings import StoreSettings
from tests.unit.review.review_clinic import DESTINATIONS, SITE, START, TODAY, furnish
from tests.unit.store.store_cases import receipt

PEOPLE = ("rosa", "sam", "ada")
people = st.sampled_from(PEOPLE)
_REJECTED = ""  # one person's word that the row is to be rejected, where the others name a patient
# An answer about self-harm goes, and comes: of the first record and of the second.
CHANGES = (
    {"total": "9"}, {"total": "8"}, {"total": "17"}, {"total": "16", "item-9": "0"}, {"total": "17", "item-9": "1"},
    {"total": "9", "item-9": "1"}, {"total": "8", "item-9": "0"},
)  # fmt: skip
picks = st.integers(min_value=0, max_value=2)


@cache
def furnished() -> Path:
    home = Path(tempfile.mkdtemp(prefix="queue-machine-")) / "home"
    furnish(home)
    return home


@dataclass
class Made:
    """A decision that may be taken back, with how the case was before and the version it left."""

    actor: str
    case_id: int
    kind: DecisionKind
    before: ReviewCase
    words: dict[str, str]
    version: int


class QueueMachine(RuleBasedStateMachine):
    """What the model knows: who holds which case until when, which words wait, and what can be taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="queue-machine-"))
        self.database = open_existing(StoreSettings(home=Path(shutil.copytree(furnished(), self.folder / "home"))))
        self.now = START
        self.held: dict[int, tuple[str, datetime]] = {}
        self.words: dict[int, dict[str, str]] = {1: {}, 2: {}, 3: {}}
        self.made: list[Made] = []
        self.delivered: set[int] = set()
        self.urgent: set[int] = {1}  # what held an answer about self-harm at any time

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    def case(self, case_id: int) -> ReviewCase:
        with self.database.reading() as session:
            return cases.get(session, case_id)

    def other_holder(self, case_id: int, actor: str) -> str | None:
        holder, until = self.held.get(case_id, ("", START))
        return holder if holder not in ("", actor) and until > self.now else None

    def decide(
        self, case_id: int, actor: str, kind: DecisionKind, act: Callable[[ReviewCase], object], *, keeps: bool
    ) -> object:
        """Do it and hold the outcome against the model; `keeps`: the case stays on the person's desk."""
        before = self.case(case_id)
        try:
            done = act(before)
        except CaseTakenError as refused:
            self.names_the_holder(refused, case_id, actor)
            return None
        except StaleCaseError:
            assert before.state is not CaseState.OPEN
            return None
        except DecisionRefusedError:
            assert self.case(case_id) == before
            return None
        assert self.other_holder(case_id, actor) is None or kind is DecisionKind.SKIPPED
        assert before.state is CaseState.OPEN
        kind = DecisionKind.PROPOSED if done == ApprovalOutcome.AWAITS_SECOND else kind
        after = self.case(case_id)
        assert kind is DecisionKind.SKIPPED or after.version > before.version
        self.made.append(Made(actor, case_id, kind, before, dict(self.words[case_id]), after.version))
        if keeps:
            self.held[case_id] = (actor, self.now + locks.LEASE)
        elif kind is DecisionKind.SKIPPED:
            if self.held.get(case_id, ("",))[0] == actor:
                del self.held[case_id]
        else:
            self.held.pop(case_id, None)
        return done

    def names_the_holder(self, refused: CaseTakenError, case_id: int, actor: str) -> None:
        assert refused.holder == self.other_holder(case_id, actor)

    @rule(seconds=st.sampled_from([1, 20, 200, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(at=picks, actor=people)
    def a_case_is_opened(self, at: int, actor: str) -> None:
        lock = locks.open_case(self.database, at + 1, actor=actor, now=self.now)
        if self.case(at + 1).state is not CaseState.OPEN:
            assert lock.holder is None
            return
        other = self.other_holder(at + 1, actor)
        assert lock.holder == (other or actor)
        assert lock.is_mine is (other is None)
        if other is None:
            self.held[at + 1] = (actor, self.now + locks.LEASE)

    @rule(at=picks, actor=people)
    def a_case_is_taken_over(self, at: int, actor: str) -> None:
        lock = locks.take_over(self.database, at + 1, actor=actor, now=self.now)
        assert lock.is_mine is (self.case(at + 1).state is CaseState.OPEN)
        if lock.is_mine:
            self.held[at + 1] = (actor, self.now + locks.LEASE)

    @rule(at=picks, actor=people, patient_id=st.sampled_from(["D1", "D2", "D6", "D7"]))
    def a_case_is_approved(self, at: int, actor: str, patient_id: str) -> None:
        def act(case: ReviewCase) -> ApprovalOutcome:
            return actions.approve(
                self.database, case.case_id, version=case.version, patient_id=patient_id, actor=actor, now=self.now,
                today=TODAY, destinations=DESTINATIONS,
            ).outcome  # fmt: skip

        before = self.case(at + 1)
        done = self.decide(at + 1, actor, DecisionKind.APPROVED, act, keeps=False)
        if done is None:
            return
        seconded = any(who != actor and said == patient_id for who, said in self.words[at + 1].items())
        unlikely = patient_id != "D1" or before.is_identity_typed or not before.assessment.critical
        if at + 1 in self.urgent and unlikely and not seconded:
            assert done is ApprovalOutcome.AWAITS_SECOND
            self.words[at + 1][actor] = patient_id
        else:
            assert done is ApprovalOutcome.CONFIRMED
            self.words[at + 1] = {}

    @rule(at=picks, actor=people)
    def a_case_is_rejected(self, at: int, actor: str) -> None:
        def act(case: ReviewCase) -> RejectionOutcome:
            return actions.reject(
                self.database, case.case_id, version=case.version, reason=RejectReason.UNREADABLE, note="",
                actor=actor, now=self.now,
            )  # fmt: skip

        done = self.decide(at + 1, actor, DecisionKind.REJECTED, act, keeps=False)
        if done is None:
            return
        seconded = any(who != actor and said == _REJECTED for who, said in self.words[at + 1].items())
        if at + 1 in self.urgent and not seconded:
            assert done is RejectionOutcome.AWAITS_SECOND
            self.words[at + 1][actor] = _REJECTED
        else:
            assert done is RejectionOutcome.REJECTED
            self.words[at + 1] = {}

    @rule(at=picks, actor=people)
    def a_case_is_skipped(self, at: int, actor: str) -> None:
        def act(case: ReviewCase) -> bool:
            actions.skip(self.database, case.case_id, actor=actor, now=self.now)
            return True

        self.decide(at + 1, actor, DecisionKind.SKIPPED, act, keeps=False)

    @rule(at=picks, actor=people)
    def a_case_is_parked(self, at: int, actor: str) -> None:
        def act(case: ReviewCase) -> bool:
            registrations.park(self.database, case.case_id, version=case.version, actor=actor, now=self.now)
            return True

        with self.database.reading() as session:
            parked = {one.case_id for one in registrations.list_parked(session, sites=None)}
        if at + 1 not in parked and self.decide(at + 1, actor, DecisionKind.PARKED, act, keeps=False):
            self.words[at + 1] = {}

    @rule(at=picks, actor=people, changes=st.sampled_from(CHANGES))
    def a_value_is_corrected(self, at: int, actor: str, changes: dict[str, str]) -> None:
        def act(case: ReviewCase) -> object:
            return actions.correct(
                self.database, case.case_id, version=case.version, changes=changes, actor=actor,
                now=self.now, today=TODAY,
            )  # fmt: skip

        if self.decide(at + 1, actor, DecisionKind.CORRECTED, act, keeps=True):
            self.words[at + 1] = {}
            self.urgent |= {at + 1} if self.case(at + 1).assessment.critical else set()

    @rule(at=picks, actor=people, patient_id=st.sampled_from(["D1", "D2", "D7"]))
    def a_patient_is_ruled_out(self, at: int, actor: str, patient_id: str) -> None:
        def act(case: ReviewCase) -> object:
            return actions.not_this_patient(
                self.database, case.case_id, patient_id, version=case.version, actor=actor, now=self.now
            )

        if self.decide(at + 1, actor, DecisionKind.NOT_THIS_PATIENT, act, keeps=True):
            self.words[at + 1] = {who: said for who, said in self.words[at + 1].items() if said != patient_id}

    @rule()
    def what_is_due_is_delivered(self) -> None:
        with self.database.session() as session:
            found = outbox.claim_due(
                session, now=self.now, lease=timedelta(minutes=1), limit=9, owner="w", destinations=DESTINATIONS
            )
            for one in found:
                outbox.mark_delivered(session, one.submission_id, receipt(), owner="w", now=self.now)
                self.delivered.add(one.record_id)

    @rule(actor=people)
    def the_newest_decision_is_taken_back(self, actor: str) -> None:
        mine = next((one for one in reversed(self.made) if one.actor == actor), None)
        before = None if mine is None else self.case(mine.case_id)
        try:
            undo.undo_last(self.database, actor=actor, now=self.now)
        except DecisionRefusedError:
            if mine is None or before is None:
                return
            told = mine.kind is DecisionKind.APPROVED and self.record_of(mine.case_id) in self.delivered
            assert told or before.version != mine.version
            assert self.case(mine.case_id) == before
            return
        assert mine is not None
        self.made.remove(mine)
        after = self.case(mine.case_id)
        if mine.kind is DecisionKind.SKIPPED:
            return
        same = {"reasons": after.reasons, "assessment": after.assessment, "match": after.match}
        assert same == {
            "reasons": mine.before.reasons,
            "assessment": mine.before.assessment,
            "match": mine.before.match,
        }
        assert (after.state, after.opened_at) == (CaseState.OPEN, mine.before.opened_at)
        self.words[mine.case_id] = dict(mine.words)
        for earlier in self.made:
            if (earlier.case_id, earlier.version) == (mine.case_id, mine.before.version):
                earlier.version = after.version

    def record_of(self, case_id: int) -> int:
        with self.database.reading() as session:
            return decisions.case_and_record(session, case_id)[0].record_id

    @invariant()
    def every_record_is_where_its_case_says(self) -> None:
        with self.database.reading() as session:
            for case_id in (1, 2, 3):
                case = cases.get(session, case_id)
                state = kept_records.get(session, self.record_of(case_id)).state
                expected = {
                    CaseState.OPEN: RecordState.REVIEW, CaseState.APPROVED: RecordState.CONFIRMED,
                    CaseState.REJECTED: RecordState.REJECTED,
                }  # fmt: skip
                assert state is expected[case.state]
                assert state is RecordState.CONFIRMED or self.record_of(case_id) not in self.delivered

    @invariant()
    def what_a_case_is_counted_by_is_what_its_record_waits_for(self) -> None:
        with self.database.reading() as session:
            for case_id in (1, 2, 3):
                case, record = decisions.case_and_record(session, case_id)
                assert (case.reasons, case.report_id) == (record.reasons, record.report_id)

    @invariant()
    def what_held_an_answer_about_self_harm_stays_urgent(self) -> None:
        assert {case_id for case_id in (1, 2, 3) if self.case(case_id).critical} == self.urgent

    @invariant()
    def nobody_is_offered_what_somebody_else_has_open_or_waits_for_another_word(self) -> None:
        for actor in PEOPLE:
            offered = actions.next_case(self.database, actor=actor, sites=(SITE,), now=self.now)
            if offered is None:
                continue
            assert self.other_holder(offered, actor) is None
            words = self.words[offered]
            assert actor not in words or set(words.values()) != {words[actor]}

    @invariant()
    def a_no_stands_as_long_as_its_decision_does(self) -> None:
        with self.database.reading() as session:
            vetoed = {veto.patient_id for veto in roster.vetoes(session, SITE)}
        assert bool(vetoed) <= any(one.kind is DecisionKind.NOT_THIS_PATIENT for one in self.made)


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
