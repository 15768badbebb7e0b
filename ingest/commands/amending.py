"""`submission correct|move|reassign|withdraw|undo`: what can be done about a record that was confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config
from ingest.terminal import note, print_json
from review import amendments
from review.amendments import AfterWithdrawal, Amended, ApprovedAs, Undone
from store import kept_records, outbox
from store.kept_records import RecordState

RecordId = Annotated[int, typer.Argument(help="Number of the record, as “submission list” shows it.")]
Version = Annotated[int | None, typer.Option(help="Version of the record you looked at; default: the present one.")]
Changes = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help="total=14, item-9=0, result=high, items=0,1,2 …")
]
As = Annotated[ApprovedAs, typer.Option("--as", help="What this is to other values that are known of that day.")]


def register(submissions: typer.Typer) -> None:
    """Add these commands to `submission`."""
    submissions.command("correct")(correct)
    submissions.command("move")(move)
    submissions.command("reassign")(reassign)
    submissions.command("withdraw")(withdraw)
    submissions.command("undo")(undo)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A clinic opened for a change of one record."""

    clinic: Clinic
    version: int
    now: datetime
    today: date


def correct(
    record_id: RecordId, change: Changes, version: Version = None, as_json: AsJson = False, config: Config = None
) -> None:
    """Correct values of a confirmed record that were read wrongly; the portals are told."""
    changes = dict(_split(text) for text in change)
    with _asked(record_id, version, config) as asked:
        done = amendments.correct(
            asked.clinic.database,
            record_id,
            version=asked.version,
            changes=changes,
            actor=asked.clinic.actor,
            now=asked.now,
            today=asked.today,
            destinations=asked.clinic.destinations,
        )
        _tell(asked.clinic, done, f"Record {record_id} is corrected; {done.told} portals are told.", as_json=as_json)


def move(
    record_id: RecordId,
    patient: Annotated[str, typer.Option(help="The portal's id of the right patient.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words, without patient data.")] = "wrong patient",
    as_: As = ApprovedAs.CONFIRMATION,
    version: Version = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Give a record to the right patient: withdrawn at the wrong one first, looked at, then delivered."""
    with _asked(record_id, version, config) as asked:
        done = amendments.move(
            asked.clinic.database,
            record_id,
            version=asked.version,
            patient_id=patient,
            reason=reason,
            actor=asked.clinic.actor,
            now=asked.now,
            today=asked.today,
            destinations=asked.clinic.destinations,
            as_=as_,
        )
        said = f"Record {record_id} is moved; {done.told} portals take it back from the wrong patient first."
        _tell(asked.clinic, done, said, as_json=as_json)


def reassign(
    record_id: RecordId,
    day: Annotated[str | None, typer.Option("--date", help="The right day, year-month-day.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="The right time or visit, as printed.")] = None,
    instrument: Annotated[str | None, typer.Option(help="The right questionnaire: its id or a known name.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Values that differ with it.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in a few words, without patient data.")] = "read wrongly",
    as_: As = ApprovedAs.CONFIRMATION,
    version: Version = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Give a record another day, time or questionnaire: the old value is withdrawn first, then the new one sent."""
    named = {"authored_on": day, "authored_time": time, "instrument": instrument}
    changes = dict(_split(text) for text in change or ()) | {f: text for f, text in named.items() if text is not None}
    if not any(text is not None for text in named.values()):
        raise typer.BadParameter("name what was wrong: --date, --time or --instrument")
    with _asked(record_id, version, config) as asked:
        done = amendments.reassign(
            asked.clinic.database,
            record_id,
            version=asked.version,
            changes=changes,
            reason=reason,
            actor=asked.clinic.actor,
            now=asked.now,
            today=asked.today,
            destinations=asked.clinic.destinations,
            as_=as_,
        )
        said = f"Record {record_id} is another assessment now; {done.told} portals take the old one back first."
        _tell(asked.clinic, done, said, as_json=as_json)


def withdraw(
    record_id: RecordId,
    reason: Annotated[str, typer.Option(help="Why, in a few words, without patient data.")],
    reopen: Annotated[
        bool, typer.Option("--reopen/--no-reopen", help="Back into the review queue, or closed for good.")
    ] = True,
    right_patient: Annotated[
        bool, typer.Option("--right-patient", help="Back into the queue without ruling its patient out.")
    ] = False,
    version: Version = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Take a confirmed record back from wherever it was delivered (entered in error)."""
    after = AfterWithdrawal(reopen=reopen, wrong_patient=reopen and not right_patient)
    with _asked(record_id, version, config) as asked:
        done = amendments.withdraw(
            asked.clinic.database,
            record_id,
            version=asked.version,
            reason=reason,
            after=after,
            actor=asked.clinic.actor,
            now=asked.now,
        )
        where = "waits for review" if done.state is RecordState.REVIEW else "is closed"
        said = f"Record {record_id} is withdrawn and {where}; {done.told} portals are told."
        _tell(asked.clinic, done, said, as_json=as_json)


def undo(record_id: RecordId, version: Version = None, as_json: AsJson = False, config: Config = None) -> None:
    """Take the last decision about a record back, before anything of it has been sent."""
    with _asked(record_id, version, config) as asked:
        undone = amendments.undo(
            asked.clinic.database, record_id, version=asked.version, actor=asked.clinic.actor, now=asked.now
        )
    if as_json:
        print_json({"record": record_id, "undone": undone.value})
    elif undone is Undone.CORRECTION:
        note(f"The correction of record {record_id} is taken back; its earlier values stand.")
    else:
        note(f"Record {record_id} waits for review again; nothing of it is sent.")


@contextmanager
def _asked(record_id: int, version: int | None, config: Config) -> Iterator[_Asked]:
    with opened(config) as clinic:
        with clinic.database.reading() as session:
            site = kept_records.get(session, record_id).site
        seen = amendments.record_version(clinic.database, record_id) if version is None else version
        now = clock.now()
        yield _Asked(clinic=clinic, version=seen, now=now, today=clinic.today(site, now))


def _tell(clinic: Clinic, done: Amended, said: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "record": done.record_id,
                "state": done.state.value,
                "told": done.told,
                "duplicate_of": done.duplicate_of,
                "version": amendments.record_version(clinic.database, done.record_id),
            }
        )
    else:
        note(said)
    if done.duplicate_of is not None:
        note(f"Record {done.duplicate_of} has the same values already: this one is a duplicate and is not sent again.")
    with clinic.database.reading() as session:
        unreachable = outbox.waiting_places(session, done.record_id) - set(clinic.destinations)
    for place in sorted(unreachable):
        note(f"{place} is off or no longer in the settings, and cannot be told until it is.")


def _split(text: str) -> tuple[str, str]:
    field, found, value = text.partition("=")
    if not found:
        raise typer.BadParameter("give FIELD=VALUE", param_hint="--set")
    return field.strip(), value.strip()
