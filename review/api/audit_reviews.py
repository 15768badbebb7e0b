"""What people do with the audit trail: taking it out, who saw a patient, and the weekly review."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Annotated, Final, Literal

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from records.errors import DecisionRefusedError
from review import audit_actions, policies
from review.api.audit_trail import Chain, Event, Filter, event_of, wanted_of
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Reason, Shape, Text, Wish, Word
from review.audit_actions import of_all_sites, week_signers
from review.audit_names import named_patients, named_records
from review.office import office_of
from review.site_scope import NotThereError
from review.viewing import note_view
from store import activity, activity_signing, audit_looks, audit_search
from store.activity import WeekOfActivity

_MOST_LOOKS: Final = 500
_MOST_NAMES: Final = 200
_HIGHEST: Final = 2**63 - 1


class Export(Filter):
    """Which events are taken out, and why."""

    reason: Reason
    format: Literal["jsonl", "csv"] = "jsonl"
    """One event a line as JSON, or a table that a spreadsheet opens."""


class WhoSaw(Wish):
    """Whom people looked at."""

    patient_id: Word
    everything: bool = False
    """Changes too, not only looks."""


class LookShown(Shape):
    """An event that is about a patient."""

    event: Event
    records: tuple[int, ...]


class LooksShown(Shape):
    """Every look at a patient, newest first; at most five hundred."""

    count: int
    looks: tuple[LookShown, ...]


class NamedRecordShown(Shape):
    """A record with its person."""

    record_id: int
    printed: str
    patient: str | None
    values: str


class NamedPatientShown(Shape):
    """A patient of the roster."""

    site: str
    patient_id: str
    name: str
    birth_date: date | None


class NamesShown(Shape):
    """The people behind an event."""

    records: tuple[NamedRecordShown, ...]
    patients: tuple[NamedPatientShown, ...]


class PersonShown(Shape):
    """What one person did in a week."""

    name: str
    sign_ins: int
    failures: int
    looks: int
    patients: int
    changes: int
    out_of_hours: int
    usual: float
    is_peak: bool


class NotableShown(Shape):
    """An event that deserves a look of its own."""

    seq: int
    at: datetime
    actor: str
    action: str
    object_id: str


class WeekShown(Shape):
    """A week of activity, without patients."""

    week: date
    events: int
    people: tuple[PersonShown, ...]
    notable: tuple[NotableShown, ...]
    sha256: str
    """Of all that is signed: what a signature names as seen."""
    note: str | None
    """What the person found who signed it; null before that. So are the others."""
    signed_by: str | None
    signed_at: datetime | None
    intact: bool | None
    is_own: bool | None
    """Whether the signer's own activity is in it: nobody without a part in it could sign."""


class WeekList(Shape):
    """Which weeks are signed and which are not, the latest first."""

    unsigned: tuple[date, ...]
    signed: tuple[date, ...]


class WeekSigning(Wish):
    """A signature. The person of the token answers for it."""

    note: Annotated[Text, Field(min_length=1)]
    seen: Word
    """`sha256` of the week that was looked at."""


def export_events(request: Request, caller: Caller, wish: Export) -> StreamingResponse:
    """The events that are asked for, newest first: one a line as JSON, or a table for a spreadsheet.

    No cell of the table is taken for a formula. Taking events out is an event itself, with its reason.
    """
    office, wanted, kind = office_of(request), wanted_of(wish), wish.format
    with office.database.session() as session:
        audit_actions.note_export(session, caller, wanted, office, kind=kind, reason=wish.reason)
    media_type = "text/csv; charset=utf-8" if kind == "csv" else "application/x-ndjson"
    return StreamingResponse(audit_actions.exported(office, wanted, caller, kind=kind), media_type=media_type)


def verify_chain(request: Request, caller: Caller) -> Chain:
    """Begin to follow the whole chain; a short one is followed to its end at once."""
    return Chain.model_validate(audit_actions.verify(office_of(request), caller))


