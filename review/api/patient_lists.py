"""Patient lists: their versions, what people said of prints, and importing a list that was shown in numbers.

A list is uploaded, or lies at the site's usual place; no patient of it is shown here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import Request

from records.errors import DecisionRefusedError
from review import patient_lists, policies
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Done, Id, Shape, Version, Wish
from review.api.work import Asked, asked
from review.office import office_of
from store import aliases, roster_history
from store.alias_states import AliasState

_VERSIONS: Final = 50
_ALIASES: Final = 200


class ListVersion(Shape):
    """A version of a site's list, in numbers."""

    version: int
    as_of: datetime
    made_at: datetime
    made_by: str
    source: str
    restores: int | None
    """The version that it brought back."""
    added: int
    changed: int
    removed: int
    warnings: tuple[str, ...]


class SaidOfPrint(Shape):
    """What a person said of a print: that it is a certain patient of the list."""

    alias_id: int
    source: str
    record_id: int
    state: AliasState
    said_by: str
    said_at: datetime
    seconded_by: str | None
    uses: int
    """Records confirmed by it."""
    last_used_at: datetime | None


class PatientListShown(Shape):
    """A site's list."""

    site: str
    origin: str
    is_stale: bool
    """It is too old to confirm anybody."""
    trouble: tuple[str, ...]
    """Why a newer list is not in use."""
    versions: tuple[ListVersion, ...]
    """Newest first; at most fifty."""
    said: tuple[SaidOfPrint, ...]
    """At most two hundred."""


class ImportingList(Wish):
    """Whether a list is right that changes more than is usual."""

    accepted: bool = False


class RollingBack(Wish):
    """Which version is brought back."""

    to: Version


def get_patient_list(request: Request, site: str, caller: Caller) -> PatientListShown:
    """A site's list: its versions, and what people said of prints. No patient is named."""
    del caller
    office = office_of(request)
    with office.database.reading() as session:
        row = patient_lists.row(session, office, site)
        versions = roster_history.versions(session, site, limit=_VERSIONS)
        said = aliases.list_aliases(session, site=site)[:_ALIASES]
    return PatientListShown(
        site=site,
        origin=row.setup.origin,
        is_stale=row.is_stale,
        trouble=row.trouble,
        versions=tuple(ListVersion.model_validate(one) for one in versions),
        said=tuple(SaidOfPrint.model_validate(one) for one in said),
    )


def look_at_patient_list(request: Request, site: str, caller: Caller) -> Asked:
    """Have the list of the site's usual place shown in numbers; nothing is imported."""
    return asked(patient_lists.look(office_of(request), caller, site))


def import_patient_list(request: Request, site: str, work_id: Id, caller: Caller, wish: ImportingList) -> Asked:
    """Have the list imported that a request has shown in numbers, uploaded or from the usual place."""
    office = office_of(request)
    if patient_lists.preview_seen(office, caller, work_id).site != site:
        raise DecisionRefusedError("This list is another site's.", next_step="Look at the request again.")
    return asked(patient_lists.take(office, caller, work_id, accepted=wish.accepted))


def roll_patient_list_back(request: Request, site: str, caller: Caller, wish: RollingBack) -> Done:
    """Bring an earlier version back as a new one; new lists then wait for an import by hand."""
    patient_lists.roll_back(office_of(request), caller, site, to=wish.to)
    return Done()


def revoke_said(request: Request, site: str, alias_id: Id, caller: Caller) -> Done:
    """Take back what somebody said of a print, with everything that it confirmed."""
    patient_lists.revoke_alias(office_of(request), caller, site, alias_id)
    return Done()


_LIST: Final = "/sites/{site}/patient-list"
ROUTES: Final = (
    ApiRoute("GET", _LIST, get_patient_list, policies.MANAGES),
    ApiRoute("POST", f"{_LIST}/look", look_at_patient_list, policies.MANAGES, changes=True),
    ApiRoute("POST", f"{_LIST}/import/{{work_id}}", import_patient_list, policies.CHANGES_CLINIC, changes=True),
    ApiRoute("POST", f"{_LIST}/roll-back", roll_patient_list_back, policies.CHANGES_CLINIC, changes=True),
    ApiRoute("POST", f"{_LIST}/said/{{alias_id}}/revoke", revoke_said, policies.MANAGES, changes=True),
)
