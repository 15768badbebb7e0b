"""The lists of patients, for the pages and the API: how each is, importing one that was shown, and taking back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from records.errors import DecisionRefusedError, RosterError
from review import actions
from review.access import Visitor
from review.office import Office
from review.setup import PatientListSetup
from review.site_scope import NotThereError
from review.uploads import UploadedFile
from review.work import ask_for, work_seen
from store import aliases, notices, roster, work_requests
from store.alias_states import AliasState
from store.database import Session
from store.roster import RosterStatus
from store.work_requests import WorkKind, WorkRequest

_TROUBLE: Final = ("roster-refused", "roster-held")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One site's list as it is at this moment.

    Attributes:
        status: What is in use, or None before the first import.
        trouble: Why a newer list is not in use.
        aliases: How many things people said of prints are in force or wait for a second person.
    """

    setup: PatientListSetup
    status: RosterStatus | None
    trouble: tuple[str, ...]
    aliases: int

    @property
    def is_stale(self) -> bool:
        """Whether it is too old to confirm anybody."""
        return self.status is not None and self.status.age > self.setup.max_age


def row(session: Session, office: Office, site: str) -> ListRow:
    """A site's list as it is at this moment."""
    setup = office.setup.patient_list(site) or PatientListSetup.unset(site)
    status = next((one for one in roster.status(session, now=office.now()) if one.site == site), None)
    told = [one.sentence for one in notices.list_open(session) if one.kind in _TROUBLE and one.subject == site]
    standing = [
        one
        for state in (AliasState.ACTIVE, AliasState.AWAITING_SECOND)
        for one in aliases.list_aliases(session, site=site, state=state)
    ]
    return ListRow(setup=setup, status=status, trouble=tuple(told), aliases=len(standing))


def upload(office: Office, visitor: Visitor, site: str, file: UploadedFile | None, *, exported_on: str) -> WorkRequest:
    """Have an uploaded list of a site that the visitor sees shown in numbers; nothing is imported.

    Args:
        exported_on: Day of the export, as 2026-11-26.

    Raises:
        DecisionRefusedError: There is no file or it is empty, or the day is none or in the future.
    """
    if file is None or not file.content:
        raise DecisionRefusedError("No file was chosen, or it is empty.", next_step="Choose the exported CSV file.")
    as_of = _as_of(office, site, exported_on)
    archived = office.database.archive.put(file.content)
    with office.database.session() as session:
        asked = work_requests.ask(
            session, WorkKind.PREVIEW_ROSTER, site, site=site, actor=visitor.user.name, now=office.now(),
            arguments={"as_of": as_of.isoformat()}, document=archived, file_name=file.name,
        )  # fmt: skip
    office.setup.work_asked()
    return asked


def look(office: Office, visitor: Visitor, site: str) -> WorkRequest:
    """Have the list of the site's usual place shown in numbers; nothing is imported."""
    return ask_for(office, visitor, WorkKind.PREVIEW_ROSTER, site, site=site)


def preview_seen(office: Office, visitor: Visitor, request_id: int) -> WorkRequest:
    """A list that was to be shown in numbers.

    Raises:
        NotThereError: There is none with this number, or it is not the visitor's to see.
    """
    work = work_seen(office, visitor, request_id)
    if work.kind is not WorkKind.PREVIEW_ROSTER:
        raise NotThereError
    return work


def take(office: Office, visitor: Visitor, request_id: int, *, accepted: bool) -> WorkRequest:
    """Have the list imported that was shown; `accepted` says that an unusual one is right.

    Raises:
        NotThereError: No list was shown under this number.
        DecisionRefusedError: The list changes more than is usual, and nobody says that it is right.
    """
    work = preview_seen(office, visitor, request_id)
    if not work.found:
        raise NotThereError
    if work.found.get("refused") and not accepted:
        raise DecisionRefusedError(
            "This list changes more than is usual.", next_step="Look at the numbers, tick that it is right, and import."
        )
    arguments = {"preview": str(request_id), "accepted": "yes" if accepted else "no"}
    return ask_for(office, visitor, WorkKind.IMPORT_ROSTER, work.subject, site=work.site, arguments=arguments)


def roll_back(office: Office, visitor: Visitor, site: str, *, to: int) -> None:
    """Bring an earlier version back as a new one; new lists then wait for an import by hand.

    Raises:
        DecisionRefusedError: There is no such version to go back to.
    """
    try:
        with office.database.session() as session:
            roster.roll_back(session, site, to=to, actor=visitor.user.name, now=office.now())
    except RosterError as refusal:
        raise DecisionRefusedError(refusal.message, next_step="Reload the page.") from None


def revoke_alias(office: Office, visitor: Visitor, site: str, alias_id: int) -> None:
    """Take back what somebody said of a print, with everything that it confirmed.

    Raises:
        NotThereError: Nothing is said under this number at the site.
    """
    try:
        with office.database.reading() as session:
            alias = aliases.get(session, alias_id)
    except DecisionRefusedError:
        raise NotThereError from None
    if alias.site != site:
        raise NotThereError
    actions.revoke_alias(office.database, alias_id, actor=visitor.user.name, now=office.now())


def _as_of(office: Office, site: str, text: str) -> datetime:
    """When an uploaded list was right: now if it is of today, else at the beginning of its day."""
    now = office.local(office.now(), site)
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        raise DecisionRefusedError(
            "The day of the export is missing.", next_step="Say when the list was exported, and upload again."
        ) from None
    if day > now.date():
        raise DecisionRefusedError("The day of the export is in the future.", next_step="Correct it and upload again.")
    return now if day == now.date() else datetime.combine(day, time(), tzinfo=now.tzinfo)
