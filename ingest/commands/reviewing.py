"""`review`: the queue from one case to the next, with the keys of the web pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import click
import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.case_display import print_case, summary_of
from ingest.commands.options import Config, OnlySite
from ingest.commands.queue_work import UNDONE
from ingest.rosters import Rosters
from ingest.terminal import note, print_table
from records.audit import AuditEvent
from records.case import RejectReason, ReviewCase
from records.errors import CaseTakenError, DecisionRefusedError, StaleCaseError
from review import actions, locks, pace, registrations, undo
from review.actions import ApprovalOutcome, RejectionOutcome
from review.case_summary import CaseSummary
from store import audit, cases, roster

_KEYS: Final = (
    "A approve · 1-9 choose · E correct · N find · R reject · S skip · U undo · J next · K previous · Q leave"
)
_REASONS: Final = tuple(RejectReason)
_SAID: Final = {
    ApprovalOutcome.CONFIRMED: "Approved.",
    ApprovalOutcome.DUPLICATE: "Approved. The same values were known already, so nothing is sent.",
    ApprovalOutcome.AWAITS_SECOND: "Your choice is kept. Another person must choose the same patient.",
}
_REJECTED: Final = {
    RejectionOutcome.REJECTED: "Rejected.",
    RejectionOutcome.AWAITS_SECOND: "Your word is kept. Another person must reject this row too.",
}


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("review")(review)


def review(site: OnlySite = None, config: Config = None) -> None:
    """Work the queue case by case with single keys, the same as on the web pages."""
    with opened(config) as clinic:
        _Sitting(clinic=clinic, sites=None if site is None else (site,)).work()


@dataclass
class _Sitting:
    """One person at the queue.

    Attributes:
        at: The case before them, or None.
        chosen: The patient chosen for it, or None.
        found: Patients found by search, offered after the candidates.
        asked: The patient whom one more A approves although something differs.
    """

    clinic: Clinic
    sites: tuple[str, ...] | None
    at: int | None = None
    chosen: str | None = None
    found: list[str] = field(default_factory=list)
    asked: str | None = None

    def work(self) -> None:
        """Until nothing is left, or the person leaves."""
        self._go(self._next())
        while self.at is not None:
            try:
                if not self._press(click.getchar()):
                    break
            except (StaleCaseError, CaseTakenError) as refused:
                note(str(refused))
                self._go(self._next(after=self.at))
            except DecisionRefusedError as refused:
                note(str(refused))
        if self.at is None:
            self._say_done()
        else:
            locks.release(self.clinic.database, self.at, actor=self.clinic.actor)

    def _press(self, key: str) -> bool:
        """Do what a key says; False to leave."""
        key = key.lower()
        if key in ("q", "\x03", "\x04"):
            return False
        if key != "a":
            self.asked = None
        keys = {
            "a": self._approve, "e": self._correct, "n": self._find, "r": self._reject, "s": self._skip,
            "u": self._undo, "j": self._on, "k": self._back,
        }  # fmt: skip
        if key in keys:
            keys[key]()
        elif key.isdecimal() and key != "0":
            self._choose(int(key))
        else:
            note(_KEYS)
        return True

    def _go(self, case_id: int | None) -> None:
        """Show a case and hold it."""
        self.at, self.chosen, self.found, self.asked = case_id, None, [], None
        if case_id is None:
            return
        lock = locks.open_case(self.clinic.database, case_id, actor=self.clinic.actor, now=clock.now())
        place = actions.position(
            self.clinic.database, case_id, actor=self.clinic.actor, sites=self.sites, now=clock.now()
        )
        with self.clinic.database.session() as session:
            case = cases.get(session, case_id)
            summary = summary_of(session, case)
            note(f"{place.place} of {place.waiting}" if place.place else "")
            print_case(session, case)
            event = AuditEvent(
                actor=self.clinic.actor, action="case.viewed", object_kind="case", object_id=str(case_id)
            )
            audit.append(session, event, now=clock.now())
            if pace.going_fast(session, actor=self.clinic.actor):
                note("You're going fast. Take a second look?")
            check = pace.due_check(
                session,
                actor=self.clinic.actor,
                every=self.clinic.settings.web.check_every,
                since=self._since(),
                sites=self.sites,
            )
        if check is not None:
            note(f"An automatic match waits for your eye: “scorebridge blind-audit show {check}”.")
        self.chosen = summary.preselected
        note(f"{lock.holder} has this case open." if lock.holder and not lock.is_mine else self._choice())
        note(_KEYS)

    def _choice(self) -> str:
        return f"Chosen: {self.chosen}" if self.chosen else "Choose a patient first (1-3)."

    def _approve(self) -> None:
        if self.chosen is None:
            note("Choose a patient first (1-3).")
            return
        case, summary = self._case()
        shown = summary.candidate(self.chosen)
        if (shown is None or shown.is_doubtful) and self.asked != self.chosen:
            self.asked = self.chosen
            differing = ", ".join(shown.differing).replace("_", " ") if shown else ""
            why = f"Differs: {differing}." if differing else "Look twice at this patient."
            note(f"{why} Press A again to approve.")
            return
        done = actions.approve(
            self.clinic.database,
            case.case_id,
            version=case.version,
            patient_id=self.chosen,
            actor=self.clinic.actor,
            now=clock.now(),
            today=self.clinic.today(case.site, clock.now()),
            destinations=self.clinic.destinations,
        )
        note(_SAID[done.outcome])
        self._go(self._next())

    def _choose(self, number: int) -> None:
        case, _ = self._case()
        offered = [one.patient_id for one in case.match.candidates[:3]] + self.found
        if number > len(offered):
            note(f"There is no patient {number} here.")
            return
        self.chosen = offered[number - 1]
        note(self._choice())

    def _correct(self) -> None:
        case, _ = self._case()
        text = typer.prompt("FIELD=VALUE, separated by spaces (total=14 item-9=0)", default="", err=True)
        changes = dict(part.split("=", 1) for part in text.split() if "=" in part)
        if not changes:
            note("Nothing was changed.")
            return
        actions.correct(
            self.clinic.database,
            case.case_id,
            version=case.version,
            changes=changes,
            actor=self.clinic.actor,
            now=clock.now(),
            today=self.clinic.today(case.site, clock.now()),
            rosters=Rosters(self.clinic.database, self.clinic.settings),
        )
        self._go(case.case_id)

    def _find(self) -> None:
        case, _ = self._case()
        query = typer.prompt("Name, birth date or record number", default="", err=True)
        with self.clinic.database.session() as session:
            people = roster.current(session, case.site)
            found = actions.find_patients(people, query, limit=6) if people and query.strip() else ()
            event = AuditEvent(
                actor=self.clinic.actor, action="patient.searched", object_kind="case", object_id=str(case.case_id)
            )
            audit.append(session, event, now=clock.now())
        shown = len(case.match.candidates[:3])
        offered = {one.patient_id for one in case.match.candidates[:3]}
        people_found = [one for one in found if one.patient_id not in offered]
        self.found = [one.patient_id for one in people_found]
        if people_found:
            rows = [
                (shown + at, one.patient_id, f"{one.family}, {one.given}", one.birth_date, one.mrn)
                for at, one in enumerate(people_found, start=1)
            ]
            print_table("", ("key", "patient", "name", "birth date", "record number"), rows)
        elif query.strip() and typer.confirm("Nobody fits. Put the patient on the front desk's list?", err=True):
            registrations.park(
                self.clinic.database, case.case_id, version=case.version, actor=self.clinic.actor, now=clock.now()
            )
            self._go(self._next())

    def _reject(self) -> None:
        case, _ = self._case()
        note(" · ".join(f"{at} {reason.value}" for at, reason in enumerate(_REASONS, start=1)) + " · Esc go back")
        key = click.getchar()
        if not key.isdecimal() or not 1 <= int(key) <= len(_REASONS):
            note("Nothing was changed.")
            return
        reason = _REASONS[int(key) - 1]
        remark = typer.prompt("Why", err=True) if reason is RejectReason.OTHER else ""
        outcome = actions.reject(
            self.clinic.database,
            case.case_id,
            version=case.version,
            reason=reason,
            note=remark,
            actor=self.clinic.actor,
            now=clock.now(),
        )
        note(_REJECTED[outcome])
        self._go(self._next())

    def _skip(self) -> None:
        case, _ = self._case()
        until = self.clinic.day_ends(case.site, clock.now())
        actions.skip(self.clinic.database, case.case_id, actor=self.clinic.actor, now=clock.now(), until=until)
        self._go(self._next())

    def _undo(self) -> None:
        done = undo.undo_last(self.clinic.database, actor=self.clinic.actor, now=clock.now())
        note(UNDONE[done.kind].format(case=done.case_id))
        self._leave()
        self._go(done.case_id)

    def _on(self) -> None:
        self._leave()
        self._go(self._next(after=self.at) or self.at)

    def _back(self) -> None:
        if self.at is None:
            return
        before = actions.previous(
            self.clinic.database, actor=self.clinic.actor, sites=self.sites, before=self.at, now=clock.now()
        )
        self._leave()
        self._go(before or self.at)

    def _leave(self) -> None:
        if self.at is not None:
            locks.release(self.clinic.database, self.at, actor=self.clinic.actor)

    def _next(self, after: int | None = None) -> int | None:
        return actions.next_case(
            self.clinic.database, actor=self.clinic.actor, sites=self.sites, after=after, now=clock.now()
        )

    def _case(self) -> tuple[ReviewCase, CaseSummary]:
        if self.at is None:
            raise StaleCaseError("Nothing is open.")
        with self.clinic.database.reading() as session:
            case = cases.get(session, self.at)
            people = [roster.patient(session, case.site, patient_id) for patient_id in self.found]
            return case, summary_of(session, case, found=[one for one in people if one is not None])

    def _since(self) -> datetime:
        """When today began, at the first of the sites where it did."""
        sites = self.sites or [one.id for one in self.clinic.settings.site]
        return min((self.clinic.day_began(site, clock.now()) for site in sites), default=clock.now())

    def _say_done(self) -> None:
        with self.clinic.database.reading() as session:
            done = pace.pace_of(session, actor=self.clinic.actor, since=self._since())
        each = f", {done.mean_seconds:.1f} seconds each" if done.mean_seconds is not None else ""
        note(f"Nothing left to review. You decided {done.decided} cases today{each}.")
