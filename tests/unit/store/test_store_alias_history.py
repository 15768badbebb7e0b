"""Whatever people do in whatever order, an alias confirms nobody whom somebody ruled out or who has changed.

The pipeline is played at its worst: it decides on what it looked up at any earlier moment, and believes every alias of
that moment.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from alias_cases import ADA, EVE, PRINT, SOURCE, ZOE, arrive, candidate, listed, match_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from store_cases import NOW, PORTAL, SITE

from matching.aliases import roster_fingerprint
from matching.normalisation import fingerprint
from records.patient import Alias, RosterPatient
from store import alias_recall, aliases, automatic_matches, cases, kept_records, roster
from store import database as databases
from store.alias_states import AliasState
from store.kept_records import RecordState
from store.settings import StoreSettings

PEOPLE: Final = {one.patient_id: one for one in (ADA, EVE, ZOE)}
PRINTS: Final = (PRINT, replace(PRINT, family="Sinth"), replace(PRINT, mrn=None, birth_date=date(1980, 5, 1)))
WHO = st.sampled_from(sorted(PEOPLE))
BY = st.sampled_from(("ida", "rosa"))
WHICH = st.integers(0, 100)


@cache
def empty_home() -> Path:
    """A store with its tables; copying it is cheaper than making it."""
    home = Path(tempfile.mkdtemp()) / "home"
    databases.create(StoreSettings(home=home), now=NOW).close()
    return home


class History(RuleBasedStateMachine):
    """One clinic, and beside it what must be true of it, kept in plain dictionaries."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(empty_home(), self.folder / "home")
        self.database = databases.open_existing(StoreSettings(home=self.folder / "home"))
        self.people = dict(PEOPLE)
        self.day = 0
        self.seen: dict[str, Alias] = {}
        self.ruled_out: set[tuple[str, str]] = set()
        self.confirmed: dict[int, set[int]] = {}
        self.gone: set[int] = set()
        self._list()

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    @rule()
    def look_up(self) -> None:
        with self.database.reading() as session:
            self.seen = aliases.standing(session, site=SITE, source=SOURCE)

    @rule(number=st.integers(0, len(PRINTS) - 1))
    def print_arrives(self, number: int) -> None:
        who, self.day = PRINTS[number], self.day + 1
        printed = fingerprint(who)
        alias = self.seen.get(printed)
        if alias is None:
            match = match_of(candidate("D1", 6.0), candidate("D2", 5.0), candidate("D3", -9.0))
        else:
            match = match_of(candidate(alias.patient_id, 6.0), certain=True)
        with self.database.session() as session:
            (record,) = arrive(session, who=who, match=match, by_alias=alias is not None, day=self.day).records
            state = kept_records.get(session, record).state
            if state is not RecordState.CONFIRMED:
                return
            assert alias is not None
            assert (printed, alias.patient_id) not in self.ruled_out
            patient = self.people[alias.patient_id]
            assert patient.active
            assert roster_fingerprint(patient) == alias.roster_fingerprint
            by = [
                one.alias_id
                for one in aliases.list_aliases(session)
                if any(caused.record_id == record for caused in automatic_matches.caused_by(session, one.alias_id))
            ]
            assert len(by) == 1
            self.confirmed.setdefault(by[0], set()).add(record)

    @rule(which=WHICH, patient_id=WHO, actor=BY)
    def approve(self, which: int, patient_id: str, actor: str) -> None:
        with self.database.session() as session:
            waiting = cases.list_open(session)
            if not waiting or patient_id not in self.people:
                return
            case = waiting[which % len(waiting)]
            cases.approve(
                session, case.case_id, version=case.version, patient_id=patient_id, actor=actor, now=NOW,
                destinations=(PORTAL,),
            )  # fmt: skip
            self.ruled_out.discard((fingerprint(case.assessment.patient), patient_id))

    @rule(which=WHICH, patient_id=WHO, actor=BY)
    def not_this_patient(self, which: int, patient_id: str, actor: str) -> None:
        with self.database.session() as session:
            waiting = cases.list_open(session)
            if waiting:
                case = waiting[which % len(waiting)]
                cases.not_this_patient(session, case.case_id, patient_id, actor=actor, now=NOW)
                self.ruled_out.add((fingerprint(case.assessment.patient), patient_id))

    @precondition(lambda self: self.confirmed)
    @rule(which=WHICH, actor=BY)
    def revoke(self, which: int, actor: str) -> None:
        alias_id = sorted(self.confirmed)[which % len(self.confirmed)]
        due = self.confirmed[alias_id] - self.gone
        with self.database.session() as session:
            before = {one: kept_records.get(session, one).state for one in self._every_record(session)}
            assert set(alias_recall.revoke(session, alias_id, actor=actor, now=NOW)) == due
            after = {one: kept_records.get(session, one).state for one in before}
            assert {one for one in before if before[one] is not after[one]} == due
            assert all(after[one] is RecordState.REVIEW for one in due)
            for one in due:
                kept = kept_records.get(session, one)
                self.ruled_out.add((kept.fingerprint, aliases.get(session, alias_id).patient_id))
        self.gone |= due

    @rule(patient_id=WHO, change=st.sampled_from(("mrn", "inactive", "gone", "phone", "as before")))
    def roster_changes(self, patient_id: str, change: str) -> None:
        present = self.people.get(patient_id, PEOPLE[patient_id])
        changed: dict[str, RosterPatient | None] = {
            "mrn": replace(present, mrn=f"{present.mrn}9"),
            "inactive": replace(present, active=False),
            "gone": None,
            "phone": replace(present, phone="555-0100"),
            "as before": PEOPLE[patient_id],
        }
        patient = changed[change]
        if patient is None:
            self.people.pop(patient_id, None)
        else:
            self.people[patient_id] = patient
        self._list()

    @invariant()
    def no_alias_that_stands_is_ruled_out_or_outdated(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as session:
            for printed, alias in aliases.standing(session, site=SITE, source=SOURCE).items():
                assert (printed, alias.patient_id) not in self.ruled_out
                patient = self.people[alias.patient_id]
                assert patient.active
                assert roster_fingerprint(patient) == alias.roster_fingerprint
            assert {(one.fingerprint, one.patient_id) for one in roster.vetoes(session, SITE)} == self.ruled_out
            for one in aliases.list_aliases(session):
                assert one.state is one.events[-1].state
                assert [event.state for event in one.events].count(AliasState.REVOKED) <= 1

    def _list(self) -> None:
        with self.database.session() as session:
            listed(session, *self.people.values())

    def _every_record(self, session: databases.Session) -> list[int]:
        return [
            one.record_id for report_id in range(1, self.day + 1) for one in kept_records.of_report(session, report_id)
        ]


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
