"""What staff typed beside what would have been sent: the comparison, its differences, and the signature."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import Field

from records.comparison import ComparedValue, RecordPlace, Standing, Verdict
from records.errors import DecisionRefusedError
from review import policies, shadow_actions
from review.access import Visitor
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Done, Id, Shape, Wish, Word
from review.office import Office, office_of
from review.site_scope import NotThereError
from review.viewing import note_view
from store import shadow_report, shadow_signing
from store.shadow_figures import Side, value_key
from store.shadow_report import Scope
from store.whereabouts import LARGEST

_LISTED: Final = 200
DaysApart = Annotated[int, Query(ge=0, le=366, description="Days that two dates of one value may be apart.")]
# 0 stands for "nothing on this side".
OrNone = Annotated[int, Field(ge=0, le=LARGEST)]


class RateShown(Shape):
    """How often one side was wrong in one field, with the 95 % interval."""

    field: str
    side: Side
    wrong: int
    unsettled: int
    of: int
    low: float
    high: float


class DayCompared(Shape):
    """How many values of one day."""

    day: date
    read: int
    typed: int
    agree: int


class SettledShown(Shape):
    """A settled difference, without patient."""

    record_id: int
    typed_id: int
    instrument: str
    standing: Standing
    field: str
    scorebridge: str
    staff: str
    verdict: Verdict
    settled_by: str


class ComparisonToSign(Shape):
    """What a signature of the comparison would be under. No patient is named."""

    sites: tuple[str, ...]
    first: date | None
    last: date | None
    days_apart: int
    compared: int
    outside: int
    unsettled: int
    standings: tuple[tuple[Standing, int], ...]
    rates: tuple[RateShown, ...]
    per_day: tuple[DayCompared, ...]
    differences: tuple[SettledShown, ...]
    statement: str
    sha256: str
    """Of all that is signed: what a signature names as seen."""


class OpenDifference(Shape):
    """A value with differences that nobody has settled."""

    record_id: int
    """0 where Scorebridge has nothing."""
    typed_id: int
    """0 where staff typed nothing."""
    site: str
    instrument: str
    standing: Standing
    day: date | None
    differences: tuple[str, ...]


class ComparisonShown(ComparisonToSign):
    """The comparison as it stands."""

    open: tuple[OpenDifference, ...]
    """At most two hundred."""


class FieldShown(Shape):
    """One field as each side has it."""

    field: str
    read: str | int | None
    typed: str | int | None
    agrees: bool


class DifferenceShown(OpenDifference):
    """One value on both sides. The printed row is that of the record."""

    fields: tuple[FieldShown, ...]
    verdicts: tuple[Verdict, ...]
    """What may be found."""
    found: dict[str, Verdict]
    """What was found, field by field."""
    place: RecordPlace | None
    read_patient_id: str | None
    typed_patient_id: str | None


class SettlingDifference(Wish):
    """Who was right, field by field."""

    record_id: OrNone
    typed_id: OrNone
    verdicts: Annotated[dict[Word, Verdict], Field(min_length=1, max_length=100)]
    site: Word | None = None
    first: date | None = None
    last: date | None = None
    days: Annotated[int, Field(ge=0, le=366)] = 7


class SigningComparison(Wish):
    """A signature. The person of the token answers for it."""

    name: Word
    seen: Word
    """`sha256` of the comparison that was looked at."""
    site: Word | None = None
    first: date | None = None
    last: date | None = None
    days: Annotated[int, Field(ge=0, le=366)] = 7


class ListedComparison(Shape):
    """That a comparison was signed."""

    sign_off_id: int
    sha256: str
    signed_name: str
    signed_by: str
    signed_at: datetime
    intact: bool
    """What is kept still has the hash that was signed."""


class SignedComparison(ListedComparison):
    """A comparison as it was signed."""

    snapshot: ComparisonToSign


class SignedComparisons(Shape):
    """What was signed over sites that the token sees, newest first."""

    items: tuple[ListedComparison, ...]


def get_comparison(
    request: Request,
    caller: Caller,
    site: Word | None = None,
    first: date | None = None,
    last: date | None = None,
    days: DaysApart = 7,
) -> ComparisonShown:
    """The comparison as it stands, of one site or of all that the token sees. The look is kept in the audit trail."""
    office = office_of(request)
    scope = _scope(office, caller, site, first, last, days)
    with office.database.session() as session:
        comparison = shadow_report.compare(session, scope)
        count = len(comparison.compared)
        note_view(session, caller, "shadow.viewed", "shadow", "comparison", now=office.now(), shown=count)
    told = ComparisonToSign.model_validate(shadow_signing.snapshot(comparison))
    return ComparisonShown.model_validate(
        told.model_dump() | {"open": [_open(one) for one in comparison.open[:_LISTED]]}
    )


def get_difference(
    request: Request,
    caller: Caller,
    record: OrNone,
    typed: OrNone,
    site: Word | None = None,
    days: DaysApart = 7,
) -> DifferenceShown:
    """One value on both sides, by the numbers of the record and of the typed value; 0 for none. The look is kept."""
    office = office_of(request)
    with office.database.session() as session:
        try:
            value, findings = shadow_report.find(
                session, _scope(office, caller, site, None, None, days), (record, typed)
            )
        except DecisionRefusedError:
            raise NotThereError from None
        note_view(session, caller, "shadow.viewed", "shadow-difference", f"{record}-{typed}", now=office.now())
    keys = {field: value_key(value, field) for field in value.differences}
    return DifferenceShown.model_validate(
        _open(value).model_dump()
        | {
            "fields": value.fields,
            "verdicts": value.verdicts,
            "found": {field: findings[key].verdict for field, key in keys.items() if key in findings},
            "place": value.read.place if value.read else None,
            "read_patient_id": value.read.patient_id if value.read else None,
            "typed_patient_id": value.typed.entry.patient_id if value.typed else None,
        }
    )


def settle_difference(request: Request, caller: Caller, wish: SettlingDifference) -> Done:
    """Say who was right about the differences of one value."""
    office = office_of(request)
    scope = _scope(office, caller, wish.site, wish.first, wish.last, wish.days)
    key = (wish.record_id, wish.typed_id)
    shadow_actions.settle(office.database, scope, key, wish.verdicts, actor=caller.user.name, now=office.now())
    return Done()


def sign_comparison(request: Request, caller: Caller, wish: SigningComparison) -> ListedComparison:
    """Freeze the comparison under a person's name. A program must not sign what no person has looked at."""
    office = office_of(request)
    scope = _scope(office, caller, wish.site, wish.first, wish.last, wish.days)
    signed = shadow_actions.sign(
        office.database, scope, name=wish.name, sha256_seen=wish.seen, actor=caller.user.name, now=office.now()
    )
    return ListedComparison.model_validate(signed)


