"""Pages out of templates: every value is escaped, every instant is shown on the clocks of its site."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from math import ceil, floor, log10
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from records.case import RejectReason
from records.submission import DeliveryState, delivery_sentence
from review import policies
from review.access import Visitor, visit_token
from review.case_summary import reason_sentence
from review.evidence_words import LABELS
from review.navigation import Step, steps
from review.office import Office, office_of
from store import preferences

IDLE_SECONDS: Final = 15 * 60
STATIC_KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Said on the page after a form was taken. The address carries the key only.
NOTICES: Final = {
    "approved": "Approved. The record is on its way.",
    "known": "Approved. The same values were known already, so nothing is sent.",
    "awaits-second": "Your choice is kept. Another person must choose the same patient before it is sent.",
    "rejection-awaits-second": "Your rejection is kept. Another person must reject this row too; until then it waits.",
    "corrected": "The values are corrected. The record still waits for your approval.",
    "rejected": "Rejected. The record is kept and is not sent.",
    "skipped": "Skipped. It comes again after the others.",
    "parked": "Sent to the front desk. The record comes back when the patient is on the list.",
    "decided-together": "Decided. Each record can still be taken back below.",
    "undone": "Taken back. The record waits again.",
    "keys-set": "Your choice about keys is kept.",
    "reopened": "The record waits again.",
    "ruled-out": "This patient is ruled out for this print. The record still waits.",
    "answered": "Your answer is kept.",
    "differs": "Your answer is kept. It differs from the automatic match.",
    "settled-audit": "Settled.",
    "settled-difference": "Settled. This is the next difference.",
    "settled-all": "Settled. Nothing is left to settle.",
    "signed": "Signed. This page stays as it is.",
    "acknowledged": "You have taken this alert.",
    "taken": "Somebody else had taken this alert before you.",
    "alert-ruled-out": "This patient is ruled out. The alert is open again, and the record waits for review.",
    "queued-again": "The report will be read again.",
    "settled": "The report is settled.",
    "chain-verified": "The chain is verified to its end.",
    "chain-under-way": "The chain is being followed. This page says how far when you open it again.",
    "week-signed": "The week is signed as reviewed.",
    "record-corrected": "The values are corrected, and the portals are told.",
    "record-moved": "The record is moved. The wrong chart is cleared first.",
    "record-reassigned": "The record is changed. The old value is withdrawn first.",
    "record-withdrawn": "The record is withdrawn.",
    "record-undone": "The last decision is undone. Nothing of it was sent.",
    "submission-resent": "It is due again.",
    "submission-cancelled": "It will not be sent.",
    "scan-asked": "The folder is read now.",
    "backlog-released": "The backlog is taken at the next scan.",
    "uploaded": "The files are here. They are taken one after the other.",
    "paused": "Nothing is sent there until somebody resumes it.",
    "resumed": "It is sent to again.",
    "released": "What was held is tried again.",
    "asked": "Asked for. The outcome appears below.",
    "held-template": "Held. What it reads waits for a person.",
    "released-template": "Released. Its records may go out again.",
    "draft-brought": "The draft is here. Nothing is in use yet.",
    "draft-dropped": "The draft is given up.",
    "rolled-back-list": "The earlier version is in use. New lists wait until you import one.",
    "mode-chosen": "The mode is set. The service takes it up within seconds.",
    "columns-forgotten": "Forgotten. Headers are understood by their words again.",
    "alias-revoked": "Revoked. What it had confirmed waits for review again.",
    "token-revoked": "The token is revoked. Nothing can be done with it any more.",
    "signed-out": "You are signed out.",
    "idle": "You were signed out after 15 minutes without activity.",
    "kept": "Your session had ended. What you entered was kept: sign in to send it.",
    "sign-in-again": "That took too long. Sign in again.",
    "session-closed": "That browser is signed out.",
    "everywhere": "You are signed out everywhere.",
    "entry-dropped": "Discarded. Nothing was sent.",
    "entry-gone": "That entry is no longer kept.",
    "password-changed": "Your password is changed. Your other browsers are signed out.",
    "app-removed": "The authenticator app is removed.",
    "app-set-up": "The authenticator app is set up.",
    "emergency-ended": "Emergency access has ended.",
    "emergency-reviewed": "Reviewed.",
    "user-changed": "Saved.",
    "user-unlocked": "The lock is lifted.",
    "user-disabled": "The user can no longer sign in, and is signed out everywhere.",
    "user-enabled": "The user can sign in again.",
    "factor-reset": "The second factor is reset. The next sign-in asks to set up an app again.",
}
SHORTCUTS: Final = (
    ("Dashboard, review, templates, audit log", ("G then", "D R T A")),
    ("This list, close", ("?", "Esc")),
)
"""Keys of every page, for people."""
REJECT_WORDS: Final = {
    RejectReason.NOT_A_PATIENT_ROW: "Not a patient row",
    RejectReason.DUPLICATE: "Duplicate",
    RejectReason.UNREADABLE: "Unreadable",
    RejectReason.WRONG_REPORT: "Wrong report",
    RejectReason.OTHER: "Other (say why)",
}
DELIVERY_WORDS: Final = {
    DeliveryState.PENDING: "To be sent",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.UNKNOWN: "Answer lost, being looked up",
    DeliveryState.HELD: "Held",
    DeliveryState.DEAD: "Refused, needs a person",
    DeliveryState.CANCELLED: "Taken back",
}
SPLIT_WORDS: Final = {
    "review": "In review",
    "pending": "To be sent",
    "sending": "Being sent",
    "held": "Held",
    "unknown": "Answer lost",
    "dead": "Refused",
    "shadow": "Shadow mode",
}


def page(request: Request, name: str, *, visitor: Visitor | None, status: int = 200, **values: object) -> HTMLResponse:
    """An HTML page from `review/html/`.

    Args:
        name: File name of the template.
        visitor: Who sees it; None before the sign-in.
        status: HTTP status.
        values: What the template shows.
    """
    office = office_of(request)
    said = NOTICES.get(request.query_params.get("said", ""), "") if status == 200 else ""
    text = (
        _environment()
        .get_template(name)
        .render(
            values
            | {
                "visitor": visitor,
                "idle_seconds": IDLE_SECONDS,
                "form_token": visitor.form_token if visitor else visit_token(request),
                "said": values.get("said") or said,
                "path": request.url.path,
                "local": office.local,
                "may": policies.allowed(visitor),
                "steps": _steps(request, visitor) if visitor else (),
                "single_keys": _single_keys(office, visitor) if visitor else False,
                "shortcuts": values.get("shortcuts", SHORTCUTS),
                "back": values.get("back", request.url.path if status == 200 else "/"),
            }
        )
    )
    return HTMLResponse(text, status_code=status)


def _steps(request: Request, visitor: Visitor) -> tuple[Step, ...]:
    office = office_of(request)
    reachable = request.app.state.pages
    return steps(request.url.path, visitor, reachable=reachable, waiting=office.waiting(visitor.user))


def _single_keys(office: Office, visitor: Visitor) -> bool:
    with office.database.reading() as session:
        return preferences.single_keys(session, visitor.user.name)


def go_to(path: str, *, said: str = "") -> RedirectResponse:
    """Send the browser to a page after a form was taken, so that a reload does not send the form again."""
    joint = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{joint}said={said}" if said else path, status_code=303)


@cache
def static_names() -> frozenset[str]:
    """The files of `review/static/` that may be asked for."""
    files = (file.name for file in resources.files("review.static").iterdir() if file.is_file())
    return frozenset(name for name in files if name.rpartition(".")[2] in STATIC_KINDS)


@cache
def static_file(name: str) -> bytes:
    """A file of `review/static/`, one of `static_names`."""
    return resources.files("review.static").joinpath(name).read_bytes()


@cache
def asset(name: str) -> str:
    """Where a static file is, with its hash, so that browsers may keep it for ever."""
    return f"/static/{name}?v={sha256(static_file(name)).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("review", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["labels"] = LABELS
    environment.globals["asset"] = asset
    environment.filters |= {
        "day": format_day,
        "moment": format_moment,
        "percent": format_percent,
        "small_share": format_small_share,
        "interval": format_interval,
        "points": format_points,
        "sentence": reason_sentence,
        "delivery": delivery_sentence,
        "surname_first": _surname_first,
    }
    environment.globals |= {
        "REJECT_WORDS": REJECT_WORDS,
        "DELIVERY_WORDS": DELIVERY_WORDS,
        "SPLIT_WORDS": SPLIT_WORDS,
    }
    return environment


def format_day(day: date | None) -> str:
    """ "14-Mar-1987", as patient banners print it; "not printed" for None."""
    return f"{day.day:02}-{_MONTHS[day.month - 1]}-{day.year}" if day else "not printed"


def format_moment(moment: datetime | None) -> str:
    """ "14-Mar 18:04" of a local moment; a dash for None."""
    return f"{moment.day:02}-{_MONTHS[moment.month - 1]} {moment:%H:%M}" if moment else "–"


def format_percent(share: float) -> str:
    """A share in whole percent; never 0 % or 100 % for what is not quite."""
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{share:.0%}"


def format_small_share(share: float) -> str:
    """A share that may be tiny, in percent with two significant digits, rounded up: a bound must not look smaller."""
    if share <= 0:
        return "0%"
    digits = 1 - floor(log10(share * 100))
    step = 10.0**-digits
    return f"{ceil(share * 100 / step - 1e-9) * step:.{max(digits, 0)}f}%"


def format_interval(low: float, high: float) -> str:
    """ "0.08 % to 1.08 %", in hundredths of a percent; the upper end rounded up: a bound must not look smaller."""
    return f"{low:.2%} to {ceil(high * 10_000 - 1e-6) / 10_000:.2%}".replace("%", " %")


def format_points(length: float) -> str:
    """A length in points for SVG, in hundredths."""
    return f"{length:.2f}".rstrip("0").rstrip(".")


def _surname_first(name: str, family: str | None, given: str | None) -> str:
    """The printed name in the order of a patient banner; as printed where it was not taken apart."""
    if not family:
        return name or "No name printed"
    return f"{family.upper()}, {given}" if given else family.upper()
