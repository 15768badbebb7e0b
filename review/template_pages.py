"""Report templates: how far each is trusted, what it has read lately, and bringing, publishing and taking back one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from parsers.template import Template
from parsers.template_file import parse_template
from records.errors import DecisionRefusedError, StoreError, TemplateError
from review import policies
from review.access import Form, SignedIn
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from review.uploads import MOST_TEMPLATE_BYTES, Upload, form_bytes
from store import notices, signatures, template_drafts, template_figures, work_requests
from store import templates as template_states
from store.database import Session
from store.signatures import DRIFTED
from store.template_drafts import TemplateDraft
from store.template_figures import NOTHING_READ, BookedRevision, TemplateReading
from store.templates import TemplateState
from store.work_requests import WorkKind, WorkRequest

_LATELY: Final = timedelta(days=14)
_MOST_CHANGES: Final = 200
_TRIED: Final = (WorkKind.CHECK_TEMPLATE, WorkKind.PUBLISH_TEMPLATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """A template by its newest revision.

    Attributes:
        title: As the file says, or "" where the file cannot be read.
        lately: What all its revisions have read in the last 14 days.
        changes: Sentences about how its layout has changed, while nobody has taken it as usual.
    """

    newest: BookedRevision
    revisions: tuple[BookedRevision, ...]
    title: str
    lately: TemplateReading
    changes: tuple[str, ...]


def show_templates(request: Request, visitor: SignedIn) -> Response:
    """Every template, the drafts, and the form for a new one."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = _rows(session, office, office.sites_seen(visitor.user))
        drafts = template_drafts.list_drafts(session)
    return page(request, "templates.html", visitor=visitor, rows=rows, drafts=drafts, days=_LATELY.days)


def show_template(
    request: Request, template_id: str, visitor: SignedIn, revision: int = 0, against: int = 0
) -> Response:
    """One template: its revisions, what it reads, its YAML, and how two revisions differ."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = _rows(session, office, office.sites_seen(visitor.user))
        row = next((one for one in rows if one.newest.template_id == template_id), None)
        if row is None:
            raise HTTPException(404)
        tried = work_requests.latest(session, sites=None, kinds=_TRIED, limit=200)
        latest = work_requests.latest(session, sites=None, kinds=(*_TRIED, WorkKind.ROLL_BACK_TEMPLATE), limit=200)
    number = revision or row.newest.revision
    shown = next((one for one in row.revisions if one.revision == number), None)
    if shown is None:
        raise HTTPException(404)
    text = office.setup.template_text(template_id, number)
    earlier = office.setup.template_text(template_id, against) if against else None
    return page(
        request, "template.html", visitor=visitor, row=row, shown=shown, text=text, against=against if earlier else 0,
        diff=_diff(earlier, text, f"{template_id}@{against}", shown.name) if earlier and text else (),
        field_changes=field_changes(earlier, text) if earlier and text else (),
        checked=_checked(tried, shown.name),
        latest=[one for one in latest if one.subject.partition("@")[0] == template_id][:5], days=_LATELY.days,
    )  # fmt: skip


def hold(request: Request, template_id: str, revision: int, visitor: SignedIn) -> Response:
    """Stop a revision: what it reads waits for a person."""
    office = _known(request, template_id, revision)
    with office.database.session() as session:
        template_states.set_state(
            session, template_id, revision, TemplateState.HELD, actor=visitor.user.name, now=office.now()
        )
    return go_to(f"/templates/{template_id}", said="held-template")


def release(request: Request, template_id: str, revision: int, visitor: SignedIn) -> Response:
    """Let a held or shadow revision's records go out again; how its reports look now is usual from here on."""
    office = _known(request, template_id, revision)
    with office.database.session() as session:
        template_states.release(session, template_id, revision, actor=visitor.user.name, now=office.now())
    return go_to(f"/templates/{template_id}", said="released-template")


def check(request: Request, template_id: str, revision: int, visitor: SignedIn) -> Response:
    """Have the golden cases of a revision read."""
    office = _known(request, template_id, revision)
    return _ask(office, visitor, WorkKind.CHECK_TEMPLATE, f"{template_id}@{revision}", {})


def roll_back(request: Request, template_id: str, revision: int, visitor: SignedIn, form: Form) -> Response:
    """Have the contents of an earlier revision published as the next one."""
    office = _known(request, template_id, revision)
    with office.database.reading() as session:
        highest = max(one for name, one in template_states.states(session) if name == template_id)
    arguments = {"to": str(revision), "highest": str(highest), "state": _state(form)}
    return _ask(office, visitor, WorkKind.ROLL_BACK_TEMPLATE, template_id, arguments)