def get_names(request: Request, seq: int, caller: Caller) -> NamesShown:
    """The people behind an event, at the sites that the token sees. The look is kept in the audit trail."""
    office = office_of(request)
    sites = office.sites_seen(caller.user)
    with office.database.session() as session:
        try:
            link, _ = audit_search.event(session, min(seq, _HIGHEST), sites=caller.user.sites)
        except DecisionRefusedError:
            raise NotThereError from None
        about = audit_looks.named_by(session, link)
        records = named_records(session, sorted(about.records)[:_MOST_NAMES], sites=sites)
        patients = named_patients(session, sorted(about.patients)[:_MOST_NAMES], sites=sites)
        note_view(
            session, caller, "audit.names-shown", "event", str(link.seq), now=office.now(),
            records=[one.record_id for one in records], patients=[(one.site, one.patient_id) for one in patients],
        )  # fmt: skip
    return NamesShown(
        records=tuple(NamedRecordShown.model_validate(one) for one in records),
        patients=tuple(NamedPatientShown.model_validate(one) for one in patients),
    )


def who_saw(request: Request, site: str, caller: Caller, wish: WhoSaw) -> LooksShown:
    """Every look at one patient. This look is kept, too."""
    office = office_of(request)
    with office.database.session() as session:
        looks = audit_looks.who_saw(session, site=site, patient_id=wish.patient_id, everything=wish.everything)
        note_view(
            session, caller, "patient.looks-viewed", "site", site, now=office.now(), shown=len(looks),
            patients=[(site, wish.patient_id)],
        )  # fmt: skip
    listed = [LookShown(event=event_of(one.link), records=tuple(sorted(one.records))) for one in looks[:_MOST_LOOKS]]
    return LooksShown(count=len(looks), looks=tuple(listed))


def list_weeks(request: Request, caller: Caller) -> WeekList:
    """Which weeks nobody has reviewed, and which are signed. For tokens of all sites."""
    of_all_sites(caller)
    office = office_of(request)
    with office.database.reading() as session:
        unsigned = activity_signing.unsigned_weeks(session, zone=_zone(request), now=office.now())
        signed = activity_signing.reviews(session)
    return WeekList(unsigned=tuple(unsigned), signed=tuple(one.activity.week for one in signed))


def get_week(request: Request, week: date, caller: Caller) -> WeekShown:
    """One week from its Monday on, as it was signed or as it stands. For tokens of all sites."""
    of_all_sites(caller)
    office, zone = office_of(request), _zone(request)
    if week.weekday() or week > activity.week_of(office.now(), zone) or week < _FIRST_WEEK:
        raise NotThereError
    with office.database.reading() as session:
        review = activity_signing.review_of(session, week)
        told = review.activity if review else activity.activity(session, week, zone=zone)
    return _week(told, review)


def sign_week(request: Request, week: date, caller: Caller, wish: WeekSigning) -> WeekShown:
    """Sign a week as reviewed. For tokens of all sites. A program must not sign what no person has looked at.

    Whose own activity is in the week signs only if nobody could whose activity is not in it; the answer then says so.
    """
    of_all_sites(caller)
    office = office_of(request)
    if week < _FIRST_WEEK:
        raise NotThereError
    with office.database.session() as session:
        review = activity_signing.sign(
            session, week, zone=_zone(request), note=wish.note, sha256_seen=wish.seen,
            signers=week_signers(session), actor=caller.user.name, now=office.now(),
        )  # fmt: skip
    return _week(review.activity, review)


def _week(told: WeekOfActivity, review: activity_signing.ActivityReview | None) -> WeekShown:
    signed = {name: getattr(review, name, None) for name in ("note", "signed_by", "signed_at", "intact", "is_own")}
    plain = {name: getattr(told, name) for name in ("week", "events", "people", "notable", "sha256")}
    return WeekShown.model_validate(plain | signed)


def _zone(request: Request) -> tzinfo:
    return next(iter(office_of(request).sites.values()), UTC)


_FIRST_WEEK: Final = date(2000, 1, 3)  # earlier days have no instant on some clocks
ROUTES: Final = (
    ApiRoute(
        "POST",
        "/audit/export",
        export_events,
        policies.EXPORTS_AUDIT,
        changes=True,
        gives=("application/x-ndjson", "text/csv"),
    ),
    ApiRoute("POST", "/audit/verify", verify_chain, policies.READS_AUDIT, changes=True),
    ApiRoute("POST", "/audit/events/{seq}/names", get_names, policies.READS_AUDIT),
    ApiRoute("POST", "/sites/{site}/patients/who-saw", who_saw, policies.READS_AUDIT),
    ApiRoute("GET", "/audit/weeks", list_weeks, policies.READS_AUDIT),
    ApiRoute("GET", "/audit/weeks/{week}", get_week, policies.READS_AUDIT),
    ApiRoute("POST", "/audit/weeks/{week}/sign", sign_week, policies.READS_AUDIT, changes=True),
)
