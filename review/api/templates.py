"""Report templates: how far each is trusted, and bringing, publishing, holding and taking back one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import StringConstraints

from records.errors import DecisionRefusedError
from review import policies, template_shelf
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Done, Id, Shape, Wish
from review.api.work import Asked, asked
from review.office import office_of
from review.site_scope import NotThereError
from review.template_changes import field_changes, text_changes
from store import template_drafts
from store.template_figures import BookedRevision
from store.templates import TemplateState

Yaml = Annotated[str, StringConstraints(min_length=1, max_length=60_000)]


class RevisionShown(Shape):
    """A published revision."""

    revision: int
    sha256: str
    state: TemplateState
    changed_at: datetime
    changed_by: str


class TemplateShown(Shape):
    """A template with its revisions, newest first, and what it has read in the last 14 days."""

    template_id: str
    title: str
    revisions: tuple[RevisionShown, ...]
    reports: int
    records: int
    automatic: int
    last_report: datetime | None
    changes: tuple[str, ...]
    """How its layout has changed, while nobody has taken it as usual."""


class TemplateList(Shape):
    """Every template."""

    items: tuple[TemplateShown, ...]


class TemplateText(TemplateShown):
    """A template with the YAML of its newest revision."""

    text: str | None
    """Null where its file cannot be read."""


class FieldChange(Shape):
    """A place of a template where two revisions differ."""

    place: str
    before: str
    after: str


class TemplateChanges(Shape):
    """What changed between two revisions of a template."""

    template_id: str
    since: int
    revision: int
    fields: tuple[FieldChange, ...]
    """At most two hundred; empty where they mean the same."""
    lines: tuple[str, ...]
    """The same as a unified diff of the YAML."""


class ListedDraft(Shape):
    """A template that nobody has published yet."""

    draft_id: int
    template_id: str
    revision: int
    sha256: str
    brought_by: str
    brought_at: datetime


class DraftShown(ListedDraft):
    """A draft with its YAML."""

    text: str


class DraftList(Shape):
    """Every draft, newest first."""

    items: tuple[ListedDraft, ...]


class Bringing(Wish):
    """A template as text."""

    text: Yaml
    """The YAML of the template's file."""


class Publishing(Wish):
    """How far what is published is trusted at first."""

    is_live: bool = False
    """False: it reads, but sends nothing without a person."""


def list_templates(request: Request, caller: Caller) -> TemplateList:
    """Every template, with what it has read at the sites that the token sees."""
    return TemplateList(items=tuple(TemplateShown.model_validate(_plain(row)) for row in _rows(request, caller)))


def get_template(request: Request, template_id: str, caller: Caller) -> TemplateText:
    """One template with the YAML of its newest revision."""
    row = next((one for one in _rows(request, caller) if one.newest.template_id == template_id), None)
    if row is None:
        raise NotThereError
    text = office_of(request).setup.template_text(template_id, row.newest.revision)
    return TemplateText.model_validate(_plain(row) | {"text": text})


def get_template_changes(
    request: Request, template_id: str, revision: int, caller: Caller, since: Annotated[int, Query(ge=1)]
) -> TemplateChanges:
    """What changed in a revision since another one."""
    del caller
    office = office_of(request)
    template_shelf.known(office, template_id, since)
    template_shelf.known(office, template_id, revision)
    before, after = (office.setup.template_text(template_id, one) for one in (since, revision))
    if before is None or after is None:
        raise DecisionRefusedError("The file of a revision cannot be read.", next_step="Restore it from the backup.")
    return TemplateChanges(
        template_id=template_id,
        since=since,
        revision=revision,
        fields=tuple(
            FieldChange(place=place, before=was, after=is_) for place, was, is_ in field_changes(before, after)
        ),
        lines=text_changes(before, after, f"{template_id}@{since}", f"{template_id}@{revision}"),
    )


def hold_template(request: Request, template_id: str, revision: int, caller: Caller) -> Done:
    """Stop a revision: what it reads waits for a person."""
    template_shelf.hold(office_of(request), caller, template_id, revision)
    return Done()


def release_template(request: Request, template_id: str, revision: int, caller: Caller) -> Done:
    """Let a revision's records go out again; how its reports look now is usual from here on."""
    template_shelf.release(office_of(request), caller, template_id, revision)
    return Done()


