"""What staff typed beside what would have been sent: the comparison, one difference with its print, and the signature.

The comparison and what is signed are one page of figures and record numbers, without patients, so that it can be
printed and filed. A patient is named only where a difference is settled, with the printed page in front.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from records.comparison import ComparedValue, Verdict
from records.errors import DecisionRefusedError
from review import policies, shadow_actions, shadow_words
from review.access import Form, SignedIn, Visitor
from review.case_summary import display_name
from review.office import Office, office_of
from review.page_views import PageView, page_view
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import cases, kept_records, roster, shadow_report, shadow_signing, shadow_values
from store.database import Session
from store.kept_records import StoredRecord
from store.shadow_figures import FIELDS, Findings, Side, value_key
from store.shadow_report import Scope

_USUAL_DAYS: Final = 7
_LISTED: Final = 200
_WORDS: Final[Mapping[str, object]] = {
    "field_words": shadow_words.field_words,
    "field_titles": shadow_words.FIELD_WORDS,
    "standing_words": shadow_words.STANDING_WORDS,
    "verdict_words": shadow_words.verdict_words,
    "rate_words": shadow_words.rate_words,
    "fields": FIELDS,
    "sides": {"scorebridge": Side.SCOREBRIDGE, "staff": Side.STAFF},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The scope as the address or the form says it.

    Attributes:
        site: One site, or empty for all.
        first: ISO day, or empty; the same for `last`.
    """

    site: str = ""
    first: str = ""
    last: str = ""
    days: int = _USUAL_DAYS

    def scope(self, office: Office, visitor: Visitor) -> Scope:
        """The scope; raises DecisionRefusedError for a day that is none or a site that the visitor does not see."""
        seen = office.sites_seen(visitor.user)
        if self.site and self.site not in seen:
            raise DecisionRefusedError("There is no such site.", next_step="Choose one of the list.")
        return Scope(
            sites=(self.site,) if self.site else seen,
            first=_day(self.first),
            last=_day(self.last),
            days=min(max(self.days, 0), 366),
        )

    @property
    def address(self) -> str:
        """The same for an address."""
        return urlencode({"site": self.site, "first": self.first, "last": self.last, "days": self.days})


def show_comparison(
    request: Request, visitor: SignedIn, site: str = "", first: str = "", last: str = "", days: int = _USUAL_DAYS
) -> Response:
    """The comparison as it stands."""
    return _comparison_page(request, visitor, _Asked(site=site, first=first, last=last, days=days))


def show_signed(request: Request, sign_off_id: int, visitor: SignedIn) -> Response:
    """A comparison as it was signed."""
    office = office_of(request)
    with office.database.session() as session:
        try:
            signed = shadow_signing.sign_off(session, sign_off_id, sites=office.sites_seen(visitor.user))
        except DecisionRefusedError as fault:
            return page(
                request, "message.html", visitor=visitor, status=404, heading="Not signed", sentence=str(fault),
                link="/shadow", link_words="Go to the comparison",
            )  # fmt: skip
        note_view(session, visitor, "shadow.viewed", "shadow-sign-off", str(sign_off_id), now=office.now())
    return page(request, "shadow_signed.html", visitor=visitor, signed=signed, told=signed.snapshot, words=_WORDS)


def show_difference(
    request: Request, record_id: int, typed_id: int, visitor: SignedIn, site: str = "", first: str = "",
    last: str = "", days: int = _USUAL_DAYS,
) -> Response:  # fmt: skip
    """One value on both sides, with its print in front."""
    asked = _Asked(site=site, first=first, last=last, days=days)
    return _difference_page(request, visitor, (record_id, typed_id), asked)


