"""What people ask of the service, for the pages and the API: who may see a request, and asking for one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from records.errors import StoreError
from review import policies
from review.access import Policy, Visitor
from review.office import Office
from review.site_scope import NotThereError
from store import work_requests
from store.work_requests import WorkKind, WorkRequest

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
# Who may ask for a kind may see what became of it.
POLICIES: Final[Mapping[WorkKind, Policy]] = {
    WorkKind.SCAN_SOURCE: policies.ASKS_FOR_WORK,  # numbers only
    WorkKind.TAKE_REPORT: policies.READS_SOURCES,
    WorkKind.PROBE_DESTINATION: policies.MANAGES,
    WorkKind.PREVIEW_ROSTER: policies.MANAGES,
    WorkKind.IMPORT_ROSTER: policies.MANAGES,
    WorkKind.CHECK_TEMPLATE: policies.AUTHORS,
    WorkKind.PUBLISH_TEMPLATE: policies.AUTHORS,
    WorkKind.ROLL_BACK_TEMPLATE: policies.AUTHORS,
    WorkKind.TEST_ALERT: policies.MANAGES,
}


def work_seen(office: Office, visitor: Visitor, request_id: int) -> WorkRequest:
    """A request that a visitor may see.

    Raises:
        NotThereError: There is none, or it is not theirs to see.
    """
    try:
        with office.database.reading() as session:
            found = work_requests.get(session, request_id, sites=office.sites_seen(visitor.user))
    except StoreError:
        raise NotThereError from None
    if not visitor.may(POLICIES[found.kind]):
        raise NotThereError
    return found


def kinds_seen(visitor: Visitor) -> tuple[WorkKind, ...]:
    """What a visitor may see the outcome of."""
    return tuple(kind for kind, policy in POLICIES.items() if visitor.may(policy))


def ask_for(
    office: Office,
    visitor: Visitor,
    kind: WorkKind,
    subject: str,
    *,
    site: str | None = None,
    arguments: Mapping[str, str] = _NOTHING,
) -> WorkRequest:
    """Ask the service for something in a visitor's name, and let it know."""
    with office.database.session() as session:
        asked = work_requests.ask(
            session, kind, subject, site=site, actor=visitor.user.name, now=office.now(), arguments=arguments
        )
    office.setup.work_asked()
    return asked


def checks_of(work: WorkRequest) -> list[tuple[str, str, str]]:
    """Verdict, name and words of each check that a request has made."""
    lines = [line.split("\t", 2) for line in work.found.get("checks", "").splitlines()]
    return [(verdict, name, words) for verdict, name, words in (line for line in lines if len(line) == 3)]
