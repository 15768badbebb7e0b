"""The lists of patients: how old, what changed, a new one shown in numbers before it is imported, and what people said.

Nothing here shows a patient: a list is judged by its columns and counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from records.errors import DecisionRefusedError
from review import patient_lists, policies
from review.access import Form, SignedIn, Visitor
from review.list_columns import DATE_FORMATS, FIELD_WORDS
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from review.uploads import MOST_LIST_BYTES, Upload, form_bytes
from store import aliases, automatic_matches, roster_history, roster_layouts, work_requests
from store.alias_states import AliasState
from store.work_requests import WorkKind, WorkRequest

_VERSIONS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a list would change, as the service found it."""

    work: WorkRequest

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """Two texts a line."""
        lines = [line.partition("\t") for line in self.work.found.get(name, "").splitlines()]
        return [(before, after) for before, _, after in lines]

    def lines(self, name: str) -> list[str]:
        """One text a line."""
        return self.work.found.get(name, "").splitlines()

    def number(self, name: str) -> int:
        """A count; 0 where there is none."""
        return int(self.work.found.get(name) or 0)


def show_lists(request: Request, visitor: SignedIn) -> Response:
    """The lists of the visitor's sites."""
    office = office_of(request)
    sites = office.sites_seen(visitor.user)
    with office.database.reading() as session:
        rows = [patient_lists.row(session, office, site) for site in sites]
        latest = work_requests.latest(
            session, sites=sites, kinds=(WorkKind.PREVIEW_ROSTER, WorkKind.IMPORT_ROSTER), limit=10
        )
    return page(
        request, "patient_lists.html", visitor=visitor, rows=rows, sites=sites, latest=latest,
        today=office.local(office.now(), None).date(),
    )  # fmt: skip


def show_list(request: Request, site: str, visitor: SignedIn) -> Response:
    """One site's list: its versions, and what people said of prints."""
    office = _office_for(request, site, visitor)
    with office.database.reading() as session:
        row = patient_lists.row(session, office, site)
        versions = roster_history.versions(session, site, limit=_VERSIONS)
        chosen = roster_layouts.chosen(session, site)
        said = [
            (one, sum(used.stands for used in automatic_matches.caused_by(session, one.alias_id)))
            for one in aliases.list_aliases(session, site=site)[:200]
        ]
    return page(
        request, "patient_list.html", visitor=visitor, row=row, versions=versions, aliases=said, site=site,
        revoked=AliasState.REVOKED, chosen=chosen, field_words=FIELD_WORDS, date_words=DATE_FORMATS,
    )  # fmt: skip


def upload(request: Request, visitor: SignedIn, form: Upload) -> Response:
    """Have an uploaded list shown in numbers; nothing is imported."""
    site = form.fields.get("site", "")
    office = _office_for(request, site, visitor)
    file = next(iter(form.files), None)
    asked = patient_lists.upload(office, visitor, site, file, exported_on=form.fields.get("exported_on", ""))
    return go_to(f"/patient-lists/previews/{asked.request_id}")


def look(request: Request, site: str, visitor: SignedIn) -> Response:
    """Have the list of the site's usual place shown in numbers; nothing is imported."""
    asked = patient_lists.look(_office_for(request, site, visitor), visitor, site)
    return go_to(f"/patient-lists/previews/{asked.request_id}")


def show_preview(request: Request, request_id: int, visitor: SignedIn) -> Response:
    """What a list would change, which columns were understood how, and the way to import it."""
    work = patient_lists.preview_seen(office_of(request), visitor, request_id)
    return page(
        request, "patient_list_preview.html", visitor=visitor, work=work, preview=Preview(work=work),
        field_words=FIELD_WORDS, is_chosen=roster_layouts.of_arguments(work.arguments) is not None,
    )  # fmt: skip


def take(request: Request, request_id: int, visitor: SignedIn, form: Form) -> Response:
    """Import the list that was shown."""
    asked = patient_lists.take(office_of(request), visitor, request_id, accepted=form.get("accepted") == "yes")
    return go_to(f"/work-requests/{asked.request_id}")


def roll_back(request: Request, site: str, visitor: SignedIn, form: Form) -> Response:
    """Bring an earlier version back as a new one; new lists then wait for an import by hand."""
    office = _office_for(request, site, visitor)
    to = form.get("to", "")
    if form.get("sure") != "yes" or not to.isdecimal():
        raise DecisionRefusedError("Nothing was ticked.", next_step="Tick that you are sure, and roll back again.")
    patient_lists.roll_back(office, visitor, site, to=int(to))
    return go_to(f"/patient-lists/{site}", said="rolled-back-list")


def revoke_alias(request: Request, site: str, alias_id: int, visitor: SignedIn) -> Response:
    """Take back what somebody said of a print, with everything that it confirmed."""
    patient_lists.revoke_alias(_office_for(request, site, visitor), visitor, site, alias_id)
    return go_to(f"/patient-lists/{site}", said="alias-revoked")


def _office_for(request: Request, site: str, visitor: Visitor) -> Office:
    office = office_of(request)
    if site not in office.sites_seen(visitor.user):
        raise HTTPException(404)
    return office


ROUTES: Final = (
    Route("GET", "/patient-lists", show_lists, policies.MANAGES),
    Route("POST", "/patient-lists/upload", upload, policies.MANAGES, form_bytes(MOST_LIST_BYTES)),
    Route("GET", "/patient-lists/previews/{request_id}", show_preview, policies.MANAGES),
    Route("POST", "/patient-lists/previews/{request_id}/import", take, policies.CHANGES_CLINIC),
    Route("GET", "/patient-lists/{site}", show_list, policies.MANAGES),
    Route("POST", "/patient-lists/{site}/look", look, policies.MANAGES),
    Route("POST", "/patient-lists/{site}/rollback", roll_back, policies.CHANGES_CLINIC),
    Route("POST", "/patient-lists/{site}/aliases/{alias_id}/revoke", revoke_alias, policies.MANAGES),
)