def settle(request: Request, record_id: int, typed_id: int, visitor: SignedIn, form: Form) -> Response:
    """Take who was right, and go on to the next difference."""
    office, asked, key = office_of(request), _asked(form), (record_id, typed_id)
    words = {str(one): one for one in Verdict}
    given = {name.removeprefix("found-"): words.get(word) for name, word in form.items() if name.startswith("found-")}
    verdicts = {field: verdict for field, verdict in given.items() if verdict is not None}
    if not verdicts:
        return _difference_page(request, visitor, key, asked, problem="Say who is right.")
    scope = asked.scope(office, visitor)
    try:
        shadow_actions.settle(office.database, scope, key, verdicts, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _difference_page(request, visitor, key, asked, problem=str(refusal), status=409)
    with office.database.reading() as session:
        left = shadow_report.compare(session, scope).open
    if not left:
        return go_to(f"/shadow?{asked.address}&said=settled-all")
    following = next((one for one in left if one.key == key), left[0])
    return go_to(f"{_address(following)}?{asked.address}&said=settled-difference")


def sign(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Take the signature."""
    office, asked = office_of(request), _asked(form)
    try:
        signed = shadow_actions.sign(
            office.database,
            asked.scope(office, visitor),
            name=form.get("name", ""),
            sha256_seen=form.get("seen", ""),
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return _comparison_page(request, visitor, asked, problem=str(refusal), status=409)
    return go_to(f"/shadow/signed/{signed.sign_off_id}", said="signed")


def _comparison_page(
    request: Request, visitor: Visitor, asked: _Asked, *, problem: str = "", status: int = 200
) -> HTMLResponse:
    office = office_of(request)
    scope = asked.scope(office, visitor)
    with office.database.session() as session:
        comparison = shadow_report.compare(session, scope)
        signed = shadow_signing.sign_offs(session, sites=office.sites_seen(visitor.user))
        imports = [one for one in shadow_values.imports(session) if one.site in scope.sites]
        note_view(
            session, visitor, "shadow.viewed", "shadow", "comparison", now=office.now(), shown=len(comparison.compared)
        )
    return page(
        request, "shadow.html", visitor=visitor, status=status, problem=problem, asked=asked, imports=imports,
        comparison=comparison, told=shadow_signing.snapshot(comparison), open=comparison.open[:_LISTED],
        difference_words=shadow_signing.difference_words, signed=signed,
        sites=office.sites_seen(visitor.user), words=_WORDS,
    )  # fmt: skip


def _difference_page(
    request: Request,
    visitor: Visitor,
    key: tuple[int, int],
    asked: _Asked,
    *,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    office = office_of(request)
    with office.database.session() as session:
        try:
            value, findings = shadow_report.find(session, asked.scope(office, visitor), key)
        except DecisionRefusedError as fault:
            return page(
                request, "message.html", visitor=visitor, status=404, heading="No such difference",
                sentence=str(fault), link=f"/shadow?{asked.address}", link_words="Go to the comparison",
            )  # fmt: skip
        kept = kept_records.get(session, value.read.record_id) if value.read else None
        case = cases.of_record(session, kept.record_id) if kept else None
        people = _people(session, value)
        note_view(session, visitor, "shadow.viewed", "shadow-difference", f"{key[0]}-{key[1]}", now=office.now())
    return page(
        request, "shadow_difference.html", visitor=visitor, status=status, problem=problem, asked=asked, value=value,
        kept=kept, case=case, people=people, found=_found(value, findings), drawn=_drawn(office, kept),
        address=_address(value), words=_WORDS,
    )  # fmt: skip


def _people(session: Session, value: ComparedValue) -> Mapping[str, str]:
    """Patient ids of both sides to names."""
    ids = {value.read.patient_id if value.read else None, value.typed.entry.patient_id if value.typed else None}
    return {one: _name(session, value.site, one) for one in ids if one is not None}


def _name(session: Session, site: str, patient_id: str) -> str:
    patient = roster.patient(session, site, patient_id)
    return "not on the roster" if patient is None else display_name(patient)


def _found(value: ComparedValue, findings: Findings) -> Mapping[str, Verdict]:
    keys = {field: value_key(value, field) for field in value.differences}
    return {field: findings[key].verdict for field, key in keys.items() if key in findings}


def _drawn(office: Office, kept: StoredRecord | None) -> PageView | None:
    number = kept.assessment.page if kept else None
    if kept is None or number is None:
        return None
    image = office.images.page(kept.report_id, number)
    return page_view(image, number, [kept.assessment]) if image else None


def _asked(form: Mapping[str, str]) -> _Asked:
    days = form.get("days", "")
    return _Asked(
        site=form.get("site", ""),
        first=form.get("first", ""),
        last=form.get("last", ""),
        days=int(days) if days.isascii() and days.isdigit() and len(days) < 4 else _USUAL_DAYS,
    )


def _address(value: ComparedValue) -> str:
    return f"/shadow/{value.key[0]}/{value.key[1]}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DecisionRefusedError("This is no day.", next_step="Write days as 2026-03-02.") from None


ROUTES: Final = (
    Route("GET", "/shadow", show_comparison, policies.READS_COMPARISON),
    Route("GET", "/shadow/signed/{sign_off_id}", show_signed, policies.READS_COMPARISON),
    Route("GET", "/shadow/{record_id}/{typed_id}", show_difference, policies.DECIDES),
    Route("POST", "/shadow/{record_id}/{typed_id}", settle, policies.DECIDES),
    Route("POST", "/shadow/sign", sign, policies.SIGNS),
)