def bring(request: Request, visitor: SignedIn, form: Upload) -> Response:
    """Keep an uploaded template as a draft, if it has no fault; else every fault with its line."""
    office = office_of(request)
    file = next(iter(form.files), None)
    if file is None:
        raise DecisionRefusedError("No file was chosen.", next_step="Choose the template's YAML file.")
    try:
        text = file.content.decode("utf-8")
        template = parse_template(text, source=file.name)
    except UnicodeDecodeError:
        return _faulty(request, visitor, ["The file is not text in UTF-8."])
    except TemplateError as error:
        return _faulty(request, visitor, error.message.splitlines())
    with office.database.session() as session:
        draft = template_drafts.bring(
            session, template.id, template.revision, text, actor=visitor.user.name, now=office.now()
        )
    return go_to(f"/templates/drafts/{draft.draft_id}", said="draft-brought")


def show_draft(request: Request, draft_id: int, visitor: SignedIn) -> Response:
    """A draft, how it differs from what is in use, and the way to publish it."""
    office = office_of(request)
    draft = _draft(office, draft_id)
    with office.database.reading() as session:
        known = [one for one in template_figures.booked(session) if one.template_id == draft.template_id]
        tried = work_requests.latest(session, sites=None, kinds=_TRIED, limit=200)
    in_use = office.setup.template_text(draft.template_id, known[0].revision) if known else None
    return page(
        request, "template_draft.html", visitor=visitor, draft=draft, newest=known[0] if known else None,
        diff=_diff(in_use, draft.text, known[0].name, "draft") if known and in_use else (),
        field_changes=field_changes(in_use, draft.text) if in_use else (),
        latest=[one for one in tried if one.arguments.get("draft") == str(draft_id)][:5],
    )  # fmt: skip


def check_draft(request: Request, draft_id: int, visitor: SignedIn) -> Response:
    """Have the golden cases read with a draft."""
    office = office_of(request)
    draft = _draft(office, draft_id)
    subject = f"{draft.template_id}@{draft.revision}"
    return _ask(office, visitor, WorkKind.CHECK_TEMPLATE, subject, {"draft": str(draft_id)})


def publish(request: Request, draft_id: int, visitor: SignedIn, form: Form) -> Response:
    """Have a draft published, once its golden cases were read without a difference."""
    office = office_of(request)
    draft = _draft(office, draft_id)
    arguments = {"draft": str(draft_id), "state": _state(form)}
    subject = f"{draft.template_id}@{draft.revision}"
    return _ask(office, visitor, WorkKind.PUBLISH_TEMPLATE, subject, arguments)


def drop(request: Request, draft_id: int, visitor: SignedIn) -> Response:
    """Give a draft up."""
    office = office_of(request)
    _draft(office, draft_id)
    with office.database.session() as session:
        template_drafts.drop(session, draft_id, actor=visitor.user.name, now=office.now())
    return go_to("/templates", said="draft-dropped")


def field_changes(before: str, after: str) -> tuple[tuple[str, str, str], ...]:
    """Where two templates differ: place, what it was, what it is; at most 200, in the order of the language."""
    try:
        old, new = parse_template(before, source="before"), parse_template(after, source="after")
    except TemplateError:
        return ()
    was, becomes = dict(_leaves(old)), dict(_leaves(new))
    places = [*becomes, *(place for place in was if place not in becomes)]
    changed = [(place, was.get(place, "–"), becomes.get(place, "–")) for place in places]
    return tuple(one for one in changed if one[1] != one[2])[:_MOST_CHANGES]