def check_template(request: Request, template_id: str, revision: int, caller: Caller) -> Asked:
    """Have the golden cases of a revision read."""
    return asked(template_shelf.check(office_of(request), caller, template_id, revision))


def roll_template_back(request: Request, template_id: str, revision: int, caller: Caller, wish: Publishing) -> Asked:
    """Have the contents of an earlier revision published as the next one."""
    return asked(template_shelf.roll_back(office_of(request), caller, template_id, revision, is_live=wish.is_live))


def list_drafts(request: Request, caller: Caller) -> DraftList:
    """Every draft."""
    del caller
    with office_of(request).database.reading() as session:
        found = template_drafts.list_drafts(session)
    return DraftList(items=tuple(ListedDraft.model_validate(one) for one in found))


def bring_draft(request: Request, caller: Caller, wish: Bringing) -> ListedDraft:
    """Keep a template as a draft, if it has no fault; else say each with its line. The same text is the same draft."""
    return ListedDraft.model_validate(template_shelf.bring(office_of(request), caller, wish.text, name="template"))


def get_draft(request: Request, draft_id: Id, caller: Caller) -> DraftShown:
    """A draft with its YAML."""
    del caller
    return DraftShown.model_validate(template_shelf.draft_of(office_of(request), draft_id))


def check_draft(request: Request, draft_id: Id, caller: Caller) -> Asked:
    """Have the golden cases read with a draft."""
    return asked(template_shelf.check_draft(office_of(request), caller, draft_id))


def publish_draft(request: Request, draft_id: Id, caller: Caller, wish: Publishing) -> Asked:
    """Have a draft published, once its golden cases were read without a difference."""
    return asked(template_shelf.publish(office_of(request), caller, draft_id, is_live=wish.is_live))


def drop_draft(request: Request, draft_id: Id, caller: Caller) -> Done:
    """Give a draft up."""
    template_shelf.drop(office_of(request), caller, draft_id)
    return Done()


def _rows(request: Request, caller: Caller) -> list[template_shelf.TemplateRow]:
    office = office_of(request)
    with office.database.reading() as session:
        return template_shelf.rows_of(session, office, office.sites_seen(caller.user))


def _plain(row: template_shelf.TemplateRow) -> dict[str, object]:
    read = {name: getattr(row.lately, name) for name in ("reports", "records", "automatic", "last_report")}
    revisions = tuple(_revision(one) for one in row.revisions)
    named = {"template_id": row.newest.template_id, "title": row.title, "changes": row.changes}
    return read | named | {"revisions": revisions}


def _revision(one: BookedRevision) -> RevisionShown:
    return RevisionShown.model_validate(one)


_REVISION: Final = "/templates/{template_id}/revisions/{revision}"
_DRAFT: Final = "/template-drafts/{draft_id}"
ROUTES: Final = (
    ApiRoute("GET", "/templates", list_templates, policies.AUTHORS),
    ApiRoute("GET", "/templates/{template_id}", get_template, policies.AUTHORS),
    ApiRoute("GET", f"{_REVISION}/changes", get_template_changes, policies.AUTHORS),
    ApiRoute("POST", f"{_REVISION}/hold", hold_template, policies.AUTHORS, changes=True),
    ApiRoute("POST", f"{_REVISION}/release", release_template, policies.PUBLISHES, changes=True),
    ApiRoute("POST", f"{_REVISION}/check", check_template, policies.AUTHORS, changes=True),
    ApiRoute("POST", f"{_REVISION}/roll-back", roll_template_back, policies.PUBLISHES, changes=True),
    ApiRoute("GET", "/template-drafts", list_drafts, policies.AUTHORS),
    ApiRoute("POST", "/template-drafts", bring_draft, policies.AUTHORS, changes=True),
    ApiRoute("GET", _DRAFT, get_draft, policies.AUTHORS),
    ApiRoute("POST", f"{_DRAFT}/check", check_draft, policies.AUTHORS, changes=True),
    ApiRoute("POST", f"{_DRAFT}/publish", publish_draft, policies.PUBLISHES, changes=True),
    ApiRoute("POST", f"{_DRAFT}/drop", drop_draft, policies.AUTHORS, changes=True),
)
