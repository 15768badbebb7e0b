"""Report templates, for the pages and the API: how far each is trusted, bringing, publishing and taking back one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from parsers.template import Template
from parsers.template_file import parse_template
from records.errors import StoreError, TemplateError
from review.access import Visitor
from review.office import Office
from review.site_scope import NotThereError
from review.work import ask_for
from store import notices, signatures, template_drafts, template_figures
from store import templates as template_states
from store.database import Session
from store.signatures import DRIFTED
from store.template_drafts import TemplateDraft
from store.template_figures import NOTHING_READ, BookedRevision, TemplateReading
from store.templates import TemplateState
from store.work_requests import WorkKind, WorkRequest

LATELY: Final = timedelta(days=14)


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


def rows_of(session: Session, office: Office, sites: Sequence[str]) -> list[TemplateRow]:
    """Every published template, with what it has read at these sites."""
    lately = template_figures.read_since(session, office.now() - LATELY, sites=sites)
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


def known(office: Office, template_id: str, revision: int) -> None:
    """Whether a revision is published.

    Raises:
        NotThereError: It is not.
    """
    with office.database.reading() as session:
        if (template_id, revision) not in template_states.states(session):
            raise NotThereError


def draft_of(office: Office, draft_id: int) -> TemplateDraft:
    """A draft.

    Raises:
        NotThereError: There is none with this number.
    """
    try:
        with office.database.reading() as session:
            return template_drafts.get(session, draft_id)
    except StoreError:
        raise NotThereError from None


def hold(office: Office, visitor: Visitor, template_id: str, revision: int) -> None:
    """Stop a revision: what it reads waits for a person."""
    known(office, template_id, revision)
    with office.database.session() as session:
        template_states.set_state(
            session, template_id, revision, TemplateState.HELD, actor=visitor.user.name, now=office.now()
        )


def release(office: Office, visitor: Visitor, template_id: str, revision: int) -> None:
    """Let a held or shadow revision's records go out again; how its reports look now is usual from here on."""
    known(office, template_id, revision)
    with office.database.session() as session:
        template_states.release(session, template_id, revision, actor=visitor.user.name, now=office.now())


def check(office: Office, visitor: Visitor, template_id: str, revision: int) -> WorkRequest:
    """Have the golden cases of a revision read."""
    known(office, template_id, revision)
    return ask_for(office, visitor, WorkKind.CHECK_TEMPLATE, f"{template_id}@{revision}")


def roll_back(office: Office, visitor: Visitor, template_id: str, revision: int, *, is_live: bool) -> WorkRequest:
    """Have the contents of an earlier revision published as the next one."""
    known(office, template_id, revision)
    with office.database.reading() as session:
        highest = max(one for name, one in template_states.states(session) if name == template_id)
    arguments = {"to": str(revision), "highest": str(highest), "state": _state(is_live)}
    return ask_for(office, visitor, WorkKind.ROLL_BACK_TEMPLATE, template_id, arguments=arguments)


def bring(office: Office, visitor: Visitor, text: str, *, name: str) -> TemplateDraft:
    """Keep a template as a draft.

    Args:
        name: Of its file, for what is said about faults.

    Raises:
        TemplateError: It has faults; the message has one a line.
    """
    template = parse_template(text, source=name)
    with office.database.session() as session:
        return template_drafts.bring(
            session, template.id, template.revision, text, actor=visitor.user.name, now=office.now()
        )


def check_draft(office: Office, visitor: Visitor, draft_id: int) -> WorkRequest:
    """Have the golden cases read with a draft."""
    draft = draft_of(office, draft_id)
    arguments = {"draft": str(draft_id)}
    return ask_for(office, visitor, WorkKind.CHECK_TEMPLATE, _subject(draft), arguments=arguments)


def publish(office: Office, visitor: Visitor, draft_id: int, *, is_live: bool) -> WorkRequest:
    """Have a draft published, once its golden cases were read without a difference."""
    draft = draft_of(office, draft_id)
    arguments = {"draft": str(draft_id), "state": _state(is_live)}
    return ask_for(office, visitor, WorkKind.PUBLISH_TEMPLATE, _subject(draft), arguments=arguments)


def drop(office: Office, visitor: Visitor, draft_id: int) -> None:
    """Give a draft up."""
    draft_of(office, draft_id)
    with office.database.session() as session:
        template_drafts.drop(session, draft_id, actor=visitor.user.name, now=office.now())


def _subject(draft: TemplateDraft) -> str:
    return f"{draft.template_id}@{draft.revision}"


def _state(is_live: bool) -> str:
    return (TemplateState.LIVE if is_live else TemplateState.SHADOW).value
