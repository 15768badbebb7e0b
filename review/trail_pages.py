"""Everything the portals were ever told about one patient; the patient is found by a form, never by an address."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from records.patient import RosterPatient
from records.submission import delivery_sentence
from review import patient_trails, policies
from review.access import Form, SignedIn
from review.audit_names import values_text
from review.case_summary import display_name
from review.office import office_of
from review.rendering import page
from review.routing import Route
from review.viewing import note_view
from store import roster
from store.amendments import Amendment

_MOST_FOUND: Final = 8


def show_search(request: Request, visitor: SignedIn) -> Response:
    """The empty search."""
    return page(request, "patients.html", visitor=visitor, query="", found=(), searched=False)


def search(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Patients of the sites that the person sees."""
    office, query = office_of(request), form.get("query", "")[:200]
    found: list[tuple[RosterPatient, str]] = []
    with office.database.session() as session:
        for site in office.sites_seen(visitor.user):
            index = office.rosters.index(session, site)
            people = index.find(query, limit=_MOST_FOUND) if index else ()
            found += [(patient, display_name(patient)) for patient in people]
        found = found[:_MOST_FOUND]
        note_view(
            session, visitor, "patient.searched", "roster", "all", now=office.now(), shown=len(found),
            patients=[(patient.site, patient.patient_id) for patient, _ in found],
        )  # fmt: skip
    return page(request, "patients.html", visitor=visitor, query=query, found=found, searched=True)


def trail(request: Request, visitor: SignedIn, form: Form) -> Response:
    """The trail of one patient, oldest first."""
    office = office_of(request)
    site, patient_id = form.get("site", ""), form.get("patient_id", "")
    if site not in office.sites_seen(visitor.user) or not patient_id:
        return page(
            request, "message.html", visitor=visitor, status=404, heading="No such patient",
            sentence="Choose a patient of the list.", link="/patients", link_words="Find a patient",
        )  # fmt: skip
    found = patient_trails.look(
        office.database, site=site, patient_id=patient_id, actor=visitor.user.name, now=office.now()
    )
    with office.database.reading() as session:
        patient = roster.patient(session, site, patient_id)
    return page(
        request, "patient_trail.html", visitor=visitor, patient=patient, site=site, patient_id=patient_id,
        entries=[(entry, isinstance(entry, Amendment)) for entry in found.entries()], values_text=values_text,
        delivery_sentence=delivery_sentence,
        banner=display_name(patient) if patient else "A patient who left the roster",
    )  # fmt: skip


ROUTES: Final = (
    Route("GET", "/patients", show_search, policies.READS_PATIENTS),
    Route("POST", "/patients", search, policies.READS_PATIENTS),
    Route("POST", "/patients/trail", trail, policies.READS_PATIENTS),
)