def _leaves(value: object, place: str = "") -> list[tuple[str, str]]:
    """Every value inside a template with its place."""
    below: list[tuple[str, object]]
    if is_dataclass(value) and not isinstance(value, type):
        below = [(f"{place}.{one.name}" if place else one.name, getattr(value, one.name)) for one in fields(value)]
    elif isinstance(value, Mapping):
        below = [(f"{place}.{name}", one) for name, one in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        below = [(f"{place}[{number}]", one) for number, one in enumerate(value, start=1)]
    else:
        return [] if value is None else [(place, str(value))]
    return [leaf for name, one in below for leaf in _leaves(one, name)]


def _diff(before: str | None, after: str | None, old: str, new: str) -> tuple[str, ...]:
    lines = difflib.unified_diff((before or "").splitlines(), (after or "").splitlines(), old, new, lineterm="")
    return tuple(lines)


def _rows(session: Session, office: Office, sites: Sequence[str]) -> list[TemplateRow]:
    lately = template_figures.read_since(session, office.now() - _LATELY, sites=sites)
    by_id: dict[str, list[BookedRevision]] = {}
    for one in template_figures.booked(session):
        by_id.setdefault(one.template_id, []).append(one)
    drifted = {one.subject for one in notices.list_open(session) if one.kind == DRIFTED}
    return [
        TemplateRow(
            newest=revisions[0],
            revisions=tuple(revisions),
            title=_title(office, revisions[0]),
            lately=_together([lately.get(one.name, NOTHING_READ) for one in revisions]),
            changes=_changes(session, revisions[0], drifted, sites),
        )
        for revisions in by_id.values()
    ]


def _changes(session: Session, newest: BookedRevision, drifted: set[str], sites: Sequence[str]) -> tuple[str, ...]:
    if newest.name not in drifted:
        return ()
    looks = [look for look in signatures.drifted(session, newest.name) if look.site in sites]
    return tuple(dict.fromkeys(change.sentence for look in looks for change in look.changes))


def _together(readings: Sequence[TemplateReading]) -> TemplateReading:
    return TemplateReading(
        reports=sum(one.reports for one in readings),
        records=sum(one.records for one in readings),
        automatic=sum(one.automatic for one in readings),
        last_report=max((one.last_report for one in readings if one.last_report), default=None),
    )


def _title(office: Office, revision: BookedRevision) -> str:
    template = _parsed(office.setup.template_text(revision.template_id, revision.revision))
    return template.title if template else ""


def _parsed(text: str | None) -> Template | None:
    try:
        return None if text is None else parse_template(text, source="template")
    except TemplateError:
        return None


def _checked(tried: Sequence[WorkRequest], name: str) -> WorkRequest | None:
    return next((one for one in tried if one.subject == name and one.is_at_its_end), None)


def _known(request: Request, template_id: str, revision: int) -> Office:
    office = office_of(request)
    with office.database.reading() as session:
        if (template_id, revision) not in template_states.states(session):
            raise HTTPException(404)
    return office


def _draft(office: Office, draft_id: int) -> TemplateDraft:
    try:
        with office.database.reading() as session:
            return template_drafts.get(session, draft_id)
    except StoreError:
        raise HTTPException(404) from None


def _state(form: Mapping[str, str]) -> str:
    return (TemplateState.LIVE if form.get("state") == "live" else TemplateState.SHADOW).value


def _ask(office: Office, visitor: SignedIn, kind: WorkKind, subject: str, arguments: Mapping[str, str]) -> Response:
    with office.database.session() as session:
        asked = work_requests.ask(
            session, kind, subject, actor=visitor.user.name, now=office.now(), arguments=arguments
        )
    office.setup.work_asked()
    return go_to(f"/work/{asked.request_id}")


def _faulty(request: Request, visitor: SignedIn, faults: Sequence[str]) -> Response:
    return page(request, "template_faults.html", visitor=visitor, status=422, faults=faults)


ROUTES: Final = (
    Route("GET", "/templates", show_templates, policies.AUTHORS),
    Route("POST", "/templates/bring", bring, policies.AUTHORS, form_bytes(MOST_TEMPLATE_BYTES)),
    Route("GET", "/templates/drafts/{draft_id}", show_draft, policies.AUTHORS),
    Route("POST", "/templates/drafts/{draft_id}/check", check_draft, policies.AUTHORS),
    Route("POST", "/templates/drafts/{draft_id}/publish", publish, policies.PUBLISHES),
    Route("POST", "/templates/drafts/{draft_id}/drop", drop, policies.AUTHORS),
    Route("GET", "/templates/{template_id}", show_template, policies.AUTHORS),
    Route("POST", "/templates/{template_id}/{revision}/hold", hold, policies.AUTHORS),
    Route("POST", "/templates/{template_id}/{revision}/release", release, policies.PUBLISHES),
    Route("POST", "/templates/{template_id}/{revision}/check", check, policies.AUTHORS),
    Route("POST", "/templates/{template_id}/{revision}/rollback", roll_back, policies.PUBLISHES),
)