def list_signed_comparisons(request: Request, caller: Caller) -> SignedComparisons:
    """Which comparisons were signed."""
    office = office_of(request)
    with office.database.reading() as session:
        found = shadow_signing.sign_offs(session, sites=office.sites_seen(caller.user))
    return SignedComparisons(items=tuple(ListedComparison.model_validate(one) for one in found))


def get_signed_comparison(request: Request, sign_off_id: Id, caller: Caller) -> SignedComparison:
    """A comparison as it was signed. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        try:
            signed = shadow_signing.sign_off(session, sign_off_id, sites=office.sites_seen(caller.user))
        except DecisionRefusedError:
            raise NotThereError from None
        note_view(session, caller, "shadow.viewed", "shadow-sign-off", str(sign_off_id), now=office.now())
    return SignedComparison.model_validate(signed)


def _scope(
    office: Office, caller: Visitor, site: str | None, first: date | None, last: date | None, days: int
) -> Scope:
    seen = office.sites_seen(caller.user)
    if site is not None and site not in seen:
        raise NotThereError
    return Scope(sites=seen if site is None else (site,), first=first, last=last, days=days)


def _open(value: ComparedValue) -> OpenDifference:
    return OpenDifference(
        record_id=value.key[0],
        typed_id=value.key[1],
        site=value.site,
        instrument=value.instrument,
        standing=value.standing,
        day=value.day,
        differences=value.differences,
    )


ROUTES: Final = (
    ApiRoute("GET", "/shadow", get_comparison, policies.READS_COMPARISON),
    ApiRoute("GET", "/shadow/difference", get_difference, policies.DECIDES),
    ApiRoute("POST", "/shadow/settle", settle_difference, policies.DECIDES, changes=True),
    ApiRoute("POST", "/shadow/sign", sign_comparison, policies.SIGNS, changes=True),
    ApiRoute("GET", "/shadow/signed", list_signed_comparisons, policies.READS_COMPARISON),
    ApiRoute("GET", "/shadow/signed/{sign_off_id}", get_signed_comparison, policies.READS_COMPARISON),
)
