"""Saying which column of a patient list is which, for the pages and the API."""

from __future__ import annotations

from collections.abc import Sequence

from records.errors import DecisionRefusedError, RosterError
from review import list_columns, patient_lists
from review.access import Visitor
from review.list_columns import ColumnChoice, ListColumns
from review.office import Office
from review.uploads import turn
from review.viewing import note_view
from store import roster_layouts, work_requests
from store.roster_layouts import ListLayout
from store.work_requests import WorkKind, WorkRequest


class ColumnsRefusedError(DecisionRefusedError):
    """A choice of columns cannot be right.

    Attributes:
        problems: Why, in sentences.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems), next_step="Nothing was changed. Choose again.")
        self.problems = tuple(problems)


def columns_seen(office: Office, visitor: Visitor, work: WorkRequest) -> ListColumns:
    """The columns of a list that was to be shown, with a few of its cells; the look is kept in the audit trail.

    Raises:
        DecisionRefusedError: The file is gone, cannot be read, or has no line of headers.
    """
    columns = _columns(office, work)
    site, count = work.site or work.subject, len(columns.columns)
    with office.database.session() as session:
        note_view(session, visitor, "roster.sample-viewed", "roster", site, now=office.now(), shown=count)
    return columns


def choose(office: Office, visitor: Visitor, work: WorkRequest, choice: ColumnChoice) -> WorkRequest:
    """Have the list shown in numbers once more, read as a person says; nothing is imported or kept before they do.

    Raises:
        ColumnsRefusedError: A column is missing or chosen twice.
        DecisionRefusedError: The file is gone, cannot be read, or has no line of headers.
    """
    columns = _columns(office, work)
    problems = list_columns.problems(columns, choice)
    if problems:
        raise ColumnsRefusedError(problems)
    date_format = "" if columns.is_date_fixed else choice.date_format
    layout = ListLayout(columns=list_columns.named_headers(columns, choice), date_format=date_format or None)
    kept = {name: value for name, value in work.arguments.items() if name == "as_of"}
    content = _content(office, work)
    archived = None if content is None else office.database.archive.put(content)
    with office.database.session() as session:
        asked = work_requests.ask(
            session, WorkKind.PREVIEW_ROSTER, work.subject, site=work.site, actor=visitor.user.name, now=office.now(),
            arguments=kept | layout.arguments, document=archived, file_name=work.file_name,
        )  # fmt: skip
    office.setup.work_asked()
    return asked


def forget(office: Office, visitor: Visitor, site: str) -> None:
    """Give up what was chosen for a site's lists: headers are understood by their words again.

    Raises:
        DecisionRefusedError: Nothing was chosen.
    """
    with office.database.session() as session:
        if not roster_layouts.forget(session, site, actor=visitor.user.name, now=office.now()):
            raise DecisionRefusedError("No columns were chosen for this site.", next_step="Reload the page.")


def preview_at(office: Office, visitor: Visitor, site: str, request_id: int) -> WorkRequest:
    """A list of a site that was to be shown.

    Raises:
        DecisionRefusedError: It is another site's.
    """
    work = patient_lists.preview_seen(office, visitor, request_id)
    if work.site != site:
        raise DecisionRefusedError("This list is another site's.", next_step="Look at the request again.")
    return work


def _columns(office: Office, work: WorkRequest) -> ListColumns:
    site = work.site or work.subject
    chosen = roster_layouts.of_arguments(work.arguments)
    if chosen is None:
        with office.database.reading() as session:
            chosen = roster_layouts.in_use(session, site)
    with turn(office):
        try:
            return office.setup.list_columns(site, _content(office, work), chosen)
        except RosterError as error:
            raise DecisionRefusedError(error.message, next_step=error.next_step) from None


def _content(office: Office, work: WorkRequest) -> bytes | None:
    """What was uploaded, or None for the list of the site's usual place."""
    if work.file_name is None:
        return None
    if work.document is None:
        raise DecisionRefusedError("The file is no longer kept.", next_step="Upload it again.")
    return office.database.archive.get(*work.document)
