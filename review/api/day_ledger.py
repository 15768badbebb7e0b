"""A site's day in figures, its records by what became of them, and its signature. No patient is named."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from fastapi import Request

from records.errors import DecisionRefusedError
from review import day_actions, policies
from review.api.routing import ApiRoute
from review.api.shapes import After, Caller, Limit, Part, ReasonShown, Shape, Text, Wish, Word, part, reasons_of
from review.day_view import count_site, sources_of
from review.office import office_of
from review.site_scope import NotThereError
from review.viewing import note_view
from store import day_list, day_signing
from store.day_figures import middle_and_most
from store.day_list import Kind
from store.day_signing import DaySignOff, DaySnapshot
from store.day_sources import SourceDay, SourceState
from store.places import Place
from store.reports import ReportState


class FiguresShown(Shape):
    """What became of records, counted two ways that agree: who decided, and where the values are."""

    automatic: int
    reviewed: int
    waiting: int
    failed: int
    delivered: int
    sending: int
    held: int
    shadow: int
    rejected: int
    duplicate: int


class ReportOfDay(Shape):
    """One file of a day."""

    report_id: int
    source: str
    state: ReportState
    template: str | None
    pages: int
    printed: int
    no_score: int
    seen_at: datetime
    attention: bool
    reasons: tuple[str, ...]


class SourceOfDay(Shape):
    """One watched folder on one day."""

    folder: str
    templates: tuple[str, ...]
    reports: int
    pages: int
    figures: FiguresShown
    last_report: datetime | None
    unreadable: int
    state: SourceState


class DayFigures(Shape):
    """Everything counted of a site's day."""

    site: str
    day: date
    figures: FiguresShown
    reports: tuple[ReportOfDay, ...]
    sources: tuple[SourceOfDay, ...]
    adds_up: bool
    oldest_waiting: datetime | None
    waiting_before: int
    """Records of other days that wait for a person."""
    seconds_to_chart: tuple[float, float] | None
    """Median and 95 % of the time from file to receipt; null while nothing is delivered."""


class RecordOfDay(Shape):
    """One record of a day."""

    record_id: int
    report_id: int
    position: int
    place: Place
    by_person: bool
    case_id: int | None
    reasons: tuple[ReasonShown, ...]


class SignedSourceShown(Shape):
    """A watched folder in what is signed."""

    folder: str
    templates: tuple[str, ...]
    reports: int
    pages: int
    records: int
    automatic: int
    state: SourceState


class OpenItemShown(Shape):
    """Something that is not done."""

    kind: str
    count: int
    sentence: str


class DayToSign(Shape):
    """What a signature of the day would be under."""

    site: str
    day: date
    reports: int
    pages: int
    figures: FiguresShown
    no_score: int
    adds_up: bool
    sources: tuple[SignedSourceShown, ...]
    open: tuple[OpenItemShown, ...]
    statement: str
    sha256: str
    """Of all that is signed: what a signature names as seen."""


class DaySigning(Wish):
    """A signature. The person of the token answers for it."""

    day: date
    name: Word
    note: Text = ""
    """What is said about what is open; needed where anything is."""
    seen: Word
    """`sha256` of the day that was looked at."""


class ListedSignOff(Shape):
    """That a day was signed."""

    sign_off_id: int
    site: str
    day: date
    sha256: str
    note: str
    signed_name: str
    signed_by: str
    signed_at: datetime
    intact: bool
    """What is kept still has the hash that was signed."""


class ListedSignOffs(Shape):
    """The latest signatures, newest first; at most a hundred."""

    items: tuple[ListedSignOff, ...]


class ChangeSince(Shape):
    """A record that is not as it was signed."""

    record_id: int
    before: Place | None
    after: Place | None
    has_other_values: bool


class SignedDay(ListedSignOff):
    """A day as it was signed, and what has changed since."""

    signed: DayToSign
    changes: tuple[ChangeSince, ...]


def get_day_figures(request: Request, site: str, caller: Caller, day: date | None = None) -> DayFigures:
    """What became of the records of a site's day, file by file and folder by folder; of today where no day is given."""
    del caller
    office = office_of(request)
    with office.database.reading() as session:
        told = count_site(session, office, site, day or office.today(site))
        sources = sources_of(session, office, (told,), now=office.now())
    return DayFigures(
        site=site,
        day=told.day,
        figures=FiguresShown.model_validate(told.figures),
        reports=tuple(ReportOfDay.model_validate(one) for one in told.reports),
        sources=tuple(_source(one) for one in sources),
        adds_up=told.adds_up,
        oldest_waiting=told.oldest_waiting,
        waiting_before=told.waiting_before,
        seconds_to_chart=middle_and_most(told.seconds_to_chart),
    )


def list_day_records(
    request: Request,
    site: str,
    caller: Caller,
    kind: Kind = Kind.RECORDS,
    day: date | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> Part[RecordOfDay]:
    """The records behind one figure of a site's day."""
    del caller
    office = office_of(request)
    with office.database.reading() as session:
        found = day_list.records(session, site=site, day=day or office.today(site), kind=kind)
        rest = sorted((one for one in found if one.record_id > after), key=lambda one: one.record_id)
        shown = day_list.with_reasons(session, rest[: limit + 1])
    return part((_record(one) for one in shown), key="record_id", limit=limit)


def get_day_to_sign(request: Request, site: str, caller: Caller, day: date | None = None) -> DayToSign:
    """What a signature of a site's day would be under."""
    del caller
    office = office_of(request)
    with office.database.reading() as session:
        told = day_signing.present(
            session, site=site, day=day or office.today(site), zone=office.sites[site], watched=office.day.sources,
            now=office.now(),
        )  # fmt: skip
    return _to_sign(told)


def sign_day(request: Request, site: str, caller: Caller, wish: DaySigning) -> ListedSignOff:
    """Freeze a site's day under a person's name. A program must not sign what no person has looked at."""
    office = office_of(request)
    signed = day_actions.sign_day(
        office.database, site=site, day=wish.day, zone=office.sites[site], watched=office.day.sources, name=wish.name,
        note=wish.note, sha256_seen=wish.seen, actor=caller.user.name, now=office.now(),
    )  # fmt: skip
    return ListedSignOff.model_validate(_listed(signed))


def list_signed_days(request: Request, caller: Caller) -> ListedSignOffs:
    """The latest signatures of days."""
    office = office_of(request)
    with office.database.reading() as session:
        found = day_signing.sign_offs(session, sites=office.sites_seen(caller.user))
    return ListedSignOffs(items=tuple(ListedSignOff.model_validate(_listed(one)) for one in found))


def get_signed_day(request: Request, day_sign_off_id: int, caller: Caller) -> SignedDay:
    """A day as it was signed, and what has changed since. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        try:
            signed = day_signing.sign_off(session, day_sign_off_id, sites=office.sites_seen(caller.user))
        except DecisionRefusedError:
            raise NotThereError from None
        changes = day_signing.changes_since(session, signed)
        note_view(session, caller, "day.viewed", "day-sign-off", str(day_sign_off_id), now=office.now())
    return SignedDay.model_validate(_listed(signed) | {"signed": _to_sign(signed.snapshot), "changes": changes})


def _source(one: SourceDay) -> SourceOfDay:
    plain = {name: getattr(one, name) for name in SourceOfDay.model_fields if name != "folder"}
    return SourceOfDay.model_validate(plain | {"folder": one.source.folder})


def _record(one: day_list.ListedRecord) -> RecordOfDay:
    plain = {name: getattr(one, name) for name in RecordOfDay.model_fields if name != "reasons"}
    return RecordOfDay.model_validate(plain | {"reasons": reasons_of(one.reasons)})


def _to_sign(told: DaySnapshot) -> DayToSign:
    return DayToSign.model_validate(told)


def _listed(signed: DaySignOff) -> dict[str, object]:
    plain: dict[str, object] = {
        name: getattr(signed, name) for name in ListedSignOff.model_fields if name not in ("site", "day")
    }
    return plain | {"site": signed.snapshot.site, "day": signed.snapshot.day}


ROUTES: Final = (
    ApiRoute("GET", "/sites/{site}/day/figures", get_day_figures, policies.EVERYBODY),
    ApiRoute("GET", "/sites/{site}/day/records", list_day_records, policies.EVERYBODY),
    ApiRoute("GET", "/sites/{site}/day/to-sign", get_day_to_sign, policies.SIGNS),
    ApiRoute("POST", "/sites/{site}/day/sign", sign_day, policies.SIGNS, changes=True),
    ApiRoute("GET", "/signed-days", list_signed_days, policies.EVERYBODY),
    ApiRoute("GET", "/signed-days/{day_sign_off_id}", get_signed_day, policies.EVERYBODY),
)
